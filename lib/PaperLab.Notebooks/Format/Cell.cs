// One cell of a notebook, whatever the file format it came from.

using System.Text.Json.Nodes;

namespace PaperLab.Notebooks.Format;

/// <summary>The three kinds of cell of nbformat 4.</summary>
public enum CellKind
{
    Code,
    Markdown,
    Raw,
}

/// <summary>
/// One cell. What is not changed is written back as it was read, byte for byte; what is changed is written in the file's style.
/// Outputs are immutable records: replace one in <see cref="Outputs"/> rather than altering what it holds.
/// </summary>
public sealed class Cell
{
    private readonly string _defaultLanguage;
    private JsonObject? _metadata;
    private List<CellOutput>? _outputs;

    /// <summary>A new cell of a notebook whose default language is C#.</summary>
    public Cell(CellKind kind, string source)
        : this(kind, source, Notebook.CSharp)
    {
    }

    internal Cell(CellKind kind, string source, string defaultLanguage)
    {
        (Kind, Source, _defaultLanguage) = (kind, source, defaultLanguage);
    }

    /// <summary>A cell as it was read; null for a cell made in memory.</summary>
    internal CellOrigin? Origin { get; init; }

    /// <summary>Code, markdown or raw.</summary>
    public CellKind Kind { get; }

    /// <summary>The whole text of the cell; lines end as they do in the file.</summary>
    public string Source { get; set; }

    /// <summary>The cell id of nbformat 4.5; null where the file gives none.</summary>
    public string? Id { get; set; }

    /// <summary>The In[n] number of a code cell; null where it has not run.</summary>
    public int? ExecutionCount { get; set; }

    /// <summary>The cell's metadata; changes to it are saved.</summary>
    public JsonObject Metadata => _metadata ??= Origin?.ReadObject("metadata") ?? [];

    /// <summary>Files embedded in the cell, by name and MIME type; null where it has none. Changes to it are saved.</summary>
    public JsonObject? Attachments
    {
        get => AttachmentsTouched ? field : Attachments = Origin?.ReadObject("attachments");
        set => (field, AttachmentsTouched) = (value, true);
    }

    /// <summary>What the cell left on the page, in order. Empty for markdown and raw cells.</summary>
    public IList<CellOutput> Outputs => _outputs ??= Origin?.ReadOutputs() ?? [];

    /// <summary>The tags in the cell's metadata, such as <c>parameters</c> or <c>raises-exception</c>.</summary>
    public IReadOnlyList<string> Tags =>
        Metadata["tags"] is JsonArray tags ? [.. tags.OfType<JsonValue>().Select(tag => tag.ToString())] : [];

    /// <summary>The language of a code cell as .NET Interactive names it (<c>csharp</c>, <c>fsharp</c>, <c>html</c>, …); <c>markdown</c> or <c>raw</c> otherwise.</summary>
    public string Language => Kind switch
    {
        CellKind.Markdown => "markdown",
        CellKind.Raw => "raw",
        _ => Text(Metadata["polyglot_notebook"], "kernelName") ?? Text(Metadata["dotnet_interactive"], "language") ?? _defaultLanguage,
    };

    /// <summary>True once the attachments were asked for or set, so that they may differ from what was read.</summary>
    internal bool AttachmentsTouched { get; private set; }

    /// <summary>The metadata when it was asked for, so that it may differ from what was read.</summary>
    internal JsonObject? TouchedMetadata => _metadata;

    /// <summary>The outputs when they were asked for, so that they may differ from what was read.</summary>
    internal List<CellOutput>? TouchedOutputs => _outputs;

    /// <summary>True when the cell carries <paramref name="tag"/>.</summary>
    public bool HasTag(string tag) => Tags.Contains(tag);

    /// <summary>Adds <paramref name="tag"/> unless the cell carries it already.</summary>
    public void AddTag(string tag)
    {
        if (HasTag(tag))
        {
            return;
        }

        if (Metadata["tags"] is JsonArray tags)
        {
            tags.Add(tag);
        }
        else
        {
            Metadata["tags"] = new JsonArray(tag);
        }
    }

    /// <summary>Names the cell's language where VS Code's Polyglot extension looks for it.</summary>
    internal void SetLanguage(string language)
    {
        Metadata["dotnet_interactive"] = new JsonObject { ["language"] = language };
        Metadata["polyglot_notebook"] = new JsonObject { ["kernelName"] = language };
    }

    private static string? Text(JsonNode? node, string name) =>
        (node as JsonObject)?[name] is JsonValue value && value.TryGetValue(out string? text) ? text : null;
}
