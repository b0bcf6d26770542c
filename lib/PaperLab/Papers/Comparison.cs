// Arms × seeds: the experiment that every architecture paper of the collection is. An arm is the baseline model with another
// feed-forward layer or attention; arms of one seed share their data order, which makes them pairs.

using PaperLab.Evaluation;
using PaperLab.Models;
using PaperLab.Text;
using PaperLab.Text.Data;
using PaperLab.Training;

namespace PaperLab.Papers;

/// <summary>One side of a comparison.</summary>
/// <param name="Name">As plots and tables show it.</param>
/// <param name="FeedForward">Its feed-forward layer.</param>
public sealed record Arm(string Name, FeedForwardConfig FeedForward)
{
    /// <summary>Its attention; null for the comparison's.</summary>
    public AttentionConfig? Attention { get; init; }

    /// <summary>Its highest learning rate; null for the comparison's.</summary>
    public double? LearningRate { get; init; }
}

/// <summary>What is compared, at which size, how often.</summary>
public sealed record Comparison
{
    /// <summary>The notebook's name.</summary>
    public required string Paper { get; init; }

    /// <summary>smoke, standard or full.</summary>
    public required string Preset { get; init; }

    /// <summary>The arms, baseline first.</summary>
    public required IReadOnlyList<Arm> Arms { get; init; }

    public required IReadOnlyList<int> Seeds { get; init; }

    /// <summary>Sizes of every arm but what it changes.</summary>
    public required TransformerConfig Model { get; init; }

    public required TrainingConfig Training { get; init; }

    public required TextConfig Text { get; init; }

    /// <summary>Threads of one CPU operation; null takes the runtime's. Products of small models only lose by being shared.</summary>
    public int? Threads { get; init; }

    /// <summary>The config of one run.</summary>
    public RunConfig ConfigOf(Arm arm, int seed) => new()
    {
        Paper = Paper,
        Arm = arm.Name,
        Seed = seed,
        Model = Model with { FeedForward = arm.FeedForward, Attention = arm.Attention ?? Model.Attention },
        Training = Training with { LearningRate = arm.LearningRate ?? Training.LearningRate },
        Text = Text,
    };

    /// <summary>
    /// Loads the runs from the store where it holds them all on one corpus, this machine's or another; else trains those that are
    /// missing on this machine's, seed by seed, so that an interrupted comparison holds whole pairs. It goes on where it stopped, also in
    /// the middle of a run, and several processes that run the same comparison share it. Runs on different corpora are never mixed.
    /// </summary>
    /// <param name="runtime">Where to train.</param>
    /// <param name="store">Where finished runs are looked up and kept, and checkpoints and metrics go.</param>
    /// <param name="fresh">Train everything from the start, whatever the store holds.</param>
    /// <param name="progress">Told after every training step.</param>
    /// <param name="note">Told in words what was loaded or resumed, and of files that could not be read.</param>
    /// <param name="text">The text, where the caller has it already; by default <see cref="LoadText"/>.</param>
    /// <param name="checkpoints">When to write checkpoints.</param>
    /// <param name="keepModels">Keep the trained models too (<see cref="RunStore.ModelOf"/>); a recorded run whose model is missing is trained.</param>
    /// <param name="cancellation">Ends the comparison between two training steps; finished runs and a checkpoint stay in the store.</param>
    public ComparisonResult Run(
        TorchRuntime runtime,
        RunStore store,
        bool fresh = false,
        IProgress<TrainingProgress>? progress = null,
        Action<string>? note = null,
        TokenizedCorpus? text = null,
        CheckpointOptions? checkpoints = null,
        bool keepModels = false,
        CancellationToken cancellation = default)
    {
        runtime = Prepare(runtime);
        RunConfig[] configs = [.. Seeds.SelectMany(seed => Arms.Select(arm => ConfigOf(arm, seed)))];
        bool Usable(RunRecord record) => !keepModels || Directory.Exists(store.ModelOf(record.Config, record.CorpusHash));

        RunRecord[][] stored = [.. configs.Select(config => fresh ? [] : store.FindAll(config, note).Where(Usable).ToArray())];
        if (OnOneCorpus(stored, text, note) is { } all)
        {
            return new ComparisonResult(this, all, loaded: all.Length);
        }

        text ??= LoadText();
        string corpus = text.Corpus.Hash;
        if (stored.Count(runs => runs.Length > 0 && runs.All(record => record.CorpusHash != corpus)) is > 0 and int elsewhere)
        {
            note?.Invoke($"{elsewhere} of {configs.Length} runs are recorded on another corpus than this machine's ({corpus[..8]}); they are trained again, for runs on different text are not compared.");
        }

        RunRecord?[] records = [.. stored.Select(runs => runs.FirstOrDefault(record => record.CorpusHash == corpus))];
        int[] missing = [.. Enumerable.Range(0, records.Length).Where(run => records[run] is null)];
        int loaded = records.Length - missing.Length;
        Turns.Take(missing, run => CheckpointFolder.IsInUse(store.CheckpointsOf(configs[run], corpus)), run => records[run] = Train(configs[run]));

        Turns.Tell(note, loaded, records.Length);
        return new ComparisonResult(this, [.. records.OfType<RunRecord>()], loaded);

        RunRecord Train(RunConfig config) => RecordedTraining.Run(
            new LanguageModelTrainer(config, text, runtime),
            Preset,
            store,
            new RunOptions { Progress = progress, Note = note },
            checkpoints,
            fresh,
            keepModels,
            cancellation);
    }

    // Every run's record on the same corpus: this machine's if they are all there, else the one of the newest; null when there is none.
    private RunRecord[]? OnOneCorpus(RunRecord[][] stored, TokenizedCorpus? text, Action<string>? note)
    {
        string[] complete = [.. stored[0].Select(record => record.CorpusHash).Where(corpus => stored.All(runs => runs.Any(record => record.CorpusHash == corpus)))];
        if (complete.Length == 0)
        {
            return null;
        }

        string? here = text?.Corpus.Hash ?? CorpusHere();
        string chosen = here is not null && complete.Contains(here) ? here : complete[0];
        note?.Invoke(
            $"{stored.Length} of {stored.Length} runs were loaded from records of earlier runs; fresh = true trains them again." +
            (chosen == here ? "" : $" They were recorded on another corpus ({chosen[..8]}; {(here is null ? "its sources are not all on this machine" : $"here it is {here[..8]}")}): its text comes from the SDK and this repository, and changes with them."));
        return [.. stored.Select(runs => runs.First(record => record.CorpusHash == chosen))];
    }

    private string? CorpusHere()
    {
        try
        {
            return Text.Hash();
        }
        catch (Exception error) when (error is DirectoryNotFoundException or DataSetException)
        {
            return null;
        }
    }

    /// <summary>The runtime with this comparison's threads.</summary>
    internal TorchRuntime Prepare(TorchRuntime runtime) => Threads is { } threads ? runtime.WithThreads(threads) : runtime;

    /// <summary>What is compared, in one line.</summary>
    public override string ToString() =>
        $"{Preset}: {Arms.Count} arms × {Seeds.Count} seeds, {Training.Steps} steps of {Training.BatchSize * Model.ContextLength:N0} tokens each";

    /// <summary>The text as tokens, from the cache where it is there.</summary>
    public TokenizedCorpus LoadText() => Text.Load();
}

/// <summary>The finished runs of a comparison.</summary>
public sealed class ComparisonResult
{
    private readonly IReadOnlyList<RunRecord> _records;

    internal ComparisonResult(Comparison comparison, IReadOnlyList<RunRecord> records, int loaded) =>
        (Comparison, _records, Loaded) = (comparison, records, loaded);

    public Comparison Comparison { get; }

    /// <summary>How many runs came from records of earlier runs.</summary>
    public int Loaded { get; }

    /// <summary>All runs.</summary>
    public IReadOnlyList<RunRecord> Records => _records;

    /// <summary>The same comparison with every record changed: for questions of the form "what would be said if".</summary>
    internal ComparisonResult WithRecords(Func<RunRecord, RunRecord> change) => new(Comparison, [.. _records.Select(change)], Loaded);

    /// <summary>An arm's runs in the order of the seeds.</summary>
    /// <exception cref="ArgumentException">The comparison has no such arm.</exception>
    public IReadOnlyList<RunRecord> Of(string arm) => Comparison.Arms.Any(a => a.Name == arm)
        ? _records.Where(record => record.Config.Arm == arm).ToArray()
        : throw new ArgumentException($"There is no arm '{arm}'; there are {string.Join(", ", Comparison.Arms.Select(a => a.Name))}.", nameof(arm));

    /// <summary>The comparison of some of its arms, in the order given.</summary>
    /// <exception cref="ArgumentException">The comparison has no such arm.</exception>
    public ComparisonResult Only(params IEnumerable<string> arms)
    {
        string[] names = [.. arms];
        IReadOnlyList<RunRecord>[] kept = [.. names.Select(Of)]; // names those that are not there
        return new ComparisonResult(Comparison with { Arms = [.. names.Select(name => Comparison.Arms.Single(arm => arm.Name == name))] }, [.. kept.SelectMany(runs => runs)], Loaded);
    }

    /// <summary>A metric's mean over an arm's seeds, with its t interval.</summary>
    public Interval Mean(string arm, Func<RunRecord, double> metric) => Interval.OfMean(Of(arm).Select(metric).ToArray());

    /// <summary>Mean paired difference arm − baseline of a metric, with its t interval over seeds.</summary>
    public Interval Difference(string arm, string baseline, Func<RunRecord, double> metric) =>
        Interval.OfPairedDifference(Of(arm).Select(metric).ToArray(), Of(baseline).Select(metric).ToArray());

    /// <summary>The arms side by side: what each costs and what it reaches, averaged over seeds.</summary>
    public IReadOnlyList<ArmSummary> Summary() => [.. Comparison.Arms.Select(arm =>
    {
        IReadOnlyList<RunRecord> runs = Of(arm.Name);
        return new ArmSummary(
            arm.Name,
            runs[0].TotalParameters,
            runs[0].ActiveParameters,
            runs[0].FlopsPerToken,
            runs[0].Tokens,
            Mean(arm.Name, run => run.Final.Loss),
            runs.Sum(run => run.TrainingSeconds),
            runs.Max(run => run.PeakMemory) / 1e9);
    })];
}

/// <summary>One arm in a table.</summary>
/// <param name="Arm">Its name.</param>
/// <param name="Parameters">Parameters in all.</param>
/// <param name="Active">Parameters that take part in one token.</param>
/// <param name="FlopsPerToken">FLOPs of one token's forward pass.</param>
/// <param name="Tokens">Tokens trained on, each seed.</param>
/// <param name="HeldOutLoss">Mean over seeds with its t interval, nats per token.</param>
/// <param name="Seconds">Training time of all seeds.</param>
/// <param name="PeakMemory">Largest resident memory, GB.</param>
public sealed record ArmSummary(string Arm, long Parameters, long Active, double FlopsPerToken, long Tokens, Interval HeldOutLoss, double Seconds, double PeakMemory);
