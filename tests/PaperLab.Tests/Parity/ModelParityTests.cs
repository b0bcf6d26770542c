// Whole models against plain PyTorch: logits, losses and the gradient of every parameter.

using PaperLab.Models;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace PaperLab.Tests.Parity;

public sealed class ModelParityTests : TorchTest
{
    private const double Limit = 1e-5;

    public static TheoryData<string> Cases => [.. Fixture.Names("models")];

    /// <summary>Cases that a cache computes too: without expert choice, whose routing looks ahead, and without frequencies that depend on the length.</summary>
    public static TheoryData<string> CausalCases =>
        [.. Fixture.Names("models").Where(name => !name.Contains("expert-choice", StringComparison.Ordinal) && name != "rope-dynamic")];

    public static TheoryData<string> CasesWithBias => [.. Fixture.Names("models").Where(name => name.EndsWith("-bias", StringComparison.Ordinal) && name.StartsWith("moe", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Logits_losses_and_every_gradient_are_the_references(string name)
    {
        using Fixture fixture = Fixture.Open("models", name);
        using Transformer model = Load(fixture);
        Tensor targets_N = fixture["input.targets"].view(-1);

        TransformerOutput output = model.forward(fixture["input.tokens"]);
        Tensor crossEntropy = nn.functional.cross_entropy(output.Logits_BTV.view(targets_N.shape[0], -1), targets_N);
        Tensor loss = output.AuxiliaryLoss(model.Config.FeedForward) is { } auxiliary ? crossEntropy + auxiliary : crossEntropy;
        loss.backward();

        fixture.Compare("output.logits", output.Logits_BTV);
        fixture.Compare("output.cross_entropy", crossEntropy);
        fixture.Compare("output.loss", loss);
        if (fixture.Has("output.balance_loss"))
        {
            fixture.Compare("output.balance_loss", output.Routings.Select(routing => routing.BalanceLoss()).Aggregate((sum, term) => sum + term));
        }

        if (fixture.Has("output.z_loss"))
        {
            fixture.Compare("output.z_loss", output.Routings.Select(routing => routing.ZLoss()).Aggregate((sum, term) => sum + term));
        }

        foreach ((string parameter, Parameter value) in model.named_parameters())
        {
            fixture.Compare("grad." + parameter, value.grad);
        }

        fixture.RequireErrorsBelow(Limit);
    }

    [Theory]
    [MemberData(nameof(CausalCases))]
    public void A_cache_gives_the_references_logits(string name)
    {
        using Fixture fixture = Fixture.Open("models", name);
        using Transformer model = Load(fixture);
        Tensor tokens_BT = fixture["input.tokens"];
        using var noGrad = no_grad();
        using var cache = new KeyValueCache(model.Config, tokens_BT.shape[0], tokens_BT.shape[1], CPU);

        // A prompt, a piece, then one token at a time.
        long[] pieces = [4, 2, .. Enumerable.Repeat(1L, (int)tokens_BT.shape[1] - 6)];
        Tensor[] hidden = [.. tokens_BT.split(pieces, 1).Select(piece => model.Hidden(piece, cache).Hidden_BTC)];

        fixture.Compare("output.logits", model.Logits(cat(hidden, 1)));
        fixture.RequireErrorsBelow(Limit);
    }

    [Theory]
    [MemberData(nameof(CasesWithBias))]
    public void A_step_moves_the_experts_biases_as_the_references(string name)
    {
        using Fixture fixture = Fixture.Open("models", name);
        using Transformer model = Load(fixture);

        TransformerOutput output = model.forward(fixture["input.tokens"]);
        foreach ((MixtureOfExperts layer, Routing routing) in model.MixturesOfExperts.Zip(output.Routings))
        {
            layer.UpdateBias(routing.Counts_E);
        }

        Dictionary<string, Tensor> buffers = model.named_buffers().ToDictionary(named => named.name, named => named.buffer);
        foreach (string buffer in fixture.NamesOf("updated."))
        {
            fixture.Compare("updated." + buffer, buffers[buffer]);
        }

        fixture.RequireErrorsBelow(0);
    }

    [Fact]
    public void Dynamic_frequencies_do_not_remember_a_longer_sequence()
    {
        using Fixture fixture = Fixture.Open("models", "rope-dynamic");
        using Transformer fresh = Load(fixture), used = Load(fixture);
        Tensor tokens_BT = fixture["input.tokens"];
        used.forward(tokens_BT);

        Assert.All([6L, 12L], length =>
        {
            Tensor shorter_BT = tokens_BT.narrow(1, 0, length);
            Assert.True(fresh.forward(shorter_BT).Logits_BTV.equal(used.forward(shorter_BT).Logits_BTV).all().item<bool>(), $"{length} tokens");
        });
    }

    private static Transformer Load(Fixture fixture) => fixture.Model(fixture.Config<TransformerConfig>());
}
