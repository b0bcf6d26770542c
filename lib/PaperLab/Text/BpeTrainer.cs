// Byte-pair encoding learned from word counts (Sennrich et al. 2016, arXiv 1508.07909, on bytes as in GPT-2).
// Counts are kept per distinct word and updated only where a merge changed something, so that a merge costs
// what it touches and not a pass over the text.

using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;

namespace PaperLab.Text;

/// <summary>Learns the merges.</summary>
internal sealed class BpeTrainer
{
    private readonly List<Word> _words = [];
    private readonly Dictionary<long, Pair> _pairs = [];
    private readonly PriorityQueue<Pair, Pair.Rank> _mostFrequent = new();

    private BpeTrainer(IReadOnlyDictionary<string, int> wordCounts)
    {
        foreach ((string text, int count) in wordCounts)
        {
            var word = new Word([.. Encoding.UTF8.GetBytes(text).Select(b => (int)b)], count);
            for (int i = 0; i + 1 < word.Length; i++)
            {
                PairOf(word.Symbols[i], word.Symbols[i + 1]).Add(_words.Count, count);
            }

            _words.Add(word);
        }

        foreach (Pair pair in _pairs.Values)
        {
            Enqueue(pair);
        }
    }

    /// <summary>How often each word occurs.</summary>
    public static Dictionary<string, int> CountWords(IEnumerable<string> texts)
    {
        var counts = new Dictionary<string, int>();
        Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> bySpan = counts.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (string text in texts.Select(CleanText.ReplaceLoneSurrogates))
        {
            foreach (ValueMatch word in PreTokenizer.Words().EnumerateMatches(text))
            {
                ReadOnlySpan<char> span = text.AsSpan(word.Index, word.Length);
                bySpan[span] = bySpan.TryGetValue(span, out int count) ? count + 1 : 1;
            }
        }

        return counts;
    }

    /// <summary>
    /// The merges in the order they were learned. Symbols 0 to 255 are bytes, merge i makes symbol 256 + i. The most frequent pair
    /// is merged first, the smaller symbols first among equals; stops early when no pair occurs twice.
    /// </summary>
    public static IReadOnlyList<(int Left, int Right)> Learn(IReadOnlyDictionary<string, int> wordCounts, int merges)
    {
        var trainer = new BpeTrainer(wordCounts);
        var learned = new List<(int, int)>(merges);
        while (learned.Count < merges && trainer.TakeMostFrequent() is { } pair)
        {
            trainer.Merge(pair, 256 + learned.Count);
            learned.Add((pair.Left, pair.Right));
        }

        return learned;
    }

    // Queue entries are not withdrawn when a count falls: an outdated one goes back in with its present count.
    private Pair? TakeMostFrequent()
    {
        while (_mostFrequent.TryDequeue(out Pair? pair, out Pair.Rank queued))
        {
            if (pair.Count == queued.Count)
            {
                return pair;
            }

            Enqueue(pair);
        }

        return null;
    }

    private void Enqueue(Pair pair)
    {
        if (pair.Count >= 2)
        {
            _mostFrequent.Enqueue(pair, new Pair.Rank(pair.Count, pair.Left, pair.Right));
        }
    }

    private void Merge(Pair pair, int merged)
    {
        var made = new HashSet<Pair>();
        foreach (int index in pair.Words)
        {
            Replace(index, pair, merged, made);
        }

        // Only pairs with the new symbol can have become more frequent.
        foreach (Pair next in made)
        {
            Enqueue(next);
        }
    }

    // Replaces the pair in one word from left to right; after each replacement the counts fit the word as it then stands.
    private void Replace(int index, Pair pair, int merged, HashSet<Pair> made)
    {
        Word word = _words[index];
        int[] symbols = word.Symbols;
        int to = 0;
        for (int from = 0; from < word.Length; from++)
        {
            if (from + 1 == word.Length || symbols[from] != pair.Left || symbols[from + 1] != pair.Right)
            {
                symbols[to++] = symbols[from];
                continue;
            }

            pair.Count -= word.Count;
            if (to > 0)
            {
                PairOf(symbols[to - 1], pair.Left).Count -= word.Count;
                made.Add(PairOf(symbols[to - 1], merged).Add(index, word.Count));
            }

            from++;
            if (from + 1 < word.Length)
            {
                PairOf(pair.Right, symbols[from + 1]).Count -= word.Count;
                made.Add(PairOf(merged, symbols[from + 1]).Add(index, word.Count));
            }

            symbols[to++] = merged;
        }

        word.Length = to;
    }

    private Pair PairOf(int left, int right)
    {
        ref Pair? pair = ref CollectionsMarshal.GetValueRefOrAddDefault(_pairs, ((long)left << 32) | (uint)right, out _);
        return pair ??= new Pair(left, right);
    }

    private sealed class Word(int[] symbols, int count)
    {
        public int[] Symbols { get; } = symbols;

        public int Count { get; } = count;

        public int Length { get; set; } = symbols.Length;
    }

    // Two neighbouring symbols: how often they occur, and the words they occur (or once occurred) in.
    private sealed class Pair(int left, int right)
    {
        public int Left { get; } = left;

        public int Right { get; } = right;

        public long Count { get; set; }

        public List<int> Words { get; } = [];

        public Pair Add(int word, int count)
        {
            Count += count;
            if (Words.Count == 0 || Words[^1] != word)
            {
                Words.Add(word);
            }

            return this;
        }

        /// <summary>Sorts the most frequent first, then the smaller symbols.</summary>
        public readonly record struct Rank(long Count, int Left, int Right) : IComparable<Rank>
        {
            public int CompareTo(Rank other) =>
                Count != other.Count ? other.Count.CompareTo(Count) : (Left, Right).CompareTo((other.Left, other.Right));
        }
    }
}
