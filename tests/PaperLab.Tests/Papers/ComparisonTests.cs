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

    private ComparisonResult Run(RunStore store, bool fresh = false, IProgress<TrainingProgress>? progress = null, CancellationToken cancellation = default) =>
        TrainingFixtures.Comparison.Run(Runtime, store, fresh, progress, text: TrainingFixtures.Text(Folder), cancellation: cancellation);

    private sealed class Watch(Action<TrainingProgress> then) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => then(value);
    }
}
