// The sizes of a decoder-only language model. Validated where the model is built.

using System.Text.Json.Serialization;

namespace PaperLab.Models;

/// <summary>A pre-norm decoder: RMSNorm, rotary positions, causal multi-head attention, a gated feed-forward layer.</summary>
public sealed record TransformerConfig
{
    /// <summary>Token ids run from 0 to this number, exclusive.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>C: the width of the residual stream.</summary>
    public int Width { get; init; } = 128;

    /// <summary>Number of blocks.</summary>
    public int Layers { get; init; } = 4;

    /// <summary>H: attention heads; divides <see cref="Width"/> into an even head width.</summary>
    public int Heads { get; init; } = 4;

    /// <summary>T: longest sequence the position tables cover.</summary>
    public int ContextLength { get; init; } = 128;

    /// <summary>Base of the rotary frequencies.</summary>
    public double RopeTheta { get; init; } = 10_000;

    /// <summary>Added to the mean square inside every RMSNorm.</summary>
    public double NormEpsilon { get; init; } = 1e-6;

    /// <summary>The feed-forward layer of every block.</summary>
    public required FeedForwardConfig FeedForward { get; init; }

    /// <summary>
    /// Standard deviation of the initial weights. The papers' 0.02 belongs to widths near 768; scaling by √(768/C) keeps the
    /// variance of every pre-activation what it is there.
    /// </summary>
    [JsonIgnore]
    public double InitStd => 0.02 * Math.Sqrt(768.0 / Width);

    /// <summary>Throws with the field, its value and the allowed range when the sizes do not fit together.</summary>
    /// <exception cref="ArgumentException">A field is out of range.</exception>
    public void Validate()
    {
        Require.AtLeast(VocabularySize, 2, nameof(VocabularySize));
        Require.AtLeast(Width, 2, nameof(Width));
        Require.AtLeast(Layers, 1, nameof(Layers));
        Require.AtLeast(Heads, 1, nameof(Heads));
        Require.AtLeast(ContextLength, 1, nameof(ContextLength));
        Require.That(Width % (2 * Heads) == 0, nameof(Heads), Heads, $"a number that divides Width = {Width} into heads of even width (rotary positions turn pairs)");
        FeedForward.Validate();
    }
}

/// <summary>A feed-forward layer by its sizes.</summary>
[JsonDerivedType(typeof(DenseConfig), "dense")]
[JsonDerivedType(typeof(MixtureOfExpertsConfig), "moe")]
[JsonDerivedType(typeof(AutonomyOfExpertsConfig), "aoe")]
public abstract record FeedForwardConfig
{
    /// <summary>Throws with the field, its value and the allowed range.</summary>
    public abstract void Validate();
}

/// <summary>One SwiGLU layer for every token.</summary>
/// <param name="Hidden">F: its inner width.</param>
public sealed record DenseConfig(int Hidden) : FeedForwardConfig
{
    public override void Validate() => Require.AtLeast(Hidden, 1, nameof(Hidden));
}

/// <summary>What every layer of routed experts has.</summary>
public abstract record RoutedConfig : FeedForwardConfig
{
    /// <summary>E: experts in the layer.</summary>
    public int NumExperts { get; init; } = 8;

    /// <summary>K: experts that compute a token.</summary>
    public int TopK { get; init; } = 2;

    /// <summary>F: inner width of one expert.</summary>
    public required int Hidden { get; init; }

    /// <summary>
    /// Whether a token's weights are a softmax over its K chosen experts, as in the paper, and so sum to 1; otherwise they are the
    /// chosen entries of a softmax over all E. With K = 1 the first form is the constant 1, from which nothing can learn.
    /// </summary>
    public bool NormalizeWeights { get; init; } = true;

    /// <summary>α of the load-balancing loss α·E·Σ fᵢPᵢ; 0 leaves it out.</summary>
    public double BalanceLossWeight { get; init; }

    public override void Validate()
    {
        Require.AtLeast(NumExperts, 1, nameof(NumExperts));
        Require.That(TopK >= 1 && TopK <= NumExperts, nameof(TopK), TopK, $"1 to NumExperts = {NumExperts}");
        Require.AtLeast(Hidden, 1, nameof(Hidden));
        Require.That(BalanceLossWeight >= 0, nameof(BalanceLossWeight), BalanceLossWeight, "0 or more");
    }
}

/// <summary>Experts behind a learned router.</summary>
public sealed record MixtureOfExpertsConfig : RoutedConfig
{
    /// <summary>Rank of the gate projection Wg = Wdown·Wup; null keeps Wg whole.</summary>
    public int? GateRank { get; init; }

    public override void Validate()
    {
        base.Validate();
        Require.AtLeast(GateRank ?? 1, 1, nameof(GateRank));
    }
}

/// <summary>Experts that choose themselves by the norm of their own activation.</summary>
public sealed record AutonomyOfExpertsConfig : RoutedConfig
{
    /// <summary>d_low: width of the activation by which an expert judges a token.</summary>
    public required int GateRank { get; init; }

    public override void Validate()
    {
        base.Validate();
        Require.AtLeast(GateRank, 1, nameof(GateRank));
    }

    /// <summary>d_wide: the inner width that gives AoE the parameters of an MoE with inner width <paramref name="hidden"/>: (3·C·F − r·C)/(r + 2C).</summary>
    public static int HiddenForEqualParameters(int width, int hidden, int gateRank) =>
        (int)Math.Round(((3.0 * width * hidden) - ((double)gateRank * width)) / (gateRank + (2.0 * width)));

    /// <summary>
    /// The inner width that gives AoE the FLOPs per token of an MoE: all E experts compute x·Wdown (E·C·r), K of them the rest
    /// (K·(r·F + 2·C·F)), against K·3·C·F and the router's E·C. The arm that the paper does not have.
    /// </summary>
    public static int HiddenForEqualFlops(int width, int hidden, int gateRank, int numExperts, int topK) =>
        (int)Math.Round(((3.0 * topK * width * hidden) + ((double)numExperts * width) - ((double)numExperts * width * gateRank)) / (topK * (gateRank + (2.0 * width))));
}
