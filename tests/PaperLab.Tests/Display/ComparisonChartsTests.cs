using PaperLab.Display;
using PaperLab.Papers;
using PaperLab.Tests.Training;
using PaperLab.Training;

namespace PaperLab.Tests.Display;

public sealed class ComparisonChartsTests : TrainingTest
{
    private readonly ComparisonResult _result;

    public ComparisonChartsTests()
    {
        Comparison brief = TrainingFixtures.Comparison with { Training = TrainingFixtures.Comparison.Training with { Steps = 6 } };
        _result = brief.Run(Runtime, new RunStore(Folder.File("runs")), text: TrainingFixtures.Text(Folder));
    }

    [Fact]
    public void A_loss_curve_is_the_mean_over_seeds_within_their_range()
    {
        Series curve = ComparisonCharts.TrainingLoss(_result).Panels[0].Series.Single(series => series.Name == "AoE");
        IReadOnlyList<RunRecord> runs = _result.Of("AoE");

        Assert.Equal(runs.Average(run => run.TrainingLoss[^1]), curve.Y[^1], 12);
        Assert.Equal(runs.Min(run => run.TrainingLoss[^1]), curve.Low![^1], 12);
        Assert.Equal([1, 2, 3, 4, 5, 6], curve.X);
    }

    [Fact]
    public void Differences_leave_the_baseline_out_and_carry_the_paired_interval()
    {
        Panel panel = ComparisonCharts.LossDifferences(_result).Panels[0];

        Assert.Equal(["AoE"], panel.Categories);
        Assert.Equal(_result.Difference("AoE", "MoE", run => run.Final.Loss).Low, panel.Series[0].Low![0]);
    }

    [Fact]
    public void Load_is_drawn_with_a_row_for_each_layer_and_a_column_for_each_expert()
    {
        Panel[] panels = [.. ComparisonCharts.ExpertLoad(_result, "MoE", "AoE").Panels];

        Assert.Equal(["MoE", "AoE"], panels.Select(panel => panel.Title));
        Assert.All(panels, panel => Assert.Equal((2, 4), (panel.Heatmap!.Rows.Count, panel.Heatmap.Columns.Count)));
    }

    [Fact]
    public void Every_chart_of_a_comparison_can_be_drawn()
    {
        Figure[] figures =
        [
            ComparisonCharts.TrainingLoss(_result), ComparisonCharts.LossDifferences(_result), ComparisonCharts.LossByDomain(_result),
            ComparisonCharts.ExpertLoad(_result, "MoE", "AoE"), ComparisonCharts.DomainLoad(_result, layer: 2, "MoE", "AoE"), ComparisonCharts.ConfidenceByDepth(_result),
        ];

        Assert.All(figures, figure => Assert.NotEmpty(figure.ToPng()));
    }

    [Fact]
    public void A_number_format_that_the_live_chart_cannot_read_is_refused()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => Chart.Heatmap("t", ["r"], ["c"], new double[,] { { 1 } }, format: "0.00").ToPng());

        Assert.Contains("\"0.00\"; allowed are F, G, N and P", error.Message);
    }
}
