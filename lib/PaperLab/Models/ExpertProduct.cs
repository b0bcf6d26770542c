// The products of experts: each expert's slice of the tokens with that expert's matrix. Either one grouped product, which reads
// the slices' ends on the device, or a loop over the slices, whose lengths must come to the host first. `paperlab bench experts`
// compares them with each other and with the usual loop over masks.
// Shapes: N tokens, A assignments in expert order, E experts, C inputs, F outputs of an expert's matrix.

using PaperLab.Native;
using static TorchSharp.torch;

namespace PaperLab.Models;

/// <summary>The slices of one routed batch.</summary>
internal sealed class ExpertProduct(Routing routing)
{
    private const int Multiple = 8; // the grouped product wants rows of a multiple of 16 bytes: 8 entries in bf16

    private Tensor? _ends_E;
    private long[]? _counts;

    /// <summary>[A, C] × [E, C, F] → [A, F]: row a with the matrix of its expert.</summary>
    public Tensor Of(Tensor x_AC, Tensor weight_ECF) => PrefersGrouped(weight_ECF) ? Grouped(x_AC, weight_ECF) : Slices(x_AC, weight_ECF);

    /// <summary>
    /// The rest of every gated expert, Σ p̂·(SiLU(gate) ⊙ x·Wp)·Wo over a token's experts → [N, C]. The inner values are weighed, not
    /// the results: it comes to the same, and F is less than C.
    /// </summary>
    /// <param name="gate_AF">The gate's values before SiLU.</param>
    /// <param name="x_AC">The tokens in expert order.</param>
    public Tensor Mix(Tensor gate_AF, Tensor x_AC, Tensor up_ECF, Tensor down_EFC)
    {
        Tensor hidden_AF = nn.functional.silu(gate_AF) * Of(x_AC, up_ECF);
        Tensor results_AC = Of(hidden_AF * routing.Weights_A.unsqueeze(-1).to(hidden_AF.dtype), down_EFC);
        return zeros([routing.Scores_NE.shape[0], results_AC.shape[1]], results_AC.dtype, results_AC.device).index_add_(0, routing.Tokens_A, results_AC, 1);
    }

    internal Tensor Grouped(Tensor x_AC, Tensor weight_ECF)
    {
        _ends_E ??= routing.Counts_E.cumsum(0).to(ScalarType.Int32);
        return Aten.GroupedMm(x_AC, weight_ECF, _ends_E);
    }

    internal Tensor Slices(Tensor x_AC, Tensor weight_ECF)
    {
        _counts ??= routing.Counts_E.cpu().data<long>().ToArray();
        return cat([.. x_AC.split(_counts, 0).Zip(weight_ECF.unbind(0), (x_nC, weight_CF) => x_nC.mm(weight_CF))], 0);
    }

    private static bool PrefersGrouped(Tensor weight_ECF) => weight_ECF.shape[1] % Multiple == 0 && weight_ECF.shape[2] % Multiple == 0;
}
