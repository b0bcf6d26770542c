// A fixed vocabulary for a task with few signs, so that a model of 100,000 parameters spends them on the task. No symbol begins with
// another: a text has one encoding at most, and whatever ids a model draws, their text encodes to the same ids again.
//
//   ids: 0 ends a text, 1 … the symbols in their order

using PaperLab.Text;

namespace PaperLab.Reinforcement;

/// <summary>Text of given symbols to ids and back.</summary>
public sealed class SymbolTokenizer : ITokenizer
{
    /// <summary>Id of the token that ends a text; no text encodes to it.</summary>
    public const int End = 0;

    private const string EndToken = "<|end|>";

    private readonly string[] _tokens;

    /// <summary>A vocabulary of these symbols and the token that ends a text.</summary>
    /// <exception cref="ArgumentException">A symbol is empty, or begins with another.</exception>
    public SymbolTokenizer(IEnumerable<string> symbols)
    {
        _tokens = [EndToken, .. symbols];
        for (int i = 0; i < _tokens.Length; i++)
        {
            Require.That(_tokens[i].Length > 0, $"symbol {i}", "empty", "one character or more");
        }

        for (int i = 0; i < _tokens.Length; i++)
        {
            for (int j = 0; j < _tokens.Length; j++)
            {
                bool begins = i != j && _tokens[i].StartsWith(_tokens[j], StringComparison.Ordinal);
                Require.That(!begins, $"symbol {i}", $"'{_tokens[i]}'", $"one that does not begin with another, and symbol {j} is '{_tokens[j]}'");
            }
        }
    }

    /// <inheritdoc/>
    public int VocabularySize => _tokens.Length;

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The text holds something that is no symbol; the message says where.</exception>
    public int[] Encode(string text)
    {
        var ids = new List<int>(text.Length);
        for (int at = 0; at < text.Length; at += _tokens[ids[^1]].Length)
        {
            int id = Array.FindIndex(_tokens, 1, symbol => text.AsSpan(at).StartsWith(symbol, StringComparison.Ordinal));
            Require.That(id > 0, $"the text at character {at}", $"'{text[at..Math.Min(text.Length, at + 10)]}'", $"the symbols '{string.Join("', '", _tokens.Skip(1)).Replace("\n", "\\n")}'");
            ids.Add(id);
        }

        return [.. ids];
    }

    /// <inheritdoc/>
    public string Decode(IReadOnlyList<int> ids)
    {
        foreach (int id in ids)
        {
            Require.That(id >= 0 && id < _tokens.Length, "a token id", id, $"0 to {_tokens.Length - 1}");
        }

        return string.Concat(ids.Select(id => _tokens[id]));
    }
}
