// Reads .ipynb (nbformat 4.x). The whole shape is checked at once, so that a fault is reported before anything runs;
// metadata and outputs are decoded only when asked for.

using System.Text.Json.Nodes;

namespace PaperLab.Notebooks.Format;

/// <summary>From bytes to a <see cref="Notebook"/> whose cells remember where they came from.</summary>
internal static class IpynbReader
{
    private const int Major = 4;

    /// <exception cref="NotebookFormatException">Broken JSON, another major version, a missing or an ill-typed field.</exception>
    public static Notebook Read(byte[] bytes, string name)
    {
        int start = bytes.AsSpan().StartsWith(Utf8.ByteOrderMark) ? Utf8.ByteOrderMark.Length : 0;
        JsonSlice root = new JsonFile(name, bytes, start).Check().Root;
        if (!root.IsObject)
        {
            throw root.Error($"the file holds {root.Found}; a notebook is a JSON object with nbformat, metadata and cells");
        }

        CheckVersion(root);
        JsonSlice metadata = root.Required("metadata");
        metadata.Expect(metadata.IsObject, "an object");
        string language = DefaultLanguage((JsonObject)metadata.Node()!);
        var cells = root.Required("cells").Items().ConvertAll(item => ReadCell(item, language));
        return new Notebook(NotebookFormat.Ipynb, cells, language)
        {
            Origin = new NotebookOrigin(root, [.. cells]),
            MinorVersion = root.Required("nbformat_minor").Integer(),
        };
    }

    private static void CheckVersion(JsonSlice root)
    {
        JsonSlice major = root.Required("nbformat");
        int version = major.Integer();
        if (version != Major)
        {
            string remedy = version < Major
                ? "convert it with `jupyter nbconvert --to notebook --nbformat 4`"
                : "save it as nbformat 4";
            throw major.Error($"this is {version}; PaperLab reads nbformat 4, so {remedy}");
        }

        JsonSlice minor = root.Required("nbformat_minor");
        if (minor.Integer() < 0)
        {
            throw minor.Error($"this is {minor.Integer()}; it must be 0 or more");
        }
    }

    private static Cell ReadCell(JsonSlice cell, string defaultLanguage)
    {
        CellKind kind = Kind(cell.Required("cell_type"));
        JsonSlice metadata = cell.Required("metadata");
        metadata.Expect(metadata.IsObject, "an object");
        CheckTags(metadata);
        string source = cell.Required("source").MultilineString();
        string? id = cell.Member("id")?.String();
        int? count = kind == CellKind.Code ? CheckCode(cell) : null;
        JsonSlice? attachments = cell.Member("attachments");
        attachments?.Expect(attachments.IsObject, "an object");
        return new Cell(kind, source, defaultLanguage)
        {
            Origin = new CellOrigin(cell) { Source = source, Id = id, ExecutionCount = count },
            Id = id,
            ExecutionCount = count,
        };
    }

    private static CellKind Kind(JsonSlice type) => type.String() switch
    {
        "code" => CellKind.Code,
        "markdown" => CellKind.Markdown,
        "raw" => CellKind.Raw,
        var other => throw type.Error($"this is \"{other}\"; it must be \"code\", \"markdown\" or \"raw\""),
    };

    private static int? CheckCode(JsonSlice cell)
    {
        JsonSlice count = cell.Required("execution_count");
        cell.Required("outputs").Items().ForEach(OutputJson.Check);
        return count.IsNull ? null : count.Integer();
    }

    private static void CheckTags(JsonSlice metadata)
    {
        JsonSlice? tags = metadata.Member("tags");
        tags?.Items().ForEach(tag => tag.Expect(tag.IsString, "a string"));
    }

    private static string DefaultLanguage(JsonObject metadata)
    {
        string? kernel = Text(metadata, "polyglot_notebook", "kernelInfo", "defaultKernelName")
            ?? Text(metadata, "dotnet_interactive", "defaultKernelName");
        if (kernel is not null)
        {
            return kernel;
        }

        string? language = Text(metadata, "kernelspec", "language") ?? Text(metadata, "language_info", "name");
        return language?.ToLowerInvariant() switch
        {
            null or "c#" or "csharp" or "polyglot-notebook" => Notebook.CSharp,
            "f#" => "fsharp",
            "powershell" => "pwsh",
            var other => other,
        };
    }

    private static string? Text(JsonNode? node, params ReadOnlySpan<string> path)
    {
        foreach (string name in path)
        {
            node = (node as JsonObject)?[name];
        }

        return node is JsonValue value && value.TryGetValue(out string? text) ? text : null;
    }
}
