using PaperLab.Evaluation;
using PaperLab.Papers;
using PaperLab.Tests.Training;
using PaperLab.Training;

namespace PaperLab.Tests.Papers;

public sealed class ComparisonTests : TrainingTest
{
    [Fact]
    public void An_interrupted_comparison_goes_on_where_it_stopped_and_ends_the_same()
    {
        var interrupted = new RunStore(Folder.File("interrupted"));
        using var source = new CancellationTokenSource();
        var cancelInThirdRun = new Watch(progress => { if (progress.Run == "MoE, seed 2") { source.Cancel(); } });
        Assert.Throws<OperationCanceledException>(() => Run(interrupted, progress: cancelInThirdRun, cancellation: source.Token));

        ComparisonResult resumed = Run(interrupted);
        ComparisonResult whole = Run(new RunStore(Folder.File("whole")));

        Assert.Equal(2, resumed.Loaded);
        Assert.Equal(0, whole.Loaded);
        Assert.Equal(whole.Records.SelectMany(r => r.TrainingLoss), resumed.Records.SelectMany(r => r.TrainingLoss));
        Assert.Equal([0, 0, 1, 0], resumed.Records.Select(r => r.Resumed.Count)); // the third went on within the run
        Assert.Empty(Directory.GetDirectories(Folder.Path, "step-*", SearchOption.AllDirectories));
    }

    [Fact]
    public void What_another_process_trains_comes_last_so_that_processes_share_a_comparison()
    {
        var store = new RunStore(Folder.File("shared"));
        RunConfig first = TrainingFixtures.RunConfig;
        CheckpointFolder held = CheckpointFolder.Open(store.CheckpointsOf(first, TrainingFixtures.Text(Folder).Corpus.Hash));
        var order = new List<string>();

        ComparisonResult result = Run(store, progress: new Watch(progress =>
        {
            order.Add(progress.Run);
            if (progress is { Run: "AoE, seed 2", Step: 1 })
            {
                held.Dispose(); // the other process is done
            }
        }));

        Assert.Equal(["AoE, seed 1", "MoE, seed 2", "AoE, seed 2", "MoE, seed 1"], order.Distinct());
        Assert.Equal(["MoE", "AoE", "MoE", "AoE"], result.Records.Select(record => record.Config.Arm));
    }

    [Fact]
    public void Runs_recorded_on_another_corpus_are_shown_with_a_word_and_never_mixed()
    {
        var store = new RunStore(Folder.File("runs"));
        string here = TrainingFixtures.Text(Folder).Corpus.Hash, elsewhere = new('e', 64);
        var notes = new List<string>();
        IReadOnlyList<RunRecord> all = Run(new RunStore(Folder.File("whole"))).Records;

        foreach (RunRecord record in all.Take(3))
        {
            store.Save(record with { CorpusHash = elsewhere });
        }

        ComparisonResult trained = Run(store, note: notes.Add);
        Assert.Equal(0, trained.Loaded);
        Assert.All(trained.Records, record => Assert.Equal(here, record.CorpusHash));
        Assert.StartsWith($"3 of 4 runs are recorded on another corpus than this machine's ({here[..8]}); they are trained again", Assert.Single(notes));

        notes.Clear();
        Assert.Equal(4, Run(store, note: notes.Add).Loaded);
        Assert.Equal("4 of 4 runs were loaded from records of earlier runs; fresh = true trains them again.", Assert.Single(notes));

        var shipped = new RunStore(Folder.File("shipped"));
        all.ToList().ForEach(record => shipped.Save(record with { CorpusHash = elsewhere }));
        notes.Clear();
        ComparisonResult loaded = Run(new RunStore(Folder.File("none"), Folder.File("shipped")), note: notes.Add);
        Assert.Equal(4, loaded.Loaded);
        Assert.Contains($"They were recorded on another corpus (eeeeeeee; here it is {here[..8]})", Assert.Single(notes));
    }

    [Fact]
    public void Models_are_kept_where_wanted_and_a_run_without_its_model_is_trained()
    {
        var store = new RunStore(Folder.File("runs"));
        Run(store);

        ComparisonResult kept = Run(store, keepModels: true);

        Assert.Equal(0, kept.Loaded);
        Assert.All(kept.Records, record => Assert.True(File.Exists(Path.Combine(store.ModelOf(record.Config, record.CorpusHash), "model.safetensors"))));
        Assert.Equal(4, Run(store, keepModels: true).Loaded);
    }

    [Fact]
    public void Fresh_trains_again_whatever_the_store_holds()
    {
        var store = new RunStore(Folder.File("runs"));
        Run(store);

        Assert.Equal(4, Run(store).Loaded);
        Assert.Equal(0, Run(store, fresh: true).Loaded);
    }

    [Fact]
    public void Differences_are_taken_seed_by_seed()
    {
        ComparisonResult result = Run(new RunStore(Folder.File("runs")));

        Interval difference = result.Difference("AoE", "MoE", r => r.Config.Seed * 10 + (r.Config.Arm == "AoE" ? 1 : 0));

        Assert.Equal(1, difference.Estimate);
        Assert.Equal((1.0, 1.0), (difference.Low, difference.High));
    }

    [Fact]
    public void An_arm_that_is_not_there_is_named_with_those_that_are()
    {
        ComparisonResult result = Run(new RunStore(Folder.File("runs")));

        Assert.Contains("no arm 'dense'; there are MoE, AoE", Assert.Throws<ArgumentException>(() => result.Of("dense")).Message);
    }

    private ComparisonResult Run(RunStore store, bool fresh = false, IProgress<TrainingProgress>? progress = null, Action<string>? note = null, bool keepModels = false, CancellationToken cancellation = default) =>
        TrainingFixtures.Comparison.Run(Runtime, store, fresh, progress, note, TrainingFixtures.Text(Folder), keepModels: keepModels, cancellation: cancellation);

    private sealed class Watch(Action<TrainingProgress> then) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => then(value);
    }
}
