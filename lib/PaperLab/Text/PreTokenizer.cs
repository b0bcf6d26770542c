// Where words end: merges never cross these borders.

using System.Text.RegularExpressions;

namespace PaperLab.Text;

/// <summary>Splits text into the words that byte-pair merges work inside.</summary>
internal static partial class PreTokenizer
{
    /// <summary>
    /// In the manner of GPT-4's pattern: a word takes the space or sign before it, digits go in threes, line ends stay with the signs before them.
    /// Every character belongs to exactly one match. Runs are bounded, so that the time to encode is linear in the text even for
    /// a megabyte of one letter (merging a word costs more than its length). The text must be valid UTF-16; a surrogate pair is never cut.
    /// </summary>
    [GeneratedRegex(
        @"'(?i:[sdmt]|ll|ve|re)(?![\p{L}\p{M}])|[^\r\n\p{L}\p{M}\p{N}\p{Cs}]?[\p{L}\p{M}]{1,48}|\p{N}{1,3}" +
        @"| ?(?:[\uD800-\uDBFF][\uDC00-\uDFFF]|[^\s\p{L}\p{M}\p{N}\p{Cs}]){1,48}[\r\n]{0,16}" +
        @"|\s{0,48}[\r\n]{1,16}|\s{1,48}(?!\S)|\s",
        RegexOptions.CultureInvariant)]
    public static partial Regex Words();
}
