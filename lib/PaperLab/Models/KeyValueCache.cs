// Keys and values of the tokens that a model has seen, so that the next token costs one position. Storage is allocated once, at
// the heads and widths that the model really has: repeating shared heads first would undo what sharing them saves.
// Shapes: B rows, S columns (capacity), Hk and Hv heads, D and Dv widths.

using static TorchSharp.torch;

namespace PaperLab.Models;

/// <summary>The cache of every layer. Rows end at the same column; a row that is shorter begins later.</summary>
public sealed class KeyValueCache : IDisposable
{
    private readonly LayerCache[] _layers;
    private readonly Device _device;
    private long[] _starts;

    /// <param name="config">The model whose layers are cached.</param>
    /// <param name="rows">B.</param>
    /// <param name="capacity">S: columns, prompt and continuation together.</param>
    /// <param name="device">Where the model is.</param>
    /// <param name="dtype">Of keys and values, as the model's projections give them.</param>
    /// <param name="starts">First column of each row, where prompts of different lengths are padded on the left; null for column 0.</param>
    /// <exception cref="ArgumentException">A number is out of range; the message names it.</exception>
    public KeyValueCache(TransformerConfig config, long rows, long capacity, Device device, ScalarType dtype = ScalarType.Float32, IReadOnlyList<long>? starts = null)
    {
        long[] columns = starts?.ToArray() ?? new long[rows];
        Require.That(columns.Length == rows && columns.All(start => start >= 0 && start < capacity), nameof(starts), $"[{string.Join(", ", columns)}]", $"{rows} numbers from 0 to {capacity - 1}");
        Require.AtLeast((int)capacity, 1, nameof(capacity));
        Require.That(dtype is ScalarType.Float32 or ScalarType.BFloat16 or ScalarType.Float16, nameof(dtype), dtype, "Float32, BFloat16 or Float16");
        AttentionShape shape = AttentionShape.Of(config);
        Capacity = capacity;
        BytesPerToken = config.Layers * shape.CacheElements * (dtype == ScalarType.Float32 ? 4 : 2);
        _layers = [.. Enumerable.Range(0, config.Layers).Select(_ => new LayerCache(
            empty(rows, shape.KeyHeads, capacity, shape.KeyWidth, dtype: dtype, device: device).DetachFromDisposeScope(),
            empty(rows, shape.ValueHeads, capacity, shape.ValueWidth, dtype: dtype, device: device).DetachFromDisposeScope()))];
        _device = device;
        _starts = columns;
        Starts_B = StartsTensor();
    }

    /// <summary>Columns filled.</summary>
    public long Length { get; private set; }

    /// <summary>Columns there are.</summary>
    public long Capacity { get; }

    /// <summary>Rows there are.</summary>
    public long Rows => _layers[0].Rows;

    /// <summary>Bytes that one token of one row takes in all layers.</summary>
    public long BytesPerToken { get; }

    /// <summary>Bytes of the memory behind keys and values, as it was allocated.</summary>
    public long Bytes => _layers.Sum(layer => layer.Bytes);

    /// <summary>First column of each row; null when all rows begin at column 0.</summary>
    internal Tensor? Starts_B { get; private set; }

    internal LayerCache this[int layer] => _layers[layer];

    /// <summary>Positions of the row that began first: one more than its last position.</summary>
    internal long LongestRow => Length - _starts.Min();

    /// <summary>Keeps the rows with these indices, in this order: finished rows need not be computed.</summary>
    public void Keep(IReadOnlyList<long> rows)
    {
        using var scope = NewDisposeScope();
        Tensor rows_B = tensor(rows.ToArray(), device: _device);
        foreach (LayerCache layer in _layers)
        {
            layer.Keep(rows_B, Length);
        }

        _starts = [.. rows.Select(row => _starts[row])];
        Starts_B?.Dispose();
        Starts_B = StartsTensor();
    }

    private Tensor? StartsTensor() => _starts.All(start => start == 0) ? null : tensor(_starts, device: _device).DetachFromDisposeScope();

    /// <summary>Called by the model when every layer has appended its <paramref name="tokens"/> columns.</summary>
    internal void Advance(long tokens) => Length += tokens;

    /// <summary>Throws when <paramref name="rows"/> rows of <paramref name="tokens"/> more columns do not fit.</summary>
    internal void RequireRoom(long rows, long tokens)
    {
        Require.That(!is_grad_enabled(), "gradients", "on", "off (no_grad) while a cache is used: it is written in place");
        Require.That(rows == Rows, "the batch's number of rows", rows, $"{Rows}, the rows of its cache");
        Require.That(Length + tokens <= Capacity, "the sequence's length", Length + tokens, $"up to {Capacity}, the capacity of its cache");
    }

    public void Dispose()
    {
        foreach (LayerCache layer in _layers)
        {
            layer.Dispose();
        }

        Starts_B?.Dispose();
    }

    /// <summary>One layer's keys and values.</summary>
    internal sealed class LayerCache(Tensor k_BHSD, Tensor v_BHSD) : IDisposable
    {
        private Tensor _k_BHSD = k_BHSD;
        private Tensor _v_BHSD = v_BHSD;

        public long Rows => _k_BHSD.shape[0];

        public long Bytes => BytesOf(_k_BHSD) + BytesOf(_v_BHSD);

        /// <summary>Writes [B, H, T, D] behind the first <paramref name="length"/> columns and returns all columns up to them, as views.</summary>
        public (Tensor K_BHSD, Tensor V_BHSD) Append(Tensor k_BHTD, Tensor v_BHTD, long length)
        {
            long t = k_BHTD.shape[2];
            _k_BHSD.narrow(2, length, t).copy_(k_BHTD);
            _v_BHSD.narrow(2, length, t).copy_(v_BHTD);
            return Filled(length + t);
        }

        /// <summary>The first <paramref name="length"/> columns, as views.</summary>
        public (Tensor K_BHSD, Tensor V_BHSD) Filled(long length) => (_k_BHSD.narrow(2, 0, length), _v_BHSD.narrow(2, 0, length));

        public void Keep(Tensor rows_B, long length)
        {
            (_k_BHSD, _v_BHSD) = (Kept(_k_BHSD, rows_B, length), Kept(_v_BHSD, rows_B, length));
        }

        // Of the storage, which an expanded tensor does not have for every element.
        private static long BytesOf(Tensor x) => x.storage<byte>().Count * x.ElementSize;

        // Only the filled columns are copied.
        private static Tensor Kept(Tensor old_BHSD, Tensor rows_B, long length)
        {
            long[] shape = old_BHSD.shape;
            Tensor kept = empty([rows_B.shape[0], shape[1], shape[2], shape[3]], old_BHSD.dtype, old_BHSD.device).DetachFromDisposeScope();
            kept.narrow(2, 0, length).copy_(old_BHSD.narrow(2, 0, length).index_select(0, rows_B));
            old_BHSD.Dispose();
            return kept;
        }

        public void Dispose()
        {
            _k_BHSD.Dispose();
            _v_BHSD.Dispose();
        }
    }
}
