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
/// <param name="Verifies">Whose greedy chain says of a result whether it is the target; null where the task has no targets.</param>
/// <param name="GoesBack">Whose greedy chain returns to earlier numbers; null where the task has no targets.</param>
/// <param name="Language">Mean share of the chains' words that are in the language asked for, over the samples, or the greedy answers without samples: greedily a policy writes each word in the likelier language, however often it mixes them; null where none is asked for.</param>
/// <param name="GreedyLenient">Whose greedy answer is right as a reader would take it (<see cref="Scoring.Lenient"/>), of the same completions as Greedy; null in older records.</param>
public sealed record PolicyScore(
    int Difficulty, double Greedy, double? PassAt1, double? ConsensusAtK, double Format, double Truncated, double Length, double? Verifies = null, double? GoesBack = null, double? Language = null, double? GreedyLenient = null)
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
        scores.Average(score => score.Verifies),
        scores.Average(score => score.GoesBack),
        scores.Average(score => score.Language),
        scores.Average(score => score.GreedyLenient));
}

/// <summary>A problem, what a policy answered greedily, and what the verifiers say of it.</summary>
/// <param name="Difficulty">The problem's.</param>
/// <param name="Prompt">What was asked.</param>
/// <param name="Completion">What was written.</param>
/// <param name="Truncated">Whether it was cut off.</param>
/// <param name="Right">Whether the answer is right.</param>
/// <param name="Verdict">Why, in a few words: accuracy, then format.</param>
public sealed record PolicyExample(int Difficulty, string Prompt, string Completion, bool Truncated, bool Right, string Verdict);

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
    public IReadOnlyList<PolicyScore> Evaluate(Transformer policy, CancellationToken cancellation = default) => Evaluate(policy, 0, cancellation).Scores;

    /// <summary>The scores, and the answers to the first problems of each difficulty.</summary>
    /// <param name="policy">The policy.</param>
    /// <param name="examples">Of each difficulty.</param>
    /// <param name="cancellation">Ends it between two tokens.</param>
    public (IReadOnlyList<PolicyScore> Scores, IReadOnlyList<PolicyExample> Examples) Evaluate(Transformer policy, int examples, CancellationToken cancellation = default)
    {
        var generator = new TextGenerator(policy);
        var scores = new List<PolicyScore>();
        var shown = new List<PolicyExample>();
        foreach ((int difficulty, IReadOnlyList<Problem> problems) in _sets)
        {
            JudgedBatch greedy = Ask(generator, problems, 1, temperature: 0, cancellation);
            JudgedBatch? sampled = _options.Samples > 0 ? Ask(generator, problems, _options.Samples, _options.Temperature, cancellation) : null;
            Sample[] answers = [.. greedy.Samples.Select(judged => judged.Sample)];
            TraceStatistics[] traces = [.. answers.Where(answer => answer.Problem is CountdownProblem).Select(answer => TraceStatistics.Of(answer.Completion.Text, ((CountdownProblem)answer.Problem).Target))];
            scores.Add(new PolicyScore(
                difficulty,
                greedy.Mean(s_accuracy.Name),
                sampled?.Mean(s_accuracy.Name),
                sampled?.Samples.Chunk(_options.Samples).Average(Consensus),
                greedy.Mean(s_format.Name),
                greedy.Truncated / (double)answers.Length,
                answers.Average(answer => answer.Completion.Tokens),
                traces.Length == 0 ? null : traces.Average(trace => trace.Verifies ? 1.0 : 0),
                traces.Length == 0 ? null : traces.Average(trace => trace.GoesBack ? 1.0 : 0),
                problems.All(problem => problem.Language is not null) ? (sampled ?? greedy).Samples.Average(judged => s_language.Judge(judged.Sample).Value) : null,
                s_lenient.Judge(answers, cancellation).MeanReward));
            shown.AddRange(greedy.Samples.Take(examples).Select(judged => new PolicyExample(
                difficulty,
                judged.Sample.Problem.Prompt,
                judged.Sample.Completion.Text,
                judged.Sample.Completion.Truncated,
                judged.Judgements[0].Score.Value == 1,
                string.Join("; ", judged.Judgements.Select(judgement => $"{judgement.Verifier}: {judgement.Score.Reason}")))));
        }

        return (scores, shown);
    }

    private static readonly AccuracyVerifier s_accuracy = new();
    private static readonly FormatVerifier s_format = new();
    private static readonly LanguageVerifier s_language = new();
    private static readonly CombinedReward s_lenient = new([new WeightedVerifier(new AccuracyVerifier(Scoring.Lenient))]);
    private static readonly CombinedReward s_judge = new([new WeightedVerifier(s_accuracy), new WeightedVerifier(s_format)]);

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
