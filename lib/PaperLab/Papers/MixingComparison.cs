// Arms × seeds of a mixing experiment, looked up in the store or trained, and read side by side: question by question, and as
// observations that a mixing law is fitted to.

using PaperLab.Evaluation;
using PaperLab.Evaluation.Mixing;
using PaperLab.Reinforcement;
using PaperLab.Text.Medical;
using PaperLab.Training;

namespace PaperLab.Papers;

/// <summary>One cell of the grid, or another way of training.</summary>
/// <param name="Name">As plots and tables show it.</param>
/// <param name="Config">Its run with a seed.</param>
public sealed record MixingArm(string Name, Func<int, MixingRunConfig> Config);

/// <summary>What is compared, how often.</summary>
/// <param name="Preset">smoke, standard or full.</param>
/// <param name="Arms">The arms; where one begins from another's end, that one is before it.</param>
/// <param name="Seeds">Each seed draws its own diseases, questions, texts and weights; arms of one seed share the first two.</param>
public sealed record MixingComparison(string Preset, IReadOnlyList<MixingArm> Arms, IReadOnlyList<int> Seeds)
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
    public MixingResults Run(TorchRuntime runtime, RunStore store, bool fresh = false, IProgress<TrainingProgress>? progress = null, Action<string>? note = null, CancellationToken cancellation = default)
    {
        runtime = runtime.WithThreads(1);
        MixingRunConfig[] configs = [.. Seeds.SelectMany(seed => Arms.Select(arm => arm.Config(seed)))];
        var options = new PolicyRunOptions { Progress = progress, Note = note, Fresh = fresh };
        IEnumerable<MixingRunConfig> Needs(MixingRunConfig config) => config.From is { } from ? [from] : [];
        var continued = configs.SelectMany(Needs).ToHashSet();
        return new MixingResults(this, Turns.Records(
            store, configs[0].Paper, configs, Needs, fresh, note,
            config => MixingRun.Of(config, Preset, runtime, store, options, keepWeights: continued.Contains(config), cancellation)));
    }

    /// <summary>What is compared, in one line.</summary>
    public override string ToString() => $"{Preset}: {Arms.Count} arms × {Seeds.Count} seeds";
}

/// <summary>The finished runs of a comparison.</summary>
public sealed class MixingResults
{
    private readonly Dictionary<MixingRunConfig, MixingRecord> _records;

    internal MixingResults(MixingComparison comparison, IReadOnlyList<MixingRecord> records) =>
        (Comparison, _records) = (comparison, records.ToDictionary(record => record.Config));

    public MixingComparison Comparison { get; }

    /// <summary>All runs.</summary>
    public IReadOnlyCollection<MixingRecord> Records => _records.Values;

    /// <summary>An arm's runs in the order of the seeds.</summary>
    /// <exception cref="ArgumentException">The comparison has no such arm.</exception>
    public IReadOnlyList<MixingRecord> Of(string arm)
    {
        MixingArm found = Comparison.Arms.FirstOrDefault(each => each.Name == arm)
            ?? throw new ArgumentException($"There is no arm '{arm}'; there are {string.Join(", ", Comparison.Arms.Select(each => each.Name))}.", nameof(arm));
        return [.. Comparison.Seeds.Select(seed => _records[found.Config(seed)])];
    }

    /// <summary>Which questions an arm has right, 1 or 0; those about one disease are a group.</summary>
    /// <param name="arm">The arm.</param>
    /// <param name="task">The task.</param>
    /// <param name="language">The language they are asked in.</param>
    /// <param name="asked">How they are put.</param>
    /// <param name="access">Only those whose facts are told there; null for all.</param>
    public QueryValues Answers(string arm, MedicalTask task, TextLanguage language, Asking asked = Asking.AsStatement, Access? access = null)
    {
        var values = new List<double[]>();
        var groups = new List<int[]>();
        foreach (MixingRecord run in Of(arm))
        {
            MixingScore[] scores = [.. run.Scores.Where(score => (score.Task, score.Language, score.Asked) == (task, language, asked) && (access is null || score.Access == access))];
            MedicalData data = MedicalData.Of(run.Config.Data);
            values.Add([.. scores.SelectMany(score => score.Right.Select(right => right == '1' ? 1.0 : 0.0))]);
            groups.Add([.. scores.SelectMany(score => data.Asked(asked)
                .Where(question => (question.Task, question.Language, question.Access) == (task, language, score.Access))
                .Select(question => data.NumberOf(question.Needed[0].Disease)))]);
        }

        return new QueryValues(values, groups);
    }

    /// <summary>A number of an arm's runs, in the order of the seeds.</summary>
    public IReadOnlyList<double> Values(string arm, Func<MixingRecord, double> metric) => [.. Of(arm).Select(metric)];

    /// <summary>Its mean over seeds, with its t interval.</summary>
    public Interval Mean(string arm, Func<MixingRecord, double> metric) => Interval.OfMean(Values(arm, metric));

    /// <summary>Mean paired difference arm − baseline, with its t interval over seeds.</summary>
    public Interval Difference(string arm, string baseline, Func<MixingRecord, double> metric) =>
        Interval.OfPairedDifference(Values(arm, metric), Values(baseline, metric));

    /// <summary>What a mixing law is fitted to, or judged by.</summary>
    /// <param name="arms">Cells that differ in ratio, size or noise.</param>
    /// <param name="metric">What is measured.</param>
    public IReadOnlyList<MixingObservation> Observations(IEnumerable<string> arms, MixingMetric metric) =>
    [
        .. arms.SelectMany(Of).Select(run => new MixingObservation(
            run.Parameters, run.Config.Stream.ArabicShare, run.Config.Stream.TranslationErrorRate, metric.Name, metric.Of(run), run.Config.Seed)),
    ];
}
