// Outputs as nbformat 4 stores them. Text is a list of lines, JSON MIME types are JSON, everything else (images) is one base64 string.

using System.Text.Json.Nodes;

namespace PaperLab.Notebooks.Format;

/// <summary>Between <see cref="CellOutput"/> and its JSON.</summary>
internal static class OutputJson
{
    /// <summary>Checks one output's shape without decoding its data.</summary>
    public static void Check(JsonSlice output)
    {
        switch (output.Required("output_type").String())
        {
            case "stream":
                StreamNameOf(output.Required("name"));
                JsonSlice text = output.Required("text");
                text.Expect(text.IsString || text.IsArray, "a string or a list of strings");
                break;
            case "display_data":
                CheckData(output);
                break;
            case "execute_result":
                CheckData(output);
                JsonSlice count = output.Required("execution_count");
                _ = count.IsNull ? 0 : count.Integer();
                break;
            case "error":
                output.Required("ename").String();
                output.Required("evalue").String();
                output.Required("traceback").Items().ForEach(line => line.Expect(line.IsString, "a string"));
                break;
            case var other:
                throw output.Required("output_type").Error(
                    $"this is \"{other}\"; it must be \"stream\", \"display_data\", \"execute_result\" or \"error\"");
        }
    }

    /// <summary>Decodes one output.</summary>
    public static CellOutput Read(JsonSlice output)
    {
        switch (output.Required("output_type").String())
        {
            case "stream":
                return new StreamOutput(StreamNameOf(output.Required("name")), output.Required("text").MultilineString());
            case "display_data":
                return new DisplayOutput(ReadData(output), DisplayId: null, ReadMetadata(output));
            case "execute_result":
                JsonSlice count = output.Required("execution_count");
                return new ResultOutput(ReadData(output), count.IsNull ? null : count.Integer(), ReadMetadata(output));
            default:
                return new ErrorOutput(
                    output.Required("ename").String(),
                    output.Required("evalue").String(),
                    output.Required("traceback").Items().ConvertAll(line => line.String()));
        }
    }

    /// <summary>The output as a JSON object with its fields in nbformat's order. A display id is not saved.</summary>
    public static JsonObject ToJson(CellOutput output) => output switch
    {
        StreamOutput stream => new JsonObject
        {
            ["name"] = stream.Name == StreamName.Stdout ? "stdout" : "stderr",
            ["output_type"] = "stream",
            ["text"] = TextLines.ToJson(stream.Text),
        },
        DisplayOutput display => new JsonObject
        {
            ["data"] = Data(display.Data),
            ["metadata"] = display.Metadata?.DeepClone() ?? new JsonObject(),
            ["output_type"] = "display_data",
        },
        ResultOutput result => new JsonObject
        {
            ["data"] = Data(result.Data),
            ["execution_count"] = result.ExecutionCount,
            ["metadata"] = result.Metadata?.DeepClone() ?? new JsonObject(),
            ["output_type"] = "execute_result",
        },
        ErrorOutput error => new JsonObject
        {
            ["ename"] = error.Name,
            ["evalue"] = error.Message,
            ["output_type"] = "error",
            ["traceback"] = new JsonArray([.. error.Traceback.Select(line => (JsonNode)line)]),
        },
        _ => throw new ArgumentException($"{output.GetType()} is not an output kind of nbformat 4.", nameof(output)),
    };

    /// <summary>True for MIME types whose data is JSON itself and not text.</summary>
    public static bool IsJson(string mimeType) =>
        mimeType == "application/json" || (mimeType.StartsWith("application/", StringComparison.Ordinal) && mimeType.EndsWith("+json", StringComparison.Ordinal));

    private static bool IsText(string mimeType) =>
        mimeType.StartsWith("text/", StringComparison.Ordinal) || mimeType is "application/javascript" or "image/svg+xml";

    private static StreamName StreamNameOf(JsonSlice name) => name.String() switch
    {
        "stdout" => StreamName.Stdout,
        "stderr" => StreamName.Stderr,
        var other => throw name.Error($"this is \"{other}\"; it must be \"stdout\" or \"stderr\""),
    };

    private static void CheckData(JsonSlice output)
    {
        JsonSlice metadata = output.Required("metadata");
        metadata.Expect(metadata.IsObject, "an object");
        foreach (JsonMember entry in output.Required("data").Members.Where(entry => !IsJson(entry.Name)))
        {
            entry.Value.Expect(entry.Value.IsString || entry.Value.IsArray, "a string or a list of strings");
        }
    }

    private static MimeBundle ReadData(JsonSlice output) =>
        new([.. output.Required("data").Members.Select(entry => KeyValuePair.Create(
            entry.Name,
            IsJson(entry.Name) ? entry.Value.Node()! : JsonValue.Create(entry.Value.MultilineString())))]);

    private static JsonObject? ReadMetadata(JsonSlice output) =>
        output.Required("metadata").Node() is JsonObject { Count: > 0 } metadata ? metadata : null;

    private static JsonObject Data(MimeBundle bundle)
    {
        var data = new JsonObject();
        foreach ((string mimeType, JsonNode value) in bundle.Entries)
        {
            data[mimeType] = IsText(mimeType) ? TextLines.ToJson(value.ToString()) : value?.DeepClone();
        }

        return data;
    }
}
