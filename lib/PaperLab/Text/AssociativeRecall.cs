// Associative recall: a list of key–value pairs, then keys whose values are asked for. Whoever answers has to find the key's place
// in the context and bring the value from there, which is what attention's keys and values are for; nothing can be learned by heart.
//
//   bQ 8a x5 …   x5 bQ …      n pairs, then q queries with their answers, without the spaces; only answers are scored
//
// A symbol is one printable character, so one byte and one token. Every sequence draws its keys and their values anew, so that what a
// key meant in one sequence says nothing about the next, and no sequence is drawn twice: a held-out one was never trained on.

using System.Text.Json.Serialization;

namespace PaperLab.Text;

/// <summary>The sizes of an associative-recall task.</summary>
public sealed record RecallOptions
{
    /// <summary>n: pairs of a sequence; each has another key.</summary>
    public int Pairs { get; init; } = 16;

    /// <summary>q: queries of a sequence, each for one of its keys, drawn anew.</summary>
    public int Queries { get; init; } = 8;

    /// <summary>How many symbols can be keys, and how many others values.</summary>
    public int Symbols { get; init; } = 32;

    /// <summary>Sequences to train on.</summary>
    public int TrainSequences { get; init; } = 20_000;

    /// <summary>Sequences held out.</summary>
    public int HeldOutSequences { get; init; } = 512;

    /// <summary>Seed of the sequences.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>T: tokens of a sequence.</summary>
    [JsonIgnore]
    public int Length => 2 * (Pairs + Queries);

    /// <summary>Throws with the field, its value and the allowed range.</summary>
    /// <exception cref="ArgumentException">A field is out of range.</exception>
    public void Validate()
    {
        Require.That(Symbols is >= 8 and <= AssociativeRecall.MostSymbols, $"RecallOptions.{nameof(Symbols)}", Symbols, $"8 to {AssociativeRecall.MostSymbols}");
        Require.That(Pairs >= 1 && Pairs <= Symbols, $"RecallOptions.{nameof(Pairs)}", Pairs, $"1 to Symbols = {Symbols}, for each has a key of its own");
        Require.AtLeast(Queries, 1, $"RecallOptions.{nameof(Queries)}");
        Require.AtLeast(TrainSequences, 1, $"RecallOptions.{nameof(TrainSequences)}");
        Require.AtLeast(HeldOutSequences, 2, $"RecallOptions.{nameof(HeldOutSequences)}");
        double keys = Enumerable.Range(0, Pairs).Aggregate(1.0, (product, i) => product * (Symbols - i));
        double sequences = keys * Math.Pow(Symbols, Pairs) * Math.Pow(Pairs, Queries);
        long wanted = (long)TrainSequences + HeldOutSequences;
        Require.That(wanted <= sequences, $"RecallOptions.{nameof(TrainSequences)} + {nameof(HeldOutSequences)}", wanted, $"at most {sequences:0}, the sequences that there are");
    }
}

/// <summary>Makes the sequences.</summary>
public static class AssociativeRecall
{
    /// <summary>Tokens of the vocabulary: the bytes and the end of a text.</summary>
    public const int VocabularySize = 257;

    /// <summary>The printable characters, half of them for keys and half for values.</summary>
    public const int MostSymbols = ('~' - '!' + 1) / 2;

    /// <summary>The task's sequences as token streams with their layout; the same for the same options, on every machine.</summary>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public static TokenizedCorpus Load(RecallOptions options)
    {
        options.Validate();
        var random = new SplitMix64((ulong)options.Seed);
        var documents = new List<Document>(options.TrainSequences + options.HeldOutSequences);
        var drawn = new HashSet<string>();
        foreach ((Split split, int count) in new[] { (Split.Train, options.TrainSequences), (Split.HeldOut, options.HeldOutSequences) })
        {
            for (int i = 0; i < count; i++)
            {
                string sequence = Sequence(options, ref random);
                while (!drawn.Add(sequence))
                {
                    sequence = Sequence(options, ref random);
                }

                documents.Add(new Document($"{split} sequence {i + 1}", "recall", split, sequence));
            }
        }

        bool[] scored = [.. Enumerable.Range(0, options.Length).Select(t => t >= 2 * options.Pairs && t % 2 == 0)];
        return TokenizedCorpus.OfSequences(Corpus.Of(documents), BpeTokenizer.Train([], VocabularySize), new SequenceLayout(scored));
    }

    private static string Sequence(RecallOptions options, ref SplitMix64 random)
    {
        Span<int> keys = [.. Enumerable.Range(0, options.Symbols)];
        random.Shuffle(keys);
        char[] text = new char[options.Length];
        for (int i = 0; i < options.Pairs; i++)
        {
            (text[2 * i], text[(2 * i) + 1]) = (Key(keys[i]), Value(random.Next(options.Symbols)));
        }

        for (int i = options.Pairs; i < options.Pairs + options.Queries; i++)
        {
            text.AsSpan(2 * random.Next(options.Pairs), 2).CopyTo(text.AsSpan(2 * i));
        }

        return new string(text);
    }

    private static char Key(int number) => (char)('!' + (2 * number) + 1);

    private static char Value(int number) => (char)('!' + (2 * number));
}
