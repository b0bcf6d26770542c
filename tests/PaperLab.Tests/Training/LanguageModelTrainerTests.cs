using System.Text.Json;
using PaperLab.Models;
using PaperLab.Native;
using PaperLab.Text;
using PaperLab.Training;
using static TorchSharp.torch;

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
    public void A_corpus_without_text_is_refused()
    {
        var cache = new TextCache(Folder.Path, _ => { });
        TokenizedCorpus empty = TokenizedCorpus.Load(Corpus.Load([], TrainingFixtures.Corpus, cache), TrainingFixtures.Text(Folder).Tokenizer, cache);

        string message = Assert.Throws<ArgumentException>(() => new LanguageModelTrainer(TrainingFixtures.RunConfig, empty, Runtime)).Message;

        Assert.Contains("the corpus is without any domain; allowed: one with text: look at Domains and MaxBytesPerDomain of Text.Corpus", message);
    }

    [Fact]
    public void A_context_longer_than_the_text_is_refused_before_anything_is_trained()
    {
        var progress = new Reports();
        RunConfig endless = TrainingFixtures.RunConfig with { Model = TrainingFixtures.RunConfig.Model with { ContextLength = 1_000_000 } };

        string message = Assert.Throws<ArgumentException>(() =>
            new LanguageModelTrainer(endless, TrainingFixtures.Text(Folder), Runtime).Run("smoke", new RunOptions { Progress = progress })).Message;

        Assert.Contains("train tokens, fewer than one window of 1000000 + 1. Shorten the context", message);
        Assert.Empty(progress.Seen);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void Accumulated_gradients_and_losses_are_those_of_the_whole_batch(int microBatchSize)
    {
        RunConfig balanced = TrainingFixtures.RunConfig with
        {
            Model = TrainingFixtures.RunConfig.Model with { FeedForward = new MixtureOfExpertsConfig { NumExperts = 4, Hidden = 16, BiasUpdateRate = 0.01, ZLossWeight = 0.01 } },
        };
        Batch batch = new BatchSampler(TrainingFixtures.Text(Folder), 8, 16, seed: 5).Next();

        (Tensor loss, Tensor[] counts_E, Tensor[] gradients) = Accumulate(balanced, batch);
        (Tensor partLoss, Tensor[] partCounts_E, Tensor[] partGradients) = Accumulate(
            balanced with { Training = balanced.Training with { MicroBatchSize = microBatchSize } }, batch);

        Assert.Equal(loss.item<float>(), partLoss.item<float>(), 1e-5);
        Assert.Equal(2, counts_E.Length);
        Assert.All(counts_E.Zip(partCounts_E), pair => Assert.Equal(pair.First.data<long>().ToArray(), pair.Second.data<long>().ToArray()));
        Assert.All(counts_E, counts => Assert.Equal(8 * 16 * 2, counts.sum().item<long>()));
        Assert.All(gradients.Zip(partGradients), pair => Assert.InRange(((pair.First - pair.Second).norm() / pair.First.norm()).item<float>(), 0, 1e-5));
    }

    [Fact]
    public void A_balance_loss_of_micro_batches_is_the_mean_of_theirs()
    {
        RunConfig parts = TrainingFixtures.RunConfig with { Training = TrainingFixtures.RunConfig.Training with { MicroBatchSize = 4 } };
        TokenizedCorpus text = TrainingFixtures.Text(Folder);
        Batch batch = new BatchSampler(text, 8, 16, seed: 5).Next();
        Batch[] halves = [.. Enumerable.Range(0, 2).Select(i => new Batch(batch.Inputs[(i * 64)..((i + 1) * 64)], batch.Targets[(i * 64)..((i + 1) * 64)], batch.Domains[(i * 4)..((i + 1) * 4)], 16))];

        Tensor[] together = Accumulate(parts, batch).Gradients;
        Tensor[] first = Accumulate(TrainingFixtures.RunConfig, halves[0]).Gradients, second = Accumulate(TrainingFixtures.RunConfig, halves[1]).Gradients;

        Assert.All(together.Zip(first, second), g => Assert.InRange((g.First - ((g.Second + g.Third) / 2)).norm().item<float>() / g.First.norm().item<float>(), 0, 1e-5));
    }

    [Fact]
    public void Experts_balance_themselves_by_the_counts_of_each_step()
    {
        RunConfig With(double rate) => TrainingFixtures.RunConfig with
        {
            Model = TrainingFixtures.RunConfig.Model with { FeedForward = new MixtureOfExpertsConfig { NumExperts = 4, Hidden = 16, BiasUpdateRate = rate } },
            Training = TrainingFixtures.RunConfig.Training with { MicroBatchSize = 4 },
        };

        Assert.True(Entropy(Train(With(0.02))) > Entropy(Train(With(0))));
        static double Entropy(RunRecord record) => record.Final.Routing.Average(layer => layer.LoadEntropy);
    }

    [Fact]
    public void A_hundred_steps_leave_no_tensor_behind()
    {
        var live = new Dictionary<int, long>();
        RunConfig longer = TrainingFixtures.RunConfig with
        {
            Model = TrainingFixtures.RunConfig.Model with { FeedForward = new MixtureOfExpertsConfig { NumExperts = 4, Hidden = 16, BiasUpdateRate = 0.01, BalanceLossWeight = 0.01 } },
            Training = TrainingFixtures.RunConfig.Training with { Steps = 120, MicroBatchSize = 4, EvaluationInterval = 10 },
        };
        using CheckpointFolder checkpoints = CheckpointFolder.Open(Folder.File("checkpoints"), new CheckpointOptions { EverySteps = 10 });

        // What other tests left to the finalizer is taken before each count, or the count falls when it comes by itself.
        new LanguageModelTrainer(longer, TrainingFixtures.Text(Folder), Runtime).Run("smoke", new RunOptions
        {
            Checkpoints = checkpoints,
            Progress = new Reports(report =>
            {
                if (report.Step is 15 or 115)
                {
                    live[report.Step] = LiveTensors();
                }
            }),
        });

        Assert.Equal(live[15], live[115]);
    }

    [Fact]
    public void Evaluations_during_training_are_a_curve_and_change_nothing_else()
    {
        RunRecord plain = Train(TrainingFixtures.RunConfig);
        RunRecord evaluated = Train(TrainingFixtures.RunConfig with { Training = TrainingFixtures.RunConfig.Training with { EvaluationInterval = 10 } });

        Assert.Empty(plain.Evaluations);
        Assert.Equal([10, 20], evaluated.Evaluations.Select(point => point.Step));
        Assert.All(evaluated.Evaluations, point => Assert.Equal(point.Loss, point.LossByDomain.Values.Average(), 12));
        Assert.Equal(["alpha", "beta"], evaluated.Evaluations[0].LossByDomain.Keys);
        Assert.InRange(evaluated.Evaluations[0].Loss, evaluated.Final.Loss, evaluated.Initial.Loss);
        Assert.Equal(plain.TrainingLoss, evaluated.TrainingLoss);
    }

    [Fact]
    public void Bf16_is_named_in_the_record_and_learns_as_well()
    {
        RunConfig half = TrainingFixtures.RunConfig with { Training = TrainingFixtures.RunConfig.Training with { Precision = Precision.BFloat16 } };
        if (!Autocast.IsAvailable(Runtime.Device.type))
        {
            Assert.Contains("Precision is BFloat16; allowed: Float32", Assert.Throws<ArgumentException>(() => Train(half)).Message);
            return;
        }

        RunRecord record = Train(half), plain = Train(TrainingFixtures.RunConfig);

        Assert.Equal("bf16 autocast, else fp32, libtorch's default", record.Environment.Arithmetic);
        Assert.Equal("fp32, libtorch's default", plain.Environment.Arithmetic);
        Assert.NotEqual(plain.TrainingLoss[0], record.TrainingLoss[0]);
        Assert.Equal(plain.TrainingLoss[0], record.TrainingLoss[0], 0.02);
        Assert.Equal(plain.Final.Loss, record.Final.Loss, 0.1);
        Assert.Equal(record.TrainingLoss, Train(half).TrainingLoss);
    }

    [Fact]
    public void A_runtime_in_another_precision_than_the_config_is_refused()
    {
        Assert.Contains(
            "Precision is Float32; allowed: BFloat16, since the runtime is one WithBFloat16",
            Assert.Throws<ArgumentException>(() => new LanguageModelTrainer(TrainingFixtures.RunConfig, TrainingFixtures.Text(Folder), Runtime.WithBFloat16())).Message);
    }

    [Fact]
    public void The_record_names_the_modes_that_were_in_force()
    {
        RunEnvironment environment = Train(TrainingFixtures.RunConfig).Environment;

        Assert.Equal(("cpu", 1, "fp32, libtorch's default", "AdamW, fused"), (environment.Device, environment.Threads, environment.Arithmetic, environment.Optimizer));
        Assert.Equal(Runtime.Allocator, environment.Allocator);
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

    private (Tensor Loss, Tensor[] Counts_E, Tensor[] Gradients) Accumulate(RunConfig config, Batch batch)
    {
        manual_seed(7);
        var model = new Transformer(config.Model);
        (Tensor loss, Tensor[] counts_E) = new LanguageModelTrainer(config, TrainingFixtures.Text(Folder), Runtime).ForwardAndBackward(model, batch, step: 1);
        return (loss, counts_E, [.. model.parameters().Select(parameter => parameter.grad!)]);
    }

    private RunRecord Train(RunConfig config) => new LanguageModelTrainer(config, TrainingFixtures.Text(Folder), Runtime).Run("smoke");
}
