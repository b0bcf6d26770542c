// Arms × seeds of policies: runs that go on from one another, looked up in the store or trained, and read side by side.

using PaperLab.Evaluation;
using PaperLab.Reinforcement;
using PaperLab.Training;

namespace PaperLab.Papers;

/// <summary>One side of a comparison of policies.</summary>
/// <param name="Name">As plots and tables show it.</param>
/// <param name="Config">Its run with a seed.</param>
public sealed record PolicyArm(string Name, Func<int, PolicyRunConfig> Config);

/// <summary>What is compared, how often.</summary>
/// <param name="Preset">smoke, standard or full.</param>
/// <param name="Title">What the arms have in common.</param>
/// <param name="Arms">The arms; where one begins from another's end, that one is before it.</param>
/// <param name="Seeds">Runs of one seed share the problems that are evaluated, and their base where they have the same.</param>
public sealed record PolicyComparison(string Preset, string Title, IReadOnlyList<PolicyArm> Arms, IReadOnlyList<int> Seeds)
{
    /// <summary>
    /// Loads the runs from the store and trains those that are missing, seed by seed. It goes on where it stopped, also in the middle of a
    /// run, and several processes that run the same comparison share it.
    /// </summary>
    /// <param name="runtime">Where to train; always with one thread, for products of small models only lose by being shared.</param>
    /// <param name="store">Where records are looked up and kept, and checkpoints and weights go.</param>
    /// <param name="fresh">Train everything from the start, whatever the store holds.</param>
    /// <param name="progress">Told after every training step.</param>
    /// <param name="note">Told in words what was loaded or resumed, and of files that could not be read.</param>
    /// <param name="cancellation">Ends the comparison between two steps; finished runs and a checkpoint stay in the store.</param>
    public PolicyResults Run(TorchRuntime runtime, RunStore store, bool fresh = false, IProgress<TrainingProgress>? progress = null, Action<string>? note = null, CancellationToken cancellation = default)
    {
        runtime = runtime.WithThreads(1);
        PolicyRunConfig[] configs = [.. Seeds.SelectMany(seed => Arms.Select(arm => arm.Config(seed)))];
        var options = new PolicyRunOptions { Progress = progress, Note = note, Fresh = fresh };
        IEnumerable<PolicyRunConfig> Needs(PolicyRunConfig config) => new[] { config.From, (config.Stage as ImitationConfig)?.Teacher }.OfType<PolicyRunConfig>();
        return new PolicyResults(this, Turns.Records(store, configs[0].Paper, configs, Needs, fresh, note, config => PolicyRun.Of(config, Preset, runtime, store, options, cancellation)));
    }

    /// <summary>The arms that go on from another arm's end.</summary>
    public IReadOnlyList<string> Continued => [.. Arms.Where(arm => arm.Config(Seeds[0]).From is not null).Select(arm => arm.Name)];

    /// <summary>Whether there is such an arm.</summary>
    public bool Has(string arm) => Arms.Any(a => a.Name == arm);

    /// <summary>What is compared, in one line.</summary>
    public override string ToString() => $"{Preset}, {Title}: {Arms.Count} arms × {Seeds.Count} seeds";
}

/// <summary>The finished runs of a comparison.</summary>
public sealed class PolicyResults
{
    private readonly IReadOnlyList<PolicyRecord> _records;

    internal PolicyResults(PolicyComparison comparison, IReadOnlyList<PolicyRecord> records) => (Comparison, _records) = (comparison, records);

    public PolicyComparison Comparison { get; }

    /// <summary>All runs.</summary>
    public IReadOnlyList<PolicyRecord> Records => _records;

    /// <summary>An arm's runs in the order of the seeds.</summary>
    /// <exception cref="ArgumentException">The comparison has no such arm.</exception>
    public IReadOnlyList<PolicyRecord> Of(string arm) => Comparison.Has(arm)
        ? _records.Where(record => record.Config.Arm == arm).ToArray()
        : throw new ArgumentException($"There is no arm '{arm}'; there are {string.Join(", ", Comparison.Arms.Select(a => a.Name))}.", nameof(arm));

    /// <summary>The run that a run began from.</summary>
    /// <exception cref="ArgumentException">It began from new weights, or from a run outside this comparison.</exception>
    public PolicyRecord Before(PolicyRecord run) => _records.FirstOrDefault(record => run.Config.From is { } from && record.Config.Key == from.Key)
        ?? throw new ArgumentException($"{run.Config.Name} began from no run of this comparison.", nameof(run));

    /// <summary>A number of an arm's runs: the mean over seeds, with its t interval.</summary>
    public Interval Mean(string arm, Func<PolicyRecord, double> metric) => Interval.OfMean([.. Of(arm).Select(metric)]);

    /// <summary>Mean paired difference arm − baseline, with its t interval over seeds.</summary>
    public Interval Difference(string arm, string baseline, Func<PolicyRecord, double> metric) =>
        Interval.OfPairedDifference([.. Of(arm).Select(metric)], [.. Of(baseline).Select(metric)]);

    /// <summary>What an arm's stage changed: after − before, with its t interval over seeds.</summary>
    public Interval Gain(string arm, Func<PolicyRecord, double> metric) => Mean(arm, run => metric(run) - metric(Before(run)));
}
