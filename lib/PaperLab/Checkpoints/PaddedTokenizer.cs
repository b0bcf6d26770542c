// A checkpoint's embedding often has more rows than its tokenizer has tokens: vocabularies are rounded up to a multiple that suits the
// hardware. A model never learned these rows, and draws one once in a long while.

using PaperLab.Text;

namespace PaperLab.Checkpoints;

/// <summary>A tokenizer to which ids without a token are unreadable text, U+FFFD, rather than an error.</summary>
/// <param name="tokenizer">The checkpoint's.</param>
public sealed class PaddedTokenizer(ITokenizer tokenizer) : ITokenizer
{
    private const string Unreadable = "\uFFFD";

    /// <inheritdoc/>
    public int VocabularySize => tokenizer.VocabularySize;

    /// <inheritdoc/>
    public int[] Encode(string text) => tokenizer.Encode(text);

    /// <summary>The text of token ids; those that are no token's become U+FFFD, as bytes that are no valid UTF-8 do.</summary>
    public string Decode(IReadOnlyList<int> ids)
    {
        if (ids.All(IsToken))
        {
            return tokenizer.Decode(ids);
        }

        List<string> parts = [];
        for (int from = 0; from < ids.Count;)
        {
            int to = from;
            while (to < ids.Count && IsToken(ids[to]))
            {
                to++;
            }

            parts.Add(tokenizer.Decode([.. ids.Skip(from).Take(to - from)]));
            parts.Add(to < ids.Count ? Unreadable : "");
            from = to + 1;
        }

        return string.Concat(parts);
    }

    private bool IsToken(int id) => tokenizer is HuggingFaceTokenizer own ? own.Has(id) : id >= 0 && id < tokenizer.VocabularySize;
}
