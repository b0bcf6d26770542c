// config.json ↔ TransformerConfig. What we do not know of a file that was read is kept and written back. Model kinds that no family of
// Hugging Face's covers are written as model_type "paperlab", with our own config inside.

using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using PaperLab.Models;
using static TorchSharp.torch;

namespace PaperLab.Checkpoints;

/// <summary>What config.json says, as far as it concerns us.</summary>
public sealed record HuggingFaceConfig
{
    /// <summary>The file's name in a checkpoint's folder.</summary>
    public const string FileName = "config.json";

    /// <summary>The model_type of checkpoints that only PaperLab reads.</summary>
    public const string OwnFamily = "paperlab";

    private const string OwnConfig = "transformer";

    // All that may be written for a model, and older or newer spellings of the same: these give way when the model is another than was read.
    private static readonly string[] s_modelFields =
    [
        "architectures", "model_type", "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
        "num_key_value_heads", "head_dim", "hidden_act", "max_position_embeddings", "rms_norm_eps", "rope_theta", "rope_scaling", "rope_parameters",
        "original_max_position_embeddings", "tie_word_embeddings", "attention_bias", "mlp_bias", "sliding_window", "use_sliding_window",
        "max_window_layers", "layer_types", "num_local_experts", "num_experts_per_tok", OwnConfig, ModelFamily.OwnContext, ModelFamily.OwnBalanceLoss, ModelFamily.OwnZLoss,
    ];

    private static readonly JsonSerializerOptions s_json = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Converters = { new JsonStringEnumConverter() },
    };

    private static readonly (string Name, ScalarType Dtype)[] s_dtypes =
        [("bfloat16", ScalarType.BFloat16), ("float16", ScalarType.Float16), ("float32", ScalarType.Float32), ("float64", ScalarType.Float64)];

    // What was read, with all that we do not know; empty for a model of ours.
    private readonly JsonObject _read;

    private HuggingFaceConfig(TransformerConfig model, JsonObject read) => (Model, _read) = (model, read);

    /// <summary>The model's sizes.</summary>
    public TransformerConfig Model { get; init; }

    /// <summary>The family that <see cref="Model"/> is written as: llama, mistral, mixtral, qwen2, qwen3, or paperlab.</summary>
    public string ModelType => FieldsToWrite()["model_type"]!.GetValue<string>();

    /// <summary>Token that begins a text; null where none is named.</summary>
    public int? BeginningOfText { get; init; }

    /// <summary>Tokens that end a text.</summary>
    public IReadOnlyList<int> EndOfText { get; init; } = [];

    /// <summary>The weights' type as the file names it; null where it does not.</summary>
    public ScalarType? Dtype { get; init; }

    /// <summary>The config of a model of ours.</summary>
    /// <exception cref="ArgumentException">A size is out of range.</exception>
    public static HuggingFaceConfig Of(TransformerConfig model)
    {
        model.Validate();
        return new HuggingFaceConfig(model, []);
    }

    /// <summary>Reads a config.json.</summary>
    /// <exception cref="CheckpointException">It is damaged, of an unknown family, or asks for what is not supported; the message names the field.</exception>
    public static HuggingFaceConfig Read(string path)
    {
        try
        {
            return Parse(path, ConfigFields.ReadObject(path));
        }
        catch (InvalidOperationException error)
        {
            // Half a surrogate pair, written as an escape: found where the string is first read.
            throw new CheckpointException(path, $"it holds text that is not Unicode ({error.Message}).", "Copy or download it again.", error);
        }
    }

    /// <summary>Writes config.json: what was read, with the fields that have changed since; for a model of ours, its family's fields.</summary>
    public void Write(string path) => AtomicFile.WriteAllText(path, FieldsToWrite().ToJsonString(s_json) + "\n");

    private JsonObject FieldsToWrite()
    {
        var json = (JsonObject)_read.DeepClone();
        if (json.Count == 0 || ParseModel(FileName, _read) != Model)
        {
            Array.ForEach(s_modelFields, name => json.Remove(name));
            foreach ((string name, JsonNode? value) in FieldsOf(Model))
            {
                json[name] = value?.DeepClone();
            }
        }

        var fields = new ConfigFields(FileName, json);
        if (Dtype is { } dtype)
        {
            json[json.ContainsKey("dtype") ? "dtype" : "torch_dtype"] = s_dtypes.First(known => known.Dtype == dtype).Name;
        }

        if (BeginningOfText != fields.TokenId("bos_token_id"))
        {
            json["bos_token_id"] = BeginningOfText;
        }

        if (!EndOfText.SequenceEqual(fields.TokenIds("eos_token_id")))
        {
            json["eos_token_id"] = EndOfText.Count == 1 ? EndOfText[0] : new JsonArray([.. EndOfText.Select(id => JsonValue.Create(id))]);
        }

        return json;
    }

    private static HuggingFaceConfig Parse(string path, JsonObject json)
    {
        var fields = new ConfigFields(path, json);
        string? dtype = fields.Text("torch_dtype") ?? fields.Text("dtype");
        if (dtype is not null && s_dtypes.All(known => known.Name != dtype))
        {
            throw fields.Wrong(fields.Has("torch_dtype") ? "torch_dtype" : "dtype", string.Join(", ", s_dtypes.Select(known => known.Name)));
        }

        return new HuggingFaceConfig(ParseModel(path, json), json)
        {
            BeginningOfText = fields.TokenId("bos_token_id"),
            EndOfText = fields.TokenIds("eos_token_id"),
            Dtype = dtype is null ? null : s_dtypes.First(known => known.Name == dtype).Dtype,
        };
    }

    private static TransformerConfig ParseModel(string path, JsonObject json)
    {
        var fields = new ConfigFields(path, json);
        string? type = fields.Text("model_type");
        try
        {
            TransformerConfig model = type == OwnFamily
                ? JsonSerializer.Deserialize<TransformerConfig>(json[OwnConfig], s_json) ?? throw fields.Wrong(OwnConfig, "the config of a PaperLab model")
                : FamilyReader.Read(fields, ModelFamily.All.FirstOrDefault(family => family.ModelType == type) ?? throw fields.Wrong(
                    "model_type", string.Join(", ", ModelFamily.All.Select(family => family.ModelType).Append(OwnFamily)), "Take a checkpoint of one of these families."));
            model.Validate();
            return model;
        }
        catch (ArgumentException error)
        {
            throw new CheckpointException(path, $"its sizes do not fit together: {error.Message}", "Correct the field, or copy the file again.", error);
        }
        catch (JsonException error)
        {
            throw new CheckpointException(path, $"field '{OwnConfig}' is not the config of a PaperLab model ({error.Message}).", "Copy the file again, or read it with the version that wrote it.", error);
        }
    }

    private static JsonObject FieldsOf(TransformerConfig model) => ModelFamily.Of(model) is { } family
        ? FamilyWriter.FieldsOf(model, family)
        : new JsonObject
        {
            ["architectures"] = new JsonArray("PaperLabTransformer"),
            ["model_type"] = OwnFamily,
            [OwnConfig] = JsonSerializer.SerializeToNode(model, s_json),
        };
}
