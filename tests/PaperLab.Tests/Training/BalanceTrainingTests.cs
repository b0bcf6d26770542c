using PaperLab.Models;
using PaperLab.Text;
using PaperLab.Training;
using static TorchSharp.torch;

namespace PaperLab.Tests.Training;

/// <summary>Training under a scope of the balance loss, and what is measured of it.</summary>
public sealed class BalanceTrainingTests : TrainingTest
{
    [Fact]
    public void A_scope_of_the_balance_loss_changes_the_run_and_taking_over_changes_it_from_there()
    {
        IReadOnlyList<double> Losses(BalanceScope? scope) => Train(Scoped(scope)).TrainingLoss;

        IReadOnlyList<double> micro = Losses(new BalanceScope { Sequences = 1 }), whole = Losses(BalanceScope.WholeBatch);
        IReadOnlyList<double> switched = Losses(new BalanceScope { Sequences = 1, Then = BalanceScope.WholeBatch, SwitchAfter = 0.5 });

        Assert.Equal(micro.Take(16), switched.Take(16)); // the loss of step 16 comes before its update
        Assert.NotEqual(micro[16], switched[16]);
        Assert.NotEqual(micro[1], whole[1]);
        Assert.All(whole.Zip(Losses(null)), pair => Assert.Equal(pair.Second, pair.First, 4));
    }

    [Fact]
    public void Accumulating_with_a_buffer_is_one_forward_pass_with_the_buffer()
    {
        var scope = new BalanceScope { Sequences = 2, Buffered = true };
        RunConfig accumulating = Scoped(scope) with { Training = Scoped(scope).Training with { MicroBatchSize = 2 } };

        Assert.All(Train(Scoped(scope)).TrainingLoss.Zip(Train(accumulating).TrainingLoss), pair => Assert.Equal(pair.First, pair.Second, 4));
    }

    [Fact]
    public void A_shuffled_scope_draws_the_same_order_again_after_an_interruption()
    {
        RunConfig config = Scoped(new BalanceScope { Sequences = 2, Shuffled = true });
        using var source = new CancellationTokenSource();
        using CheckpointFolder folder = CheckpointFolder.Open(Folder.File("checkpoints"));
        var cancel = new Reports(progress => { if (progress.Step == 11) { source.Cancel(); } });
        Assert.Throws<OperationCanceledException>(() =>
            new LanguageModelTrainer(config, TrainingFixtures.Text(Folder), Runtime).Run("smoke", new RunOptions { Checkpoints = folder, Progress = cancel }, source.Token));

        RunRecord resumed = new LanguageModelTrainer(config, TrainingFixtures.Text(Folder), Runtime).Run("smoke", new RunOptions { Checkpoints = folder });

        Assert.Equal(11, Assert.Single(resumed.Resumed).AfterStep);
        Assert.Equal(Train(config).TrainingLoss, resumed.TrainingLoss);
    }

    [Theory]
    [InlineData(3, 0, 0, false, "Balance.Sequences is 3; allowed: 0, or a divisor of the 8 sequences of a forward pass")]
    [InlineData(4, 0, 2, false, "Balance.Sequences is 4; allowed: 0, or a divisor of the 2 sequences of a forward pass")]
    [InlineData(1, 5, 0, false, "Balance.LocalSequences is 5; allowed: 0, or a divisor of the 8 sequences of a forward pass")]
    [InlineData(1, 0, 2, true, "Balance.Shuffled is True; allowed: false with a MicroBatchSize")]
    public void A_scope_that_does_not_fit_the_batch_is_refused(int sequences, int local, int microBatch, bool shuffled, string message)
    {
        RunConfig config = Scoped(new BalanceScope { Sequences = sequences, LocalSequences = local, LocalWeight = local > 0 ? 0.1 : 0, Shuffled = shuffled });

        Assert.Contains(message, Assert.Throws<ArgumentException>(() => Train(config with { Training = config.Training with { MicroBatchSize = microBatch } })).Message);
    }

    [Fact]
    public void Halved_held_out_text_gives_one_evaluation_to_choose_by_and_another_to_report()
    {
        RunConfig config = TrainingFixtures.RunConfig with { Text = TrainingFixtures.RunConfig.Text with { Validate = true }, Training = TrainingFixtures.RunConfig.Training with { EvaluationInterval = 29 } };

        RunRecord record = Train(config);

        Assert.NotEqual(record.Final.Loss, record.Validation!.Loss);
        Assert.InRange(record.Evaluations[^1].Loss - record.Validation.Loss, -0.05, 0.05); // one step before, on the same windows
        Assert.Null(Train(TrainingFixtures.RunConfig).Validation);
    }

    [Fact]
    public void The_evaluation_measures_the_balance_loss_in_every_scope()
    {
        using var model = new Transformer(TrainingFixtures.RunConfig.Model);
        TokenizedCorpus text = TrainingFixtures.Text(Folder);
        LayerBalance balance = new Evaluator(text, windowsPerDomain: 8, batchSize: 3, CPU).Evaluate(model).Routing[1].Balance!;

        using var noGrad = no_grad();
        Routing Route(IEnumerable<Batch> batches)
        {
            long[] inputs = [.. batches.SelectMany(batch => batch.Inputs)];
            return model.forward(tensor(inputs, [inputs.Length / 16, 16])).Routings[1];
        }

        Batch[] windows = [.. EvaluationWindows.Cut(text, 1, 16, 8)];
        IEnumerable<Batch>[] domains = [.. windows.GroupBy(window => window.Domains[0])];
        Routing[] sequences = [.. windows.Select(window => Route([window]))];
        Assert.Equal(16, windows.Length);
        Assert.Equal(sequences.Average(routing => routing.BalanceLoss().item<float>()), balance.SequenceLoss, 5);
        Assert.Equal(domains.Average(domain => Route(domain).BalanceLoss().item<float>()), balance.DomainLoss, 5);
        Assert.Equal(Route(windows).BalanceLoss().item<float>(), balance.GlobalLoss, 5);
        Assert.Equal(sequences.Average(routing => (routing.Counts_E.max().item<long>() / 8.0) - 1), balance.SequenceMaxViolation, 5);
        Assert.Equal(Route(windows).Scores_NE.softmax(-1).topk(2, -1).values.sum(-1).mean().item<float>(), balance.TopKScore, 5);
    }

    private static RunConfig Scoped(BalanceScope? scope) => TrainingFixtures.RunConfig with
    {
        Model = TrainingFixtures.RunConfig.Model with { FeedForward = new MixtureOfExpertsConfig { NumExperts = 4, Hidden = 16, BalanceLossWeight = 0.1, Balance = scope } },
    };

    private RunRecord Train(RunConfig config) => new LanguageModelTrainer(config, TrainingFixtures.Text(Folder), Runtime).Run("smoke");
}
