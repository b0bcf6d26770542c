// Rotary positions (arXiv 2104.09864) in the layout of Hugging Face's Llama: the two halves of a head turn against each other.

using static TorchSharp.torch;

namespace PaperLab.Models;

/// <summary>The cos and sin tables of rotary positions; they are derived, so they are buffers that no checkpoint holds.</summary>
internal sealed class RotaryEmbedding : nn.Module<Tensor, Tensor>
{
    private readonly Tensor cos_TD; // the angles of one half, repeated for the other
    private readonly Tensor sin_TD; // the same, with the first half negated: x·cos + roll(x)·sin is the rotation

    public RotaryEmbedding(int headWidth, int contextLength, double theta)
        : base(nameof(RotaryEmbedding))
    {
        using var scope = NewDisposeScope();
        Tensor exponents = arange(0, headWidth, 2, dtype: ScalarType.Float64) / headWidth;
        Tensor angles_Th = outer(arange(contextLength, dtype: ScalarType.Float64), full_like(exponents, theta).pow(-exponents));
        Tensor sin_Th = angles_Th.sin();
        cos_TD = cat([angles_Th.cos(), angles_Th.cos()], -1).to(ScalarType.Float32).MoveToOuterDisposeScope();
        sin_TD = cat([-sin_Th, sin_Th], -1).to(ScalarType.Float32).MoveToOuterDisposeScope();
        register_buffer(nameof(cos_TD), cos_TD, persistent: false);
        register_buffer(nameof(sin_TD), sin_TD, persistent: false);
    }

    /// <summary>Turns each position's heads: [B, H, T, D] → [B, H, T, D].</summary>
    public override Tensor forward(Tensor x_BHTD)
    {
        long t = x_BHTD.shape[2], half = x_BHTD.shape[3] / 2;
        return (x_BHTD * cos_TD.narrow(0, 0, t)) + (x_BHTD.roll(half, 3) * sin_TD.narrow(0, 0, t));
    }
}
