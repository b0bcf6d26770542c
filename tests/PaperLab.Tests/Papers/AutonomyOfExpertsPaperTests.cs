using PaperLab.Evaluation;
using PaperLab.Models;
using PaperLab.Papers;
using PaperLab.Tests.Training;
using PaperLab.Training;

namespace PaperLab.Tests.Papers;

public sealed class AutonomyOfExpertsPaperTests : TorchTest
{
    [Theory]
    [InlineData("smoke")]
    [InlineData("standard")]
    public void Arms_have_equal_parameters_or_equal_flops(string preset)
    {
        Comparison comparison = AutonomyOfExpertsPaper.Create(preset);
        Dictionary<string, Transformer> models = comparison.Arms.ToDictionary(arm => arm.Name, arm => new Transformer(comparison.ConfigOf(arm, 1).Model));
        double Parameters(string arm) => models[arm].TotalParameters / (double)models[AutonomyOfExpertsPaper.Moe].TotalParameters;

        Assert.InRange(Parameters(AutonomyOfExpertsPaper.Aoe), 0.99, 1.01);
        Assert.InRange(Parameters(AutonomyOfExpertsPaper.FactorisedMoe), 0.99, 1.01);
        Assert.InRange(models[AutonomyOfExpertsPaper.EqualFlops].FlopsPerToken / models[AutonomyOfExpertsPaper.Moe].FlopsPerToken, 0.99, 1.01);
    }

    [Fact]
    public void The_standard_preset_has_seeds_enough_for_a_t_interval()
    {
        Assert.True(AutonomyOfExpertsPaper.Create("standard").Seeds.Count >= 5);
    }

    [Fact]
    public void An_unknown_preset_is_named_with_those_that_exist()
    {
        Assert.Contains("'quick' is not a preset; use smoke, standard, full", Assert.Throws<ArgumentException>(() => AutonomyOfExpertsPaper.Create("quick")).Message);
    }

    [Fact]
    public void Claims_follow_the_measurements_whichever_way_they_fall()
    {
        using var folder = new TemporaryFolder();
        Comparison comparison = AutonomyOfExpertsPaper.Create("smoke") with
        {
            Seeds = [1, 2, 3, 4, 5],
            Model = TrainingFixtures.Comparison.Model,
            Text = TrainingFixtures.Comparison.Text,
            Training = TrainingFixtures.Comparison.Training with { Steps = 2 },
        };
        ComparisonResult measured = comparison.Run(TorchRuntime.Initialize("cpu", threads: 1), new RunStore(folder.File("runs")), text: TrainingFixtures.Text(folder));

        Verdict LossVerdict(double aoeMinusMoe) => AutonomyOfExpertsPaper.Judge(
            measured.WithRecords(record => record with
            {
                Final = record.Final with { Loss = 3 + (0.001 * record.Config.Seed) + (record.Config.Arm == AutonomyOfExpertsPaper.Aoe ? aoeMinusMoe * (1 + (1e-3 * record.Config.Seed)) : 0) },
            }),
            new Interval(0.1, -0.1, 0.3, 5),
            new Interval(-0.05, -0.1, -0.01, 5))[0].Verdict;

        Assert.Equal(Verdict.Supported, LossVerdict(-0.1));
        Assert.Equal(Verdict.Contradicted, LossVerdict(0.1));
    }

    [Fact]
    public void The_toy_learns_its_classes_and_gives_the_same_result_for_the_same_seed()
    {
        GaussianToyResult first = GaussianToy.Run(GaussianToy.AutonomyOfExperts, seed: 1);
        GaussianToyResult second = GaussianToy.Run(GaussianToy.AutonomyOfExperts, seed: 1);

        Assert.True(first.Accuracy > 0.8, $"accuracy {first.Accuracy}");
        Assert.Equal(first.Agreement, second.Agreement);
        Assert.Equal(first.Expert, second.Expert);
        Assert.All(first.Scores.Zip(first.Expert), pair => Assert.Equal(pair.First.Max(), pair.First[pair.Second]));
    }
}
