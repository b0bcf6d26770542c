// What gated experts compute, Σ p̂·(SiLU(gate) ⊙ x·Wp)·Wo over a token's experts. Either with one grouped product for each matrix,
// which reads where the experts' tokens end on the device, or expert by expert, for which the counts must come to the host first.
// `paperlab bench experts` compares the two with each other and with the usual loop over masks.
// Shapes: N tokens, A assignments in expert order, a assignments of one expert, E experts, C width, F inner width, G width of the gate's
// input (C, or the rank of a factorised gate).

using System.Numerics;
using PaperLab.Native;
using static TorchSharp.torch;

namespace PaperLab.Models;

/// <summary>The experts of one routed batch.</summary>
internal sealed class ExpertProduct(Routing routing)
{
    private const int Multiple = 8; // the grouped product wants rows of a multiple of 16 bytes: 8 entries in bf16

    // Experts' shares of a batch are rounded up to a power of two that is at most this part of the mean share.
    private const int Granularity = 16;

    /// <summary>
    /// The assignments that are computed: those of the batch, on a CPU with some of weight 0 among them. A product is compiled for each
    /// number of rows, experts have other numbers in every step, and compiling takes longer than computing a few rows too many.
    /// </summary>
    public Routing Routing { get; } = routing.Scores_NE.device_type == TorchSharp.DeviceType.CPU && MultipleFor(routing) is > 1 and int multiple ? routing.Padded(multiple) : routing;

    /// <summary>
    /// The weighted sum of every token's experts, [N, C]. The inner values are weighed, not the results: it comes to the same, and F is
    /// less than C.
    /// </summary>
    /// <param name="gateInput_AG">What the gate's matrices multiply, in expert order.</param>
    /// <param name="gates_EGF">The gate's matrices: one [E, G, F], or the factors of one.</param>
    /// <param name="x_AC">The tokens in expert order; may be <paramref name="gateInput_AG"/> itself.</param>
    /// <param name="up_ECF">Wp.</param>
    /// <param name="down_EFC">Wo.</param>
    public Tensor Mix(Tensor gateInput_AG, Tensor[] gates_EGF, Tensor x_AC, Tensor up_ECF, Tensor down_EFC)
    {
        Tensor results_AC = PrefersGrouped(x_AC, [.. gates_EGF, up_ECF, down_EFC])
            ? Grouped(gateInput_AG, gates_EGF, x_AC, up_ECF, down_EFC)
            : ByExpert(gateInput_AG, gates_EGF, x_AC, up_ECF, down_EFC);
        return zeros([Routing.Scores_NE.shape[0], results_AC.shape[1]], results_AC.dtype, results_AC.device).index_add_(0, Routing.Tokens_A, results_AC, 1);
    }

    internal Tensor Grouped(Tensor gateInput_AG, Tensor[] gates_EGF, Tensor x_AC, Tensor up_ECF, Tensor down_EFC)
    {
        Tensor ends_E = Routing.Counts_E.cumsum(0).to(ScalarType.Int32);
        Tensor gate_AF = gates_EGF.Aggregate(gateInput_AG, (input_AG, weight_EGF) => Aten.GroupedMm(input_AG, weight_EGF, ends_E));
        Tensor hidden_AF = nn.functional.silu(gate_AF) * Aten.GroupedMm(x_AC, up_ECF, ends_E);
        return Aten.GroupedMm(hidden_AF * Routing.Weights_A.unsqueeze(-1).to(hidden_AF.dtype), down_EFC, ends_E);
    }

    // One expert from its tokens to its results, so that what lies between stays in the processor's cache.
    internal Tensor ByExpert(Tensor gateInput_AG, Tensor[] gates_EGF, Tensor x_AC, Tensor up_ECF, Tensor down_EFC)
    {
        long[] counts = Routing.Counts_E.cpu().data<long>().ToArray();
        Tensor[] x_aC = x_AC.split(counts, 0), gateInput_aG = ReferenceEquals(gateInput_AG, x_AC) ? x_aC : gateInput_AG.split(counts, 0);
        Tensor[] weights_a1 = Routing.Weights_A.unsqueeze(-1).split(counts, 0);
        Tensor[][] gates_GF = [.. gates_EGF.Select(gate_EGF => gate_EGF.unbind(0))];
        Tensor[] up_CF = up_ECF.unbind(0), down_FC = down_EFC.unbind(0);
        return cat([.. Enumerable.Range(0, counts.Length).Select(e =>
        {
            Tensor gate_aF = gates_GF.Aggregate(gateInput_aG[e], (input_aG, gate_GF) => input_aG.mm(gate_GF[e]));
            Tensor hidden_aF = nn.functional.silu(gate_aF) * x_aC[e].mm(up_CF[e]);
            return (hidden_aF * weights_a1[e].to(hidden_aF.dtype)).mm(down_FC[e]);
        })], 0);
    }

    private static int MultipleFor(Routing routing)
    {
        long mean = routing.Tokens_A.shape[0] / routing.Scores_NE.shape[1];
        return mean < Granularity ? 1 : (int)BitOperations.RoundUpToPowerOf2((ulong)((mean / Granularity) + 1)) / 2;
    }

    // On a CPU the loop over experts wins from 8 experts to 64. A GPU should not wait for the counts.
    private static bool PrefersGrouped(Tensor x_AC, IEnumerable<Tensor> weights) =>
        x_AC.device_type == TorchSharp.DeviceType.CUDA && weights.All(weight => weight.shape[1] % Multiple == 0 && weight.shape[2] % Multiple == 0);
}
