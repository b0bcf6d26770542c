// What the runner and a notebook's child process say to each other: one JSON object a line, over two inherited pipes.
// The runner's end of the command pipe closing means "exit", and the child obeys even in the middle of a cell.

using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using PaperLab.Notebooks.Format;

namespace PaperLab.Notebooks.Batch;

/// <summary>Runner → child.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "do")]
[JsonDerivedType(typeof(RunCell), "run")]
[JsonDerivedType(typeof(InterruptCell), "interrupt")]
internal abstract record HostCommand;

/// <summary>
/// Run one code cell. <paramref name="Number"/> counts the code cells that run, from 1. <paramref name="Next"/> will be asked for
/// after it, so that the child can compile it meanwhile.
/// </summary>
internal sealed record RunCell(int Number, string Language, string Source, RunCell? Next = null) : HostCommand;

/// <summary>End cell <paramref name="Number"/> if it still runs.</summary>
internal sealed record InterruptCell(int Number) : HostCommand;

/// <summary>Child → runner.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "is")]
[JsonDerivedType(typeof(OutputAppended), "output")]
[JsonDerivedType(typeof(OutputUpdated), "update")]
[JsonDerivedType(typeof(OutputCleared), "clear")]
[JsonDerivedType(typeof(CellEnded), "ended")]
internal abstract record HostEvent;

/// <summary>An output of the running cell; exactly one of the four is set.</summary>
internal sealed record OutputAppended(StreamOutput? Stream, DisplayOutput? Display, ResultOutput? Result, ErrorOutput? Error) : HostEvent
{
    public static OutputAppended Of(CellOutput output) =>
        new(output as StreamOutput, output as DisplayOutput, output as ResultOutput, output as ErrorOutput);

    [JsonIgnore]
    public CellOutput Output => (CellOutput?)Stream ?? (CellOutput?)Display ?? (CellOutput?)Result ?? Error
        ?? throw new InvalidDataException("The notebook's process sent an output of an unknown kind.");
}

/// <summary>New content for every display that carries the id.</summary>
internal sealed record OutputUpdated(string DisplayId, MimeBundle Data) : HostEvent;

/// <summary>The running cell's outputs are to be emptied, at once or when the next one arrives.</summary>
internal sealed record OutputCleared(bool Wait) : HostEvent;

/// <summary>Cell <paramref name="Number"/> is over; a cell that failed sent its error as an output before.</summary>
internal sealed record CellEnded(int Number, bool Succeeded) : HostEvent;

/// <summary>How messages become lines.</summary>
[JsonSerializable(typeof(HostCommand))]
[JsonSerializable(typeof(HostEvent))]
internal sealed partial class HostJson : JsonSerializerContext
{
    /// <summary>The context in use: text is not escaped beyond what JSON needs, since no browser reads these lines.</summary>
    public static HostJson Lines { get; } = new(new JsonSerializerOptions
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new MimeBundleConverter(), new JsonStringEnumConverter<StreamName>() },
    });
}

/// <summary>A bundle as a JSON object whose properties keep their order.</summary>
internal sealed class MimeBundleConverter : JsonConverter<MimeBundle>
{
    public override MimeBundle Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        JsonObject entries = JsonNode.Parse(ref reader)!.AsObject();
        return new MimeBundle([.. entries.Where(entry => entry.Value is not null).Select(entry => KeyValuePair.Create(entry.Key, entry.Value!))]);
    }

    public override void Write(Utf8JsonWriter writer, MimeBundle value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        foreach ((string mimeType, JsonNode content) in value.Entries)
        {
            writer.WritePropertyName(mimeType);
            content.WriteTo(writer, options);
        }

        writer.WriteEndObject();
    }
}
