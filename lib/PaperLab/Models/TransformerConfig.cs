// The sizes of a decoder-only language model. Validated where the model is built.
//
// A run is known by the hash of its config as JSON, so a field that is added later is left out of the JSON while it has its
// default: recorded runs keep their names.

using System.Text.Json.Serialization;

namespace PaperLab.Models;

/// <summary>A pre-norm decoder: RMSNorm, rotary positions, causal attention, a gated feed-forward layer.</summary>
public sealed record TransformerConfig
{
    /// <summary>Token ids run from 0 to this number, exclusive.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>C: the width of the residual stream.</summary>
    public int Width { get; init; } = 128;

    /// <summary>Number of blocks.</summary>
    public int Layers { get; init; } = 4;

    /// <summary>H: attention heads (query heads); without a head width of its own it divides <see cref="Width"/>.</summary>
    public int Heads { get; init; } = 4;

    /// <summary>What differs from plain multi-head attention; null for nothing.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public AttentionConfig? Attention { get; init; }

    /// <summary>T: longest sequence the model takes.</summary>
    public int ContextLength { get; init; } = 128;

    /// <summary>Base of the rotary frequencies.</summary>
    public double RopeTheta { get; init; } = 10_000;

    /// <summary>How the rotary frequencies are stretched for contexts longer than those of training; null for not at all.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public RopeScaling? RopeScaling { get; init; }

    /// <summary>Added to the mean square inside every RMSNorm.</summary>
    public double NormEpsilon { get; init; } = 1e-6;

    /// <summary>Whether the head uses the embedding's weights.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool TieEmbeddings { get; init; }

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
        Require.That(RopeTheta > 0, nameof(RopeTheta), RopeTheta, "above 0");
        Require.That(NormEpsilon > 0, nameof(NormEpsilon), NormEpsilon, "above 0");
        AttentionShape.Of(this); // checks the heads
        RopeScaling?.Validate();
        FeedForward.Validate();
    }
}
