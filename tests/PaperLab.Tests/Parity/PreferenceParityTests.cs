// DPO against plain PyTorch, from a model's weights to the gradient of each: ragged prompts and answers, and a reference that is another
// policy.

using PaperLab.Models;
using PaperLab.Preference;
using PaperLab.Reinforcement;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace PaperLab.Tests.Parity;

public sealed class PreferenceParityTests : TorchTest
{
    private const double Limit = 1e-5;

    [Fact]
    public void Loss_rewards_and_every_gradient_are_the_references()
    {
        using Fixture fixture = Fixture.Open("preferences", "dpo");
        DpoCase config = fixture.Config<DpoCase>();
        using Transformer model = fixture.Model(config.Model);
        int[][] Texts(string of) => [.. config.Lengths[of].Zip(fixture["input." + of].data<long>().ToArray().Chunk((int)fixture["input." + of].shape[1]), (length, row) => row[..length].Select(token => (int)token).ToArray())];
        int[][] prompts = Texts("prompts");

        var batch = new AnswerBatch([.. prompts, .. prompts], [.. Texts("chosen"), .. Texts("rejected")], CPU);
        DpoLoss pairs = DpoLoss.Of(batch.PerRow(batch.Score(model, temperature: 1).LogProbs_N), fixture["input.reference"].flatten(), config.Beta);
        Tensor loss = pairs.Loss_P.mean();
        loss.backward();

        fixture.Compare("output.loss", loss);
        fixture.Compare("output.rewards", stack([pairs.Chosen_P, pairs.Rejected_P]));
        foreach ((string parameter, Parameter value) in model.named_parameters())
        {
            fixture.Compare("grad." + parameter, value.grad);
        }

        fixture.RequireErrorsBelow(Limit);
    }

    private sealed record DpoCase(TransformerConfig Model, double Beta, Dictionary<string, int[]> Lengths);
}
