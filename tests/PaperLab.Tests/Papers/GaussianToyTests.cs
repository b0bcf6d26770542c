using PaperLab.Papers;
using PaperLab.Tests.Training;
using PaperLab.Training;

namespace PaperLab.Tests.Papers;

public sealed class GaussianToyTests : TrainingTest
{
    private static readonly GaussianToyConfig s_config = new() { FirstSeed = 1, Seeds = 2 };

    [Fact]
    public void The_toy_learns_its_classes_and_gives_the_same_result_for_the_same_seed()
    {
        GaussianToyResult first = GaussianToy.Run(s_config, s_config.AutonomyOfExperts, seed: 1);
        GaussianToyResult second = GaussianToy.Run(s_config, s_config.AutonomyOfExperts, seed: 1);

        Assert.True(first.Accuracy > 0.8, $"accuracy {first.Accuracy}");
        Assert.True(first.TrainingLoss[^1] < first.TrainingLoss[0] / 2, $"loss {first.TrainingLoss[0]} → {first.TrainingLoss[^1]}");
        Assert.Equal(s_config.Steps / GaussianToy.StepsPerLoss, first.TrainingLoss.Count);
        Assert.Equal(first.Agreement, second.Agreement);
        Assert.Equal(first.TrainingLoss, second.TrainingLoss);
        Assert.Equal(first.Points, second.Points);
        Assert.All(first.Points, point => Assert.Equal(Math.Max(point.Score1, point.Score2), point.Expert == 0 ? point.Score1 : point.Score2));
    }

    [Fact]
    public void A_trained_layer_chooses_the_expert_with_the_smaller_loss_more_often_than_a_coin()
    {
        GaussianToyComparison toy = GaussianToy.Compare(s_config);

        Assert.True(toy.Moe(run => run.Agreement).Estimate > 0.6);
        Assert.True(toy.Aoe(run => run.Agreement).Estimate > 0.5);
        Assert.Equal(toy.Aoe(run => run.Agreement).Estimate - toy.Moe(run => run.Agreement).Estimate, toy.Difference(run => run.Agreement).Estimate, 12);
    }

    [Fact]
    public void A_recorded_toy_is_small_and_read_back_as_it_was()
    {
        var store = new RunStore(Folder.File("runs"));
        GaussianToyConfig config = s_config with { Steps = 20 };
        GaussianToyComparison made = store.Measured("paper", config, () => GaussianToy.Compare(config));
        GaussianToyComparison read = store.Measured<GaussianToyComparison>("paper", config, () => throw new InvalidOperationException("it is recorded"));

        Assert.Equal(made.AoeRuns[0].Points, read.AoeRuns[0].Points);
        Assert.Equal(config.TestPoints, read.MoeRuns[0].Points.Count);
        Assert.Empty(read.MoeRuns[1].Points);
        Assert.Equal(made.Difference(run => run.TrainingLoss.Average()), read.Difference(run => run.TrainingLoss.Average()));
        Assert.InRange(new FileInfo(Directory.GetFiles(Folder.File("runs"), "*.json", SearchOption.AllDirectories).Single()).Length, 1, 60_000);
    }
}
