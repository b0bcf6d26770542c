using PaperLab.Models;
using PaperLab.Text;
using PaperLab.Training;
using static TorchSharp.torch;

namespace PaperLab.Tests.Training;

/// <summary>Several processes train one model: here they are threads; real processes are the business of MpiTests.</summary>
public sealed class DataParallelTests : TrainingTest
{
    /// <summary>Everything that counts over a batch, in every scope.</summary>
    public static TheoryData<string> Scopes => ["none", "whole", "micro", "over two ranks", "shuffled", "buffered", "local", "bias"];

    [Theory]
    [MemberData(nameof(Scopes))]
    public void The_loss_and_the_gradients_of_four_processes_are_those_of_one(string scope)
    {
        RunConfig config = Config(scope);
        TokenizedCorpus text = TrainingFixtures.Text(Folder);
        (double loss, double[] gradients) = Step(config, text, Runtime, ProcessGroup.Alone);

        (double Loss, double[] Gradients)[] parts = ThreadGroup.Run(4, group => Step(config, text, Runtime, group));

        foreach ((double partLoss, double[] partGradients) in parts)
        {
            Assert.Equal(loss, partLoss, 6);
            Assert.True(gradients.Zip(partGradients, (one, many) => Math.Abs(one - many)).Max() < 1e-6);
        }

        Assert.True(gradients.Max(Math.Abs) > 1e-3);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void The_loss_curve_and_the_evaluations_of_many_processes_are_those_of_one(int processes)
    {
        RunConfig config = Config("bias") with { Training = Config("bias").Training with { Steps = 20, EvaluationInterval = 7 } };
        RunRecord alone = Train(config, ProcessGroup.Alone);

        RunRecord[] records = ThreadGroup.Run(processes, group => Train(config, group));

        foreach (RunRecord record in records)
        {
            Assert.All(alone.TrainingLoss.Zip(record.TrainingLoss), pair => Assert.Equal(pair.First, pair.Second, 5));
            Assert.Equal(alone.Final.Loss, record.Final.Loss, 5);
            Assert.Equal([7, 14], record.Evaluations.Select(point => point.Step));
            Assert.Equal(processes, record.Parallel!.Processes);
        }

        Assert.Equal(records[0].Final.Loss, records[^1].Final.Loss); // one and the same model
        Assert.Null(alone.Parallel);
    }

    [Fact]
    public void Cancelling_one_process_stops_all_after_the_same_step_and_the_first_one_leaves_a_checkpoint_for_any_number()
    {
        RunConfig config = Config("whole");
        string path = Folder.File("checkpoints");
        using var source = new CancellationTokenSource();
        int[] stopped = ThreadGroup.Run(2, group =>
        {
            using CheckpointFolder? folder = group.IsFirst ? CheckpointFolder.Open(path) : null;
            int last = 0;
            var watch = new Reports(progress => last = progress.Step);
            using var late = new CancellationTokenSource();
            var cancel = new Reports(progress => { last = progress.Step; if (progress.Step == 4) { late.Cancel(); } });
            Assert.Throws<OperationCanceledException>(() =>
                Trainer(config, group).Run("smoke", new RunOptions { Checkpoints = folder, Progress = group.IsFirst ? watch : cancel }, group.IsFirst ? default : late.Token));
            return last;
        });

        Assert.Equal([4, 4], stopped);
        using CheckpointFolder again = CheckpointFolder.Open(path);
        RunRecord[] resumed = ThreadGroup.Run(4, group => Trainer(config, group).Run("smoke", new RunOptions { Checkpoints = group.IsFirst ? again : null }));
        Assert.All(resumed, record => Assert.Equal(4, Assert.Single(record.Resumed).AfterStep));
        Assert.All(Train(config, ProcessGroup.Alone).TrainingLoss.Zip(resumed[3].TrainingLoss), pair => Assert.Equal(pair.First, pair.Second, 5));
    }

    [Fact]
    public void A_recorded_run_is_found_by_all_processes_or_trained_by_all()
    {
        RunConfig config = Config("whole");
        var store = new RunStore(Folder.File("runs"));
        RunRecord[] Run() => ThreadGroup.Run(2, group => RecordedTraining.Run(Trainer(config, group), "smoke", store));

        RunRecord[] trained = Run(), found = Run();

        Assert.Equal(trained[0].Finished, found[0].Finished);
        Assert.Equal(trained[0].Finished, found[1].Finished);
        Assert.NotNull(store.Find(config, TrainingFixtures.Text(Folder).Corpus.Hash));
    }

    [Theory]
    [InlineData(3, 0, "the number of processes is 3; allowed: a divisor of BatchSize = 8")]
    [InlineData(4, 4, "the number of processes is 4; allowed: a divisor of BatchSize = 8 divided by MicroBatchSize = 4")]
    public void Processes_that_do_not_divide_the_batch_are_refused(int processes, int microBatch, string message)
    {
        RunConfig config = Config("none") with { Training = Config("none").Training with { MicroBatchSize = microBatch } };

        Assert.Contains(message, Assert.Throws<ArgumentException>(() => ThreadGroup.Run(processes, group => Trainer(config, group))).Message);
    }

    [Fact]
    public void Only_numbers_that_every_process_has_alike_are_added_up()
    {
        Assert.Contains("BFloat16; allowed: fp32, fp64 or int64", Assert.Throws<ArgumentException>(() => ThreadGroup.Run(2, group =>
        {
            using Tensor values = zeros(3, ScalarType.BFloat16);
            group.Sum(values);
            return 0;
        })).Message);
    }

    internal static RunConfig Config(string scope)
    {
        var experts = new MixtureOfExpertsConfig { NumExperts = 4, Hidden = 16, BalanceLossWeight = 0.1 };
        RunConfig config = TrainingFixtures.RunConfig with
        {
            Model = TrainingFixtures.RunConfig.Model with
            {
                FeedForward = experts with
                {
                    BiasUpdateRate = scope == "bias" ? 0.01 : 0,
                    Balance = scope switch
                    {
                        "none" => null,
                        "micro" => new BalanceScope { Sequences = 1 },
                        "over two ranks" => new BalanceScope { Sequences = 4 },
                        "shuffled" => new BalanceScope { Sequences = 2, Shuffled = true },
                        "buffered" => new BalanceScope { Sequences = 2, Buffered = true },
                        "local" => new BalanceScope { LocalWeight = 0.5, LocalSequences = 2 },
                        _ => BalanceScope.WholeBatch,
                    },
                },
            },
            Training = TrainingFixtures.RunConfig.Training with { Steps = 8 },
        };

        // Without a scope every process counts for itself, so that four are not one: leave the loss out.
        return scope == "none" ? config with { Model = config.Model with { FeedForward = experts with { BalanceLossWeight = 0 } } } : config;
    }

    /// <summary>One step, forward and backward, from the same weights everywhere.</summary>
    internal static (double Loss, double[] Gradients) Step(RunConfig config, TokenizedCorpus text, TorchRuntime runtime, ProcessGroup group)
    {
        using var scope = NewDisposeScope();
        using var model = new Transformer(config.Model, initialize: false);
        using (no_grad())
        {
            foreach ((string name, TorchSharp.Modules.Parameter parameter) in model.named_parameters())
            {
                // Without torch's generator, which threads share.
                Tensor wave = arange(parameter.numel()).to(ScalarType.Float32).mul(1.7f + name.Length).sin() * 0.2f;
                parameter.copy_(parameter.dim() == 1 ? ones(parameter.shape) : wave.view(parameter.shape));
            }
        }

        Batch batch = new BatchSampler(text, 8, 16, seed: 5).Next();
        (Tensor loss, _) = new LanguageModelTrainer(config, text, runtime, group).ForwardAndBackward(model, batch, step: 1);
        return (loss.item<float>(), cat(model.parameters().Select(parameter => parameter.grad!.reshape(-1)).ToArray()).to(ScalarType.Float64).data<double>().ToArray());
    }

    private LanguageModelTrainer Trainer(RunConfig config, ProcessGroup group) => new(config, TrainingFixtures.Text(Folder), Runtime, group);

    private RunRecord Train(RunConfig config, ProcessGroup group) => Trainer(config, group).Run("smoke");
}
