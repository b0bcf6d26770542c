// A message that arrived, with the fields of its content as their types. Front ends leave out what has a default.

using System.Text;
using System.Text.Json;

namespace PaperLab.Notebooks.Jupyter;

/// <summary>A message from a front end.</summary>
internal sealed class KernelRequest
{
    private readonly JsonElement _content;

    /// <param name="identities">The route back to its sender.</param>
    /// <param name="header">Its header, as it came: what answers it carries the same.</param>
    /// <param name="content">Its content.</param>
    /// <exception cref="JsonException">Header or content is no JSON object, or the header names no type.</exception>
    public KernelRequest(IReadOnlyList<byte[]> identities, byte[] header, byte[] content)
    {
        (Identities, Header) = (identities, header);
        JsonElement head = ObjectOf(header);
        Type = head.TryGetProperty("msg_type", out JsonElement type) && type.ValueKind == JsonValueKind.String
            ? type.GetString()!
            : throw new JsonException("the header names no msg_type");
        _content = ObjectOf(content);
    }

    /// <summary>The route back to its sender.</summary>
    public IReadOnlyList<byte[]> Identities { get; }

    /// <summary>Its header, as it came.</summary>
    public byte[] Header { get; }

    /// <summary>Its type: <c>execute_request</c>, …</summary>
    public string Type { get; }

    /// <summary>The line that answers a question; null when this is none.</summary>
    public string? Value => _content.TryGetProperty("value", out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>A field of text.</summary>
    /// <exception cref="JsonException">It is not there, or no text.</exception>
    public string Text(string field) => OptionalText(field) ?? throw new JsonException($"{Type} needs a text \"{field}\"");

    /// <summary>A field of text; null when it is not there.</summary>
    public string? OptionalText(string field) => Find(field, JsonValueKind.String)?.GetString();

    /// <summary>A whole number; null when it is not there.</summary>
    public int? Number(string field) => Find(field, JsonValueKind.Number) is { } value
        ? value.TryGetInt32(out int number) ? number : throw new JsonException($"{Type}: \"{field}\" is {value.GetRawText()}, which is no whole number")
        : null;

    /// <summary>True or false.</summary>
    public bool Flag(string field, bool otherwise) => _content.TryGetProperty(field, out JsonElement value) && value.ValueKind is JsonValueKind.True or JsonValueKind.False
        ? value.GetBoolean()
        : otherwise;

    /// <summary>The fields of an object that are texts; none when it is not there.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Texts(string field) => Find(field, JsonValueKind.Object) is { } value
        ? [.. value.EnumerateObject().Where(entry => entry.Value.ValueKind == JsonValueKind.String).Select(entry => KeyValuePair.Create(entry.Name, entry.Value.GetString()!))]
        : [];

    /// <summary><c>code</c> and <c>cursor_pos</c>, which counts Unicode characters, as a position in the string.</summary>
    public (string Code, int Position) CodeAndPosition()
    {
        string code = Text("code");
        int characters = Number("cursor_pos") ?? int.MaxValue;
        int position = 0;
        foreach (Rune rune in code.EnumerateRunes())
        {
            if (characters-- <= 0)
            {
                break;
            }

            position += rune.Utf16SequenceLength;
        }

        return (code, position);
    }

    /// <summary>How many Unicode characters stand before <paramref name="position"/>.</summary>
    public static int CharactersBefore(string code, int position)
    {
        int characters = 0;
        foreach (Rune _ in code.AsSpan(0, position).EnumerateRunes())
        {
            characters++;
        }

        return characters;
    }

    private JsonElement? Find(string field, JsonValueKind kind) =>
        !_content.TryGetProperty(field, out JsonElement value) || value.ValueKind == JsonValueKind.Null ? null
        : value.ValueKind == kind ? value
        : throw new JsonException($"{Type}: \"{field}\" is {value.GetRawText()}; it has to be a {kind.ToString().ToLowerInvariant()}");

    private static JsonElement ObjectOf(byte[] json)
    {
        var reader = new Utf8JsonReader(json);
        JsonElement element = JsonElement.ParseValue(ref reader);
        return element.ValueKind == JsonValueKind.Object ? element : throw new JsonException($"it is a {element.ValueKind.ToString().ToLowerInvariant()} and no object");
    }
}
