using PaperLab.Display;
using PaperLab.Papers;
using PaperLab.Tests.Training;
using PaperLab.Training;

namespace PaperLab.Tests.Display;

public sealed class GlobalBatchChartsTests : TrainingTest
{
    private readonly ComparisonResult _search;
    private readonly ComparisonResult _result;

    public GlobalBatchChartsTests()
    {
        ComparisonResult Run(Comparison comparison) => (comparison with
        {
            Model = TrainingFixtures.Comparison.Model,
            Text = TrainingFixtures.Comparison.Text with { Validate = true },
            Training = comparison.Training with { Steps = 1 },
        }).Run(Runtime, new RunStore(Folder.File("runs")), text: TrainingFixtures.Text(Folder));

        _search = Run(GlobalBatchPaper.Search("smoke"));
        _result = Run(GlobalBatchPaper.Create("smoke", GlobalBatchPaper.Choose(_search)));
    }

    [Fact]
    public void Sizes_lie_along_x_and_the_loss_of_the_micro_batch_is_zero()
    {
        Panel[] panels = [.. GlobalBatchCharts.BySize(_result).Panels];

        Assert.Equal(3, panels.Length);
        Assert.All(panels.SelectMany(panel => panel.Series), series => Assert.Equal([1, 2, 8], series.X));
        Assert.Equal(0, panels[0].Series[0].Y[1]);
        double difference = _result.Difference(GlobalBatchPaper.Global, GlobalBatchPaper.Micro, run => run.Final.Loss).Estimate;
        Assert.Equal(difference, panels[0].Series[0].Y[2], 12);
    }

    [Fact]
    public void Balance_losses_are_shown_above_their_minimum()
    {
        Panel panel = GlobalBatchCharts.BalanceLosses(_result, GlobalBatchPaper.Global, GlobalBatchPaper.Micro).Panels[0];

        double global = _result.Of(GlobalBatchPaper.Global).Average(run => GlobalBatchPaper.Mean(run.Final, layer => layer.Balance!.GlobalLoss));
        Assert.Equal(global - 2, panel.Series.Single(series => series.Name == "f of all").Y[0], 12);
    }

    [Fact]
    public void Every_chart_can_be_drawn()
    {
        Figure[] figures =
        [
            GlobalBatchCharts.WeightSearch(GlobalBatchPaper.Choose(_search)), GlobalBatchCharts.BySize(_result), GlobalBatchCharts.BalanceLosses(_result, GlobalBatchPaper.Micro),
        ];

        Assert.All(figures, figure => Assert.NotEmpty(figure.ToPng()));
    }
}
