// Three ways to compute softmax(QKᵀ/√D + mask)·V, and which one when.
//
//   explicit   the scores as a tensor: one product, softmax, one product. Memory T·S for each head.
//   fused      libtorch's scaled_dot_product_attention: memory linear in T.
//   blocked    the explicit form for one block of queries after the other, each with the keys that it can see: for masks beyond the
//              plain causal one, which the fused kernel would want whole.
//
// Heads that share keys or values never get copies of them: the explicit form stacks the queries of a group into one product, and the
// fused kernel knows shared heads, if there are as many for keys as for values; where not, it takes strided views of them in turn.
// Shapes: B batch, H query heads, Hk key heads, Hv value heads, T queries, S keys, D query and key width, Dv value width.

using PaperLab.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace PaperLab.Models;

internal static class AttentionKernel
{
    // `paperlab bench attention`: on a CPU whose products go through oneDNN, the explicit form trains faster up to about this
    // length; without oneDNN the fused kernel wins at once.
    private const long ExplicitUpTo = 512;

    // Longest sequence whose T×S scores are ever held whole, and the queries of a block beyond it.
    private const long WholeUpTo = 1024, Block = 256;

    /// <summary>q [B, H, T, D], k [B, Hk, S, D], v [B, Hv, S, Dv] → [B, H, T, Dv].</summary>
    public static Tensor Attend(Tensor q_BHTD, Tensor k_BHSD, Tensor v_BHSD, AttentionMask mask)
    {
        bool fits = mask.IsPlainCausal || mask.SeesAll;
        return fits && PrefersFused(q_BHTD.device_type, mask.Queries, sharedAlike: k_BHSD.shape[1] == v_BHSD.shape[1])
            ? Fused(q_BHTD, k_BHSD, v_BHSD)
            : InBlocks(q_BHTD, k_BHSD, v_BHSD, mask, selected: null);
    }

    /// <summary>
    /// Selective values (SIGMA, arXiv 2501.13629, section 2): of each row of the softmax only the <paramref name="selected"/> largest
    /// entries read their values; the others count as zero, and nothing is normalised again. Training beyond a thousand tokens keeps
    /// every row for the backward pass.
    /// </summary>
    public static Tensor AttendSelected(Tensor q_BHTD, Tensor k_BHSD, Tensor v_BHSD, AttentionMask mask, int selected) =>
        InBlocks(q_BHTD, k_BHSD, v_BHSD, mask, selected);

    private static bool PrefersFused(DeviceType device, long queries, bool sharedAlike) => queries == 1
        ? sharedAlike
        : device != DeviceType.CPU || queries > ExplicitUpTo || !CpuTuning.FastProducts;

    /// <summary>The scores as a tensor. With shared heads, a group's queries are the rows of one product.</summary>
    internal static Tensor Explicit(Tensor q_BHTD, Tensor k_BHSD, Tensor v_BHSD, Tensor? additive, int? selected = null)
    {
        (long b, long h, long t, long d) = (q_BHTD.shape[0], q_BHTD.shape[1], q_BHTD.shape[2], q_BHTD.shape[3]);
        (long kHeads, long vHeads, long s) = (k_BHSD.shape[1], v_BHSD.shape[1], k_BHSD.shape[2]);
        Tensor scores_BHTS = (q_BHTD * (1 / Math.Sqrt(d))).reshape(b, kHeads, h / kHeads * t, d).matmul(k_BHSD.transpose(-2, -1)).view(b, h, t, s);
        if (additive is not null)
        {
            scores_BHTS = scores_BHTS.add_(additive);
        }

        Tensor weights_BHTS = scores_BHTS.softmax(-1);
        if (selected is { } count && count < s)
        {
            Tensor smallest_BHT1 = weights_BHTS.detach().topk(count, -1).values.narrow(-1, count - 1, 1);
            weights_BHTS = weights_BHTS.masked_fill(weights_BHTS.detach().lt(smallest_BHT1), 0);
        }

        return weights_BHTS.view(b, vHeads, h / vHeads * t, s).matmul(v_BHSD).view(b, h, t, -1);
    }

    /// <summary>libtorch's kernel, causal: it wants as many key heads as value heads, and one width.</summary>
    internal static Tensor Fused(Tensor q_BHTD, Tensor k_BHSD, Tensor v_BHSD)
    {
        (long b, long h, long t, long d) = (q_BHTD.shape[0], q_BHTD.shape[1], q_BHTD.shape[2], q_BHTD.shape[3]);
        (long kHeads, long vHeads, long dv) = (k_BHSD.shape[1], v_BHSD.shape[1], v_BHSD.shape[3]);
        double scale = 1 / Math.Sqrt(d);
        if (d != dv)
        {
            long width = Math.Max(d, dv); // zeros add nothing to a score, and nothing that is read to a mix
            (q_BHTD, k_BHSD, v_BHSD) = (Widened(q_BHTD, width), Widened(k_BHSD, width), Widened(v_BHSD, width));
        }

        if (kHeads == vHeads)
        {
            Tensor alike_BHTD = Aten.ScaledDotProductAttention(q_BHTD, k_BHSD, v_BHSD, mask: null, causal: t > 1, scale, enableGqa: h > kHeads);
            return alike_BHTD.narrow(3, 0, dv);
        }

        // One of the two has r times the heads of the other: the m-th of each r of them, and the queries that use it, for each m.
        long fewer = Math.Min(kHeads, vHeads), r = Math.Max(kHeads, vHeads) / fewer;
        Tensor q_BFRGTD = q_BHTD.view(b, fewer, r, -1, t, q_BHTD.shape[3]);
        Tensor Member(Tensor heads_BHSD, long m) => heads_BHSD.shape[1] == fewer ? heads_BHSD : heads_BHSD.slice(1, m, heads_BHSD.shape[1], r);
        Tensor[] members_BFGTD = [.. Enumerable.Range(0, (int)r).Select(m => Aten
            .ScaledDotProductAttention(q_BFRGTD.select(2, m).flatten(1, 2), Member(k_BHSD, m), Member(v_BHSD, m), mask: null, causal: t > 1, scale, enableGqa: h > fewer * r)
            .view(b, fewer, -1, t, v_BHSD.shape[3]))];
        return stack(members_BFGTD, 2).view(b, h, t, -1).narrow(3, 0, dv);
    }

    private static Tensor Widened(Tensor x, long width) => x.shape[3] == width ? x : nn.functional.pad(x, (0, width - x.shape[3]));

    // The explicit form: at once where the scores are small, else in blocks of queries with the keys that they can see.
    private static Tensor InBlocks(Tensor q_BHTD, Tensor k_BHSD, Tensor v_BHSD, AttentionMask mask, int? selected)
    {
        if (mask.Keys <= WholeUpTo || mask.Queries == 1)
        {
            return Explicit(q_BHTD, k_BHSD, v_BHSD, mask.SeesAll ? null : mask.Additive(q_BHTD.dtype), selected);
        }

        var parts = new List<Tensor>();
        for (long first = 0; first < mask.Queries; first += Block)
        {
            using var scope = NewDisposeScope();
            long queries = Math.Min(Block, mask.Queries - first), from = mask.FirstKey(first), keys = mask.Offset + first + queries - from;
            Tensor additive = mask.Additive(first, queries, from, keys, q_BHTD.dtype);
            parts.Add(Explicit(q_BHTD.narrow(2, first, queries), k_BHSD.narrow(2, from, keys), v_BHSD.narrow(2, from, keys), additive, selected).MoveToOuterDisposeScope());
        }

        return cat(parts, 2);
    }
}
