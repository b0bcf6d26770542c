// Files to rows of named fields, whatever the kind of file:
//   .jsonl    an object a line
//   .json     a list of objects, objects by id, or an object a line (MedMCQA's files are called .json and are that)
//   .csv      a first line that names the columns, or MMLU's six without names
//   .parquet  by Parquet.Net

using System.Collections;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using CsvHelper;
using CsvHelper.Configuration;
using Parquet.Serialization;

namespace PaperLab.Evaluation.Benchmarks;

/// <summary>One row of a file.</summary>
internal sealed class BenchmarkRow
{
    private readonly string _where;
    private readonly Dictionary<string, JsonElement> _fields = new(StringComparer.OrdinalIgnoreCase);

    /// <param name="file">The file's path.</param>
    /// <param name="where">Line, row or entry, for messages.</param>
    /// <param name="place">Line or row in an id.</param>
    /// <param name="fields">An object.</param>
    /// <param name="id">The row's key in its file, where rows have one.</param>
    public BenchmarkRow(string file, string where, string place, JsonElement fields, string? id = null)
    {
        (_where, Place, Id) = ($"{file}, {where}", $"{Path.GetFileName(file)}:{place}", id);
        if (fields.ValueKind != JsonValueKind.Object)
        {
            throw Error($"found {Shown(fields)}; expected an object with fields, {{\"question\": …}}.");
        }

        foreach (JsonProperty field in fields.EnumerateObject().Where(field => field.Value.ValueKind != JsonValueKind.Null))
        {
            _fields.TryAdd(field.Name, field.Value);
        }
    }

    public string? Id { get; }

    /// <summary>FILE:LINE.</summary>
    public string Place { get; }

    /// <summary>"the fields are …", not more than a message can hold.</summary>
    public string Found => _fields.Count == 0 ? "there are no fields" : $"the fields are {string.Join(", ", _fields.Keys.Take(12))}{(_fields.Count > 12 ? $" and {_fields.Count - 12} more" : "")}";

    public static string Shown(JsonElement value)
    {
        string text = value.GetRawText();
        return text.Length <= 60 ? text : $"{text[..60]}…";
    }

    public InvalidDataException Error(string message) => new($"{_where}: {message}");

    public bool Has(string field) => _fields.ContainsKey(field);

    public bool HasAll(params string[] fields) => Array.TrueForAll(fields, Has);

    public JsonElement Field(string field) => _fields.TryGetValue(field, out JsonElement value) ? value : throw Error($"the field '{field}' is missing; {Found}.");

    public string Text(string field) => TextOf(Field(field), field);

    public string? OptionalText(string field) => Has(field) ? Text(field) : null;

    public string[] Texts(string field)
    {
        JsonElement list = Field(field);
        return list.ValueKind == JsonValueKind.Array && list.GetArrayLength() > 1
            ? [.. list.EnumerateArray().Select(text => TextOf(text, field))]
            : throw Error($"the field '{field}' is {Shown(list)}; expected [\"…\", \"…\"].");
    }

    public int Integer(string field) => int.TryParse(Text(field), out int number) ? number : throw Error($"the field '{field}' is {Shown(Field(field))}; expected a whole number.");

    /// <summary>A text without spaces at its ends; numbers count as texts.</summary>
    public string TextOf(JsonElement value, string field)
    {
        string? text = value.ValueKind switch
        {
            JsonValueKind.String => value.GetString()!.Trim(),
            JsonValueKind.Number => value.GetRawText(),
            _ => null,
        };
        return !string.IsNullOrEmpty(text) ? text : throw Error($"the field '{field}' is {Shown(value)}; expected a text that is not empty.");
    }
}

/// <summary>Reads a file's rows.</summary>
internal static partial class BenchmarkFile
{
    private static readonly string[] s_endings = [".jsonl", ".json", ".csv", ".parquet"];
    private static readonly string[] s_mmluColumns = ["question", "A", "B", "C", "D", "answer"];
    private static readonly JsonDocumentOptions s_json = new() { AllowDuplicateProperties = false };
    private static readonly UTF8Encoding s_utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static string Endings { get; } = string.Join(", ", s_endings);

    public static bool HasKnownEnding(string path) => s_endings.Contains(EndingOf(path));

    public static IReadOnlyList<BenchmarkRow> Read(string path) => EndingOf(path) switch
    {
        ".jsonl" => Lines(path, BytesOf(path)),
        ".json" => Json(path, BytesOf(path)),
        ".csv" => Csv(path, TextOf(BytesOf(path), path)),
        ".parquet" => ParquetRows(path),
        string ending => throw new InvalidDataException($"{path} ends in '{ending}'; expected one of {Endings}."),
    };

    private static string EndingOf(string path) => Path.GetExtension(path).ToLowerInvariant();

    private static byte[] BytesOf(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        return bytes.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? bytes[Encoding.UTF8.Preamble.Length..] : bytes;
    }

    private static string TextOf(ReadOnlySpan<byte> bytes, string where)
    {
        try
        {
            return s_utf8.GetString(bytes);
        }
        catch (DecoderFallbackException error)
        {
            throw new InvalidDataException($"{where} is not UTF-8 ({error.Message}). Save the file as UTF-8.", error);
        }
    }

    private static List<BenchmarkRow> Lines(string path, byte[] bytes)
    {
        var rows = new List<BenchmarkRow>();
        int number = 0;
        foreach (Range range in bytes.AsSpan().Split((byte)'\n'))
        {
            string line = TextOf(bytes.AsSpan()[range], $"{path}, line {++number}");
            if (!string.IsNullOrWhiteSpace(line))
            {
                rows.Add(new BenchmarkRow(path, $"line {number}", $"{number}", Parse(Encoding.UTF8.GetBytes(line), path, number)));
            }
        }

        return rows;
    }

    private static List<BenchmarkRow> Json(string path, byte[] bytes)
    {
        if (HoldsSeveral(bytes))
        {
            return Lines(path, bytes);
        }

        JsonElement root = Parse(bytes, path, firstLine: 1);
        if (root.ValueKind == JsonValueKind.Array)
        {
            return [.. root.EnumerateArray().Select((entry, i) => new BenchmarkRow(path, $"entry {i + 1}", $"{i + 1}", entry))];
        }

        return root.ValueKind == JsonValueKind.Object && root.EnumerateObject().All(entry => entry.Value.ValueKind == JsonValueKind.Object)
            ? [.. root.EnumerateObject().Select(entry => new BenchmarkRow(path, $"entry '{entry.Name}'", entry.Name, entry.Value, entry.Name))]
            : [new BenchmarkRow(path, "line 1", "1", root)];
    }

    // Whether something follows the first value.
    private static bool HoldsSeveral(byte[] bytes)
    {
        try
        {
            var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { AllowMultipleValues = true });
            return reader.Read() && reader.TrySkip() && reader.Read();
        }
        catch (JsonException)
        {
            return false; // the parser that comes next says where and why
        }
    }

    private static JsonElement Parse(byte[] json, string path, int firstLine)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json, s_json);
            return document.RootElement.Clone();
        }
        catch (JsonException error)
        {
            string start = Encoding.UTF8.GetString(json.AsSpan(0, Math.Min(json.Length, 60)));
            throw new InvalidDataException($"{path}, line {firstLine + (error.LineNumber ?? 0)} is no JSON: {error.Message} It begins {start}", error);
        }
    }

    private static List<BenchmarkRow> Csv(string path, string text)
    {
        // Quotation marks inside a field that does not begin with one stay as they are, as in Python's csv; a mark that is never closed
        // shows as a wrong number of fields.
        using var parser = new CsvParser(new StringReader(text), new CsvConfiguration(CultureInfo.InvariantCulture) { Delimiter = ",", BadDataFound = null });
        string[]? columns = null;
        var rows = new List<BenchmarkRow>();
        for (int line = 1; parser.Read(); line = parser.RawRow + 1)
        {
            string[] cells = parser.Record!;
            bool named = columns is not null;
            if (!named && cells.Contains("question", StringComparer.OrdinalIgnoreCase))
            {
                columns = cells;
                continue;
            }

            columns ??= s_mmluColumns;
            if (cells.Length != columns.Length)
            {
                throw new InvalidDataException($"{path}, line {line}: there are {cells.Length} fields; expected {columns.Length}: {string.Join(", ", columns)}{(named ? "" : ", or a first line that names the columns")}.");
            }

            var fields = new JsonObject();
            foreach ((string column, string cell) in columns.Zip(cells).Where(pair => pair.Second.Length > 0))
            {
                fields[column] = cell;
            }

            if (ReferenceEquals(columns, s_mmluColumns))
            {
                fields["subject"] = Split().Replace(Path.GetFileNameWithoutExtension(path), "");
            }

            rows.Add(new BenchmarkRow(path, $"line {line}", $"{line}", JsonSerializer.SerializeToElement(fields)));
        }

        return rows;
    }

    private static List<BenchmarkRow> ParquetRows(string path)
    {
        try
        {
            using FileStream file = File.OpenRead(path);
            IList<Dictionary<string, object>> rows = ParquetSerializer.DeserializeUntypedAsync(file).GetAwaiter().GetResult().Data;
            return [.. rows.Select((row, i) => new BenchmarkRow(path, $"row {i + 1}", $"{i + 1}", JsonSerializer.SerializeToElement(NodeOf(row))))];
        }
        catch (Exception error) when (error is not InvalidDataException and not OutOfMemoryException)
        {
            throw new InvalidDataException($"{path} cannot be read as a parquet file: {error.Message}", error);
        }
    }

    private static JsonNode? NodeOf(object? value) => value switch
    {
        null => null,
        string text => text,
        ReadOnlyMemory<char> text => text.ToString(),
        IDictionary<string, object> fields => new JsonObject(fields.Select(field => KeyValuePair.Create(field.Key, NodeOf(field.Value)))),
        IEnumerable list => new JsonArray([.. list.Cast<object?>().Select(NodeOf)]),
        _ => JsonSerializer.SerializeToNode(value, value.GetType()),
    };

    // MMLU's files are called SUBJECT_test.csv, SUBJECT_val.csv and SUBJECT_dev.csv.
    [GeneratedRegex("_(test|val|dev)$", RegexOptions.CultureInvariant)]
    private static partial Regex Split();
}
