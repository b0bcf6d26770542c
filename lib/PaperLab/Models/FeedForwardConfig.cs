// The feed-forward layers of a block by their sizes.

using System.Text.Json.Serialization;

namespace PaperLab.Models;

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

    /// <summary>
    /// The inner width that gives a model of another attention the parameters of <paramref name="baseline"/>, whose feed-forward layer
    /// is dense: F + (weights of its attention − weights of the other) / 3C.
    /// </summary>
    /// <exception cref="ArgumentException">The baseline's layer is not dense.</exception>
    public static DenseConfig ForEqualParameters(TransformerConfig baseline, AttentionConfig attention)
    {
        Require.That(baseline.FeedForward is DenseConfig, "baseline.FeedForward", baseline.FeedForward.GetType().Name, nameof(DenseConfig));
        long saved = AttentionShape.WeightsOf(baseline) - AttentionShape.WeightsOf(baseline with { Attention = attention });
        return new DenseConfig(((DenseConfig)baseline.FeedForward).Hidden + (int)Math.Round(saved / (3.0 * baseline.Width)));
    }
}

/// <summary>How tokens and experts find each other.</summary>
public enum ExpertSelection
{
    /// <summary>Each token takes its K highest-scored experts.</summary>
    TopK,

    /// <summary>Each token takes its highest-scored experts until their softmax share reaches P (arXiv 2403.07652).</summary>
    TopP,

    /// <summary>
    /// Each expert takes its N·K/E highest-scored tokens (arXiv 2202.09368): perfect balance, but which tokens an expert takes
    /// depends on later tokens of the batch, so the layer is not causal and cannot generate token by token. In evaluation
    /// (<c>eval()</c>) each token takes its K highest-scored experts instead, with the weights that training gives them: a held-out
    /// loss must not know what comes later.
    /// </summary>
    ExpertChoice,
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

    /// <summary>How tokens and experts find each other.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public ExpertSelection Selection { get; init; }

    /// <summary>With <see cref="ExpertSelection.TopP"/>: the share of the softmax that a token's experts must cover.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public double TopP { get; init; }

    /// <summary>
    /// Whether a token's weights are a softmax over its K chosen experts, as in the paper, and so sum to 1; otherwise they are the
    /// chosen entries of a softmax over all E. With K = 1 the first form is the constant 1, from which nothing can learn.
    /// </summary>
    public bool NormalizeWeights { get; init; } = true;

    /// <summary>α of the load-balancing loss α·E·Σ fᵢPᵢ; 0 leaves it out.</summary>
    public double BalanceLossWeight { get; init; }

    /// <summary>Over which sequences that loss counts f; null for each forward pass by itself.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public BalanceScope? Balance { get; init; }

    public override void Validate()
    {
        Require.AtLeast(NumExperts, 1, nameof(NumExperts));
        Require.That(TopK >= 1 && TopK <= NumExperts, nameof(TopK), TopK, $"1 to NumExperts = {NumExperts}");
        Require.AtLeast(Hidden, 1, nameof(Hidden));
        Require.That(BalanceLossWeight >= 0, nameof(BalanceLossWeight), BalanceLossWeight, "0 or more");
        Balance?.Validate();
        Require.That(
            Selection == ExpertSelection.TopP ? TopP is > 0 and <= 1 : TopP == 0,
            nameof(TopP),
            TopP,
            Selection == ExpertSelection.TopP ? "above 0, up to 1" : "0, unless Selection is TopP");
    }
}

/// <summary>Experts behind a learned router.</summary>
public sealed record MixtureOfExpertsConfig : RoutedConfig
{
    /// <summary>Rank of the gate projection Wg = Wdown·Wup; null keeps Wg whole.</summary>
    public int? GateRank { get; init; }

    /// <summary>Inner width of a router of two layers, SiLU(x·Wh)·Wr; null for the usual router, one matrix.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? RouterHidden { get; init; }

    /// <summary>Experts that compute every token beside the routed ones (arXiv 2401.06066); they are one layer of this many times <see cref="RoutedConfig.Hidden"/>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int SharedExperts { get; init; }

    /// <summary>Weight of the router z-loss mean(logsumexp(logits)²) (arXiv 2202.08906), which keeps router logits small.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public double ZLossWeight { get; init; }

    /// <summary>
    /// Balancing without a loss (arXiv 2408.15664): a bias for each expert is added to its score when experts are chosen, never to
    /// a weight, and moves by this much after every step, up for experts below the mean load and down for those above. 0 leaves it out.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public double BiasUpdateRate { get; init; }

    public override void Validate()
    {
        base.Validate();
        Require.AtLeast(GateRank ?? 1, 1, nameof(GateRank));
        Require.AtLeast(RouterHidden ?? 1, 1, nameof(RouterHidden));
        Require.AtLeast(SharedExperts, 0, nameof(SharedExperts));
        Require.That(ZLossWeight >= 0, nameof(ZLossWeight), ZLossWeight, "0 or more");
        Require.That(
            BiasUpdateRate >= 0 && (BiasUpdateRate == 0 || Selection == ExpertSelection.TopK),
            nameof(BiasUpdateRate),
            BiasUpdateRate,
            Selection == ExpertSelection.TopK ? "0 or more" : "0, unless Selection is TopK");
    }

    /// <summary>
    /// The same layer with a router as large as what AoE chooses by, the E·C·r weights of all Wdown, and experts that are narrower by as
    /// much: the paper's control for the size of the choosing part.
    /// </summary>
    /// <param name="width">C.</param>
    /// <param name="gateRank">r.</param>
    public MixtureOfExpertsConfig WithLargeRouter(int width, int gateRank)
    {
        double choosing = (double)NumExperts * width * gateRank;
        return this with
        {
            RouterHidden = (int)Math.Round(choosing / (width + NumExperts)),
            Hidden = (int)Math.Round(Hidden - ((choosing - (NumExperts * width)) / (3.0 * NumExperts * width))),
        };
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
