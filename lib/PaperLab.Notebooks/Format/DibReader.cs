// Reads .dib, the plain-text format of Polyglot notebooks: a `#!meta` block of JSON, then cells divided by lines that hold
// nothing but `#!` and the name of a language. Blank lines around a cell's source are no part of it.

using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace PaperLab.Notebooks.Format;

/// <summary>From bytes to a <see cref="Notebook"/>.</summary>
internal static class DibReader
{
    private const string MetaLine = "#!meta";

    // Each language and its aliases.
    private static readonly Dictionary<string, string> WellKnown = new string[][]
    {
        ["csharp", "c#", "C#"],
        ["fsharp", "f#", "F#"],
        ["pwsh", "powershell"],
        ["javascript", "js"],
        ["markdown", "md"],
        ["html"],
        ["http"],
        ["kql"],
        ["mermaid"],
        ["raw"],
        ["sql"],
        ["value"],
    }.SelectMany(names => names.Select(alias => (Alias: alias, Name: names[0]))).ToDictionary(pair => pair.Alias, pair => pair.Name);

    /// <exception cref="NotebookFormatException">Not UTF-8, or a <c>#!meta</c> block that is not a JSON object.</exception>
    public static Notebook Read(byte[] bytes, string name)
    {
        Utf8.Check(bytes, name);
        string text = Encoding.UTF8.GetString(bytes);
        List<string> lines = SplitLines(text);
        int cursor = MetaEnd(lines);
        JsonObject? meta = cursor == 0 ? null : ReadMeta(lines, cursor, name);
        Dictionary<string, string> languages = Languages(meta);
        string defaultLanguage = (string?)meta?["kernelInfo"]?["defaultKernelName"] ?? Notebook.CSharp;

        var cells = new List<Cell>();
        var origins = new Dictionary<Cell, DibCell>();
        string opening = string.Concat(lines[..cursor]);
        string head = "";
        string language = defaultLanguage;
        while (cursor < lines.Count)
        {
            if (LanguageOf(lines[cursor], languages) is { } named)
            {
                language = named;
                head += lines[cursor++];
                continue;
            }

            int end = cursor;
            while (end < lines.Count && LanguageOf(lines[end], languages) is null)
            {
                end++;
            }

            head = AddCell(cells, origins, head, lines[cursor..end], language, defaultLanguage);
            cursor = end;
        }

        return new Notebook(NotebookFormat.Dib, cells, defaultLanguage, MetadataOf(meta))
        {
            DibOrigin = new DibOrigin(opening, meta, origins, head, text.Contains("\r\n") ? "\r\n" : "\n"),
        };
    }

    // What the same notebook would carry as .ipynb: VS Code keeps there what it writes into `#!meta` here.
    private static JsonObject MetadataOf(JsonObject? meta)
    {
        JsonObject metadata = IpynbWriter.DefaultMetadata();
        if (meta is not null)
        {
            metadata[DibOrigin.MetaKey] = meta.DeepClone();
        }

        return metadata;
    }

    // Adds the cell that these lines make and returns the head of the next; lines that are all blank make none.
    private static string AddCell(
        List<Cell> cells, Dictionary<Cell, DibCell> origins, string head, List<string> lines, string language, string defaultLanguage)
    {
        int first = lines.FindIndex(line => !IsBlank(line));
        if (first < 0)
        {
            return head + string.Concat(lines);
        }

        int last = lines.FindLastIndex(line => !IsBlank(line));
        string lastLine = lines[last];
        string lastText = lastLine.TrimEnd('\r', '\n');
        string source = string.Concat(lines[first..last]) + lastText;
        Cell cell = NewCell(source, language, defaultLanguage);
        cells.Add(cell);
        origins.Add(cell, new DibCell(head + string.Concat(lines[..first]), source, lastLine[lastText.Length..] + string.Concat(lines[(last + 1)..])));
        return "";
    }

    private static Cell NewCell(string source, string language, string defaultLanguage)
    {
        CellKind kind = language switch { "markdown" => CellKind.Markdown, "raw" => CellKind.Raw, _ => CellKind.Code };
        var cell = new Cell(kind, source, defaultLanguage);
        if (kind == CellKind.Code && language != defaultLanguage)
        {
            cell.SetLanguage(language);
        }

        return cell;
    }

    private static List<string> SplitLines(string text)
    {
        var lines = new List<string>();
        for (int start = 0; start < text.Length;)
        {
            int end = text.IndexOf('\n', start) + 1;
            end = end == 0 ? text.Length : end;
            lines.Add(text[start..end]);
            start = end;
        }

        return lines;
    }

    // How many lines the `#!meta` block takes; 0 where there is none. It has to come first.
    private static int MetaEnd(List<string> lines)
    {
        int first = lines.FindIndex(line => !IsBlank(line));
        if (first < 0 || lines[first].Trim().TrimStart('\ufeff') != MetaLine)
        {
            return 0;
        }

        int end = first + 1;
        while (end < lines.Count && LanguageOf(lines[end], WellKnown) is null)
        {
            end++;
        }

        return end;
    }

    private static JsonObject ReadMeta(List<string> lines, int end, string name)
    {
        int first = lines.FindIndex(line => !IsBlank(line)) + 1;
        string json = string.Concat(lines[first..end]);
        try
        {
            return JsonNode.Parse(json) as JsonObject
                ?? throw new NotebookFormatException(name, first + 1, 1, "#!meta", "the block must be a JSON object");
        }
        catch (JsonException error)
        {
            throw new NotebookFormatException(
                name, first + 1 + (int)(error.LineNumber ?? 0), (int)(error.BytePositionInLine ?? 0) + 1, "#!meta", "the block is not valid JSON");
        }
    }

    // The languages that divide cells: the well-known ones, and those that the `#!meta` block names.
    private static Dictionary<string, string> Languages(JsonObject? meta)
    {
        var languages = new Dictionary<string, string>(WellKnown);
        foreach (JsonObject item in (meta?["kernelInfo"]?["items"] as JsonArray ?? []).OfType<JsonObject>())
        {
            if ((string?)item["name"] is not { } name)
            {
                continue;
            }

            languages[name] = name;
            foreach (JsonNode? alias in item["aliases"] as JsonArray ?? [])
            {
                languages[alias!.ToString()] = name;
            }
        }

        return languages;
    }

    private static string? LanguageOf(string line, Dictionary<string, string> languages)
    {
        string text = line.TrimStart('\ufeff').TrimEnd();
        return text.StartsWith("#!", StringComparison.Ordinal) && languages.TryGetValue(text[2..], out string? language) ? language : null;
    }

    private static bool IsBlank(string line) => string.IsNullOrWhiteSpace(line.TrimStart('\ufeff'));
}
