// Four ways to compute softmax(QKᵀ/√D + mask)·V, and which one when.
//
//   explicit   the scores as a tensor: one product, softmax, one product. Memory T·S for each head.
//   fused      libtorch's scaled_dot_product_attention: memory linear in T.
//   by head    one query on a CPU, whose keys and values are views of a cache: a product for each head reads them where they lie. A
//              batched product, and the fused kernel with shared heads, would first copy all of them, for every token anew.
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

    // `paperlab bench decode`, one query on a CPU: up to this length of the cache a copy costs less than anything else; beyond it the
    // fused kernel wins where no heads are shared; and from the second length on, not copying is worth a call for each head.
    private const long ExplicitQueryUpTo = 256, ByHeadFrom = 1024;

    // Longest sequence whose T×S scores are ever held whole, and the queries of a block beyond it.
    private const long WholeUpTo = 1024, Block = 256;

    /// <summary>q [B, H, T, D], k [B, Hk, S, D], v [B, Hv, S, Dv] → [B, H, T, Dv].</summary>
    public static Tensor Attend(Tensor q_BHTD, Tensor k_BHSD, Tensor v_BHSD, AttentionMask mask)
    {
        if (mask.Queries == 1 && mask.Keys >= ByHeadFrom && q_BHTD.device_type == DeviceType.CPU)
        {
            return ByHead(q_BHTD, k_BHSD, v_BHSD, mask.SeesAll ? null : mask.Additive(q_BHTD.dtype));
        }

        bool fits = mask.IsPlainCausal || mask.SeesAll;
        return fits && PrefersFused(q_BHTD, k_BHSD, v_BHSD)
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

    private static bool PrefersFused(Tensor q_BHTD, Tensor k_BHSD, Tensor v_BHSD)
    {
        (long heads, long kHeads, long vHeads, long queries) = (q_BHTD.shape[1], k_BHSD.shape[1], v_BHSD.shape[1], q_BHTD.shape[2]);
        return (q_BHTD.device_type == DeviceType.CPU, queries == 1) switch
        {
            (true, true) => kHeads == heads && vHeads == heads && k_BHSD.shape[2] > ExplicitQueryUpTo,
            (true, false) => queries > ExplicitUpTo || !CpuTuning.FastProducts,
            (false, true) => kHeads == vHeads,
            (false, false) => true,
        };
    }

    /// <summary>One query: a product for each key head and each value head, nothing copied.</summary>
    internal static Tensor ByHead(Tensor q_BH1D, Tensor k_BHSD, Tensor v_BHSD, Tensor? additive)
    {
        (long b, long h, long s, long d) = (q_BH1D.shape[0], q_BH1D.shape[1], k_BHSD.shape[2], q_BH1D.shape[3]);
        Tensor[] ByGroup(Tensor rows, Tensor shared_BHSD) => rows.reshape(b * shared_BHSD.shape[1], h / shared_BHSD.shape[1], -1).unbind(0);
        Tensor[] scores_GS = [.. ByGroup(q_BH1D * (1 / Math.Sqrt(d)), k_BHSD).Zip(k_BHSD.flatten(0, 1).unbind(0), (q_GD, k_SD) => q_GD.mm(k_SD.t()))];
        Tensor scores_BH1S = stack(scores_GS).view(b, h, 1, s);
        Tensor weights_BH1S = (additive is null ? scores_BH1S : scores_BH1S.add_(additive)).softmax(-1);
        Tensor[] mixed_GD = [.. ByGroup(weights_BH1S, v_BHSD).Zip(v_BHSD.flatten(0, 1).unbind(0), (weights_GS, v_SD) => weights_GS.mm(v_SD))];
        return stack(mixed_GD).view(b, h, 1, -1);
    }

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
