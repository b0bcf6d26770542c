// The products of experts: each expert's slice of the tokens with that expert's matrix. Either one grouped product, which reads
// the slices' ends on the device, or a loop over slices. `paperlab bench experts` compares them with each other and with the
// usual loop over masks.
// Shapes: A assignments in expert order, E experts, C inputs, F outputs of an expert's matrix.

using PaperLab.Native;
using static TorchSharp.torch;

namespace PaperLab.Models;

/// <summary>The slices of one routed batch.</summary>
internal sealed class ExpertProduct(Routing routing)
{
    private readonly Tensor _ends_E = routing.Counts_E.cumsum(0).to(ScalarType.Int32);

    /// <summary>[A, C] × [E, C, F] → [A, F]: row a with the matrix of its expert.</summary>
    public Tensor Of(Tensor x_AC, Tensor weight_ECF) => Aten.GroupedMm(x_AC, weight_ECF, _ends_E);
}
