using PaperLab.Models;
using PaperLab.Papers;
using PaperLab.Tests.Training;
using PaperLab.Training;

namespace PaperLab.Tests.Papers;

public sealed class ExpertCostTests : TrainingTest
{
    private static readonly ExpertCostGrid s_grid = new()
    {
        Model = TrainingFixtures.Comparison.Model,
        Arms =
        [
            new ExpertCostArm("MoE", new MixtureOfExpertsConfig { NumExperts = 4, Hidden = 16, BalanceLossWeight = 0.01 }),
            new ExpertCostArm("large", new MixtureOfExpertsConfig { NumExperts = 4, Hidden = 16_384 }),
        ],
        Sequences = 2,
        Steps = 1,
        Rounds = 2,
    };

    [Fact]
    public void Every_model_is_measured_in_every_round_and_a_large_one_is_slower_and_needs_its_parameters_four_times()
    {
        ExpertCost cost = ExpertCost.Measure(s_grid, Runtime);

        Assert.Equal(["MoE", "large"], cost.Cells.Select(cell => cell.Arm));
        Assert.All(cost.Cells, cell => Assert.Equal(2, cell.Rounds.Count));
        using var large = new Transformer(s_grid.Model with { FeedForward = s_grid.Arms[1].FeedForward }, initialize: false);
        Assert.Equal(large.TotalParameters, cost.Of("large").Parameters);
        Assert.Equal(large.FlopsPerToken, cost.Of("large").FlopsPerToken);
        Assert.All(cost.Throughput("large", "MoE"), ratio => Assert.InRange(ratio, -1, 0));
        Assert.Equal(OperatingSystem.IsLinux(), cost.KnowsMemory);
        Assert.All(cost.Of("large").Rounds, round => Assert.InRange(round.PeakBytes ?? 0, cost.KnowsMemory ? 4 * 4 * large.TotalParameters : 0, 8 * 4 * large.TotalParameters)); // weights, gradients, two moments
    }

    [Fact]
    public void Ratios_are_taken_round_by_round_and_the_table_shows_medians()
    {
        ExpertCostCell Cell(string arm, params double[] speed) => new(arm, 10, 20, [.. speed.Select(tokens => new StepCost(tokens, (long)(tokens * 1e6)))]);
        var cost = new ExpertCost(s_grid, RunEnvironment.Of(Runtime), [Cell("MoE", 100, 50, 80), Cell("large", 90, 45, 72)]);

        Assert.All(cost.Throughput("large", "MoE"), ratio => Assert.Equal(-0.1, ratio, 12)); // the machine's speed drifted, the ratio did not
        Assert.All(cost.Memory("large", "MoE"), ratio => Assert.Equal(-0.1, ratio, 12));
        Assert.Equal(new ExpertCostRow("MoE", 10, 20, 80, 25, 80), cost.Table()[0]);
        Assert.Contains("There is no arm 'AoE'; there are MoE, large", Assert.Throws<ArgumentException>(() => cost.Of("AoE")).Message);
    }

    [Fact]
    public void Where_memory_is_not_told_nothing_is_said_of_it()
    {
        var cost = new ExpertCost(s_grid, RunEnvironment.Of(Runtime), [new ExpertCostCell("MoE", 10, 20, [new StepCost(100, null)])]);

        Assert.False(cost.KnowsMemory);
        Assert.Null(cost.Table()[0].PeakMegabytes);
        Assert.Contains("KnowsMemory", Assert.Throws<InvalidOperationException>(() => cost.Memory("MoE", "MoE")).Message);
    }

    [Fact]
    public void A_grid_that_cannot_be_measured_is_named_with_what_can()
    {
        string Message(ExpertCostGrid grid) => Assert.Throws<ArgumentException>(grid.Validate).Message;

        Assert.Contains("Rounds is 0", Message(s_grid with { Rounds = 0 }));
        Assert.Contains("Arms is [MoE, MoE]; allowed: one or more, each with a name of its own", Message(s_grid with { Arms = [s_grid.Arms[0], s_grid.Arms[0]] }));
    }
}
