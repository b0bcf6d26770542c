// A taste that no model has seen in training: it is drawn afterwards, and is the gold by which all searches are measured. What a search may
// look at is a reward model that has learned it from comparisons, more or less well.

namespace PaperLab.Preference;

/// <summary>How a taste depends on how often an attribute occurs.</summary>
public enum TasteKind
{
    /// <summary>The more the better, or the less.</summary>
    Monotone,

    /// <summary>Just so many: too few and too many are alike. Then "more" is no direction that can be followed for long.</summary>
    Interior,
}

/// <summary>A taste for texts of <see cref="AttributeLanguage"/>.</summary>
public sealed class HiddenPreference
{
    /// <summary>Taken off for a text about something else.</summary>
    public const double OffTopic = 5;

    /// <summary>Attributes that it cares for.</summary>
    public const int Liked = 3;

    private const int FewestWanted = 1, MostWanted = 3;

    private readonly TasteKind _kind;
    private readonly int[] _values; // monotone: +1, −1 or 0; interior: the number wanted, −1 where it does not care

    private HiddenPreference(TasteKind kind, int[] values) => (_kind, _values) = (kind, values);

    /// <summary>Draws a taste: three attributes, each liked or disliked, or wanted one to three times.</summary>
    public static HiddenPreference Draw(TasteKind kind, ulong seed)
    {
        var random = new SplitMix64(seed);
        int[] values = new int[AttributeLanguage.Attributes.Count], order = [.. Enumerable.Range(0, values.Length)];
        random.Shuffle<int>(order);
        Array.Fill(values, kind == TasteKind.Monotone ? 0 : -1);
        foreach (int k in order.Take(Liked))
        {
            values[k] = kind == TasteKind.Monotone ? (2 * random.Next(2)) - 1 : FewestWanted + random.Next(MostWanted - FewestWanted + 1);
        }

        return new HiddenPreference(kind, values);
    }

    /// <summary>How well it likes a text, in words of one attribute: Σ ±aₖ, or −Σ |aₖ − tₖ|.</summary>
    /// <param name="query">What was asked.</param>
    /// <param name="text">The answer; what is no text counts as one without words about something else.</param>
    public double Gold(Query query, string? text)
    {
        AttributeText? read = text is null ? null : AttributeLanguage.ReadText(text);
        double liking = 0;
        for (int k = 0; k < _values.Length; k++)
        {
            int count = read?.Counts[k] ?? 0;
            liking += _kind == TasteKind.Monotone ? _values[k] * count : _values[k] < 0 ? 0 : -Math.Abs(count - _values[k]);
        }

        return read?.Topic == AttributeLanguage.TopicOf(query) ? liking : liking - OffTopic;
    }

    /// <summary>In words: "warmth +, humour −", or "warmth 2, humour 3".</summary>
    public override string ToString() => string.Join(
        ", ",
        AttributeLanguage.Attributes.Select((name, k) => _kind == TasteKind.Monotone
            ? _values[k] == 0 ? "" : $"{name} {(_values[k] > 0 ? '+' : '−')}"
            : _values[k] < 0 ? "" : $"{name} {_values[k]}").Where(part => part.Length > 0));
}
