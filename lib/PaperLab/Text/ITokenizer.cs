namespace PaperLab.Text;

/// <summary>What models and their users need of a tokenizer: one that we trained, or a checkpoint's own.</summary>
public interface ITokenizer
{
    /// <summary>Ids are 0 to this minus one; a model's embedding needs at least as many rows.</summary>
    int VocabularySize { get; }

    /// <summary>Token ids of a text.</summary>
    int[] Encode(string text);

    /// <summary>The text of token ids; bytes that are no valid UTF-8 become U+FFFD.</summary>
    /// <exception cref="ArgumentException">An id is no token's.</exception>
    string Decode(IReadOnlyList<int> ids);
}
