// What a tokenizer makes of two languages: tokens for each word, and tokens for the same content.

using System.Text;
using PaperLab.Text.Sources;

namespace PaperLab.Text;

/// <summary>Texts of one language under a tokenizer.</summary>
/// <param name="Words">What stands between white space and has a letter or a digit. In Arabic that is often several words of English: وبالكتاب is "and with the book".</param>
/// <param name="Bytes">UTF-8 bytes.</param>
/// <param name="Tokens">Tokens, none before or after a text.</param>
public sealed record TokenCount(long Words, long Bytes, long Tokens)
{
    /// <summary>The fertility: tokens for each word.</summary>
    public double PerWord => (double)Tokens / Words;

    /// <summary>Bytes that a token holds.</summary>
    public double BytesPerToken => (double)Bytes / Tokens;
}

/// <summary>The two sides of aligned texts under one tokenizer.</summary>
/// <param name="English">The English side.</param>
/// <param name="Arabic">The Arabic side.</param>
public sealed record Fertility(TokenCount English, TokenCount Arabic)
{
    /// <summary>Arabic tokens for each English token of the same content: what an equal budget of tokens takes from Arabic.</summary>
    public double TokenRatio => (double)Arabic.Tokens / English.Tokens;

    /// <summary>Counts both sides.</summary>
    /// <exception cref="ArgumentException">There is no pair, or a side has no word.</exception>
    public static Fertility Of(ITokenizer tokenizer, IReadOnlyCollection<ParallelPair> pairs)
    {
        Require.AtLeast(pairs.Count, 1, "the number of pairs");
        return new Fertility(Count(tokenizer, pairs.Select(pair => pair.English), "English"), Count(tokenizer, pairs.Select(pair => pair.Arabic), "Arabic"));
    }

    private static TokenCount Count(ITokenizer tokenizer, IEnumerable<string> texts, string side)
    {
        (long words, long bytes, long tokens) = (0, 0, 0);
        foreach (string text in texts)
        {
            words += text.Split((char[]?)null).Count(word => word.Any(char.IsLetterOrDigit));
            bytes += Encoding.UTF8.GetByteCount(text);
            tokens += tokenizer.Encode(text).Length;
        }

        Require.That(words > 0, $"the number of words on the {side} side", words, "1 or more");
        return new TokenCount(words, bytes, tokens);
    }
}
