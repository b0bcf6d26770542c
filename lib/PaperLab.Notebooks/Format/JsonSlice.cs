// A JSON value as a range of the bytes it was read from. Values are taken apart only where somebody looks,
// so that what nobody changes can be written back verbatim: its indentation, number spellings, escapes and key order.

using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace PaperLab.Notebooks.Format;

/// <summary>The bytes of one JSON file, known to be well formed once <see cref="Check"/> has passed.</summary>
internal sealed class JsonFile(string name, byte[] bytes, int start)
{
    public const int MaxDepth = 512;

    public string Name => name;

    public byte[] Bytes => bytes;

    /// <summary>The outermost value.</summary>
    public JsonSlice Root { get; private set; } = null!;

    /// <summary>Reads the file once from end to end.</summary>
    /// <exception cref="NotebookFormatException">It is not UTF-8 or not well-formed JSON.</exception>
    public JsonFile Check()
    {
        Utf8.Check(bytes, name);
        var reader = Reader(start, bytes.Length);
        try
        {
            reader.Read();
            int from = start + (int)reader.TokenStartIndex;
            reader.Skip();
            int to = start + (int)reader.BytesConsumed;
            Root = new JsonSlice(this, from, to, "");
            while (reader.Read())
            {
            }
        }
        catch (JsonException error)
        {
            string reason = error.Message[..Math.Max(error.Message.IndexOf(" LineNumber:", StringComparison.Ordinal), 0)];
            throw new NotebookFormatException(
                name, (int)(error.LineNumber ?? 0) + 1, (int)(error.BytePositionInLine ?? 0) + 1, "", $"the file is not valid JSON: {reason}");
        }

        return this;
    }

    public Utf8JsonReader Reader(int from, int to) =>
        new(bytes.AsSpan(from, to - from), new JsonReaderOptions { MaxDepth = MaxDepth });

    public NotebookFormatException Error(int position, string field, string problem)
    {
        ReadOnlySpan<byte> before = bytes.AsSpan(0, position);
        int line = before.Count((byte)'\n') + 1;
        int column = position - (before.LastIndexOf((byte)'\n') + 1) + 1;
        return new NotebookFormatException(name, line, column, field, problem);
    }
}

/// <summary>One value: bytes [Start, End) of its file.</summary>
/// <param name="File">The file it lies in.</param>
/// <param name="Start">First byte.</param>
/// <param name="End">The byte after its last.</param>
/// <param name="Field">Its path, for messages: <c>cells[3].source</c>.</param>
internal sealed record JsonSlice(JsonFile File, int Start, int End, string Field)
{
    private List<JsonMember>? _members;

    public ReadOnlySpan<byte> Raw => File.Bytes.AsSpan(Start, End - Start);

    public bool IsObject => Raw[0] == '{';

    public bool IsArray => Raw[0] == '[';

    public bool IsString => Raw[0] == '"';

    public bool IsNull => Raw[0] == 'n';

    /// <summary>What kind of value it is, in the words of a message.</summary>
    public string Found => Raw[0] switch
    {
        (byte)'{' => "an object",
        (byte)'[' => "a list",
        (byte)'"' => "a string",
        (byte)'n' => "null",
        (byte)'t' or (byte)'f' => "a boolean",
        _ => $"the number {Encoding.UTF8.GetString(Raw)}",
    };

    /// <summary>The members of an object, in file order.</summary>
    public IReadOnlyList<JsonMember> Members => _members ??= ReadMembers();

    public JsonSlice? Member(string name) => Members.FirstOrDefault(member => member.Name == name)?.Value;

    /// <summary>The member <paramref name="name"/>, which has to be there.</summary>
    public JsonSlice Required(string name) =>
        Member(name) ?? throw Error($"the field \"{name}\" is missing");

    /// <summary>The items of a list.</summary>
    public List<JsonSlice> Items()
    {
        Expect(IsArray, "a list");
        var items = new List<JsonSlice>();
        var reader = File.Reader(Start, End);
        reader.Read();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            items.Add(Next(ref reader, $"{Field}[{items.Count}]"));
        }

        return items;
    }

    public string String()
    {
        Expect(IsString, "a string");
        var reader = File.Reader(Start, End);
        reader.Read();
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Error("the text is not valid Unicode (half of a surrogate pair, or bytes that are not UTF-8)");
        }
    }

    /// <summary>Text stored as one string or as a list of strings.</summary>
    public string MultilineString()
    {
        Expect(IsString || IsArray, "a string or a list of strings");
        return IsString ? String() : string.Concat(Items().Select(item => item.String()));
    }

    public int Integer()
    {
        var reader = File.Reader(Start, End);
        reader.Read();
        return reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out int value)
            ? value
            : throw Error($"this is {Found}; it must be a whole number");
    }

    public JsonNode? Node() => JsonNode.Parse(Raw, documentOptions: new JsonDocumentOptions { MaxDepth = JsonFile.MaxDepth });

    public JsonSlice Expect(bool allowed, string what) => allowed ? this : throw Error($"this is {Found}; it must be {what}");

    public NotebookFormatException Error(string problem) => File.Error(Start, Field, problem);

    private List<JsonMember> ReadMembers()
    {
        Expect(IsObject, "an object");
        var members = new List<JsonMember>();
        var names = new HashSet<string>();
        var reader = File.Reader(Start, End);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            int nameStart = Start + (int)reader.TokenStartIndex;
            string name = new JsonSlice(File, nameStart, Start + (int)reader.BytesConsumed, Field).Name();
            reader.Read();
            JsonSlice value = Next(ref reader, Field.Length == 0 ? name : $"{Field}.{name}");
            members.Add(names.Add(name) ? new JsonMember(name, nameStart, value) : throw value.Error("the field is there twice"));
        }

        return members;
    }

    // A property name's slice ends with its colon (the reader consumes both), so only its string part is decoded.
    private string Name()
    {
        var reader = File.Reader(Start, File.Bytes.AsSpan(Start, End - Start).LastIndexOf((byte)'"') + 1 + Start);
        reader.Read();
        return reader.GetString()!;
    }

    private JsonSlice Next(ref Utf8JsonReader reader, string field)
    {
        int from = Start + (int)reader.TokenStartIndex;
        reader.Skip();
        return new JsonSlice(File, from, Start + (int)reader.BytesConsumed, field);
    }
}

/// <summary>A named value of an object. <paramref name="NameStart"/> is where its opening quote lies.</summary>
internal sealed record JsonMember(string Name, int NameStart, JsonSlice Value);
