using PaperLab.Models;
using PaperLab.Training;
using static TorchSharp.torch;

namespace PaperLab.Tests.Training;

public sealed class DivergenceTests : TrainingTest
{
    private static readonly RunConfig s_wild = TrainingFixtures.RunConfig with { Training = TrainingFixtures.RunConfig.Training with { LearningRate = 1e30, WarmupShare = 0 } };

    [Fact]
    public void A_run_that_diverges_stops_and_says_at_which_step_in_which_layer_and_what_to_try()
    {
        TrainingDivergedException error = Assert.Throws<TrainingDivergedException>(() => Train(s_wild, null));

        Assert.StartsWith("MoE, seed 1: the loss is NaN at step 2 of 30; the first output that is not finite is that of layers.0. There is no checkpoint.", error.Message);
        Assert.EndsWith("Lower LearningRate (1E+30) or raise WarmupShare (0).", error.Message);
    }

    [Fact]
    public void It_names_the_last_good_checkpoint_and_writes_no_bad_one()
    {
        string path = Folder.File("checkpoints");
        using CheckpointFolder folder = CheckpointFolder.Open(path, new CheckpointOptions { EverySteps = 1 });

        TrainingDivergedException error = Assert.Throws<TrainingDivergedException>(() => Train(s_wild, folder));

        Assert.Contains($"The last good checkpoint is {Path.Combine(path, "step-00000001")}.", error.Message);
        Assert.Single(Directory.GetDirectories(path));
    }

    [Fact]
    public void Steps_that_are_read_late_change_nothing_after_the_first_bad_one()
    {
        using var readings = new StepReadings(CPU);
        float[] flags = [.. new[] { 2f, float.NaN, 3f }.Select((loss, i) => readings.Add(i + 1, 0.1, TrainingFixtures.Batch, tensor(loss), tensor(1f)).item<float>())];

        Assert.Equal([0, 1, 1], flags);
        Assert.Equal([true, false, true], readings.Take().Select(read => read.IsFinite));
        Assert.Empty(readings.Take());
    }

    [Fact]
    public void A_gradient_that_is_not_finite_counts_as_well()
    {
        using var readings = new StepReadings(CPU);

        Assert.Equal(1, readings.Add(1, 0.1, TrainingFixtures.Batch, tensor(2f), tensor(float.PositiveInfinity)).item<float>());
        Assert.Equal((2f, float.PositiveInfinity, false), readings.Take().Select(read => (read.Loss, read.GradientNorm, read.IsFinite)).Single());
    }

    [Fact]
    public void Broken_weights_are_named()
    {
        using Transformer model = Model();
        Set(model, "layers.1.mlp.router", float.NaN);

        Assert.Equal("the weights layers.1.mlp.router are not finite", Locate(model));
    }

    [Fact]
    public void The_layer_whose_output_is_not_finite_is_named()
    {
        using Transformer model = Model();
        Set(model, "layers.1.mlp.up", 1e30f);
        Set(model, "layers.1.mlp.down", 1e30f);

        Assert.Equal("the first output that is not finite is that of layers.1", Locate(model));
    }

    [Fact]
    public void The_last_layer_whose_gradient_is_not_finite_is_named()
    {
        using Transformer model = Model();

        // The root of zero has a value and no derivative.
        Assert.Equal("the first gradient that is not finite is that of lm_head.weight", Divergence.Locate(model, look => (Loss(model, look) - Loss(model, look).detach()).sqrt()));
    }

    [Fact]
    public void A_step_with_nothing_wrong_is_no_trouble()
    {
        using Transformer model = Model();

        Assert.Null(Locate(model));
    }

    private void Train(RunConfig config, CheckpointFolder? checkpoints) =>
        new LanguageModelTrainer(config, TrainingFixtures.Text(Folder), Runtime).Run("smoke", new RunOptions { Checkpoints = checkpoints });

    private static Transformer Model() => new(TrainingFixtures.RunConfig.Model);

    private static string? Locate(Transformer model) => Divergence.Locate(model, look => Loss(model, look));

    private static Tensor Loss(Transformer model, Action<string, Tensor> look) =>
        nn.functional.cross_entropy(model.Logits(model.Hidden(arange(16).view(1, 16), look: look).Hidden_BTC).view(16, -1), arange(1, 17));

    private static void Set(Transformer model, string name, float value)
    {
        using var noGrad = no_grad();
        model.state_dict()[name].fill_(value);
    }
}
