using System.Diagnostics;
using PaperLab.Generation;
using PaperLab.Reinforcement;
using PaperLab.Text;

namespace PaperLab.Tests.Reinforcement;

public sealed class CombinedRewardTests
{
    private const string Right = "<think>8-5=3</think><answer>(8-5)*8</answer>";
    private static readonly CountdownProblem s_problem = new("8,5,8:24", [8, 5, 8], 24);

    [Fact]
    public void The_papers_reward_is_accuracy_plus_format()
    {
        JudgedBatch batch = CombinedReward.R1Zero().Judge([SampleOf(0, Right), SampleOf(1, "<think></think><answer>8</answer>"), SampleOf(2, "(8-5)*8")]);

        Assert.Equal([2, 1, 0], batch.Samples.Select(sample => sample.Reward));
        Assert.Equal(1, batch.MeanReward);
        Assert.Equal(1 / 3.0, batch.Mean("accuracy"), 12);
        Assert.Equal(2 / 3.0, batch.Mean("format"), 12);
        Assert.Equal(0, batch.Truncated);
        Assert.Equal(
            [new Judgement("accuracy", 1, new Score(0, "8 used once, given 2 times")), new Judgement("format", 1, new Score(1, "as asked"))],
            batch.Samples[1].Judgements);
        Assert.Contains("allowed: accuracy, format", Assert.Throws<ArgumentException>(() => batch.Mean("beauty")).Message);
    }

    [Fact]
    public void A_truncated_completion_earns_no_accuracy_reward_and_is_counted()
    {
        var reward = new CombinedReward([Weighted(new AccuracyVerifier()), Weighted(new AccuracyVerifier(Scoring.Lenient), 0), Weighted(new FormatVerifier(), 0.5)]);
        JudgedBatch batch = reward.Judge([SampleOf(0, Right, truncated: true), SampleOf(1, Right)]);

        Assert.Equal([0, 1.5], batch.Samples.Select(sample => sample.Reward));
        Assert.Equal(1, batch.Truncated);
        Assert.Equal(["truncated: no accuracy reward", "truncated: no accuracy reward", "truncated: something was to follow the answer"], batch.Samples[0].Judgements.Select(judgement => judgement.Score.Reason));
    }

    [Fact]
    public void Weights_scale_what_verifiers_say_and_nothing_is_added()
    {
        var reward = new CombinedReward([Weighted(new AccuracyVerifier(), 2), Weighted(new FormatVerifier(), 0.5), Weighted(new LengthVerifier(limit: 20, margin: 10), 0.25)]);

        Assert.Equal(2 + 0.5 - (0.25 * 0.4), reward.Judge([SampleOf(0, Right, tokens: 14)]).MeanReward, 12);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(10, 0)]
    [InlineData(11, -0.1)]
    [InlineData(20, -1)]
    [InlineData(500, -1)]
    public void Length_is_free_up_to_a_margin_before_the_limit(int tokens, double value)
    {
        Assert.Equal(value, new LengthVerifier(limit: 20, margin: 10).Judge(SampleOf(0, Right, tokens: tokens)).Value, 12);
    }

    [Theory]
    [InlineData(0.5, 0.6, "format's part of the reward (weight times range) is 0.6; allowed: up to 0.5, accuracy's part")]
    [InlineData(0, 0.1, "format's part of the reward (weight times range) is 0.1; allowed: up to 0, accuracy's part")]
    [InlineData(1, -1, "the weight of 'format' is -1; allowed: 0 or more")]
    [InlineData(double.NaN, 0, "the weight of 'accuracy' is NaN; allowed: 0 or more")]
    public void Format_is_never_worth_more_than_accuracy(double accuracy, double format, string message)
    {
        Assert.Contains(message, Assert.Throws<ArgumentException>(() => new CombinedReward([Weighted(new AccuracyVerifier(), accuracy), Weighted(new FormatVerifier(), format)])).Message);
    }

    [Fact]
    public void A_wider_range_counts_as_more_weight()
    {
        var wide = new Verifier("style", _ => new Score(5, "")) { Role = VerifierRole.Format, Lowest = -5, Highest = 5 };

        Assert.Contains("is 10; allowed: up to 1", Assert.Throws<ArgumentException>(() => new CombinedReward([Weighted(new AccuracyVerifier()), Weighted(wide)])).Message);
    }

    [Fact]
    public void A_combination_that_makes_no_sense_is_refused()
    {
        string Refused(params WeightedVerifier[] parts) => Assert.Throws<ArgumentException>(() => new CombinedReward(parts)).Message;

        Assert.Contains("the number of verifiers is 0; allowed: 1 or more", Refused());
        Assert.Contains("the name of a verifier is 'accuracy' twice", Refused(Weighted(new AccuracyVerifier()), Weighted(new AccuracyVerifier())));
        Assert.Contains("the range of 'empty' is 1 to 1", Refused(Weighted(new Verifier("empty", _ => new Score(1, "")) { Lowest = 1 })));
        Assert.Contains("limit is 00:00:00; allowed: more than 0 s", Assert.Throws<ArgumentException>(() => new CombinedReward([Weighted(new AccuracyVerifier())], TimeSpan.Zero)).Message);
        Assert.Contains("margin is 0; allowed: 1 to 20", Assert.Throws<ArgumentException>(() => new LengthVerifier(20, 0)).Message);
    }

    [Fact]
    public void A_verifier_that_throws_ends_as_an_error_that_names_the_sample()
    {
        var throws = new Verifier("fragile", sample => sample.Index == 1 ? throw new FormatException("bad luck") : new Score(0, ""));
        VerifierException error = Fails(throws, SampleOf(0, "a"), SampleOf(1, "second\nline"), SampleOf(2, "c"));

        Assert.StartsWith(
            "The verifier 'fragile' threw FormatException (bad luck) on sample 1. Correct the verifier, or leave it out of the reward. Prompt: \"8,5,8:24\". Completion: \"second\\nline\".",
            error.Message);
        Assert.Equal(1, error.Sample.Index);
        Assert.Same(throws, error.Verifier);
        Assert.IsType<FormatException>(error.InnerException);
    }

    [Theory]
    [InlineData(double.NaN, "returned NaN, outside its range of 0 to 1, on sample 0")]
    [InlineData(double.PositiveInfinity, "returned ∞, outside its range of 0 to 1, on sample 0")]
    [InlineData(1.01, "returned 1.01, outside its range of 0 to 1, on sample 0")]
    [InlineData(-0.01, "returned -0.01, outside its range of 0 to 1, on sample 0")]
    public void A_value_outside_the_range_ends_as_an_error(double value, string message)
    {
        Assert.Contains(message.Replace("∞", double.PositiveInfinity.ToString()), Fails(new Verifier("odd", _ => new Score(value, "")), SampleOf(0, "a")).Message);
    }

    [Fact]
    public void A_verifier_that_returns_nothing_ends_as_an_error()
    {
        Assert.Contains("The verifier 'odd' returned null on sample 0", Fails(new Verifier("odd", _ => null!), SampleOf(0, "a")).Message);
    }

    [Fact]
    public void A_verifier_that_hangs_ends_as_an_error_that_names_the_sample()
    {
        using var release = new ManualResetEventSlim();
        var hangs = new Verifier("slow", sample =>
        {
            if (sample.Index == 1)
            {
                release.Wait();
            }

            return new Score(0, "");
        });
        long began = Stopwatch.GetTimestamp();
        VerifierException error = Assert.Throws<VerifierException>(() =>
            new CombinedReward([Weighted(hangs)], TimeSpan.FromMilliseconds(200)).Judge([SampleOf(0, "a"), SampleOf(1, "b")]));
        TimeSpan waited = Stopwatch.GetElapsedTime(began);
        release.Set();

        Assert.StartsWith("The verifier 'slow' did not return within 0.2 s on sample 1.", error.Message);
        Assert.True(waited >= TimeSpan.FromMilliseconds(200));
    }

    [Fact]
    public void Many_quick_samples_may_take_longer_together_than_one_may()
    {
        var steady = new Verifier("steady", _ =>
        {
            Thread.Sleep(50);
            return new Score(1, "");
        });
        var reward = new CombinedReward([Weighted(steady)], TimeSpan.FromSeconds(1)); // 25 times 50 ms is more

        Assert.Equal(1, reward.Judge([.. Enumerable.Range(0, 25).Select(i => SampleOf(i, "a"))]).MeanReward);
    }

    [Fact]
    public void Judging_can_be_called_off()
    {
        using var source = new CancellationTokenSource();
        int asked = 0;
        var verifier = new Verifier("counts", _ =>
        {
            asked++;
            source.Cancel();
            Thread.Sleep(200);
            return new Score(0, "");
        });

        Assert.ThrowsAny<OperationCanceledException>(() => new CombinedReward([Weighted(verifier)]).Judge([.. Enumerable.Range(0, 1000).Select(i => SampleOf(i, "a"))], source.Token));
        Thread.Sleep(500);
        Assert.InRange(asked, 1, 2);
    }

    [Fact]
    public void A_long_prompt_is_shortened_in_the_error()
    {
        string message = Fails(new Verifier("odd", _ => null!), SampleOf(0, new string('x', 5000))).Message;

        Assert.Contains("… (5000 characters)\"", message);
        Assert.InRange(message.Length, 300, 700);
    }

    [Fact]
    public void A_continuation_becomes_text_without_the_token_that_ended_it()
    {
        BpeTokenizer bytes = BpeTokenizer.Train([], 257);
        int[] tokens = [.. bytes.Encode("ab"), 256];

        Assert.Equal(new Completion("ab", 3, Truncated: false), Completion.Of(new Continuation(tokens, [0, 0, 0], FinishReason.Stop), bytes));
        Assert.Equal(new Completion("ab", 2, Truncated: true), Completion.Of(new Continuation(tokens[..2], [0, 0], FinishReason.Length), bytes));
        Assert.Equal(new Completion("ab<|endoftext|>", 3, Truncated: true), Completion.Of(new Continuation(tokens, [0, 0, 0], FinishReason.Context), bytes));
    }

    private static VerifierException Fails(IVerifier verifier, params Sample[] samples) =>
        Assert.Throws<VerifierException>(() => new CombinedReward([Weighted(verifier)]).Judge(samples));

    private static WeightedVerifier Weighted(IVerifier verifier, double weight = 1) => new(verifier, weight);

    private static Sample SampleOf(int index, string text, int tokens = 10, bool truncated = false) => new(index, s_problem, new Completion(text, tokens, truncated));

    private sealed class Verifier(string name, Func<Sample, Score> judge) : IVerifier
    {
        public string Name => name;

        public VerifierRole Role { get; init; }

        public double Lowest { get; init; }

        public double Highest { get; init; } = 1;

        public Score Judge(Sample sample) => judge(sample);
    }
}
