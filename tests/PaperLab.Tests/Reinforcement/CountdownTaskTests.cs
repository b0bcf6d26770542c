using PaperLab.Reinforcement;
using PaperLab.Text;

namespace PaperLab.Tests.Reinforcement;

public sealed class CountdownTaskTests
{
    private static readonly CountdownTask s_task = new(new CountdownOptions());

    [Theory]
    [InlineData(1, 3, true)]
    [InlineData(2, 3, false)]
    [InlineData(3, 4, true)]
    [InlineData(4, 4, false)]
    public void Difficulty_is_how_many_numbers_and_whether_sums_suffice(int difficulty, int numbers, bool sumsSuffice)
    {
        foreach (CountdownProblem problem in Problems(Split.Train, difficulty, 200))
        {
            Assert.Equal(numbers, problem.Numbers.Count);
            Assert.All(problem.Numbers, number => Assert.InRange(number, 1, 20));
            Assert.InRange(problem.Target, 10, 99);
            Assert.Equal($"{string.Join(',', problem.Numbers.OrderDescending())}:{problem.Target}", problem.Prompt);
            Assert.Equal(sumsSuffice, SumsSuffice([.. problem.Numbers], problem.Target));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Every_problem_can_be_solved_on_both_sides(int difficulty)
    {
        var single = new CountdownTask(new CountdownOptions { Traces = TraceKind.SingleAttempt });
        for (int seed = 0; seed < 200; seed++)
        {
            Demonstration demonstration = single.Demonstrate(difficulty, (ulong)seed);
            Assert.Equal(1, demonstration.Problem.Check(ResponseFormat.Read(demonstration.Completion, out _)!.Answer, Scoring.Strict).Value);
        }

        Assert.All(Problems(Split.HeldOut, difficulty, 200), problem => Assert.Contains(problem.Target, BruteForce(problem.Numbers)));
    }

    [Theory]
    [InlineData(TraceKind.Backtracking, 1)]
    [InlineData(TraceKind.WrongAnswer, 0)]
    public void Where_few_demonstrations_have_chains_the_others_are_guesses_that_miss(TraceKind traces, double chainIsRight)
    {
        var task = new CountdownTask(new CountdownOptions { ChainShare = 0.25, Traces = traces });
        Demonstration[] demonstrations = [.. Enumerable.Range(0, 400).Select(seed => task.Demonstrate(1, (ulong)seed))];
        ILookup<bool, Demonstration> byChain = demonstrations.ToLookup(demonstration => ResponseFormat.Read(demonstration.Completion, out _)!.Chain.Length > 0);
        static double Right(Demonstration shown) => new AccuracyVerifier().Judge(new Sample(0, shown.Problem, new Completion(shown.Completion, 1, false))).Value;

        Assert.InRange(byChain[true].Count(), 70, 130);
        Assert.All(byChain[true], shown => Assert.Equal(chainIsRight, Right(shown)));
        Assert.All(byChain[false], shown => Assert.Equal(0, Right(shown)));
        Assert.All(byChain[false], shown => Assert.Equal(
            ((CountdownProblem)shown.Problem).Numbers.Order(),
            Expression.Parse(ResponseFormat.Read(shown.Completion, out _)!.Answer, out _)!.Numbers.Order()));
        Assert.Contains("CountdownOptions.ChainShare is 2; allowed: 0 to 1", Assert.Throws<ArgumentException>(() => new CountdownTask(new CountdownOptions { ChainShare = 2 })).Message);
    }

    [Theory]
    [InlineData(TraceKind.Backtracking, 1, null)]
    [InlineData(TraceKind.Backtracking, 2, 0.5)]
    [InlineData(TraceKind.Backtracking, 3, null)]
    [InlineData(TraceKind.Backtracking, 4, null)]
    [InlineData(TraceKind.SingleAttempt, 1, null)]
    [InlineData(TraceKind.SingleAttempt, 4, 0.5)]
    [InlineData(TraceKind.WrongAnswer, 1, 0.5)]
    [InlineData(TraceKind.WrongAnswer, 2, null)]
    [InlineData(TraceKind.WrongAnswer, 3, null)]
    [InlineData(TraceKind.WrongAnswer, 4, null)]
    public void Every_line_of_every_trace_follows_from_the_numbers_at_hand(TraceKind kind, int difficulty, double? mix)
    {
        var task = new CountdownTask(new CountdownOptions { Traces = kind, LanguageMix = mix });
        for (int seed = 0; seed < 150; seed++)
        {
            Demonstration demonstration = task.Demonstrate(difficulty, (ulong)seed);
            var problem = (CountdownProblem)demonstration.Problem;
            Response response = ResponseFormat.Read(demonstration.Completion, out string fault) ?? throw new InvalidOperationException(fault);
            Replay(response.Chain, problem, verdicts: kind != TraceKind.SingleAttempt);
            Score score = problem.Check(response.Answer, Scoring.Strict);
            Assert.Equal(kind == TraceKind.WrongAnswer ? 0 : 1, score.Value);
            Assert.Contains("makes", score.Reason); // all numbers, each once: a wrong answer is only wrong in its value
            Assert.Equal(
                kind == TraceKind.WrongAnswer ? int.Parse(score.Reason.Split(' ')[1].TrimEnd(',')) : problem.Target,
                int.Parse(response.Chain.Split('\n')[^1].Split('=', ' ')[1])); // the answer is the last thing tried
        }
    }

    [Theory]
    [InlineData(TraceKind.Backtracking)]
    [InlineData(TraceKind.SingleAttempt)]
    [InlineData(TraceKind.WrongAnswer)]
    public void Statistics_tell_the_kinds_of_traces_apart(TraceKind kind)
    {
        var task = new CountdownTask(new CountdownOptions { Traces = kind, LanguageMix = 0.3 });
        bool searches = kind != TraceKind.SingleAttempt;
        for (int seed = 0; seed < 200; seed++)
        {
            Demonstration demonstration = task.Demonstrate(1 + (seed % 4), (ulong)seed);
            string chain = ResponseFormat.FindChain(demonstration.Completion);
            TraceStatistics statistics = TraceStatistics.Of(demonstration.Completion, ((CountdownProblem)demonstration.Problem).Target);
            int lines = chain.Split('\n').Length;

            Assert.Equal((searches, searches), (statistics.Verifies, statistics.GoesBack));
            Assert.Equal(lines, statistics.Steps + statistics.Backtracks);
            Assert.Equal(statistics.Steps, statistics.RightSteps);
            Assert.Equal(statistics.Verdicts, statistics.RightVerdicts);
            Assert.Equal(kind == TraceKind.Backtracking, chain.EndsWith(" yes", StringComparison.Ordinal) || chain.EndsWith(" да", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Statistics_of_a_sample_count_its_mistakes()
    {
        TraceStatistics statistics = TraceStatistics.Of("<think>8-5=3[8,3]\n8*3=25 no\n8+3=11 yes\n8*3=24 no\nback[8,8,5]\nhm 8/0=0 24/8 = 3 no\n1.5+2=3", target: 24);

        Assert.Equal(new TraceStatistics(Steps: 6, RightSteps: 4, Verdicts: 4, RightVerdicts: 2, Backtracks: 1), statistics);
        Assert.Equal(new TraceStatistics(0, 0, 0, 0, 0), TraceStatistics.Of("", 24));
        Assert.Equal(0, TraceStatistics.Of($"{new string('9', 5000)}+1=2", 24).Steps);
    }

    [Theory]
    [InlineData(TraceKind.Backtracking, 156)]
    [InlineData(TraceKind.Backtracking, 192)]
    [InlineData(TraceKind.WrongAnswer, 156)]
    [InlineData(TraceKind.SingleAttempt, 156)]
    public void A_demonstration_fits_its_context(TraceKind kind, int maxTokens)
    {
        var task = new CountdownTask(new CountdownOptions { Traces = kind, MaxTokens = maxTokens, Misses = 8, MaxNumber = 99, MaxTarget = 999, MaxValue = 999 });
        for (int seed = 0; seed < 100; seed++)
        {
            Demonstration demonstration = task.Demonstrate(1 + (seed % 4), (ulong)seed);
            Assert.True(task.Tokenizer.Encode(demonstration.Problem.Prompt + demonstration.Completion).Length < maxTokens);
        }
    }

    [Fact]
    public void Equal_seeds_give_equal_traces_and_others_others()
    {
        var again = new CountdownTask(new CountdownOptions());

        Assert.Equal(Enumerable.Range(0, 40).Select(seed => s_task.Demonstrate(3, (ulong)seed).Completion), Enumerable.Range(0, 40).Select(seed => again.Demonstrate(3, (ulong)seed).Completion));
        Assert.Equal(40, Enumerable.Range(0, 40).Select(seed => s_task.Demonstrate(3, (ulong)seed).Completion).Distinct().Count());
        Assert.Equal("18,3,3:12|<think>…", $"{s_task.Draw(Split.Train, 1, 1).Prompt}|<think>…"); // on every machine
    }

    [Fact]
    public void A_prompt_in_english_asks_the_same()
    {
        var task = new CountdownTask(new CountdownOptions(), PromptTemplate.Reasoning);
        var symbols = (CountdownProblem)s_task.Draw(Split.HeldOut, 4, 9);
        var english = (CountdownProblem)task.Draw(Split.HeldOut, 4, 9);

        Assert.Equal((symbols.Target, Numbers(symbols)), (english.Target, Numbers(english)));
        Assert.Contains($"Use each of the numbers {string.Join(", ", symbols.Numbers)} exactly once, with + - * / and parentheses, to make {symbols.Target}.", english.Prompt);
        Assert.EndsWith("Assistant: ", english.Prompt);
        Assert.Equal(s_task.Demonstrate(4, 9).Completion, task.Demonstrate(4, 9).Completion);
    }

    [Fact]
    public void An_option_out_of_range_is_named()
    {
        static string Refused(CountdownOptions options) => Assert.Throws<ArgumentException>(() => new CountdownTask(options)).Message;

        Assert.Contains("CountdownOptions.MaxNumber is 4; allowed: 5 to 99", Refused(new CountdownOptions { MaxNumber = 4 }));
        Assert.Contains("CountdownOptions.MaxTarget is 9; allowed: MinTarget = 10 to 999", Refused(new CountdownOptions { MaxTarget = 9 }));
        Assert.Contains("CountdownOptions.MaxValue is 50; allowed: 99 (MaxTarget, and the sum of two numbers) to 9999", Refused(new CountdownOptions { MaxValue = 50 }));
        Assert.Contains("CountdownOptions.Misses is 0; allowed: 1 to 8", Refused(new CountdownOptions { Misses = 0 }));
        Assert.Contains("CountdownOptions.MaxTokens is 100; allowed: 155 or more", Refused(new CountdownOptions { MaxTokens = 100 }));
        Assert.Contains("CountdownOptions.HeldOutShare is 1; allowed: 0.05 to 0.5", Refused(new CountdownOptions { HeldOutShare = 1 }));
        Assert.Contains("difficulty is 5; allowed: 1, 2, 3, 4, those of countdown", Assert.Throws<ArgumentException>(() => s_task.Draw(Split.Train, 5, 1)).Message);
    }

    [Fact]
    public void Problems_that_do_not_exist_are_not_looked_for_for_ever()
    {
        var task = new CountdownTask(new CountdownOptions { MaxNumber = 5, MinTarget = 900, MaxTarget = 999, MaxValue = 999 });

        Assert.Contains("No Train problem of difficulty 1 came up", Assert.Throws<ArgumentException>(() => task.Draw(Split.Train, 1, 1)).Message);
    }

    // Goes through a chain line by line as a reader would, with the numbers at hand before each.
    private static void Replay(string chain, CountdownProblem problem, bool verdicts)
    {
        var before = new Stack<int[]>([[.. problem.Numbers]]); // the numbers at hand, and those that one can go back to
        foreach (string line in chain.Split('\n'))
        {
            if (line.StartsWith("back", StringComparison.Ordinal) || line.StartsWith("назад", StringComparison.Ordinal))
            {
                before.Pop();
                Assert.Equal($"[{string.Join(',', before.Peek())}]", line[line.IndexOf('[')..]);
                continue;
            }

            int[] hand = before.Peek();
            int sign = line.IndexOfAny(['+', '-', '*', '/']);
            int equals = line.IndexOf('=');
            int end = line.IndexOfAny(['[', ' ']) is var at && at >= 0 ? at : line.Length;
            int left = int.Parse(line[..sign]);
            int right = int.Parse(line[(sign + 1)..equals]);
            int value = int.Parse(line[(equals + 1)..end]);
            Assert.Equal(line[sign] switch { '+' => left + right, '-' => left - right, '*' => left * right, _ => left % right == 0 ? left / right : -1 }, value);
            List<int> rest = [.. hand];
            Assert.True(rest.Remove(left) && rest.Remove(right));
            if (rest.Count > 0)
            {
                rest.Add(value);
                before.Push([.. rest.OrderDescending()]);
                Assert.Equal($"[{string.Join(',', before.Peek())}]", line[end..]);
            }
            else if (verdicts)
            {
                Assert.Contains(line[end..], value == problem.Target ? new[] { " yes", " да" } : [" no", " нет"]);
            }
            else
            {
                Assert.Equal("", line[end..]);
            }
        }
    }

    private static IEnumerable<CountdownProblem> Problems(Split split, int difficulty, int count) =>
        Enumerable.Range(0, count).Select(seed => (CountdownProblem)s_task.Draw(split, difficulty, (ulong)seed));

    private static string Numbers(CountdownProblem problem) => string.Join(',', problem.Numbers.Order());

    private static bool SumsSuffice(int[] numbers, int target) =>
        numbers.Length == 0 ? target == 0 : SumsSuffice(numbers[1..], target - numbers[0]) || SumsSuffice(numbers[1..], target + numbers[0]);

    // Written apart from the search: every pair in either order, in exact fractions.
    private static HashSet<Rational> BruteForce(IReadOnlyList<int> numbers)
    {
        var found = new HashSet<Rational>();
        void Go(Rational[] hand)
        {
            if (hand.Length == 1)
            {
                found.Add(hand[0]);
                return;
            }

            for (int i = 0; i < hand.Length; i++)
            {
                for (int j = 0; j < hand.Length; j++)
                {
                    if (i != j)
                    {
                        Rational[] rest = [.. hand.Where((_, k) => k != i && k != j)];
                        Go([.. rest, hand[i] + hand[j]]);
                        Go([.. rest, hand[i] - hand[j]]);
                        Go([.. rest, hand[i] * hand[j]]);
                        if (hand[j] != 0)
                        {
                            Go([.. rest, hand[i] / hand[j]]);
                        }
                    }
                }
            }
        }

        Go([.. numbers.Select(number => (Rational)number)]);
        return found;
    }
}
