// ATen operators that TorchSharp does not bind, or binds without the arguments that the models need. All differentiate.
// Shapes: A assignments (rows sorted by expert), C inner width, E experts, F outer width, B batch, H heads, T queries, S keys, D head width.

using static TorchSharp.torch;

namespace PaperLab.Native;

/// <summary>Operators by their ATen names. Results belong to the caller's dispose scope.</summary>
internal static class Aten
{
    /// <summary>x / √(mean of x² over the last dimension + ε) · weight, fused (Zhang and Sennrich, arXiv 1910.07467, equation 4).</summary>
    public static Tensor RmsNorm(Tensor x, Tensor weight, double epsilon) =>
        AtenCall.Tensor("aten::rms_norm"u8, x, AtenArgument.Integers(x.size(-1)), AtenArgument.Optional(weight), AtenArgument.Optional(epsilon));

    /// <summary>Multiplies each group of rows with its own matrix: rows offsets[e-1] to offsets[e] of a with b[e]. bf16 under autocast.</summary>
    /// <param name="a_AC">Rows, sorted by group.</param>
    /// <param name="b_ECF">One matrix a group, contiguous or the transpose of a contiguous [E, F, C].</param>
    /// <param name="offsets_E">int32, where each group ends: the running sum of the group sizes. A group may be empty. The last is A:
    /// rows beyond it are left unwritten.</param>
    /// <returns>[A, F]. Its gradient must not be an expanded view, as that of a bare sum() is.</returns>
    /// <exception cref="ArgumentException">A row of C or of F numbers is not a multiple of 16 bytes, which the kernel needs.</exception>
    public static Tensor GroupedMm(Tensor a_AC, Tensor b_ECF, Tensor offsets_E)
    {
        if (Autocast.IsEnabled(a_AC.device_type)) // libtorch's list of operators under autocast lacks this one
        {
            (a_AC, b_ECF) = (a_AC.to(ScalarType.BFloat16), b_ECF.to(ScalarType.BFloat16));
        }

        RequireAligned(a_AC, a_AC.size(-1), nameof(a_AC));
        RequireAligned(b_ECF, b_ECF.size(-1), nameof(b_ECF));
        return AtenCall.Tensor("aten::_grouped_mm"u8, a_AC, b_ECF, AtenArgument.Optional(offsets_E), AtenArgument.None, AtenArgument.None);
    }

    /// <summary>
    /// softmax(q kᵀ · scale + mask) v for each head. On a CPU the tiled kernel, whose memory does not grow with T·S, serves when Hk = Hv
    /// and Dv = D, with any of the options and with strided views; otherwise libtorch writes out all scores.
    /// </summary>
    /// <param name="q">[B, H, T, D].</param>
    /// <param name="k">[B, Hk, S, D]; Hk divides H where <paramref name="enableGqa"/> is set, else it is H.</param>
    /// <param name="v">[B, Hv, S, Dv], likewise.</param>
    /// <param name="mask">Spreads to [B, H, T, S]; true may be seen, or a number to add.</param>
    /// <param name="causal">Query t sees keys 0 to t. Excludes a mask.</param>
    /// <param name="scale">1/√D when null.</param>
    /// <param name="enableGqa">Several query heads share a key head and a value head.</param>
    public static Tensor ScaledDotProductAttention(Tensor q, Tensor k, Tensor v, Tensor? mask, bool causal, double? scale, bool enableGqa = false) =>
        AtenCall.Tensor("aten::scaled_dot_product_attention"u8, q, k, v, AtenArgument.Optional(mask), 0.0, causal, AtenArgument.Optional(scale), enableGqa);

    /// <summary>Rows of weight [V, C] by ids of any shape.</summary>
    public static Tensor Embedding(Tensor weight, Tensor ids) =>
        AtenCall.Tensor("aten::embedding"u8, weight, ids, -1L, false, false);

    /// <summary>One AdamW step of all parameters in place, unless that fp32 scalar is 1. The step counts are those after this step.</summary>
    public static void FusedAdamW_(
        IReadOnlyList<Tensor> parameters,
        IReadOnlyList<Tensor> gradients,
        IReadOnlyList<Tensor> expAvgs,
        IReadOnlyList<Tensor> expAvgSqs,
        IReadOnlyList<Tensor> steps,
        double lr,
        double beta1,
        double beta2,
        double weightDecay,
        double epsilon,
        Tensor? unless = null) =>
        AtenCall.Void(
            "aten::_fused_adamw_"u8,
            ""u8,
            AtenArgument.List(parameters),
            AtenArgument.List(gradients),
            AtenArgument.List(expAvgs),
            AtenArgument.List(expAvgSqs),
            AtenArgument.List([]), // the maxima of AMSGrad
            AtenArgument.List(steps),
            lr,
            beta1,
            beta2,
            weightDecay,
            epsilon,
            false, // AMSGrad
            false, // maximise
            AtenArgument.None, // scale of the gradients
            AtenArgument.Optional(unless)); // libtorch's found_inf: whether something was not finite

    /// <summary>Multiplies every tensor in place with one number that stays on the device.</summary>
    public static void ForeachMul_(IReadOnlyList<Tensor> tensors, Tensor factor) =>
        AtenCall.Void("aten::_foreach_mul_"u8, "Tensor"u8, AtenArgument.List(tensors), factor);

    private static void RequireAligned(Tensor matrix, long width, string name)
    {
        long multiple = 16 / matrix.element_size();
        if (width % multiple != 0)
        {
            throw new ArgumentException($"{name} is {matrix.dtype} [{string.Join(", ", matrix.shape)}]: the grouped product needs rows of a multiple of {multiple} numbers (16 bytes). Widen the layer to one.", name);
        }
    }
}
