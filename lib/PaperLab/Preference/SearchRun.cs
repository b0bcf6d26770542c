// A search as a recorded run: one policy, some tastes, one way to search. Of every query is kept when its best answer changed, what it had
// cost by then, what the reward model said of it, and what it was worth: enough to compare searches at equal samples or equal tokens.

using System.Diagnostics;
using System.Text.Json.Serialization;
using PaperLab.Models;
using PaperLab.Reinforcement;
using PaperLab.Training;

namespace PaperLab.Preference;

/// <summary>Everything that decides a search's numbers.</summary>
public sealed record SearchRunConfig
{
    /// <summary>The notebook the run belongs to.</summary>
    public required string Paper { get; init; }

    /// <summary>The arm of the comparison.</summary>
    public required string Arm { get; init; }

    /// <summary>Who writes.</summary>
    public required FourRoleConfig Policy { get; init; }

    /// <summary>Who is to be pleased.</summary>
    public required TasteOptions Tastes { get; init; }

    /// <summary>By which scores.</summary>
    public required RewardOptions Reward { get; init; }

    /// <summary>How it is searched.</summary>
    public required SearchOptions Search { get; init; }

    /// <summary>Hash of the config: the run's name in a store.</summary>
    [JsonIgnore]
    public string Key => RunStore.KeyOf(this);

    /// <summary>"TPO, seed 3".</summary>
    [JsonIgnore]
    public string Name => $"{Arm}, seed {Policy.Stage.Seed}";

    /// <summary>Throws with the field, its value and the allowed range.</summary>
    /// <exception cref="ArgumentException">A field is out of range.</exception>
    public void Validate()
    {
        Policy.Validate();
        Tastes.Validate();
        Reward.Validate();
        Search.Validate();
    }
}

/// <summary>The search for one query: each time that its best answer changed.</summary>
/// <param name="Taste">Whose query it was.</param>
/// <param name="Iterations">In which iteration.</param>
/// <param name="Samples">After how many answers.</param>
/// <param name="Written">After how many tokens that the policy wrote.</param>
/// <param name="Read">After how many tokens that it read.</param>
/// <param name="Scores">What the reward model said of the answer.</param>
/// <param name="Golds">What it was worth to the taste.</param>
/// <param name="Unanswered">What no answer would have been worth.</param>
/// <param name="WrittenAfter">Tokens written after every iteration, the start first.</param>
/// <param name="ReadAfter">Tokens read after every iteration.</param>
public sealed record QueryOutcome(
    int Taste,
    IReadOnlyList<int> Iterations,
    IReadOnlyList<int> Samples,
    IReadOnlyList<long> Written,
    IReadOnlyList<long> Read,
    IReadOnlyList<double> Scores,
    IReadOnlyList<double> Golds,
    double Unanswered,
    IReadOnlyList<long> WrittenAfter,
    IReadOnlyList<long> ReadAfter);

/// <summary>The answers of one iteration, of all queries.</summary>
/// <param name="Iteration">0 for the start.</param>
/// <param name="Answers">How many.</param>
/// <param name="Score">Mean score.</param>
/// <param name="Spread">Standard deviation of a query's scores in this iteration, mean over queries.</param>
/// <param name="GoldSpread">The same of what they are worth.</param>
/// <param name="Gold">Quantiles of their worth, at 5, 25, 50, 75 and 95 %.</param>
public sealed record IterationAnswers(int Iteration, int Answers, double Score, double Spread, double GoldSpread, IReadOnlyList<double> Gold);

/// <summary>A search as a reader follows it.</summary>
/// <param name="Query">What was asked.</param>
/// <param name="Taste">By whom, in words; null where that is not known.</param>
/// <param name="Answers">In the order in which they were drawn.</param>
/// <param name="Steps">What each iteration went by.</param>
public sealed record SearchExample(string Query, string? Taste, IReadOnlyList<ExampleAnswer> Answers, IReadOnlyList<ExampleStep> Steps)
{
    /// <summary>A query's search.</summary>
    /// <param name="trace">The search.</param>
    /// <param name="taste">Who asked, in words; null where that is not known.</param>
    /// <param name="gold">What an answer is worth; null where that is not known.</param>
    public static SearchExample Of(SearchTrace trace, string? taste = null, Func<string, double>? gold = null)
    {
        int PlaceOf(ScoredSample sample) => Enumerable.Range(0, trace.Samples.Count).First(i => trace.Samples[i] == sample);
        return new SearchExample(
            trace.Query.Text,
            taste,
            [.. trace.Samples.Select(sample => new ExampleAnswer(sample.Iteration, sample.Text, Math.Round(sample.Score, 3), gold?.Invoke(sample.Text)))],
            [.. trace.Steps.Select(step => new ExampleStep(step.Iteration, PlaceOf(step.Chosen), PlaceOf(step.Rejected), step.Critique, step.Instruction))]);
    }
}

/// <summary>One answer of an example.</summary>
/// <param name="Iteration">0 for the start.</param>
/// <param name="Text">The answer.</param>
/// <param name="Score">The reward model's.</param>
/// <param name="Gold">What it is worth; null where that is not known.</param>
public sealed record ExampleAnswer(int Iteration, string Text, double Score, double? Gold);

/// <summary>What an iteration of an example went by.</summary>
/// <param name="Iteration">1 for the first after the start.</param>
/// <param name="Chosen">Place of the best answer.</param>
/// <param name="Rejected">Place of the worst.</param>
/// <param name="Critique">As <see cref="SearchStep.Critique"/>.</param>
/// <param name="Instruction">As <see cref="SearchStep.Instruction"/>.</param>
public sealed record ExampleStep(int Iteration, int Chosen, int Rejected, string? Critique, string? Instruction);

/// <summary>A finished search. <see cref="RunRecordBase.TrainingSeconds"/>: wall time of the search, and of the fits of its reward models.</summary>
public sealed record SearchRecord : RunRecordBase
{
    public required SearchRunConfig Config { get; init; }

    /// <summary>FLOPs of one token's forward pass.</summary>
    public required double FlopsPerToken { get; init; }

    /// <summary>As <see cref="TasteRewards.Accuracy"/>.</summary>
    public required double RewardAccuracy { get; init; }

    /// <summary>All that was spent, over all queries.</summary>
    public required SearchCost Cost { get; init; }

    /// <summary>Queries that ended before their depth.</summary>
    public required int Stopped { get; init; }

    public required IReadOnlyList<QueryOutcome> Queries { get; init; }

    public required IReadOnlyList<IterationAnswers> Iterations { get; init; }

    /// <summary>The first query's search in full.</summary>
    public required SearchExample Example { get; init; }
}

/// <summary>Searches, and finds searches that were made.</summary>
public static class SearchRun
{
    private static readonly double[] s_quantiles = [0.05, 0.25, 0.5, 0.75, 0.95];

    /// <summary>The run's record: the one that the store has, or one that is made now; its policy is trained first where it is not there.</summary>
    /// <param name="config">The run.</param>
    /// <param name="preset">The preset that asked for it, for the record.</param>
    /// <param name="runtime">Where it computes.</param>
    /// <param name="store">Where records and weights lie.</param>
    /// <param name="options">How it is watched.</param>
    /// <param name="cancellation">Ends it; a search that has begun is made again.</param>
    /// <exception cref="ArgumentException">The config does not fit together.</exception>
    public static SearchRecord Of(SearchRunConfig config, string preset, TorchRuntime runtime, RunStore store, PolicyRunOptions? options = null, CancellationToken cancellation = default)
    {
        config.Validate();
        options ??= new PolicyRunOptions();
        return store.Recorded<SearchRecord>(
            config.Paper,
            config,
            _ => Make(config, preset, runtime, store, options, cancellation),
            _ => true,
            options.Fresh,
            options.Checkpoints,
            options.Note,
            cancellation);
    }

    private static SearchRecord Make(SearchRunConfig config, string preset, TorchRuntime runtime, RunStore store, PolicyRunOptions options, CancellationToken cancellation)
    {
        using Transformer model = FourRoleRun.Policy(config.Policy, preset, runtime, store, options, cancellation);
        var clock = Stopwatch.StartNew();
        IReadOnlyList<HiddenPreference> tastes = config.Tastes.Draw();
        using TasteRewards rewards = TasteRewards.Fit(tastes, config.Reward, runtime.Device, cancellation);
        var watcher = options.Progress is { } progress ? new Watcher(progress, config, clock) : null;
        IReadOnlyList<SearchTrace> traces = new TestTimeSearch(new FourRolePolicy(model), rewards, config.Search).RunAsync(config.Tastes.Queries(), watcher, cancellation).GetAwaiter().GetResult();
        double Gold(SearchTrace trace, string? text) => tastes[trace.Query.Preference].Gold(trace.Query, text);
        return new SearchRecord
        {
            Config = config,
            Preset = preset,
            Environment = RunEnvironment.Of(runtime),
            Finished = DateTimeOffset.UtcNow,
            TrainingSeconds = clock.Elapsed.TotalSeconds,
            PeakMemory = Process.GetCurrentProcess().PeakWorkingSet64,
            FlopsPerToken = model.FlopsPerToken,
            RewardAccuracy = PolicyStep.Round(rewards.Accuracy),
            Cost = traces.Select(trace => trace.Cost).Aggregate((a, b) => a.Plus(b)),
            Stopped = traces.Count(trace => trace.Stopped is not null),
            Queries = [.. traces.Select(trace => OutcomeOf(trace, config.Search.Depth, text => Gold(trace, text)))],
            Iterations = [.. Enumerable.Range(0, config.Search.Depth + 1).Select(iteration => AnswersOf(traces, iteration, Gold)).OfType<IterationAnswers>()],
            Example = SearchExample.Of(traces[0], tastes[0].ToString(), text => Gold(traces[0], text)),
        };
    }

    private static QueryOutcome OutcomeOf(SearchTrace trace, int depth, Func<string?, double> gold)
    {
        ScoredSample[] bests = [.. trace.Bests];
        SearchCost[] after = [.. Enumerable.Range(0, depth + 1).Select(trace.CostAfter)];
        return new QueryOutcome(
            trace.Query.Preference,
            [.. bests.Select(best => best.Iteration)],
            [.. bests.Select(best => best.Cost.Samples)],
            [.. bests.Select(best => best.Cost.GeneratedTokens)],
            [.. bests.Select(best => best.Cost.PromptTokens)],
            [.. bests.Select(best => Math.Round(best.Score, 2))],
            [.. bests.Select(best => gold(best.Text))],
            gold(null),
            [.. after.Select(cost => cost.GeneratedTokens)],
            [.. after.Select(cost => cost.PromptTokens)]);
    }

    private static IterationAnswers? AnswersOf(IReadOnlyList<SearchTrace> traces, int iteration, Func<SearchTrace, string?, double> gold)
    {
        (SearchTrace Trace, ScoredSample[] Samples)[] answers =
            [.. traces.Select(trace => (Trace: trace, Samples: trace.Samples.Where(sample => sample.Iteration == iteration).ToArray())).Where(query => query.Samples.Length > 0)];
        if (answers.Length == 0)
        {
            return null;
        }

        double[] golds = [.. answers.SelectMany(query => query.Samples.Select(sample => gold(query.Trace, sample.Text))).Order()];
        double[] scores = [.. answers.SelectMany(query => query.Samples.Select(sample => sample.Score))];
        return new IterationAnswers(
            iteration,
            scores.Length,
            PolicyStep.Round(scores.Average()),
            PolicyStep.Round(answers.Average(query => Spread([.. query.Samples.Select(sample => sample.Score)]))),
            PolicyStep.Round(answers.Average(query => Spread([.. query.Samples.Select(sample => gold(query.Trace, sample.Text))]))),
            [.. s_quantiles.Select(quantile => golds[(int)Math.Round(quantile * (golds.Length - 1))])]);
    }

    private static double Spread(double[] values)
    {
        double mean = values.Average();
        return Math.Sqrt(values.Average(value => (value - mean) * (value - mean)));
    }

    // A search as whoever watches trainings sees it: an iteration is a step.
    private sealed class Watcher(IProgress<TrainingProgress> progress, SearchRunConfig config, Stopwatch clock) : IProgress<SearchProgress>
    {
        public void Report(SearchProgress value) => progress.Report(new TrainingProgress(
            config.Name,
            value.Iteration + 1,
            value.Depth + 1,
            value.Score,
            value.WrittenTokens / clock.Elapsed.TotalSeconds,
            clock.Elapsed,
            clock.Elapsed * ((double)(value.Depth - value.Iteration) / (value.Iteration + 1)))
        {
            Metric = "score",
        });
    }
}
