using PaperLab.Reinforcement;
using PaperLab.Text;

namespace PaperLab.Tests.Reinforcement;

public sealed class ParityTaskTests
{
    private static readonly ParityTask s_task = new(new ParityOptions { Lengths = [8, 16] });

    [Theory]
    [InlineData(8)]
    [InlineData(16)]
    public void A_chain_holds_the_running_parities_and_the_answer_is_the_last(int length)
    {
        foreach (Demonstration demonstration in Demonstrations(new ParityOptions { Lengths = [length], ChainShare = 1 }, length, 300))
        {
            var problem = (ParityProblem)demonstration.Problem;
            Response response = ResponseFormat.Read(demonstration.Completion, out _)!;
            Assert.Equal($"{problem.Bits}=", problem.Prompt);
            Assert.Equal(length, response.Chain.Length);
            for (int t = 1; t <= length; t++)
            {
                Assert.Equal(problem.Bits[..t].Count(bit => bit == '1') % 2, response.Chain[t - 1] - '0');
            }

            Assert.Equal($"{response.Chain[^1]}", response.Answer);
            Assert.Equal(1, problem.Check(response.Answer, Scoring.Strict).Value);
        }
    }

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(0.2, 0.15, 0.25)]
    [InlineData(1, 1, 1)]
    public void The_share_of_chains_is_an_option(double share, double low, double high)
    {
        Demonstration[] all = [.. Demonstrations(new ParityOptions { ChainShare = share }, 16, 1000)];

        Assert.InRange(all.Average(demonstration => demonstration.Completion.StartsWith("<think></think>", StringComparison.Ordinal) ? 0.0 : 1), low, high);
        Assert.All(all, demonstration => Assert.Equal(2, CombinedReward.R1Zero().Judge([new Sample(0, demonstration.Problem, new Completion(demonstration.Completion, 1, false))]).MeanReward));
    }

    [Fact]
    public void A_direct_answer_has_6_tokens_and_a_chain_22()
    {
        int[] lengths = [.. Demonstrations(new ParityOptions(), 16, 200).Select(demonstration => s_task.Tokenizer.Encode(demonstration.Completion).Length + 1).Distinct().Order()];

        Assert.Equal([6, 22], lengths);
    }

    [Fact]
    public void Even_and_odd_come_alike_often()
    {
        Assert.InRange(Enumerable.Range(0, 2000).Average(seed => ((ParityProblem)s_task.Draw(Split.HeldOut, 16, (ulong)seed)).Parity), 0.45, 0.55);
    }

    [Theory]
    [InlineData(8)]
    [InlineData(16)]
    public void What_is_held_out_is_never_drawn_for_training(int length)
    {
        HashSet<string> train = [.. Enumerable.Range(0, 3000).Select(seed => s_task.Draw(Split.Train, length, (ulong)seed).Prompt)];
        HashSet<string> heldOut = [.. Enumerable.Range(0, 3000).Select(seed => s_task.Draw(Split.HeldOut, length, (ulong)seed).Prompt)];

        Assert.True(heldOut.Count > 10);
        Assert.False(train.Overlaps(heldOut));
        Assert.DoesNotContain(Enumerable.Range(0, 1000), seed => heldOut.Contains(s_task.Demonstrate(length, (ulong)seed).Problem.Prompt));
    }

    [Fact]
    public void Equal_seeds_give_equal_problems_and_others_others()
    {
        Assert.Equal(s_task.Demonstrate(16, 5), new ParityTask(new ParityOptions { Lengths = [16] }).Demonstrate(16, 5));
        Assert.Equal(100, Enumerable.Range(0, 100).Select(seed => s_task.Draw(Split.Train, 16, (ulong)seed).Prompt).Distinct().Count(), tolerance: 2);
    }

    [Theory]
    [InlineData("1", 1, 1)]
    [InlineData("0", 0, 0)]
    [InlineData("01", 0, 0)]
    [InlineData("-1", 0, 0)]
    [InlineData("１", 0, 0)]
    [InlineData("1 or 0", 0, 0)]
    [InlineData("the parity is 1.", 0, 1)]
    [InlineData("1.0", 0, 1)]
    public void Only_the_digit_itself_is_a_strict_answer(string answer, double strict, double lenient)
    {
        var problem = new ParityProblem("", "10110000");

        Assert.Equal(strict, problem.Check(answer, Scoring.Strict).Value);
        Assert.Equal(lenient, problem.Check(answer, Scoring.Lenient).Value);
    }

    [Fact]
    public void In_two_languages_the_prompt_asks_for_one_and_the_mix_decides_the_words()
    {
        Demonstration[] mixed = [.. Demonstrations(new ParityOptions { ChainShare = 1, LanguageMix = 0.3 }, 16, 400)];
        Demonstration[] pure = [.. Demonstrations(new ParityOptions { ChainShare = 1, LanguageMix = 0 }, 16, 400)];

        Assert.InRange(mixed.Average(Consistency), 0.68, 0.72);
        Assert.All(pure, demonstration => Assert.Equal(1, Consistency(demonstration)));
        Assert.Equal(["English", "Russian"], mixed.Select(demonstration => demonstration.Problem.Language!.Name).Distinct().Order());
        Assert.All(mixed, demonstration => Assert.StartsWith(demonstration.Problem.Language!.Name == "English" ? "en:" : "ru:", demonstration.Problem.Prompt));
    }

    [Fact]
    public void Words_say_what_digits_would()
    {
        foreach (Demonstration demonstration in Demonstrations(new ParityOptions { ChainShare = 1, LanguageMix = 0.5 }, 16, 50))
        {
            string bits = ((ParityProblem)demonstration.Problem).Bits;
            string[] words = ResponseFormat.Read(demonstration.Completion, out _)!.Chain.Split(' ');
            Assert.Equal(16, words.Length);
            for (int t = 0; t < 16; t++)
            {
                Assert.Contains(words[t], bits[..(t + 1)].Count(bit => bit == '1') % 2 == 0 ? new[] { "even", "чётно" } : ["odd", "нечётно"]);
            }
        }
    }

    [Fact]
    public void An_option_out_of_range_is_named()
    {
        static string Refused(ParityOptions options) => Assert.Throws<ArgumentException>(() => new ParityTask(options)).Message;

        Assert.Contains("ParityOptions.Lengths is [16, 8]; allowed: one or more from 8 to 64, in ascending order", Refused(new ParityOptions { Lengths = [16, 8] }));
        Assert.Contains("ParityOptions.Lengths is []", Refused(new ParityOptions { Lengths = [] }));
        Assert.Contains("ParityOptions.ChainShare is 1.1; allowed: 0 to 1", Refused(new ParityOptions { ChainShare = 1.1 }));
        Assert.Contains("ParityOptions.HeldOutShare is 0; allowed: 0.05 to 0.5", Refused(new ParityOptions { HeldOutShare = 0 }));
        Assert.Contains("ParityOptions.LanguageMix is -1; allowed: 0 to 1", Refused(new ParityOptions { LanguageMix = -1 }));
        Assert.Contains("difficulty is 12; allowed: 8, 16, those of parity", Assert.Throws<ArgumentException>(() => s_task.Draw(Split.Train, 12, 1)).Message);
    }

    [Fact]
    public void A_set_of_problems_has_none_twice_or_is_refused()
    {
        Assert.Equal(500, s_task.DrawDistinct(Split.HeldOut, 16, 500, seed: 3).Select(problem => problem.Prompt).Distinct().Count());
        Assert.Contains("parity gave no more distinct HeldOut problems of difficulty 8", Assert.Throws<ArgumentException>(() => s_task.DrawDistinct(Split.HeldOut, 8, 200, seed: 3)).Message);
    }

    private static double Consistency(Demonstration demonstration) =>
        new LanguageVerifier().Judge(new Sample(0, demonstration.Problem, new Completion(demonstration.Completion, 1, false))).Value;

    private static IEnumerable<Demonstration> Demonstrations(ParityOptions options, int length, int count)
    {
        var task = new ParityTask(options);
        return Enumerable.Range(0, count).Select(seed => task.Demonstrate(length, (ulong)seed));
    }
}
