// What one token costs a decoder's attention, part by part: storing its key and value, attending to all before it, and augmenting its
// query (DiffQKV, SIGMA, arXiv 2501.13629, section 4). Keys and values lie in the library's own cache at their own head counts, and
// the product is the one the library generates with; nothing is repeated before it is cached.
//
// Parts are timed apart at several lengths of the cache, every shape in turn in every round. Attention costs about as much for each
// token that is cached, so what a whole output costs is summed over its lengths with straight lines between the measured ones.
// Shapes: B rows, S cached tokens, H heads, D and Dv widths.

using System.Diagnostics;
using MathNet.Numerics.Statistics;
using PaperLab.Evaluation;
using PaperLab.Models;
using PaperLab.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace PaperLab.Papers;

/// <summary>What is measured.</summary>
public sealed record DecodeGrid
{
    /// <summary>H: query heads of every shape.</summary>
    public required int Heads { get; init; }

    /// <summary>Width of a head of queries, keys and values.</summary>
    public required int HeadWidth { get; init; }

    /// <summary>Inner width of the augmented query.</summary>
    public required int QueryHidden { get; init; }

    /// <summary>The shapes that are compared, the one to beat first.</summary>
    public required IReadOnlyList<DecodeShape> Shapes { get; init; }

    /// <summary>S: tokens cached before the token that is timed, rising.</summary>
    public required IReadOnlyList<int> Lengths { get; init; }

    /// <summary>B: sequences that are decoded together.</summary>
    public int Rows { get; init; } = 1;

    /// <summary>Tokens that one timing covers.</summary>
    public int Tokens { get; init; } = 8;

    /// <summary>How often everything is timed, after one round that is not counted.</summary>
    public int Rounds { get; init; } = 7;

    /// <summary>Threads of one operation.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>Throws with the field, its value and the allowed range.</summary>
    /// <exception cref="ArgumentException">A field is out of range.</exception>
    public void Validate()
    {
        Require.AtLeast(Rows, 1, nameof(Rows));
        Require.AtLeast(Tokens, 1, nameof(Tokens));
        Require.AtLeast(Rounds, 1, nameof(Rounds));
        Require.AtLeast(QueryHidden, 1, nameof(QueryHidden));
        Require.That(Shapes.Count > 0 && Shapes.Select(shape => shape.Name).Distinct().Count() == Shapes.Count, nameof(Shapes), $"[{string.Join(", ", Shapes.Select(shape => shape.Name))}]", "one or more, each with a name of its own");
        bool rising = Lengths.Count >= 2 && Lengths[0] >= 1 && Lengths.Zip(Lengths.Skip(1), (a, b) => a < b).All(rises => rises);
        Require.That(rising, nameof(Lengths), $"[{string.Join(", ", Lengths)}]", "two lengths or more, rising from 1 or more");
    }

    internal TransformerConfig ConfigOf(DecodeShape shape) => new()
    {
        VocabularySize = 2,
        Width = Heads * HeadWidth,
        Layers = 1,
        Heads = Heads,
        ContextLength = Lengths[^1] + Tokens,
        FeedForward = new DenseConfig(1),
        Attention = new AttentionConfig { KeyHeads = shape.KeyHeads, ValueHeads = shape.ValueHeads, QueryHidden = shape.AugmentsQuery ? QueryHidden : null },
    };
}

/// <summary>One way to share heads.</summary>
/// <param name="Name">As plots and tables show it.</param>
/// <param name="KeyHeads">Hk.</param>
/// <param name="ValueHeads">Hv.</param>
/// <param name="AugmentsQuery">Whether the query passes a gated layer of its own.</param>
public sealed record DecodeShape(string Name, int KeyHeads, int ValueHeads, bool AugmentsQuery = false);

/// <summary>Milliseconds a token of all rows takes in one layer.</summary>
/// <param name="Store">Writing its key and value into the cache, which has its full size from the start.</param>
/// <param name="Concatenate">The same where the cache grows by concatenation.</param>
/// <param name="Attention">Attending to all cached tokens.</param>
/// <param name="Augment">Augmenting the query; 0 without.</param>
public readonly record struct TokenCost(double Store, double Concatenate, double Attention, double Augment)
{
    /// <summary>Store, attention and augmented query: what the paper's kernel comparison adds up.</summary>
    public double Sum => Store + Attention + Augment;
}

/// <summary>One shape at one length of the cache.</summary>
/// <param name="Shape">Its name.</param>
/// <param name="Length">S.</param>
/// <param name="CacheBytes">What the cache of so many tokens took, all rows.</param>
/// <param name="Rounds">One measurement for each round.</param>
public sealed record DecodeCell(string Shape, int Length, long CacheBytes, IReadOnlyList<TokenCost> Rounds);

/// <summary>The measurement.</summary>
/// <param name="Grid">What was measured.</param>
/// <param name="Environment">Where.</param>
/// <param name="Cells">Every shape at every length.</param>
public sealed record DecodeCost(DecodeGrid Grid, RunEnvironment Environment, IReadOnlyList<DecodeCell> Cells)
{
    /// <summary>Times everything.</summary>
    /// <exception cref="ArgumentException">A field of the grid is out of range.</exception>
    public static DecodeCost Measure(DecodeGrid grid, TorchRuntime runtime)
    {
        grid.Validate();
        runtime = runtime.WithThreads(grid.Threads);
        var cells = new List<DecodeCell>();
        foreach (int length in grid.Lengths)
        {
            using var scope = NewDisposeScope();
            using var noGrad = no_grad();
            Bench[] benches = [.. grid.Shapes.Select(shape => new Bench(grid, shape, length, runtime))];
            var rounds = Enumerable.Range(0, grid.Rounds + 1).Select(_ => benches.Select(bench => bench.Time()).ToArray()).Skip(1).ToArray(); // the first pays for code being compiled
            cells.AddRange(benches.Select((bench, i) => new DecodeCell(grid.Shapes[i].Name, length, bench.CacheBytes, [.. rounds.Select(round => round[i])])));
            Array.ForEach(benches, bench => bench.Dispose());
        }

        return new DecodeCost(grid, RunEnvironment.Of(runtime), cells);
    }

    /// <summary>A shape's measurements, length by length.</summary>
    /// <exception cref="ArgumentException">There is no such shape.</exception>
    public IReadOnlyList<DecodeCell> Of(string shape) => Cells.Where(cell => cell.Shape == shape).ToArray() is { Length: > 0 } found
        ? found
        : throw new ArgumentException($"There is no shape '{shape}'; there are {string.Join(", ", Grid.Shapes.Select(s => s.Name))}.", nameof(shape));

    /// <summary>Share of the time that <paramref name="shape"/> saves against <paramref name="baseline"/> at one length, round by round, with its t interval.</summary>
    public Interval Saving(string shape, string baseline, int length, Func<TokenCost, double> part) =>
        Savings(Of(shape).Single(cell => cell.Length == length).Rounds.Select(part), Of(baseline).Single(cell => cell.Length == length).Rounds.Select(part));

    /// <summary>The same for a whole output: <paramref name="output"/> tokens after <paramref name="prefix"/>, each with its own length of the cache.</summary>
    public Interval Saving(string shape, string baseline, int prefix, int output, Func<TokenCost, double> part) =>
        Savings(Total(shape, prefix, output, part), Total(baseline, prefix, output, part));

    /// <summary>Milliseconds of a whole output in one layer, round by round.</summary>
    /// <exception cref="ArgumentException">The output goes beyond the longest measured cache, or is empty.</exception>
    public IReadOnlyList<double> Total(string shape, int prefix, int output, Func<TokenCost, double> part)
    {
        Require.AtLeast(prefix, 0, nameof(prefix));
        Require.That(output >= 1 && prefix + output <= Grid.Lengths[^1], nameof(output), output, $"1 to {Grid.Lengths[^1] - prefix}: the longest measured cache holds {Grid.Lengths[^1]} tokens");
        IReadOnlyList<DecodeCell> cells = Of(shape);
        return [.. Enumerable.Range(0, Grid.Rounds).Select(round => Integral(Grid.Lengths, [.. cells.Select(cell => part(cell.Rounds[round]))], prefix, prefix + output))];
    }

    /// <summary>
    /// Cached tokens from which on <paramref name="shape"/> is the cheaper: by straight lines between the lengths through the medians of
    /// the difference, which is taken round by round, for both took turns while the machine's speed drifted. Null where it is not within
    /// those that were measured.
    /// </summary>
    public double? Crossover(string shape, string baseline, Func<TokenCost, double> part)
    {
        double[] over = [.. Of(shape).Zip(Of(baseline), (a, b) => a.Rounds.Zip(b.Rounds, (ours, theirs) => part(ours) - part(theirs)).Median())];
        int last = Array.FindLastIndex(over, difference => difference >= 0);
        return last < 0 ? Grid.Lengths[0] : last == over.Length - 1 ? null
            : Grid.Lengths[last] + (over[last] / (over[last] - over[last + 1]) * (Grid.Lengths[last + 1] - Grid.Lengths[last]));
    }

    /// <summary>The median of a part over the rounds.</summary>
    public static double Median(DecodeCell cell, Func<TokenCost, double> part) => Quantile(cell, part, 0.5);

    /// <summary>The table: medians, the spread of the sum over the middle half of the rounds, and bytes.</summary>
    public IReadOnlyList<DecodeRow> Table() => [.. Cells.Select(cell => new DecodeRow(
        cell.Length,
        cell.Shape,
        Median(cell, cost => cost.Store),
        Median(cell, cost => cost.Concatenate),
        Median(cell, cost => cost.Attention),
        Median(cell, cost => cost.Augment),
        Median(cell, cost => cost.Sum),
        Quantile(cell, cost => cost.Sum, 0.75) - Quantile(cell, cost => cost.Sum, 0.25),
        TheoreticalBytes(cell),
        cell.CacheBytes))];

    /// <summary>(Hk·D + Hv·Dv)·4 bytes for each token and row.</summary>
    public long TheoreticalBytes(DecodeCell cell)
    {
        DecodeShape shape = Grid.Shapes.Single(shape => shape.Name == cell.Shape);
        return 4L * (shape.KeyHeads + shape.ValueHeads) * Grid.HeadWidth * Grid.Rows * cell.Length;
    }

    private static Interval Savings(IEnumerable<double> shape, IEnumerable<double> baseline) => Interval.OfMean([.. shape.Zip(baseline, (ours, theirs) => 1 - (ours / theirs))]);

    private static double Quantile(DecodeCell cell, Func<TokenCost, double> part, double share) => cell.Rounds.Select(part).QuantileCustom(share, QuantileDefinition.R7);

    // Of the piecewise straight line through (x, y), level before the first x.
    private static double Integral(IReadOnlyList<int> x, double[] y, double from, double to)
    {
        double At(double s)
        {
            int i = Enumerable.Range(0, x.Count - 1).LastOrDefault(i => x[i] <= s);
            return s <= x[0] ? y[0] : y[i] + ((s - x[i]) / (x[i + 1] - x[i]) * (y[i + 1] - y[i]));
        }

        double[] corners = [from, .. x.Select(corner => (double)corner).Where(corner => corner > from && corner < to), to];
        return corners.Zip(corners.Skip(1), (a, b) => (b - a) * (At(a) + At(b)) / 2).Sum();
    }

    // One shape at one length: a full cache with room for the tokens that are timed.
    private sealed class Bench : IDisposable
    {
        private readonly DecodeGrid _grid;
        private readonly TorchRuntime _runtime;
        private readonly KeyValueCache _cache, _shorter;
        private readonly Tensor _q_BHTD, _k_BHTD, _v_BHTD, _h_BTC;
        private readonly Tensor _k_BHSD, _v_BHSD;
        private readonly DenseFeedForward? _augment;
        private readonly int _length;
        private readonly AttentionMask _mask;

        public Bench(DecodeGrid grid, DecodeShape shape, int length, TorchRuntime runtime)
        {
            (_grid, _length, _runtime) = (grid, length, runtime);
            Device device = runtime.Device;
            TransformerConfig config = grid.ConfigOf(shape);
            Tensor Tokens(int heads, int count) => randn(grid.Rows, heads, count, grid.HeadWidth, device: device);
            (_q_BHTD, _k_BHTD, _v_BHTD) = (Tokens(grid.Heads, 1), Tokens(shape.KeyHeads, 1), Tokens(shape.ValueHeads, 1));
            _shorter = new KeyValueCache(config, grid.Rows, length, device);
            CacheBytes = _shorter.Bytes;
            (_k_BHSD, _v_BHSD) = _shorter[0].Append(Tokens(shape.KeyHeads, length), Tokens(shape.ValueHeads, length), 0);
            _cache = new KeyValueCache(config, grid.Rows, length + grid.Tokens, device);
            _cache[0].Append(_k_BHSD, _v_BHSD, 0);
            _h_BTC = randn(grid.Rows, 1, config.Width, device: device);
            _mask = new AttentionMask(1, length + 1, Window: null, Starts_B: null, device);
            if (shape.AugmentsQuery)
            {
                _augment = new DenseFeedForward(config.Width, new DenseConfig(grid.QueryHidden));
                _augment.to(device);
                _augment.Initialize(config.InitStd, config.InitStd);
            }
        }

        public long CacheBytes { get; }

        public TokenCost Time() => new(
            Milliseconds(i => _cache[0].Append(_k_BHTD, _v_BHTD, _length + i)),
            Milliseconds(_ => (cat([_k_BHSD, _k_BHTD], 2), cat([_v_BHSD, _v_BHTD], 2))),
            Milliseconds(_ => Attend()),
            _augment is null ? 0 : Milliseconds(_ => _augment.forward(_h_BTC)));

        private Tensor Attend()
        {
            (Tensor k_BHSD, Tensor v_BHSD) = _cache[0].Filled(_length + 1);
            return AttentionKernel.Attend(_q_BHTD, k_BHSD, v_BHSD, _mask);
        }

        private double Milliseconds(Action<int> token)
        {
            _runtime.Synchronize();
            var stopwatch = Stopwatch.StartNew();
            for (int i = 0; i < _grid.Tokens; i++)
            {
                using var scope = NewDisposeScope();
                token(i);
            }

            _runtime.Synchronize();
            return stopwatch.Elapsed.TotalMilliseconds / _grid.Tokens;
        }

        private double Milliseconds<T>(Func<int, T> token) => Milliseconds((int i) => { _ = token(i); });

        public void Dispose()
        {
            _cache.Dispose();
            _shorter.Dispose();
            _augment?.Dispose();
        }
    }
}

/// <summary>One row of the table: milliseconds a token, medians over the rounds.</summary>
/// <param name="Length">Cached tokens.</param>
/// <param name="Shape">The shape.</param>
/// <param name="Store">Storing into a cache of full size.</param>
/// <param name="Concatenate">Storing by concatenation.</param>
/// <param name="Attention">Attending.</param>
/// <param name="Augment">Augmenting the query.</param>
/// <param name="Sum">Store, attention and augmented query.</param>
/// <param name="Spread">Width of the middle half of the rounds' sums.</param>
/// <param name="TheoreticalBytes">Bytes of the cache by its shape.</param>
/// <param name="CacheBytes">Bytes that were allocated for it.</param>
public sealed record DecodeRow(int Length, string Shape, double Store, double Concatenate, double Attention, double Augment, double Sum, double Spread, long TheoreticalBytes, long CacheBytes);
