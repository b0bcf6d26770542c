// Single layers and losses against plain PyTorch: output, and the gradient along a random direction.

using PaperLab.Models;
using static TorchSharp.torch;

namespace PaperLab.Tests.Parity;

public sealed class LayerParityTests : TorchTest
{
    private const double Limit = 1e-5;

    public static TheoryData<string> Cases => [.. Fixture.Names("layers")];

    /// <summary>Attention with nothing but the causal mask, which libtorch's own kernel computes too.</summary>
    public static TheoryData<string> PlainAttentions => ["attention-shared-alike", "attention-shared-apart", "attention-more-keys-than-values"];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Output_and_gradient_are_the_references(string name) => Check(name, (fixture, inputs) => name switch
    {
        _ when name.StartsWith("rms-norm", StringComparison.Ordinal) => Norm(fixture, inputs),
        _ when name.StartsWith("rope", StringComparison.Ordinal) => Rope(fixture, inputs),
        _ when name.StartsWith("attention", StringComparison.Ordinal) => Attention(fixture, inputs),
        _ when name.StartsWith("cross-entropy", StringComparison.Ordinal) => nn.functional.cross_entropy(inputs["logits"], inputs["targets"]),
        _ when name.StartsWith("balance-loss", StringComparison.Ordinal) => Chosen(inputs["scores"], inputs["chosen"]).BalanceLoss(),
        _ when name.StartsWith("z-loss", StringComparison.Ordinal) => Chosen(inputs["scores"], zeros(inputs["scores"].shape[0], 1, ScalarType.Int64)).ZLoss(),
        _ => throw new InvalidOperationException($"No layer is known for the fixture '{name}'."),
    });

    [Theory]
    [MemberData(nameof(PlainAttentions))]
    public void The_fused_and_the_explicit_attention_are_both_the_reference(string name)
    {
        Check(name, (_, inputs) => AttentionKernel.Fused(inputs["q"], inputs["k"], inputs["v"]));
        Check(name, (fixture, inputs) => AttentionKernel.Explicit(inputs["q"], inputs["k"], inputs["v"], Mask(fixture, inputs["q"]).Additive(ScalarType.Float32)));
    }

    private static void Check(string name, Func<Fixture, Dictionary<string, Tensor>, Tensor> layer)
    {
        using Fixture fixture = Fixture.Open("layers", name);
        Dictionary<string, Tensor> inputs = fixture.NamesOf("input.").Concat(fixture.NamesOf("param.")).ToDictionary(
            input => input,
            input => fixture[(fixture.Has("input." + input) ? "input." : "param.") + input]);
        string[] learned = [.. fixture.NamesOf("grad.")];
        Assert.NotEmpty(learned);
        foreach (string input in learned)
        {
            inputs[input].requires_grad_();
        }

        Tensor output = layer(fixture, inputs);
        (output * inputs["direction"]).sum().backward();

        fixture.Compare("output", output);
        foreach (string input in learned)
        {
            fixture.Compare("grad." + input, inputs[input].grad);
        }

        fixture.RequireErrorsBelow(Limit);
    }

    private static Tensor Norm(Fixture fixture, Dictionary<string, Tensor> inputs)
    {
        var config = fixture.Config<NormConfig>();
        var norm = new RmsNorm(config.Width, config.Epsilon);
        using (no_grad())
        {
            norm.parameters().Single().copy_(inputs["weight"]);
        }

        inputs["weight"] = norm.parameters().Single(); // whose gradient is compared
        return norm.forward(inputs["x"]);
    }

    // The heads stand at a few far positions of an otherwise empty sequence.
    private static Tensor Rope(Fixture fixture, Dictionary<string, Tensor> inputs)
    {
        var config = fixture.Config<RopeConfig>();
        using var rotary = new RotaryEmbedding(new TransformerConfig
        {
            VocabularySize = 2,
            Width = config.HeadWidth,
            Heads = 1,
            ContextLength = config.Length,
            RopeTheta = config.Theta,
            RopeScaling = config.Scaling,
            FeedForward = new DenseConfig(1),
        });
        Tensor x_BPHD = inputs["x"].transpose(1, 2), positions = inputs["positions"];
        Tensor x_BTHD = zeros(1, config.Length, x_BPHD.shape[2], config.HeadWidth).index_copy(1, positions, x_BPHD);
        return rotary.At(0, config.Length, config.Length, null, CPU).Apply(x_BTHD).index_select(1, positions).transpose(1, 2);
    }

    private static Tensor Attention(Fixture fixture, Dictionary<string, Tensor> inputs)
    {
        AttentionMask mask = Mask(fixture, inputs["q"]);
        return fixture.Config<AttentionCase>().Selected is { } selected
            ? AttentionKernel.AttendSelected(inputs["q"], inputs["k"], inputs["v"], mask, selected)
            : AttentionKernel.Attend(inputs["q"], inputs["k"], inputs["v"], mask);
    }

    private static AttentionMask Mask(Fixture fixture, Tensor q_BHTD) => new(q_BHTD.shape[2], q_BHTD.shape[2], fixture.Config<AttentionCase>().Window, null, CPU);

    private static Routing Chosen(Tensor scores_NE, Tensor experts_NK) => Routing.Fixed(experts_NK, ones_like(experts_NK, ScalarType.Float32), scores_NE);

    private sealed record NormConfig(int Width, double Epsilon);

    private sealed record RopeConfig(int HeadWidth, int Length, double Theta, RopeScaling? Scaling);

    private sealed record AttentionCase(int? Window, int? Selected);
}
