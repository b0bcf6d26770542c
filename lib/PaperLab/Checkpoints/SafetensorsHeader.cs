// The header of a safetensors file: which tensor lies where. Read with suspicion, since the file may come from anywhere.
//
//   8 bytes  length N of the header, little-endian
//   N bytes  JSON {"name": {"dtype": "BF16", "shape": [2, 3], "data_offsets": [begin, end]}, …, "__metadata__": {"key": "value"}}
//   the rest the tensors' bytes, row-major, little-endian, one after another without a gap; the offsets count from here

using System.Text.Json;
using System.Text.Unicode;
using static TorchSharp.torch;

namespace PaperLab.Checkpoints;

/// <summary>A tensor's place in the data: bytes <paramref name="Begin"/> to <paramref name="End"/>, exclusive.</summary>
internal sealed record SafetensorsEntry(string Name, ScalarType Dtype, long[] Shape, long Begin, long End);

/// <summary>Entries in the order of their bytes, and the free text pairs that go with them.</summary>
internal sealed record SafetensorsHeader(IReadOnlyList<SafetensorsEntry> Entries, IReadOnlyDictionary<string, string> Metadata)
{
    /// <summary>Bytes before the header: its length.</summary>
    public const int LengthBytes = 8;

    /// <summary>A longer header than this is damage: the format's own limit.</summary>
    public const long MaxBytes = 100_000_000;

    private const int Alignment = 64; // of a cache line and the widest vectors; grouped products insist on 16
    private const string MetadataKey = "__metadata__";
    private const int MaxDimensions = 64; // libtorch's iterators go no further
    private const string CopyAgain = "The file is truncated or damaged: copy or download it again.";
    private const string WriteAgain = "The file was not written by a safetensors library: write it again with one.";

    private static readonly (string Name, ScalarType Dtype, int Bytes)[] s_dtypes =
    [
        ("BOOL", ScalarType.Bool, 1),
        ("U8", ScalarType.Byte, 1),
        ("I8", ScalarType.Int8, 1),
        ("I16", ScalarType.Int16, 2),
        ("I32", ScalarType.Int32, 4),
        ("I64", ScalarType.Int64, 8),
        ("F16", ScalarType.Float16, 2),
        ("BF16", ScalarType.BFloat16, 2),
        ("F32", ScalarType.Float32, 4),
        ("F64", ScalarType.Float64, 8),
    ];

    /// <summary>Bytes of one element.</summary>
    public static int BytesOf(ScalarType dtype) => s_dtypes.First(known => known.Dtype == dtype).Bytes;

    /// <summary>Reads the header and checks that the tensors fill <paramref name="dataLength"/> bytes exactly.</summary>
    /// <exception cref="CheckpointException">They do not, or the header is not one.</exception>
    public static SafetensorsHeader Parse(string path, ReadOnlyMemory<byte> json, long dataLength)
    {
        if (!Utf8.IsValid(json.Span))
        {
            throw new CheckpointException(path, "the header is not valid UTF-8.", CopyAgain);
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            return Parse(path, document.RootElement, dataLength);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: half a surrogate pair, written as an escape.
            throw new CheckpointException(path, $"the header is not JSON ({error.Message}).", CopyAgain, error);
        }
    }

    /// <summary>
    /// Lays <paramref name="tensors"/> out one after another. The format allows no gaps, so what decides alignment is the order: those
    /// whose lengths are multiples of 64 bytes first, then of 32, and so on. Each then begins at a multiple of its own power of two.
    /// </summary>
    /// <exception cref="ArgumentException">A name occurs twice or is reserved, or a type has no name in the format.</exception>
    public static SafetensorsHeader Layout(IReadOnlyList<(string Name, Tensor Tensor)> tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        var names = new HashSet<string>();
        foreach ((string name, Tensor tensor) in tensors)
        {
            Require.That(name != MetadataKey, nameof(tensors), name, $"any name but {MetadataKey}, which the format keeps for itself");
            Require.That(names.Add(name), nameof(tensors), name, "each name once");
            Require.That(s_dtypes.Any(known => known.Dtype == tensor.dtype), name, tensor.dtype, string.Join(", ", s_dtypes.Select(known => known.Dtype)));
        }

        var entries = new List<SafetensorsEntry>();
        long at = 0;
        foreach ((string name, Tensor tensor) in tensors.OrderByDescending(named => AlignmentOf(BytesOf(named.Tensor))))
        {
            long end = at + BytesOf(tensor);
            entries.Add(new SafetensorsEntry(name, tensor.dtype, tensor.shape, at, end));
            at = end;
        }

        return new SafetensorsHeader(entries, metadata ?? new Dictionary<string, string>());
    }

    /// <summary>The length and the header as bytes; spaces fill up to a multiple of 64, so that the data is aligned.</summary>
    public byte[] ToBytes()
    {
        using var stream = new MemoryStream();
        stream.Write(new byte[LengthBytes]);
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            if (Metadata.Count > 0)
            {
                json.WriteStartObject(MetadataKey);
                foreach ((string key, string value) in Metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                {
                    json.WriteString(key, value);
                }

                json.WriteEndObject();
            }

            foreach (SafetensorsEntry entry in Entries)
            {
                json.WriteStartObject(entry.Name);
                json.WriteString("dtype", s_dtypes.First(known => known.Dtype == entry.Dtype).Name);
                WriteNumbers(json, "shape", entry.Shape);
                WriteNumbers(json, "data_offsets", [entry.Begin, entry.End]);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        while (stream.Length % Alignment != 0)
        {
            stream.WriteByte((byte)' ');
        }

        byte[] bytes = stream.ToArray();
        BitConverter.TryWriteBytes(bytes, (long)bytes.Length - LengthBytes);
        return bytes;
    }

    private static long BytesOf(Tensor tensor) => tensor.numel() * BytesOf(tensor.dtype);

    private static long AlignmentOf(long bytes) => bytes == 0 ? Alignment : Math.Min(bytes & -bytes, Alignment);

    private static void WriteNumbers(Utf8JsonWriter json, string name, long[] numbers)
    {
        json.WriteStartArray(name);
        Array.ForEach(numbers, json.WriteNumberValue);
        json.WriteEndArray();
    }

    private static SafetensorsHeader Parse(string path, JsonElement root, long dataLength)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw new CheckpointException(path, $"the header is a JSON {root.ValueKind}, not an object.", WriteAgain);
        }

        var names = new HashSet<string>();
        var entries = new List<SafetensorsEntry>();
        IReadOnlyDictionary<string, string> metadata = new Dictionary<string, string>();
        foreach (JsonProperty property in root.EnumerateObject())
        {
            if (!names.Add(property.Name))
            {
                throw new CheckpointException(path, $"the header names '{property.Name}' twice.", WriteAgain);
            }

            if (property.Name == MetadataKey)
            {
                metadata = ParseMetadata(path, property.Value);
            }
            else
            {
                entries.Add(ParseEntry(path, property.Name, property.Value));
            }
        }

        SafetensorsEntry[] ordered = [.. entries.OrderBy(entry => entry.Begin).ThenBy(entry => entry.End)];
        CheckLayout(path, ordered, dataLength);
        return new SafetensorsHeader(ordered, metadata);
    }

    private static Dictionary<string, string> ParseMetadata(string path, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object || value.EnumerateObject().Any(pair => pair.Value.ValueKind != JsonValueKind.String))
        {
            throw new CheckpointException(path, $"{MetadataKey} is not an object of strings.", WriteAgain);
        }

        // A repeated key: the last one counts, as in other readers.
        var metadata = new Dictionary<string, string>();
        foreach (JsonProperty pair in value.EnumerateObject())
        {
            metadata[pair.Name] = pair.Value.GetString()!;
        }

        return metadata;
    }

    private static SafetensorsEntry ParseEntry(string path, string name, JsonElement value)
    {
        CheckpointException Wrong(string problem, string remedy = WriteAgain) => new(path, $"tensor '{name}' {problem}", remedy);

        if (value.ValueKind != JsonValueKind.Object)
        {
            throw Wrong($"is described by a JSON {value.ValueKind}, not an object.");
        }

        long[] Numbers(string field, string wanted, int least, int most)
        {
            if (!value.TryGetProperty(field, out JsonElement array) || array.ValueKind != JsonValueKind.Array || array.GetArrayLength() < least || array.GetArrayLength() > most
                || array.EnumerateArray().Any(number => number.ValueKind != JsonValueKind.Number || !number.TryGetInt64(out long whole) || whole < 0))
            {
                throw Wrong($"has no {field} of {wanted}.");
            }

            return [.. array.EnumerateArray().Select(number => number.GetInt64())];
        }

        long[] shape = Numbers("shape", $"at most {MaxDimensions} whole numbers from 0", 0, MaxDimensions);
        long[] offsets = Numbers("data_offsets", "two whole numbers from 0", 2, 2);
        string? dtype = value.TryGetProperty("dtype", out JsonElement type) && type.ValueKind == JsonValueKind.String ? type.GetString() : null;
        (_, ScalarType scalarType, int bytes) = s_dtypes.FirstOrDefault(known => known.Name == dtype);
        if (bytes == 0)
        {
            throw Wrong($"has the dtype {dtype ?? "none"}; allowed: {string.Join(", ", s_dtypes.Select(known => known.Name))}.",
                "Save the checkpoint in one of these types (for example bfloat16).");
        }

        if (ByteLength(shape, bytes) is not { } length || offsets[1] - offsets[0] != length)
        {
            throw Wrong($"is {dtype} [{string.Join(", ", shape)}], but its data_offsets are {offsets[0]} to {offsets[1]}, {offsets[1] - offsets[0]} bytes.");
        }

        return new SafetensorsEntry(name, scalarType, shape, offsets[0], offsets[1]);
    }

    // Null where the sizes, zeros aside, multiply beyond 63 bits.
    private static long? ByteLength(long[] shape, int elementBytes)
    {
        Int128 length = elementBytes;
        foreach (long size in shape)
        {
            length *= Math.Max(size, 1);
            if (length > long.MaxValue)
            {
                return null;
            }
        }

        return shape.Contains(0) ? 0 : (long)length;
    }

    private static void CheckLayout(string path, SafetensorsEntry[] ordered, long dataLength)
    {
        long at = 0;
        foreach (SafetensorsEntry entry in ordered)
        {
            if (entry.Begin != at)
            {
                throw new CheckpointException(
                    path, $"tensor '{entry.Name}' begins at byte {entry.Begin} of the data, but the tensors before it end at {at}: they {(entry.Begin < at ? "overlap" : "leave a gap")}.", WriteAgain);
            }

            at = entry.End;
            if (at > dataLength)
            {
                throw new CheckpointException(path, $"tensor '{entry.Name}' ends at byte {at} of the data, but the file holds {dataLength}.", CopyAgain);
            }
        }

        if (at < dataLength)
        {
            throw new CheckpointException(path, $"{dataLength - at} bytes follow the last tensor.", CopyAgain);
        }
    }
}
