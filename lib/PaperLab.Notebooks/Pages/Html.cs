// The few things every part of a page needs: escaping, data URIs, durations.

using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace PaperLab.Notebooks.Pages;

internal static partial class Html
{
    /// <summary>Text that stays text, inside an element and inside a quoted attribute.</summary>
    public static string Escape(string text) =>
        text.Replace("&", "&amp;").Replace("<", "&lt;").Replace(">", "&gt;").Replace("\"", "&quot;").Replace("'", "&#39;");

    /// <summary>Base64 as notebooks store it may be broken into lines.</summary>
    public static string DataUri(string mimeType, string base64) =>
        $"data:{mimeType};base64,{Escape(string.Concat(base64.Where(c => !char.IsWhiteSpace(c))))}";

    /// <summary>JSON for a script element: no character in it can end the element or open a comment.</summary>
    public static string ScriptJson(string json) =>
        json.Replace("<", "\\u003c").Replace("\u2028", "\\u2028").Replace("\u2029", "\\u2029");

    /// <summary>A script's source for a script element: <c>&lt;/script</c> and <c>&lt;!--</c> occur in strings only, where the backslash changes nothing.</summary>
    public static string ScriptSource(string script) =>
        ScriptEnd().Replace(script, "<\\/$1").Replace("<!--", "<\\!--");

    /// <summary>The number in a JSON node; null where it is none.</summary>
    public static double? Number(JsonNode? node) =>
        node?.GetValueKind() == JsonValueKind.Number ? double.Parse(node.ToJsonString(), CultureInfo.InvariantCulture) : null;

    /// <summary>340 ms, 8.2 s, 3 min 20 s, 1 h 5 min.</summary>
    public static string Duration(TimeSpan time) => time.TotalSeconds switch
    {
        < 0.001 => "under 1 ms",
        < 1 => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0} ms"),
        < 9.95 => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.0} s"),
        < 59.5 => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0} s"),
        < 3600 => $"{(int)time.TotalMinutes} min {time.Seconds} s",
        _ => $"{(int)time.TotalHours} h {time.Minutes} min",
    };

    /// <summary>The addresses that markup would load from elsewhere when the page opens. Links do not count: they load on a click.</summary>
    public static IEnumerable<string> ExternalResources(string html) =>
        ResourceReference().Matches(html).Select(match => match.Groups["address"].Value);

    /// <summary>A text that is embedded in this assembly beside <paramref name="type"/>.</summary>
    public static string Resource(Type type, string name)
    {
        using Stream stream = type.Assembly.GetManifestResourceStream(type, name)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    [GeneratedRegex("</(script)", RegexOptions.IgnoreCase)]
    private static partial Regex ScriptEnd();

    [GeneratedRegex("""<(?:img|script|link|iframe|video|audio|source|embed|object)\b[^>]*?\s(?:src|href|data)\s*=\s*["']?(?<address>(?:https?:)?//[^\s"'>]+)""", RegexOptions.IgnoreCase)]
    private static partial Regex ResourceReference();
}
