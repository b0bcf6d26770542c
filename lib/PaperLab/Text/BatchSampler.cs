// Training data order: random windows, fixed by the seed alone, resumable.

namespace PaperLab.Text;

/// <summary>Where a sampler stands: enough to go on from there.</summary>
/// <param name="Random">State of its generator.</param>
/// <param name="Batches">Batches drawn so far.</param>
public readonly record struct SamplerState(ulong Random, long Batches);

/// <summary>
/// Draws batches of random train windows. Each sequence first draws its domain by weight, then a place in that domain's stream,
/// so that a sequence is of one domain; or blocks of sequences take the domains in turn. Where the text consists of sequences of one
/// length, the place is the beginning of one. The order depends on the seed, the tokens and the sizes, never on the model.
/// </summary>
public sealed class BatchSampler
{
    private readonly TokenizedCorpus _tokens;
    private readonly double[] _cumulativeWeights;
    private readonly int _domainBlock;
    private SplitMix64 _random;

    /// <summary>A sampler at its beginning.</summary>
    /// <param name="tokens">The token streams.</param>
    /// <param name="batchSize">Sequences per batch, B.</param>
    /// <param name="context">Tokens per sequence, T.</param>
    /// <param name="seed">Seed of the data order.</param>
    /// <param name="weights">Relative weight of each domain; its number of train tokens by default.</param>
    /// <param name="domainBlock">
    /// Sequences in a row that share a domain, a divisor of <paramref name="batchSize"/>. The blocks take the domains in turn and lie in
    /// random order, so that domains have equal parts and a group of so many sequences is of one. Excludes weights. 0: sequence by sequence.
    /// </param>
    /// <exception cref="ArgumentException">A size, or the weights, are out of range, or a domain is shorter than one window.</exception>
    public BatchSampler(TokenizedCorpus tokens, int batchSize, int context, int seed, IReadOnlyList<double>? weights = null, int domainBlock = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(context);
        tokens.Layout?.RequireContext(context);
        Require.That(
            domainBlock == 0 || (domainBlock > 0 && batchSize % domainBlock == 0 && weights is null),
            nameof(domainBlock),
            domainBlock,
            weights is null ? $"0, or a divisor of the batch size {batchSize}" : "0, where domains have weights");
        _domainBlock = domainBlock;
        _tokens = tokens;
        BatchSize = batchSize;
        Context = context;
        _random = new SplitMix64((ulong)seed);
        weights ??= [.. tokens.Domains.Select((_, domain) => domainBlock > 0 ? 1.0 : tokens.Stream(Split.Train, domain).Length)];
        CheckWeights(tokens, context, weights);
        double total = weights.Sum();
        double sum = 0;
        _cumulativeWeights = [.. weights.Select(weight => (sum += weight) / total)];
    }

    /// <summary>Sequences per batch, B.</summary>
    public int BatchSize { get; }

    /// <summary>Tokens per sequence, T.</summary>
    public int Context { get; }

    /// <summary>Batches drawn so far.</summary>
    public long Batches { get; private set; }

    /// <summary>The state, to save with a checkpoint; setting it goes on from there.</summary>
    public SamplerState State
    {
        get => new(_random.State, Batches);
        set
        {
            _random = new SplitMix64(value.Random);
            Batches = value.Batches;
        }
    }

    /// <summary>The next batch.</summary>
    public Batch Next()
    {
        int[] blocks = _domainBlock == 0 ? [] : DrawBlocks();
        var places = new (int, int)[BatchSize];
        for (int row = 0; row < BatchSize; row++)
        {
            int domain = _domainBlock == 0 ? DrawDomain() : blocks[row / _domainBlock];
            int length = _tokens.Stream(Split.Train, domain).Length;
            places[row] = (domain, _tokens.Layout is { } layout ? _random.Next(length / layout.Stride) * layout.Stride : _random.Next(length - Context));
        }

        Batches++;
        return Batch.Cut(_tokens, Split.Train, Context, places);
    }

    private int[] DrawBlocks()
    {
        int count = BatchSize / _domainBlock;
        int[] blocks = [.. Enumerable.Range(0, count).Select(block => (int)(((Batches * count) + block) % _tokens.Domains.Count))];
        _random.Shuffle<int>(blocks);
        return blocks;
    }

    private int DrawDomain()
    {
        double draw = _random.NextDouble();
        int domain = Array.FindIndex(_cumulativeWeights, cumulative => draw < cumulative);

        // Rounding can leave the last sum a hair below 1: the draw then belongs to the last domain that has any weight.
        return domain >= 0 ? domain : Array.IndexOf(_cumulativeWeights, _cumulativeWeights[^1]);
    }

    private static void CheckWeights(TokenizedCorpus tokens, int context, IReadOnlyList<double> weights)
    {
        if (weights.Count != tokens.Domains.Count || weights.Any(weight => !(weight >= 0) || !double.IsFinite(weight)) || weights.Sum() <= 0)
        {
            throw new ArgumentException(
                $"weights are [{string.Join(", ", weights)}]; there must be one for each of {string.Join(", ", tokens.Domains)}, none negative, not all zero.", nameof(weights));
        }

        for (int domain = 0; domain < weights.Count; domain++)
        {
            int length = tokens.Stream(Split.Train, domain).Length;
            if (weights[domain] > 0 && length <= context)
            {
                throw new ArgumentException(
                    $"The domain '{tokens.Domains[domain]}' has {length} train tokens, fewer than one window of {context} + 1. Shorten the context, enlarge the corpus or set the domain's weight to 0.",
                    nameof(context));
            }
        }
    }
}
