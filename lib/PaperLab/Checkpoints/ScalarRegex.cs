// Regular expressions over Unicode characters. .NET's work on UTF-16 units, where a character beyond U+FFFF is two surrogates and no
// letter: "😀abc" and "𠀀" would be cut elsewhere than the tokenizers cut that these patterns come from, and get other ids. So each
// such character is shown to the pattern as one unit of the same Unicode category.

using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace PaperLab.Checkpoints;

/// <summary>A pattern that sees whole characters.</summary>
internal sealed class ScalarRegex(string pattern)
{
    private static readonly Dictionary<UnicodeCategory, char> s_standIns = StandIns();
    private readonly Regex _regex = new(pattern, RegexOptions.CultureInvariant);

    /// <summary>Cuts valid UTF-16 into matches and what lies between them, in order; together they are the text. Empty matches count as none.</summary>
    public IEnumerable<(string Piece, bool IsMatch)> Split(string text)
    {
        (string view, int[]? starts) = View(text);
        string Cut(int from, int to) => starts is null ? text[from..to] : text[starts[from]..starts[to]];
        int at = 0;
        for (Match match = _regex.Match(view); match.Success; match = match.NextMatch())
        {
            if (match.Length == 0)
            {
                continue;
            }

            if (match.Index > at)
            {
                yield return (Cut(at, match.Index), false);
            }

            at = match.Index + match.Length;
            yield return (Cut(match.Index, at), true);
        }

        if (at < view.Length)
        {
            yield return (Cut(at, view.Length), false);
        }
    }

    // The text with one unit for each character, and where each begins; without surrogates, the text itself.
    private static (string View, int[]? Starts) View(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange('\ud800', '\udfff'))
        {
            return (text, null);
        }

        var view = new StringBuilder(text.Length);
        var starts = new List<int>(text.Length + 1);
        int at = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            starts.Add(at);
            view.Append(rune.IsBmp ? (char)rune.Value : s_standIns[Rune.GetUnicodeCategory(rune)]);
            at += rune.Utf16SequenceLength;
        }

        starts.Add(at);
        return (view.ToString(), [.. starts]);
    }

    // Past the alphabets that patterns spell out.
    private static Dictionary<UnicodeCategory, char> StandIns()
    {
        var standIns = new Dictionary<UnicodeCategory, char>();
        for (int unit = 0x1000; unit <= char.MaxValue; unit++)
        {
            standIns.TryAdd(char.GetUnicodeCategory((char)unit), (char)unit);
        }

        return standIns;
    }
}
