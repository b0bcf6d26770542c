// How well a policy answers held-out problems: greedily, by one sample, and by the majority of several.

using PaperLab.Generation;
using PaperLab.Models;
using PaperLab.Text;

namespace PaperLab.Reinforcement;

/// <summary>How many problems and samples, and how they are drawn.</summary>
public sealed record PolicyEvaluationOptions
{
    /// <summary>Held-out problems of each difficulty, all different.</summary>
    public int Problems { get; init; } = 128;

    /// <summary>k: samples of a problem; 0 for the greedy answer alone.</summary>
    public int Samples { get; init; }

    /// <summary>Temperature of the samples.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>Longest answer, in tokens.</summary>
    public required int MaxNewTokens { get; init; }

    /// <summary>Seed of the problems and the samples.</summary>
    public ulong Seed { get; init; } = 1;
}

/// <summary>A policy on the held-out problems of one difficulty; shares of the problems.</summary>
/// <param name="Difficulty">The difficulty.</param>
/// <param name="Greedy">Whose greedy answer is right.</param>
/// <param name="PassAt1">Mean over the samples of those that are right; null without samples.</param>
/// <param name="ConsensusAtK">Whose most frequent answer among the samples is right, the first drawn of equally frequent ones; null without samples.</param>
/// <param name="Format">Whose greedy completion has the answer format.</param>
/// <param name="Truncated">Whose greedy completion was cut off.</param>
/// <param name="Length">Mean tokens of a greedy completion.</param>
/// <param name="GreedyLenient">Whose greedy answer is right as a reader would take it (<see cref="Scoring.Lenient"/>); of the same completions as Greedy.</param>
public sealed record PolicyScore(int Difficulty, double Greedy, double? PassAt1, double? ConsensusAtK, double Format, double Truncated, double Length, double GreedyLenient)
{
    /// <summary>The mean over difficulties, under difficulty 0.</summary>
    public static PolicyScore Mean(IReadOnlyList<PolicyScore> scores) => new(
        0,
        scores.Average(score => score.Greedy),
        scores.Average(score => score.PassAt1),
        scores.Average(score => score.ConsensusAtK),
        scores.Average(score => score.Format),
        scores.Average(score => score.Truncated),
        scores.Average(score => score.Length),
        scores.Average(score => score.GreedyLenient));
}

/// <summary>Asks a policy the same held-out problems again and again.</summary>
public sealed class PolicyEvaluator
{
    private readonly PolicyEvaluationOptions _options;
    private readonly ITokenizer _tokenizer;
    private readonly int _end;
    private readonly IReadOnlyList<(int Difficulty, IReadOnlyList<Problem> Problems)> _sets;

    /// <param name="options">How many, and how they are drawn.</param>
    /// <param name="task">What is asked.</param>
    /// <param name="tokenizer">The policy's tokenizer.</param>
    /// <param name="end">The token that ends an answer.</param>
    /// <exception cref="ArgumentException">The task does not have so many problems.</exception>
    public PolicyEvaluator(PolicyEvaluationOptions options, ITask task, ITokenizer tokenizer, int end)
    {
        Require.AtLeast(options.Samples, 0, nameof(options.Samples));
        (_options, _tokenizer, _end) = (options, tokenizer, end);
        _sets = [.. task.Difficulties.Select(difficulty => (difficulty, task.DrawDistinct(Split.HeldOut, difficulty, options.Problems, options.Seed)))];
    }

    /// <summary>The scores, one for each difficulty.</summary>
    public IReadOnlyList<PolicyScore> Evaluate(Transformer policy, CancellationToken cancellation = default)
    {
        var generator = new TextGenerator(policy);
        return [.. _sets.Select(set =>
        {
            JudgedBatch greedy = Ask(generator, set.Problems, 1, temperature: 0, cancellation);
            JudgedBatch? sampled = _options.Samples > 0 ? Ask(generator, set.Problems, _options.Samples, _options.Temperature, cancellation) : null;
            return new PolicyScore(
                set.Difficulty,
                greedy.Mean(s_accuracy.Name),
                sampled?.Mean(s_accuracy.Name),
                sampled?.Samples.Chunk(_options.Samples).Average(Consensus),
                greedy.Mean(s_format.Name),
                greedy.Truncated / (double)greedy.Samples.Count,
                greedy.Samples.Average(judged => judged.Sample.Completion.Tokens),
                greedy.Mean(s_lenient.Name));
        })];
    }

    private static readonly AccuracyVerifier s_accuracy = new();
    private static readonly AccuracyVerifier s_lenient = new(Scoring.Lenient);
    private static readonly FormatVerifier s_format = new();
    private static readonly CombinedReward s_judge = new([new WeightedVerifier(s_accuracy), new WeightedVerifier(s_lenient), new WeightedVerifier(s_format)]);

    private JudgedBatch Ask(TextGenerator generator, IReadOnlyList<Problem> problems, int samples, double temperature, CancellationToken cancellation)
    {
        var options = new SamplingOptions { MaxNewTokens = _options.MaxNewTokens, Temperature = temperature, StopTokens = [_end], Seed = _options.Seed };
        return s_judge.Judge(Rollout.Draw(generator, _tokenizer, problems, samples, options, cancellation).Samples, cancellation);
    }

    // Completions without an answer do not vote. Right answers may be written in several ways (countdown's are expressions), each a vote of its own.
    private static double Consensus(JudgedSample[] ofProblem)
    {
        string? answer = ofProblem.Where(judged => !judged.Sample.Completion.Truncated)
            .Select(judged => ResponseFormat.Read(judged.Sample.Completion.Text, out _)?.Answer).OfType<string>()
            .GroupBy(text => text).OrderByDescending(votes => votes.Count()).FirstOrDefault()?.Key;
        return answer is null ? 0 : ofProblem[0].Sample.Problem.Check(answer, Scoring.Strict).Value;
    }
}
