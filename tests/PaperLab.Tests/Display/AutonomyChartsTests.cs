using PaperLab.Display;
using PaperLab.Models;
using PaperLab.Papers;
using PaperLab.Tests.Training;
using PaperLab.Training;

namespace PaperLab.Tests.Display;

public sealed class AutonomyChartsTests : TrainingTest
{
    private readonly ComparisonResult _result;

    public AutonomyChartsTests()
    {
        Comparison comparison = AutonomyOfExpertsPaper.Search("smoke").Comparison;
        _result = (comparison with
        {
            Model = TrainingFixtures.Comparison.Model,
            Text = TrainingFixtures.Comparison.Text with { EvaluationWindows = 1, Validate = true },
            Training = comparison.Training with { Steps = 1 },
        }).Run(Runtime, new RunStore(Folder.File("runs")), text: TrainingFixtures.Text(Folder));
    }

    [Fact]
    public void Losses_lie_along_d_low_and_are_differences_from_the_moe()
    {
        Series line = AutonomyCharts.LossByRank(_result).Panels[0].Series[0];

        Assert.Equal([4, 8, 16, 32], line.X);
        Assert.Equal(_result.Difference(AutonomyOfExpertsPaper.AoeAux, AutonomyOfExpertsPaper.MoeAux, run => run.Final.Loss).Estimate, line.Y[2], 12);
    }

    [Fact]
    public void Every_kind_of_selection_is_compared_with_the_moe_that_selects_alike()
    {
        Series bars = AutonomyCharts.LossBySelection(_result).Panels[0].Series[0];

        Assert.Equal(3, bars.Y.Count);
        Assert.Equal(_result.Difference(AutonomyOfExpertsPaper.AoeTopP, AutonomyOfExpertsPaper.MoeTopP, run => run.Final.Loss).Estimate, bars.Y[1], 12);
    }

    [Fact]
    public void An_experts_score_is_drawn_with_one_standard_deviation_to_both_sides()
    {
        Figure figure = AutonomyCharts.Scores(_result, AutonomyOfExpertsPaper.MoeAux, AutonomyOfExpertsPaper.AoeAux);
        LayerRouting layer = _result.Of(AutonomyOfExpertsPaper.AoeAux)[0].Final.Routing[1];
        Series drawn = figure.Panels[1].Series[1];

        Assert.Equal(layer.MeanScore, drawn.Y);
        Assert.Equal(layer.ScoreStd!.Select(std => 2 * std), drawn.High!.Zip(drawn.Low!, (high, low) => high - low).ToArray(), (a, b) => Math.Abs(a - b) < 1e-12);
        Assert.NotEmpty(figure.ToPng());
    }

    [Fact]
    public void Cost_is_drawn_against_the_moe_with_as_many_experts_and_memory_only_where_it_is_known()
    {
        ExpertCostGrid grid = AutonomyOfExpertsPaper.Cost("standard");
        ExpertCost Cost(bool memory) => new(grid, RunEnvironment.Of(Runtime), [.. grid.Arms.Select((arm, i) => new ExpertCostCell(
            arm.Name, 1, 1, [.. Enumerable.Range(0, 5).Select(_ => new StepCost(arm.FeedForward is AutonomyOfExpertsConfig ? 80 : 100, memory ? 100 + i : null))]))]);
        Figure figure = AutonomyCharts.Cost(Cost(memory: true));

        Assert.Equal(2, figure.Panels.Count);
        Assert.Equal("n = 64, d_low 32", figure.Panels[0].Categories![^1]);
        Assert.All(figure.Panels[0].Series[0].Y, ratio => Assert.Equal(-0.2, ratio, 12));
        Assert.Equal(1 / 105.0, figure.Panels[1].Series[0].Y[^1], 12);
        Assert.Single(AutonomyCharts.Cost(Cost(memory: false)).Panels);
        Assert.NotEmpty(figure.ToPng());
    }

    [Fact]
    public void The_toy_is_drawn_by_its_points_and_its_learning()
    {
        GaussianToyComparison toy = GaussianToy.Compare(AutonomyOfExpertsPaper.Toy("smoke") with { Seeds = 2, Steps = 20 });

        Assert.Equal(toy.Config.TestPoints, ToyCharts.WhoTakesWhat(toy).Panels[1].Series.Take(GaussianToyConfig.Classes).Sum(series => series.X.Count));
        Assert.Equal([5.0, 15], ToyCharts.Learning(toy).Panels[0].Series[0].X);
        Assert.NotEmpty(ToyCharts.Learning(toy).ToPng());
    }
}
