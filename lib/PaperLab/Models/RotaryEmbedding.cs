// Rotary positions (arXiv 2104.09864) in the layout of Hugging Face's Llama: the two halves of a head turn against each other.
// Shapes: B batch, T tokens, H heads, D head width.

using static TorchSharp.torch;

namespace PaperLab.Models;

/// <summary>The cos and sin tables of rotary positions. They are derived from the config, so no checkpoint holds them.</summary>
internal sealed class RotaryEmbedding(TransformerConfig config) : IDisposable
{
    private readonly int _headWidth = AttentionShape.Of(config).KeyWidth;
    private Tensor? _cos_TD; // the angles of one half, repeated for the other
    private Tensor? _sin_TD; // the same, its first half negated: x·cos + roll(x)·sin is the rotation

    /// <summary>The turns of columns <paramref name="first"/> to first + <paramref name="count"/> of a batch, made once for all layers of a pass.</summary>
    /// <param name="starts_B">The column at which each row begins and has position 0; null when all begin at column 0.</param>
    /// <param name="length">Positions of the longest row, these included.</param>
    public RotaryTurn At(long first, long count, long length, Tensor? starts_B, Device device)
    {
        Cover(length, device);
        if (starts_B is null)
        {
            return new RotaryTurn(_cos_TD!.narrow(0, first, count).unsqueeze(1), _sin_TD!.narrow(0, first, count).unsqueeze(1));
        }

        Tensor positions_BT = (arange(first, first + count, device: device).unsqueeze(0) - starts_B.unsqueeze(1)).clamp_min(0);
        Tensor Rows(Tensor table_TD) => table_TD.index_select(0, positions_BT.view(-1)).view(positions_BT.shape[0], count, 1, _headWidth);
        return new RotaryTurn(Rows(_cos_TD!), Rows(_sin_TD!));
    }

    public void Dispose()
    {
        _cos_TD?.Dispose();
        _sin_TD?.Dispose();
    }

    // Makes the tables when there are none, on another device, or, with dynamic scaling, for another length beyond the original
    // context: the frequencies depend on the length, and must not depend on what was computed before.
    private void Cover(long length, Device device)
    {
        long rows = config.RopeScaling is { Kind: RopeScalingKind.Dynamic } dynamic ? Math.Max(length, Math.Min(dynamic.OriginalContext, config.ContextLength)) : config.ContextLength;
        if (_cos_TD is not null && _cos_TD.shape[0] == rows && _cos_TD.device_type == device.type && _cos_TD.device_index == device.index)
        {
            return;
        }

        Dispose();
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var lasting = inference_mode(false); // a pass with gradients may be the next to use them
        Tensor frequencies_h = tensor(RopeScaling.Frequencies(_headWidth, config.RopeTheta, config.RopeScaling, rows));
        Tensor angles_Th = outer(arange(rows, dtype: ScalarType.Float64), frequencies_h);
        double factor = config.RopeScaling?.TableFactor ?? 1;
        (Tensor cos_Th, Tensor sin_Th) = (angles_Th.cos() * factor, angles_Th.sin() * factor);
        Tensor Table(Tensor left_Th, Tensor right_Th) => cat([left_Th, right_Th], -1).to(ScalarType.Float32).to(device).DetachFromDisposeScope();
        (_cos_TD, _sin_TD) = (Table(cos_Th, cos_Th), Table(-sin_Th, sin_Th));
    }
}

/// <summary>The turns of one forward pass: [T, 1, D], or [B, T, 1, D] where rows begin at different columns. Disposed of after the last layer.</summary>
internal sealed class RotaryTurn(Tensor cos, Tensor sin) : IDisposable
{
    private Tensor _cos = cos.DetachFromDisposeScope();
    private Tensor _sin = sin.DetachFromDisposeScope();

    /// <summary>Turns every head by its position: [B, T, H, D] → [B, T, H, D].</summary>
    public Tensor Apply(Tensor x_BTHD)
    {
        if (_cos.dtype != x_BTHD.dtype) // in the arithmetic of the queries, as they come out of their projection
        {
            (Tensor cos, Tensor sin) = (_cos, _sin);
            _cos = cos.to(x_BTHD.dtype).DetachFromDisposeScope(); // they outlive the layer that asked first
            _sin = sin.to(x_BTHD.dtype).DetachFromDisposeScope();
            cos.Dispose();
            sin.Dispose();
        }

        return (x_BTHD * _cos).addcmul_(x_BTHD.roll(x_BTHD.shape[3] / 2, 3), _sin, 1);
    }

    public void Dispose()
    {
        _cos.Dispose();
        _sin.Dispose();
    }
}
