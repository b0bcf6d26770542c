// Tokens that are found in a text before anything else happens to it: the leftmost, and of those that begin there the longest.

using System.Text.RegularExpressions;

namespace PaperLab.Checkpoints;

/// <summary>A token that stands beside the merges.</summary>
/// <param name="Content">Its text.</param>
/// <param name="Id">Its id.</param>
/// <param name="TakesLeft">Whether white space before it belongs to it.</param>
/// <param name="TakesRight">Whether white space after it belongs to it.</param>
internal sealed record AddedToken(string Content, int Id, bool TakesLeft, bool TakesRight);

/// <summary>Cuts texts at added tokens.</summary>
internal sealed class AddedTokens
{
    private readonly Dictionary<string, AddedToken> _tokens;
    private readonly Regex? _any;

    public AddedTokens(IEnumerable<AddedToken> tokens)
    {
        _tokens = tokens.GroupBy(token => token.Content).ToDictionary(group => group.Key, group => group.Last());
        string[] longestFirst = [.. _tokens.Keys.OrderByDescending(content => content.Length).Select(Regex.Escape)];
        _any = longestFirst.Length == 0 ? null : new Regex(string.Join('|', longestFirst), RegexOptions.CultureInvariant);
    }

    /// <summary>The text's parts in order, those between tokens without an id; empty ones are left out. With <paramref name="parse"/> false it is one part.</summary>
    public IEnumerable<(string Part, int? Id)> Split(string text, bool parse)
    {
        int at = 0;
        for (Match? match = parse ? _any?.Match(text) : null; match is { Success: true }; match = _any!.Match(text, at))
        {
            AddedToken token = _tokens[match.Value];
            string between = text[at..match.Index];
            between = token.TakesLeft ? between.TrimEnd() : between;
            if (between.Length > 0)
            {
                yield return (between, null);
            }

            yield return (token.Content, token.Id);
            at = match.Index + match.Length;
            while (token.TakesRight && at < text.Length && char.IsWhiteSpace(text[at]))
            {
                at++;
            }
        }

        if (at < text.Length)
        {
            yield return (text[at..], null);
        }
    }
}
