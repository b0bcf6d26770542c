// Held-out data: the same non-overlapping windows for every model and seed.

namespace PaperLab.Text;

/// <summary>Which windows of a held-out stream.</summary>
public enum HeldOutPart
{
    /// <summary>All of them.</summary>
    All,

    /// <summary>Those of the first half of every domain's stream: to choose settings by.</summary>
    Validation,

    /// <summary>Those of the second half: to be read once, when everything is chosen.</summary>
    Test,
}

/// <summary>Fixed held-out windows.</summary>
public static class EvaluationWindows
{
    /// <summary>
    /// The held-out stream of each domain cut into windows of <paramref name="context"/> + 1 tokens, one every <paramref name="context"/>,
    /// or sequence by sequence where the text has a layout, so that each token is predicted at most once; where there are more than wanted,
    /// spread evenly over the part. A batch is of one domain.
    /// </summary>
    /// <param name="tokens">The token streams.</param>
    /// <param name="batchSize">Sequences per batch; the last one of a domain may have fewer.</param>
    /// <param name="context">Tokens per sequence.</param>
    /// <param name="maxWindowsPerDomain">At most so many windows of each domain.</param>
    /// <param name="part">Of which part of the stream; documents lie in a fixed random order, so that the parts are alike.</param>
    /// <exception cref="ArgumentException">That part of a domain's held-out stream is shorter than one window.</exception>
    public static IReadOnlyList<Batch> Cut(TokenizedCorpus tokens, int batchSize, int context, int maxWindowsPerDomain = int.MaxValue, HeldOutPart part = HeldOutPart.All)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(context);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxWindowsPerDomain);
        tokens.Layout?.RequireContext(context);
        return [.. Enumerable.Range(0, tokens.Domains.Count).SelectMany(domain => Starts(tokens, domain, context, maxWindowsPerDomain, part)
            .Chunk(batchSize)
            .Select(starts => Batch.Cut(tokens, Split.HeldOut, context, [.. starts.Select(start => (domain, start))])))];
    }

    private static IEnumerable<int> Starts(TokenizedCorpus tokens, int domain, int context, int maxWindows, HeldOutPart part)
    {
        int length = tokens.Stream(Split.HeldOut, domain).Length;
        int stride = tokens.Layout?.Stride ?? context, all = tokens.Layout is null ? (length - 1) / stride : length / stride, half = all / 2;
        (int first, int windows) = part switch
        {
            HeldOutPart.Validation => (0, half),
            HeldOutPart.Test => (half, all - half),
            _ => (0, all),
        };
        if (windows < 1)
        {
            throw new ArgumentException(
                $"The domain '{tokens.Domains[domain]}' has {length} held-out tokens, fewer than {(part == HeldOutPart.All ? "one window" : "two windows")} of {context} + 1. Shorten the context or enlarge the corpus.",
                nameof(context));
        }

        int taken = Math.Min(windows, maxWindows);
        return Enumerable.Range(0, taken).Select(i => (first + (int)((long)i * windows / taken)) * stride);
    }
}
