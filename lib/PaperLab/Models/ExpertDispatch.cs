// Brings the tokens of each expert together and their results back: sort by expert, compute contiguous slices, undo the sort.
// No token is dropped. Slices beat masks, padding and index_add on a CPU; the counts cross to the host once per layer.
// Shapes: N tokens, K experts per token, A = N·K assignments in expert order, C width, E experts.

using static TorchSharp.torch;

namespace PaperLab.Models;

/// <summary>The order in which a routed batch is computed.</summary>
internal sealed class ExpertDispatch
{
    private readonly Tensor _unsort_A; // position in expert order of assignment (token, slot)
    private readonly Tensor _weights_NK;

    public ExpertDispatch(Routing routing)
    {
        long k = routing.Experts_NK.shape[1];
        Tensor expertOf_A = routing.Experts_NK.reshape(-1);
        Order_A = sort(expertOf_A, 0, stable: true).indices;
        Tokens_A = Order_A.div(k, RoundingMode.floor);
        _unsort_A = empty_like(Order_A).scatter_(0, Order_A, arange(Order_A.shape[0], device: Order_A.device));
        _weights_NK = routing.Weights_NK;
        Counts = routing.Counts_E.cpu().data<long>().ToArray();
    }

    /// <summary>Flat (token, slot) index of each assignment, in expert order.</summary>
    public Tensor Order_A { get; }

    /// <summary>Token of each assignment, in expert order.</summary>
    public Tensor Tokens_A { get; }

    /// <summary>Assignments of each expert.</summary>
    public long[] Counts { get; }

    /// <summary>Runs <paramref name="expert"/> on every non-empty slice of <paramref name="inputs_AX"/> and joins the results, in expert order.</summary>
    public Tensor ForEachExpert(Tensor[] inputs_AX, Func<int, Tensor[], Tensor> expert)
    {
        Tensor[][] slices = inputs_AX.Select(input => input.split(Counts, 0)).ToArray();
        var results = new List<Tensor>(Counts.Length);
        for (int e = 0; e < Counts.Length; e++)
        {
            if (Counts[e] > 0)
            {
                int index = e;
                results.Add(expert(index, slices.Select(slice => slice[index]).ToArray()));
            }
        }

        return cat(results, 0);
    }

    /// <summary>Σ over a token's experts of weight · result: [A, C] in expert order → [N, C].</summary>
    public Tensor Combine(Tensor results_AC)
    {
        long n = _weights_NK.shape[0], k = _weights_NK.shape[1];
        Tensor results_NKC = results_AC.index_select(0, _unsort_A).view(n, k, -1);
        return (results_NKC * _weights_NK.unsqueeze(-1)).sum([1]);
    }
}
