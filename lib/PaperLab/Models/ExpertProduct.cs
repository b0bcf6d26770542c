// The products of experts: each expert's slice of the tokens with that expert's matrix. Either one grouped product, which reads
// the slices' ends on the device, or a loop over the slices, whose lengths must come to the host first. `paperlab bench experts`
// compares them with each other and with the usual loop over masks.
// Shapes: A assignments in expert order, E experts, C inputs, F outputs of an expert's matrix.

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
