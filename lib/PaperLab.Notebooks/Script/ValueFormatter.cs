// From an object to the MIME bundle that shows it, by the rules of Microsoft.DotNet.Interactive.Formatting: registered
// formatters, convention attributes, preferred MIME types.

using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.DotNet.Interactive.Formatting;
using PaperLab.Notebooks.Format;

namespace PaperLab.Notebooks.Script;

/// <summary>Formats values for display.</summary>
internal static class ValueFormatter
{
    /// <summary>
    /// The bundle for <paramref name="value"/> in the given MIME types, or in those its type prefers. Scalars get text/plain as well,
    /// for readers without HTML; other values do not, because formatting an enumerable twice would run it twice.
    /// </summary>
    public static MimeBundle Format(object? value, params IReadOnlyCollection<string> mimeTypes)
    {
        bool chosen = mimeTypes.Count > 0;
        List<string> types = [.. chosen ? mimeTypes : Formatter.GetPreferredMimeTypesFor(value?.GetType())];
        if (!chosen && IsScalar(value) && !types.Contains(PlainTextFormatter.MimeType))
        {
            types.Add(PlainTextFormatter.MimeType);
        }

        return new MimeBundle([.. types.Select(type => Entry(type, value.ToDisplayString(type)))]);
    }

    /// <summary>A bundle of text that is already formatted.</summary>
    public static MimeBundle FromText(string mimeType, string text) => new([Entry(mimeType, text)]);

    private static bool IsScalar(object? value) =>
        value is null or string or decimal or DateTime or DateTimeOffset or TimeSpan or Guid or Enum || value.GetType().IsPrimitive;

    // A JSON MIME type holds JSON; text that is none is kept as a JSON string, which front ends show as such.
    private static KeyValuePair<string, JsonNode> Entry(string mimeType, string text)
    {
        if (!OutputJson.IsJson(mimeType))
        {
            return new(mimeType, JsonValue.Create(text));
        }

        try
        {
            return new(mimeType, JsonNode.Parse(text) ?? JsonValue.Create(text));
        }
        catch (JsonException)
        {
            return new(mimeType, JsonValue.Create(text));
        }
    }
}
