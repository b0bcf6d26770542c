// Reading the fields of a JSON object that someone else wrote: each is of its kind and in its range, or is named.

using System.Numerics;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace PaperLab.Checkpoints;

/// <summary>The fields of one JSON object in <paramref name="path"/>; <paramref name="prefix"/> says where in the file it stands.</summary>
internal sealed class ConfigFields(string path, JsonObject json, string prefix = "")
{
    private const string Remedy = "Correct the field; a checkpoint that needs another value is not supported.";
    private const int LongestShown = 200;

    private static readonly JsonSerializerOptions s_readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Reads a file that holds one JSON object.</summary>
    /// <exception cref="CheckpointException">It is missing, cannot be read, or holds something else.</exception>
    public static JsonObject ReadObject(string path)
    {
        try
        {
            JsonNode? node = JsonNode.Parse(File.ReadAllBytes(path), documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false });
            return node as JsonObject ?? throw new CheckpointException(path, "it is JSON, but not an object.", "Copy or download it again.");
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CheckpointException(path, "it is missing.", "Name the folder of a checkpoint, and see that all its files are there.", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(path, $"it cannot be read ({error.Message}).", "Check the permissions.", error);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new CheckpointException(path, $"it is not JSON ({error.Message}).", "Copy or download it again.", error);
        }
    }

    /// <summary>Whether the field is there and not null.</summary>
    public bool Has(string name) => json[name] is not null;

    /// <summary>The field as it stands; null where it is absent or null.</summary>
    public JsonNode? Node(string name) => json[name];

    /// <summary>The object of that name; null where there is none.</summary>
    public ConfigFields? Object(string name) => json[name] switch
    {
        null => null,
        JsonObject value => new ConfigFields(path, value, $"{prefix}{name}."),
        _ => throw Wrong(name, "an object"),
    };

    /// <summary>Whether the field is there and null.</summary>
    public bool IsNull(string name) => json.ContainsKey(name) && json[name] is null;

    /// <summary>The objects in the array of that name; empty where there is none.</summary>
    public IReadOnlyList<ConfigFields> Objects(string name) => json[name] switch
    {
        null => [],
        JsonArray array when array.All(item => item is JsonObject) => [.. array.Select((item, i) => new ConfigFields(path, (JsonObject)item!, $"{prefix}{name}[{i}]."))],
        _ => throw Wrong(name, "an array of objects"),
    };

    /// <summary>A whole number from <paramref name="least"/>; <paramref name="otherwise"/> where the field is absent or null.</summary>
    public int Count(string name, int? otherwise = null, int least = 1) => Number(name, otherwise, value => value >= least, $"a whole number from {least}");

    /// <summary>A token id; null where the field is absent or null.</summary>
    public int? TokenId(string name) => Has(name) ? Number<int>(name, null, value => value is >= 0 and < int.MaxValue, "a whole number from 0") : null;

    /// <summary>A number above 0; <paramref name="otherwise"/> where the field is absent or null.</summary>
    public double Positive(string name, double? otherwise = null) => Number(name, otherwise, value => value > 0 && double.IsFinite(value), "a number above 0");

    /// <summary>True or false; <paramref name="otherwise"/> where the field is absent or null.</summary>
    public bool Flag(string name, bool otherwise) => json[name] switch
    {
        null => otherwise,
        JsonValue value when value.GetValueKind() is JsonValueKind.True or JsonValueKind.False => value.GetValue<bool>(),
        _ => throw Wrong(name, "true or false"),
    };

    /// <summary>A string; null where the field is absent or null.</summary>
    public string? Text(string name) => json[name] switch
    {
        null => null,
        JsonValue value when value.GetValueKind() == JsonValueKind.String => value.GetValue<string>(),
        _ => throw Wrong(name, "a string"),
    };

    /// <summary>One string or several; empty where the field is absent or null.</summary>
    public IReadOnlyList<string> Texts(string name) => List<string>(name, JsonValueKind.String, _ => true, "strings");

    /// <summary>One token id or several; empty where the field is absent or null.</summary>
    public IReadOnlyList<int> TokenIds(string name) => List<int>(name, JsonValueKind.Number, id => id >= 0, "whole numbers from 0");

    /// <summary>Refuses any value but the given one; an absent field is right.</summary>
    public void MustBe(string name, JsonNode allowed)
    {
        if (json[name] is { } value && !JsonNode.DeepEquals(value, allowed))
        {
            throw Wrong(name, $"{allowed.ToJsonString()}, or no such field");
        }
    }

    /// <summary>The error for a field, with what it is and what it may be.</summary>
    public CheckpointException Wrong(string name, string allowed, string remedy = Remedy) =>
        new(path, $"field '{prefix}{name}' is {Shown(json[name])}; allowed: {allowed}.", remedy);

    private static string Shown(JsonNode? value)
    {
        string text = value?.ToJsonString(s_readable) ?? "missing";
        return text.Length <= LongestShown ? text : $"{text[..LongestShown]}…";
    }

    private T Number<T>(string name, T? otherwise, Func<T, bool> allowed, string range)
        where T : struct, INumber<T>
    {
        if (!Has(name) && otherwise is { } value)
        {
            return value;
        }

        return json[name] is JsonValue number && number.GetValueKind() == JsonValueKind.Number && number.TryGetValue(out T read) && allowed(read) ? read : throw Wrong(name, range);
    }

    private List<T> List<T>(string name, JsonValueKind kind, Func<T, bool> allowed, string what)
    {
        JsonNode?[] items = json[name] switch
        {
            null => [],
            JsonArray array => [.. array],
            JsonNode one => [one],
        };
        var values = new List<T>();
        foreach (JsonNode? item in items)
        {
            values.Add(item is JsonValue value && value.GetValueKind() == kind && value.TryGetValue(out T? read) && allowed(read) ? read : throw Wrong(name, what));
        }

        return values;
    }
}
