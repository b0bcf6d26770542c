// Near-duplicate documents: bottom-k sketches of character shingles and the Jaccard similarity estimated from them
// (Broder, "On the resemblance and containment of documents", 1997). Character shingles work for languages without spaces too.

namespace PaperLab.Text;

/// <summary>Finds documents that share much of their text.</summary>
internal static class NearDuplicates
{
    private const int ShingleLength = 20;
    private const int SketchSize = 128;

    /// <summary>The <see cref="SketchSize"/> smallest distinct hashes of the 20-character shingles of the normalised text, ascending.</summary>
    public static ulong[] Sketch(string text)
    {
        string normal = CleanText.Normalise(text);
        if (normal.Length <= ShingleLength)
        {
            return [StableHash.Of(normal)];
        }

        // Hashes spread evenly, so about twice the sketch lies below the cutoff; only very repetitive text needs all of them.
        ulong[] hashes = ShingleHashes(normal);
        ulong cutoff = hashes.Length <= 2 * SketchSize ? ulong.MaxValue : ulong.MaxValue / (ulong)hashes.Length * (2 * SketchSize);
        ulong[] smallest = Smallest(hashes, cutoff);
        return smallest.Length == SketchSize ? smallest : Smallest(hashes, ulong.MaxValue);
    }

    /// <summary>Estimated Jaccard similarity of the two shingle sets, from 0 to 1: exact where both fit their sketch.</summary>
    public static double Similarity(ulong[] a, ulong[] b)
    {
        // Of the k smallest hashes of the union, the share that both have.
        int limit = Math.Max(a.Length, b.Length) < SketchSize ? a.Length + b.Length : SketchSize;
        int i = 0;
        int j = 0;
        int seen = 0;
        int shared = 0;
        while (seen < limit && (i < a.Length || j < b.Length))
        {
            if (j == b.Length || (i < a.Length && a[i] < b[j]))
            {
                i++;
            }
            else if (i == a.Length || b[j] < a[i])
            {
                j++;
            }
            else
            {
                i++;
                j++;
                shared++;
            }

            seen++;
        }

        return (double)shared / seen;
    }

    /// <summary>All pairs (earlier, later) whose similarity reaches the threshold, ordered by the later index.</summary>
    public static IEnumerable<(int Earlier, int Later, double Similarity)> Pairs(IReadOnlyList<ulong[]> sketches, double threshold)
    {
        var holders = new Dictionary<ulong, List<int>>();
        var shared = new int[sketches.Count];
        for (int later = 0; later < sketches.Count; later++)
        {
            var candidates = new List<int>();
            foreach (ulong hash in sketches[later])
            {
                if (!holders.TryGetValue(hash, out List<int>? earlierHolders))
                {
                    holders[hash] = earlierHolders = [];
                }

                foreach (int earlier in earlierHolders)
                {
                    if (shared[earlier]++ == 0)
                    {
                        candidates.Add(earlier);
                    }
                }

                earlierHolders.Add(later);
            }

            foreach (int earlier in candidates)
            {
                shared[earlier] = 0;
                double similarity = Similarity(sketches[earlier], sketches[later]);
                if (similarity >= threshold)
                {
                    yield return (earlier, later, similarity);
                }
            }
        }
    }

    private static ulong[] Smallest(ulong[] hashes, ulong cutoff) => [.. hashes.Where(hash => hash <= cutoff).Distinct().Order().Take(SketchSize)];

    private static ulong[] ShingleHashes(string text)
    {
        // Rolling polynomial hash: the character that leaves the window is subtracted with the weight it has by then.
        const ulong Base = 0x9E3779B97F4A7C15;
        ulong leaving = 1;
        for (int i = 1; i < ShingleLength; i++)
        {
            leaving *= Base;
        }

        var hashes = new ulong[text.Length - ShingleLength + 1];
        ulong rolling = 0;
        for (int i = 0; i < text.Length; i++)
        {
            if (i >= ShingleLength)
            {
                rolling -= text[i - ShingleLength] * leaving;
            }

            rolling = (rolling * Base) + text[i];
            if (i >= ShingleLength - 1)
            {
                hashes[i - ShingleLength + 1] = StableHash.Mix(rolling);
            }
        }

        return hashes;
    }
}
