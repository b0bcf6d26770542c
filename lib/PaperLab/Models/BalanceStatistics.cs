// The balance loss with a scope (arXiv 2501.11873, equations 3 and 4), for one optimizer step.
//
//   LBL = E · mean over sequences s of  Σᵢ f[g(s)]ᵢ · P[s]ᵢ
//
// P[s] is the mean softmax score over a sequence's tokens, f[g] the share of the tokens of its group g that chose expert i. With one
// group this is E·Σ fᵢPᵢ over the batch; with groups of equal size it is the mean of that over the groups: the micro-batch loss. So
// nothing but f differs between scopes. f is a count: the gradient flows through P only, which may stay on the process that computed
// it, and what processes exchange is one number for each expert. (f of the whole batch beside P of the whole batch, divided by the
// number of processes once more, would weaken the gradient; P of the whole batch beside f of a part is another loss.)
//
// Sequences are of equal length and without padding, and no token is dropped, so that a mean over sequences is one over tokens.
// Shapes: S sequences of this process's forward pass, J groups, E experts, T tokens a sequence.

using static TorchSharp.torch;

namespace PaperLab.Models;

/// <summary>Balance losses of the layers of one model over the forward passes of one optimizer step.</summary>
/// <param name="scope">The scope in force.</param>
/// <param name="rank">Which part of every forward pass's sequences this process has: they lie in the order of the ranks.</param>
/// <param name="ranks">How many parts there are.</param>
/// <param name="sum">Adds a tensor up over the ranks, in place; null where there is one.</param>
/// <param name="order">With <see cref="BalanceScope.Shuffled"/>: a permutation of all sequences; groups are consecutive in it.</param>
public sealed class BalanceStatistics(BalanceScope scope, int rank = 0, int ranks = 1, Action<Tensor>? sum = null, IReadOnlyList<int>? order = null) : IDisposable
{
    // By layer: the counts of the forward passes before, and over how many groups they were summed.
    private readonly Dictionary<int, (Tensor Counts_E, long Groups)> _buffers = [];

    /// <summary>The loss of one layer and one forward pass. Its minimum, at perfect balance, is K, and more by the local term's weight.</summary>
    /// <param name="layer">The layer's index.</param>
    /// <param name="routing">How it routed the tokens of this process's sequences.</param>
    /// <param name="sequences">Number of those sequences, S.</param>
    /// <exception cref="ArgumentException">The sequences do not divide into the scope's groups.</exception>
    public Tensor LossOf(int layer, Routing routing, int sequences)
    {
        (Tensor counts_SE, Tensor p_SE) = routing.BySequence(sequences);
        Tensor f_SE = LoadOf(counts_SE, scope.Sequences, order, scope.Buffered ? layer : null);
        if (scope.LocalWeight > 0)
        {
            f_SE += LoadOf(counts_SE, scope.LocalSequences, null, null) * scope.LocalWeight;
        }

        double tokens = (double)routing.Scores_NE.shape[0] / sequences;
        return (f_SE * p_SE).sum() * (routing.Scores_NE.shape[1] / (tokens * sequences));
    }

    /// <summary>Frees the buffer.</summary>
    public void Dispose()
    {
        foreach ((Tensor counts_E, _) in _buffers.Values)
        {
            counts_E.Dispose();
        }

        _buffers.Clear();
    }

    // For each sequence the mean over the sequences of its group of their counts, [S, E].
    private Tensor LoadOf(Tensor counts_SE, int size, IReadOnlyList<int>? places, int? bufferedLayer)
    {
        int own = (int)counts_SE.shape[0], all = own * ranks;
        size = size == 0 ? all : size;
        Require.That(all % size == 0, "the sequences of a forward pass", all, $"a multiple of {size}, the scope of the balance loss");
        if (size == 1 && bufferedLayer is null)
        {
            return counts_SE;
        }

        using var disposeScope = NewDisposeScope();
        using var noGrad = no_grad();
        int[] place = new int[all];
        for (int i = 0; i < all; i++)
        {
            place[places?[i] ?? i] = i;
        }

        long[] group = [.. Enumerable.Range(rank * own, own).Select(sequence => (long)(place[sequence] / size))];
        Tensor group_S = tensor(group, device: counts_SE.device);
        Tensor counts_JE = zeros([all / size, counts_SE.shape[1]], device: counts_SE.device).index_add_(0, group_S, counts_SE, 1);
        bool withinRanks = places is null && own % size == 0 && bufferedLayer is null;
        if (!withinRanks)
        {
            sum?.Invoke(counts_JE);
        }

        if (bufferedLayer is not { } layer)
        {
            return (counts_JE / (float)size).index_select(0, group_S).MoveToOuterDisposeScope();
        }

        // Group j counts all groups up to it, those of the forward passes before included.
        long groups = all / size, before = 0;
        Tensor counted_JE = counts_JE.cumsum(0);
        if (_buffers.Remove(layer, out (Tensor Counts_E, long Groups) buffer))
        {
            (before, counted_JE) = (buffer.Groups, counted_JE + buffer.Counts_E);
            buffer.Counts_E.Dispose();
        }

        _buffers[layer] = (counted_JE[-1].clone().DetachFromDisposeScope(), before + groups);
        Tensor sequences_J = arange(before + 1, before + groups + 1, device: counts_SE.device).to(ScalarType.Float32).unsqueeze(1) * (float)size;
        return (counted_JE / sequences_J).index_select(0, group_S).MoveToOuterDisposeScope();
    }
}
