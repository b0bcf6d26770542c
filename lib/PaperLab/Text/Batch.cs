// Sequences for a language model to read, and the tokens it should predict.

namespace PaperLab.Text;

/// <summary>
/// B sequences of T tokens. <see cref="Inputs"/> and <see cref="Targets"/> are row-major [B, T]; a target is the token after its input.
/// </summary>
/// <param name="Inputs">Token ids, [B·T].</param>
/// <param name="Targets">Token ids one position on, [B·T]; <see cref="Ignored"/> where a prediction is not scored.</param>
/// <param name="Domains">Domain label of each sequence, [B]: an index into <see cref="TokenizedCorpus.Domains"/>.</param>
/// <param name="Context">T.</param>
public sealed record Batch(long[] Inputs, long[] Targets, int[] Domains, int Context)
{
    /// <summary>The target of a position that is not scored: what torch's cross-entropy leaves out.</summary>
    public const long Ignored = -100;

    /// <summary>B.</summary>
    public int Sequences => Domains.Length;

    /// <summary>Positions whose prediction is scored.</summary>
    public int ScoredTokens => Targets.Count(target => target != Ignored);

    /// <summary>The windows of <paramref name="context"/> + 1 tokens that start at the given places of the given domains' streams.</summary>
    internal static Batch Cut(TokenizedCorpus tokens, Split split, int context, IReadOnlyList<(int Domain, int Start)> places)
    {
        var inputs = new long[places.Count * context];
        var targets = new long[places.Count * context];
        for (int row = 0; row < places.Count; row++)
        {
            ReadOnlySpan<ushort> window = tokens.Stream(split, places[row].Domain).Span.Slice(places[row].Start, context + 1);
            for (int t = 0; t < context; t++)
            {
                inputs[(row * context) + t] = window[t];
                targets[(row * context) + t] = tokens.Layout?.Scored[t] == false ? Ignored : window[t + 1];
            }
        }

        return new Batch(inputs, targets, [.. places.Select(place => place.Domain)], context);
    }
}
