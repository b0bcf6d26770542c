// Who sees whom in one forward pass: causal, perhaps within a window, perhaps in rows that begin at different columns.
// Shapes: B batch, T queries (columns Offset … Offset + T), S keys (columns 0 … S), S = Offset + T.

using static TorchSharp.torch;

namespace PaperLab.Models;

/// <summary>What the queries of one pass may see; made once for all layers, and disposed of after the last.</summary>
/// <param name="Queries">T.</param>
/// <param name="Keys">S: T and what is cached before it.</param>
/// <param name="Window">Columns that a query sees, itself included; null for all before it.</param>
/// <param name="Starts_B">First column of each row; columns before it are padding. Null when all rows begin at column 0.</param>
/// <param name="Device">Where the pass runs.</param>
internal sealed record AttentionMask(long Queries, long Keys, int? Window, Tensor? Starts_B, Device Device) : IDisposable
{
    private Tensor? _additive;

    /// <summary>Column of the first query.</summary>
    public long Offset => Keys - Queries;

    /// <summary>Whether the window hides anything.</summary>
    private bool Windowed => Window is { } window && window < Keys;

    /// <summary>Whether every query sees every key: one query, all of the cache.</summary>
    public bool SeesAll => Queries == 1 && !Windowed && Starts_B is null;

    /// <summary>Whether nothing but the causal order hides anything, and the queries are all of the sequence.</summary>
    public bool IsPlainCausal => Offset == 0 && !Windowed && Starts_B is null;

    /// <summary>First key column that any query in [<paramref name="first"/>, …) of this pass sees.</summary>
    public long FirstKey(long first) => Windowed ? Math.Max(0, Offset + first - Window!.Value + 1) : 0;

    /// <summary>0 where a query sees a key, −∞ where not: [T, S], or [B, 1, T, S] with ragged rows. Made once and kept for the pass.</summary>
    public Tensor Additive(ScalarType dtype)
    {
        if (_additive is null || _additive.dtype != dtype)
        {
            _additive?.Dispose();
            _additive = Additive(0, Queries, 0, Keys, dtype).DetachFromDisposeScope(); // it outlives the layer that asked first
        }

        return _additive;
    }

    /// <summary>The same for <paramref name="queries"/> queries from <paramref name="first"/> on and <paramref name="keys"/> keys from <paramref name="from"/> on.</summary>
    public Tensor Additive(long first, long queries, long from, long keys, ScalarType dtype)
    {
        Tensor query_T1 = arange(Offset + first, Offset + first + queries, device: Device).unsqueeze(1);
        Tensor key_S = arange(from, from + keys, device: Device);
        Tensor hidden = key_S.gt(query_T1);
        if (Windowed)
        {
            hidden = hidden.logical_or(key_S.le(query_T1 - Window!.Value));
        }

        if (Starts_B is not null)
        {
            // A padding query sees itself: its output is never read, and a row that sees nothing would be 0/0.
            Tensor padding_B1S = key_S.lt(Starts_B.view(-1, 1, 1)).logical_and(key_S.ne(query_T1));
            hidden = hidden.logical_or(padding_B1S).unsqueeze(1);
        }

        return zeros(hidden.shape, dtype, Device).masked_fill_(hidden, double.NegativeInfinity);
    }

    public void Dispose() => _additive?.Dispose();
}
