namespace PaperLab.Preference;

/// <summary>What a chat model wrote, before it is read as anything.</summary>
/// <param name="Text">All of it.</param>
/// <param name="Finish">Why it ended, in the API's words: stop, length, content_filter; null where the server does not say.</param>
/// <param name="PromptTokens">Tokens that were read.</param>
/// <param name="GeneratedTokens">Tokens that were written.</param>
internal sealed record ChatAnswer(string Text, string? Finish, int PromptTokens, int GeneratedTokens)
{
    private const string ThinkingBegins = "<think>", ThinkingEnds = "</think>";

    /// <summary>The text without what a model that reasons thinks aloud before it.</summary>
    public string Spoken { get; } = WithoutThinking(Text);

    /// <summary>Why nothing in it can be used; null where something may.</summary>
    public string? Failure => Finish switch
    {
        "length" => "cut off at MaxTokens",
        "content_filter" => "withheld by the server's content filter",
        _ => Spoken.Length == 0 ? "empty" : null,
    };

    /// <summary>What stands between the last pair of tags, for a model may quote its orders first; null where nothing does.</summary>
    public string? Between(string tag)
    {
        int end = Spoken.LastIndexOf($"</{tag}>", StringComparison.OrdinalIgnoreCase);
        int begin = end < 0 ? -1 : Spoken.LastIndexOf($"<{tag}>", end, StringComparison.OrdinalIgnoreCase);
        string inside = begin < 0 ? "" : Spoken[(begin + tag.Length + 2)..end].Trim();
        return inside.Length == 0 ? null : inside;
    }

    private static string WithoutThinking(string text)
    {
        // Where the server's own prompt opens the thinking, only its end is in the text.
        int end = text.IndexOf(ThinkingEnds, StringComparison.Ordinal);
        return end >= 0 ? text[(end + ThinkingEnds.Length)..].Trim()
            : text.AsSpan().TrimStart().StartsWith(ThinkingBegins, StringComparison.Ordinal) ? ""
            : text.Trim();
    }
}
