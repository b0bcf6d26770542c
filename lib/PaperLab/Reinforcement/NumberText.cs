// Numbers as people write answers: 1,234  $12.50  -3  -$5. Exact, and only in ASCII digits: other digits look alike and are not the
// characters that were asked for.

using System.Globalization;
using System.Numerics;
using System.Text.RegularExpressions;

namespace PaperLab.Reinforcement;

/// <summary>Reads one number.</summary>
public static partial class NumberText
{
    private const int MostCharacters = 64;

    /// <summary>The number that a text is, white space around it aside; null where it is something else.</summary>
    public static Rational? Read(string text)
    {
        string trimmed = text.Trim();
        return trimmed.Length <= MostCharacters && Whole().Match(trimmed) is { Success: true } match ? ValueOf(match) : null;
    }

    /// <summary>The last number in a text; null where there is none.</summary>
    public static Rational? ReadLast(string text)
    {
        // Signs that a typesetter would use; and a full stop after a number ends the sentence.
        Match match = Within().Match(text.Replace('\u2212', '-'));
        return match.Success && match.Length <= MostCharacters ? ValueOf(match) : null;
    }

    private static Rational ValueOf(Match match)
    {
        string whole = match.Groups["whole"].Value.Replace(",", "");
        string fraction = match.Groups["fraction"].Value;
        Rational value = BigInteger.Parse(whole + fraction, NumberStyles.None);
        value /= BigInteger.Pow(10, fraction.Length);
        return match.Groups["minus"].Success ? 0 - value : value;
    }

    // No leading zeros; thousands all separated or not at all; a sign before or after the currency.
    private const string Number = @"(?:(?<minus>-)?[$€£]?|[$€£](?<minus>-))(?<whole>[1-9][0-9]{0,2}(?:,[0-9]{3})+|0|[1-9][0-9]*)(?:\.(?<fraction>[0-9]+))?";

    [GeneratedRegex($@"\A{Number}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Whole();

    // From the right, so the first match is the last number; not a part of a word, of a fraction or of a longer number.
    [GeneratedRegex($@"(?<![\w.,/$€£-]){Number}(?![\w/]|[.,][0-9])", RegexOptions.CultureInvariant | RegexOptions.RightToLeft)]
    private static partial Regex Within();
}
