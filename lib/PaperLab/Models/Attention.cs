// Causal self-attention with rotary positions: multi-head, grouped-query, multi-query, and DiffQKV (SIGMA, arXiv 2501.13629), in
// which keys and values have head counts and widths of their own. Modules carry the names of Hugging Face's Llama and Qwen.
//   q = h·Wq, k = h·Wk, v = h·Wv;   with augmented queries q ← (SiLU(q·Wgate) ⊙ q·Wup)·Wdown (no residual)
//   head i:  softmax(qᵢ·k⌊i·Hk/H⌋ᵀ / √D + mask) · v⌊i·Hv/H⌋
// Shapes: B batch, T tokens, C width, H query heads, Hk key heads, Hv value heads, D query and key width, Dv value width.

using static TorchSharp.torch;

namespace PaperLab.Models;

/// <summary>Attention over the tokens of a sequence and, with a cache, over those before it.</summary>
internal sealed class Attention : nn.Module
{
    private readonly Projection q_proj, k_proj, v_proj, o_proj;
    private readonly DenseFeedForward? q_augment;
    private readonly RmsNorm? q_norm, k_norm;
    private readonly AttentionShape _shape;
    private readonly int? _selectedValues;

    public Attention(TransformerConfig config)
        : base(nameof(Attention))
    {
        AttentionConfig attention = config.Attention ?? new AttentionConfig();
        _shape = AttentionShape.Of(config);
        _selectedValues = attention.SelectedValues;
        int queryWidth = _shape.Heads * _shape.KeyWidth;
        q_proj = new Projection(config.Width, queryWidth, attention.QkvBias);
        k_proj = new Projection(config.Width, _shape.KeyHeads * _shape.KeyWidth, attention.QkvBias);
        v_proj = new Projection(config.Width, _shape.ValueHeads * _shape.ValueWidth, attention.QkvBias);
        o_proj = new Projection(_shape.Heads * _shape.ValueWidth, config.Width, attention.OutputBias);
        q_augment = attention.QueryHidden is { } hidden ? new DenseFeedForward(queryWidth, new DenseConfig(hidden)) : null;
        q_norm = attention.QkNorm ? new RmsNorm(_shape.KeyWidth, config.NormEpsilon) : null;
        k_norm = attention.QkNorm ? new RmsNorm(_shape.KeyWidth, config.NormEpsilon) : null;
        RegisterComponents();
    }

    public void Initialize(double std, double residualStd)
    {
        q_proj.Initialize(std);
        k_proj.Initialize(std);
        v_proj.Initialize(std);
        o_proj.Initialize(residualStd);
        q_augment?.Initialize(std, std);
    }

    /// <summary>[B, T, C] → [B, T, C].</summary>
    /// <param name="turn">Rotary turns of the T positions.</param>
    /// <param name="mask">Who sees whom.</param>
    /// <param name="cache">This layer's keys and values before these tokens, to which theirs are added; null when there are none.</param>
    public Tensor forward(Tensor x_BTC, RotaryTurn turn, AttentionMask mask, KeyValueCache.LayerCache? cache)
    {
        (long b, long t) = (x_BTC.shape[0], x_BTC.shape[1]);
        Tensor queries = q_proj.forward(x_BTC);
        Tensor q_BTHD = (q_augment?.forward(queries).Output_NC ?? queries).view(b, t, _shape.Heads, _shape.KeyWidth);
        Tensor k_BTHD = k_proj.forward(x_BTC).view(b, t, _shape.KeyHeads, _shape.KeyWidth);
        Tensor v_BHTD = v_proj.forward(x_BTC).view(b, t, _shape.ValueHeads, _shape.ValueWidth).transpose(1, 2);
        Tensor q_BHTD = turn.Apply(q_norm?.forward(q_BTHD) ?? q_BTHD).transpose(1, 2);
        Tensor k_BHTD = turn.Apply(k_norm?.forward(k_BTHD) ?? k_BTHD).transpose(1, 2);
        if (cache is not null)
        {
            (k_BHTD, v_BHTD) = cache.Append(k_BHTD, v_BHTD, mask.Offset);
        }

        Tensor mixed_BHTD = _selectedValues is { } selected
            ? AttentionKernel.AttendSelected(q_BHTD, k_BHTD, v_BHTD, mask, selected)
            : AttentionKernel.Attend(q_BHTD, k_BHTD, v_BHTD, mask);
        return o_proj.forward(mixed_BHTD.transpose(1, 2).reshape(b, t, -1));
    }
}
