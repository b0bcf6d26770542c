using System.Text.Json;
using PaperLab.Models;
using PaperLab.Training;

namespace PaperLab.Tests.Training;

public sealed class LanguageModelTrainerTests : TrainingTest
{
    [Fact]
    public void The_loss_falls_and_the_record_says_how()
    {
        RunRecord record = Train(TrainingFixtures.RunConfig);

        Assert.Equal(30, record.TrainingLoss.Count);
        Assert.True(record.Final.Loss < record.Initial.Loss - 1, $"{record.Initial.Loss} → {record.Final.Loss}");
        Assert.Equal(["alpha", "beta"], record.Final.LossByDomain.Keys);
        Assert.Equal(30 * 8 * 16, record.Tokens);
        Assert.Equal(2, record.Final.Routing.Count);
        Assert.All(record.Final.Routing, layer => Assert.Equal(1, layer.Load.Sum(), 6));
        Assert.All(record.Final.Routing, layer => Assert.InRange(layer.ConfidenceEntropy, 0, Math.Log(4) + 1e-6));
    }

    [Fact]
    public void The_same_config_gives_the_same_curve_bit_for_bit()
    {
        Assert.Equal(Train(TrainingFixtures.RunConfig).TrainingLoss, Train(TrainingFixtures.RunConfig).TrainingLoss);
    }

    [Fact]
    public void Another_seed_gives_another_curve()
    {
        Assert.NotEqual(Train(TrainingFixtures.RunConfig).TrainingLoss, Train(TrainingFixtures.RunConfig with { Seed = 2 }).TrainingLoss);
    }

    [Fact]
    public void The_first_loss_does_not_depend_on_the_balance_loss()
    {
        RunConfig without = TrainingFixtures.RunConfig with
        {
            Model = TrainingFixtures.RunConfig.Model with { FeedForward = new MixtureOfExpertsConfig { NumExperts = 4, Hidden = 16 } },
        };

        IReadOnlyList<double> with = Train(TrainingFixtures.RunConfig).TrainingLoss, plain = Train(without).TrainingLoss;
        Assert.Equal(plain[0], with[0]);
        Assert.NotEqual(plain[^1], with[^1]);
    }

    [Fact]
    public void Progress_counts_every_step_to_the_last()
    {
        var steps = new Reports();
        new LanguageModelTrainer(TrainingFixtures.RunConfig, TrainingFixtures.Text(Folder), Runtime).Run("smoke", new RunOptions { Progress = steps });

        Assert.Equal(Enumerable.Range(1, 30), steps.Seen.Select(progress => progress.Step));
        Assert.All(steps.Seen, progress => Assert.Equal("MoE, seed 1", progress.Run));
        Assert.Equal(TimeSpan.Zero, steps.Seen[^1].Remaining);
    }

    [Fact]
    public void A_run_that_diverges_stops_and_says_where()
    {
        RunConfig wild = TrainingFixtures.RunConfig with { Training = TrainingFixtures.RunConfig.Training with { LearningRate = 1e30, WarmupShare = 0 } };

        TrainingDivergedException error = Assert.Throws<TrainingDivergedException>(() => Train(wild));

        Assert.Contains("MoE, seed 1: the loss is NaN at step", error.Message);
    }

    [Fact]
    public void Cancelling_ends_a_run_between_two_steps()
    {
        using var source = new CancellationTokenSource();
        var progress = new Reports(report => { if (report.Step == 5) { source.Cancel(); } });
        var trainer = new LanguageModelTrainer(TrainingFixtures.RunConfig, TrainingFixtures.Text(Folder), Runtime);

        Assert.Throws<OperationCanceledException>(() => trainer.Run("smoke", new RunOptions { Progress = progress }, source.Token));
        Assert.Equal(5, progress.Seen.Count);
    }

    [Fact]
    public void A_vocabulary_that_is_not_the_tokenizers_is_refused()
    {
        RunConfig wrong = TrainingFixtures.RunConfig with { Model = TrainingFixtures.RunConfig.Model with { VocabularySize = 301 } };

        Assert.Contains("VocabularySize is 301; allowed: 300", Assert.Throws<ArgumentException>(() => Train(wrong)).Message);
    }

    [Fact]
    public void A_record_survives_its_file()
    {
        RunRecord record = Train(TrainingFixtures.RunConfig);

        string json = JsonSerializer.Serialize(record, RunRecord.Json);
        RunRecord back = JsonSerializer.Deserialize<RunRecord>(json, RunRecord.Json)!;

        Assert.Equal(json, JsonSerializer.Serialize(back, RunRecord.Json));
        Assert.Equal(record.Config.Key, back.Config.Key);
    }

    private RunRecord Train(RunConfig config) => new LanguageModelTrainer(config, TrainingFixtures.Text(Folder), Runtime).Run("smoke");
}
