// Cleaning shared by all sources, and the normal form in which two texts count as the same.

using System.Text;

namespace PaperLab.Text;

/// <summary>Text cleaning.</summary>
internal static class CleanText
{
    /// <summary>
    /// Valid UTF-16 (a lone surrogate becomes U+FFFD), line ends as \n, no control characters but \n and \t, no byte-order marks,
    /// no spaces at line ends.
    /// </summary>
    public static string Clean(string text)
    {
        var clean = new StringBuilder(text.Length);
        text = ReplaceLoneSurrogates(text);
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (c == '\n' || (c == '\r' && (i + 1 == text.Length || text[i + 1] != '\n')))
            {
                TrimEnd(clean);
                clean.Append('\n');
            }
            else if (c == '\t' || (!char.IsControl(c) && c != '\uFEFF'))
            {
                clean.Append(c);
            }
        }

        TrimEnd(clean);
        return clean.ToString();
    }

    /// <summary>The text with every lone surrogate as U+FFFD, which is what UTF-8 makes of it; the same string where there is none.</summary>
    public static string ReplaceLoneSurrogates(string text)
    {
        char[]? replaced = null;
        for (int i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i]))
            {
                continue;
            }

            if (i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]))
            {
                i++;
                continue;
            }

            replaced ??= text.ToCharArray();
            replaced[i] = '\uFFFD';
        }

        return replaced is null ? text : new string(replaced);
    }

    /// <summary>Runs of white space as one space, none at the ends.</summary>
    public static string Collapse(ReadOnlySpan<char> text)
    {
        var collapsed = new StringBuilder(text.Length);
        foreach (char c in text)
        {
            if (!char.IsWhiteSpace(c))
            {
                collapsed.Append(c);
            }
            else if (collapsed.Length > 0 && collapsed[^1] != ' ')
            {
                collapsed.Append(' ');
            }
        }

        TrimEnd(collapsed);
        return collapsed.ToString();
    }

    /// <summary>Lower case, every digit as 0, everything but letters and digits as one space: what is equal here is the same text.</summary>
    public static string Normalise(ReadOnlySpan<char> text)
    {
        var normal = new StringBuilder(text.Length);
        foreach (char c in text)
        {
            if (char.IsAsciiDigit(c))
            {
                normal.Append('0');
            }
            else if (char.IsLetterOrDigit(c) || char.IsSurrogate(c))
            {
                normal.Append(char.ToLowerInvariant(c));
            }
            else if (normal.Length > 0 && normal[^1] != ' ')
            {
                normal.Append(' ');
            }
        }

        TrimEnd(normal);
        return normal.ToString();
    }

    private static void TrimEnd(StringBuilder text)
    {
        while (text.Length > 0 && text[^1] is ' ' or '\t')
        {
            text.Length--;
        }
    }
}
