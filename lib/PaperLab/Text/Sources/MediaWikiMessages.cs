// MediaWiki's interface messages: JSON files, one for each component and language, from a message's key to its text in wiki markup.
//
// Markup goes and words stay: a link's label, what stands in tags, of {{PLURAL:…}} the last form (for any number), of {{GENDER:…}} the first
// (for anyone). $1 stays, because it stands for a word of the sentence in both languages. A message that has markup left is dropped with
// its translation: it is a program, an example of the markup, or calls another message.

using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace PaperLab.Text.Sources;

/// <summary>The messages of MediaWiki.</summary>
internal static partial class MediaWikiMessages
{
    private const string Folder = "usr/share/mediawiki/";
    private const string English = "/en.json", Arabic = "/ar.json";

    /// <summary>Whether a file of the package has messages in one of the languages.</summary>
    public static bool IsWanted(string path) => path.StartsWith(Folder, StringComparison.Ordinal) && (path.EndsWith(English, StringComparison.Ordinal) || path.EndsWith(Arabic, StringComparison.Ordinal));

    /// <summary>The translated messages, each pair of texts once.</summary>
    /// <exception cref="InvalidDataException">A file is damaged or missing; the message names it.</exception>
    public static IReadOnlyList<ParallelPair> Pairs(IReadOnlyDictionary<string, byte[]> files)
    {
        var pairs = new List<ParallelPair>();
        foreach (string path in files.Keys.Where(path => path.EndsWith(Arabic, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            string component = path[..^Arabic.Length];
            Dictionary<string, string> english = Messages(files, component + English);
            foreach ((string key, string arabic) in Messages(files, path))
            {
                if (english.TryGetValue(key, out string? text) && Clean(text) is { Length: > 0 } inEnglish && Clean(arabic) is { } inArabic && ParallelText.IsArabic(inArabic))
                {
                    pairs.Add(new ParallelPair(inEnglish, inArabic, $"mediawiki/{component[Folder.Length..]}/{key}"));
                }
            }
        }

        return [.. pairs.DistinctBy(pair => (pair.English, pair.Arabic))];
    }

    /// <summary>The words of a message, empty where there are none; null where markup is left.</summary>
    internal static string? Clean(string message)
    {
        string text = Comment().Replace(message, "");
        for (string before = ""; text != before;) // forms in forms, the inner first
        {
            before = text;
            text = Forms().Replace(text, match => FormOf(match.Groups["kind"].Value, match.Groups["forms"].Value));
        }

        text = WebUtility.HtmlDecode(Tag().Replace(ExternalLink().Replace(Link().Replace(Emphasis().Replace(text, ""), "${label}"), "${label}"), ""));
        return Markup().IsMatch(text) ? null : Word().IsMatch(Placeholder().Replace(text, "")) ? ParallelText.Tidy(text) : "";
    }

    // {{PLURAL:$1|one|other}}, {{GENDER:$1|he|she}}, {{GRAMMAR:genitive|word}}; "0=none" is for one number only.
    private static string FormOf(string kind, string forms)
    {
        string[] general = [.. forms.Split('|').Skip(1).Where(form => !OneNumber().IsMatch(form))];
        return general.Length == 0 ? "" : kind.Equals("GENDER", StringComparison.OrdinalIgnoreCase) ? general[0] : general[^1];
    }

    // "@metadata", which is no text, says who translated.
    private static Dictionary<string, string> Messages(IReadOnlyDictionary<string, byte[]> files, string path)
    {
        try
        {
            Dictionary<string, JsonElement> messages = JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(ParallelText.FileOf(files, path)) ?? [];
            return messages.Where(message => message.Value.ValueKind == JsonValueKind.String).ToDictionary(message => message.Key, message => message.Value.GetString()!);
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"{path} is no JSON object from keys to messages: {error.Message}", error);
        }
    }

    [GeneratedRegex("<!--.*?-->", RegexOptions.CultureInvariant | RegexOptions.Singleline)]
    private static partial Regex Comment();

    [GeneratedRegex(@"\{\{\s*(?<kind>PLURAL|GENDER|GRAMMAR)\s*:(?<forms>[^{}]*)\}\}", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Forms();

    [GeneratedRegex(@"^\s*\d+=", RegexOptions.CultureInvariant)]
    private static partial Regex OneNumber();

    [GeneratedRegex("'{2,}", RegexOptions.CultureInvariant)]
    private static partial Regex Emphasis();

    // [[target]], [[target|label]]
    [GeneratedRegex(@"\[\[(?:[^\[\]|]*\|)?(?<label>[^\[\]|]*)\]\]", RegexOptions.CultureInvariant)]
    private static partial Regex Link();

    // [https://… label]
    [GeneratedRegex(@"\[(?:https?:)?//[^\s\]]+\s+(?<label>[^\]]*)\]", RegexOptions.CultureInvariant)]
    private static partial Regex ExternalLink();

    [GeneratedRegex("</?[A-Za-z][^<>]*>", RegexOptions.CultureInvariant)]
    private static partial Regex Tag();

    // Of wiki and HTML; also addresses, escapes and __SWITCHES__.
    [GeneratedRegex(@"[{}<>\[\]|\\]|__[A-Z]|https?://", RegexOptions.CultureInvariant)]
    private static partial Regex Markup();

    [GeneratedRegex(@"\$\d", RegexOptions.CultureInvariant)]
    private static partial Regex Placeholder();

    [GeneratedRegex(@"\p{L}{2}", RegexOptions.CultureInvariant)]
    private static partial Regex Word();
}
