// What a cell leaves on the page: the four output kinds of nbformat 4.x, as plain records.

using System.Text.Json.Nodes;

namespace PaperLab.Notebooks.Format;

/// <summary>The two text streams of a cell.</summary>
public enum StreamName
{
    Stdout,
    Stderr,
}

/// <summary>One representation of a value for each MIME type, richest first. Text types hold a string, JSON types (…+json) a JSON node, images base64.</summary>
public sealed record MimeBundle(IReadOnlyList<KeyValuePair<string, JsonNode>> Entries)
{
    /// <summary>The entry for <paramref name="mimeType"/>, or null when the bundle has none.</summary>
    public JsonNode? this[string mimeType] => Entries.FirstOrDefault(entry => entry.Key == mimeType).Value;

    /// <summary>The text/plain entry, or an empty string.</summary>
    public string PlainText => this["text/plain"]?.ToString() ?? "";

    /// <summary>The last line of the plain text that says something: of progress, where it is now. Empty where none does.</summary>
    public string LastLine => PlainText.Split('\n').LastOrDefault(line => !string.IsNullOrWhiteSpace(line))?.Trim() ?? "";
}

/// <summary>One output of a code cell.</summary>
public abstract record CellOutput
{
    /// <summary>The output as nbformat 4 stores it. A display id is not stored.</summary>
    public JsonObject ToJson() => OutputJson.ToJson(this);

    /// <summary>The representations of the value that it shows; null for streams and errors.</summary>
    public MimeBundle? Shown() => this switch
    {
        DisplayOutput display => display.Data,
        ResultOutput result => result.Data,
        _ => null,
    };
}

/// <summary>Text written to stdout or stderr.</summary>
public sealed record StreamOutput(StreamName Name, string Text) : CellOutput;

/// <summary>A displayed value. <paramref name="DisplayId"/> names it for later updates within the same run; it is not saved.</summary>
public sealed record DisplayOutput(MimeBundle Data, string? DisplayId = null, JsonObject? Metadata = null) : CellOutput;

/// <summary>The value of a cell's last expression.</summary>
public sealed record ResultOutput(MimeBundle Data, int? ExecutionCount, JsonObject? Metadata = null) : CellOutput;

/// <summary>The error that ended a cell: exception type, message, trimmed stack trace by line.</summary>
public sealed record ErrorOutput(string Name, string Message, IReadOnlyList<string> Traceback) : CellOutput;
