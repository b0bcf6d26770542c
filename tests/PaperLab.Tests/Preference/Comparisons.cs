using PaperLab.Preference;
using PaperLab.Reinforcement;

namespace PaperLab.Tests.Preference;

/// <summary>Texts of the letters a to e, compared by a rule or by a draw from Bradley and Terry's model.</summary>
internal static class Comparisons
{
    public const string Letters = "abcde";

    public static SymbolTokenizer Tokenizer { get; } = new(["?", .. Letters.Select(letter => letter.ToString())]);

    /// <summary>How often each letter is there.</summary>
    public static float[] Counts(Candidate candidate) => [.. Letters.Select(letter => (float)candidate.Text.Count(c => c == letter))];

    /// <summary>Pairs in which the first wins with the probability that the rewards of both give, or the higher reward where it is not noisy.</summary>
    public static PreferencePair[] Draw(int count, ulong seed, Func<string, double> reward, bool noisy = false)
    {
        var random = new SplitMix64(seed);
        var pairs = new PreferencePair[count];
        for (int i = 0; i < count; i++)
        {
            string one, other;
            do
            {
                (one, other) = (Text(ref random), Text(ref random));
            }
            while (reward(one) == reward(other));

            double probability = 1 / (1 + Math.Exp(reward(other) - reward(one)));
            bool first = noisy ? random.NextDouble() < probability : probability > 0.5;
            pairs[i] = first ? new PreferencePair(new Query("?"), one, other) : new PreferencePair(new Query("?"), other, one);
        }

        return pairs;
    }

    /// <summary>The same pairs, each turned with probability one half.</summary>
    public static PreferencePair[] WithoutMeaning(IEnumerable<PreferencePair> pairs, ulong seed)
    {
        var random = new SplitMix64(seed);
        return [.. pairs.Select(pair => random.Next(2) == 0 ? pair : pair with { Chosen = pair.Rejected, Rejected = pair.Chosen })];
    }

    /// <summary>a three times better than b, once worse: whatever fits it best says that a beats b by log 3.</summary>
    public static PreferencePair[] ThreeToOne()
    {
        var query = new Query("?");
        return [new(query, "a", "b"), new(query, "a", "b"), new(query, "b", "a"), new(query, "a", "b")];
    }

    private static string Text(ref SplitMix64 random)
    {
        char[] text = new char[8];
        for (int i = 0; i < text.Length; i++)
        {
            text[i] = Letters[random.Next(Letters.Length)];
        }

        return new string(text);
    }
}
