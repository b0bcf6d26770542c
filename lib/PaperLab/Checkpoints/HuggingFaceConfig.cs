// config.json ↔ TransformerConfig, for the families that differ from Llama in a few fields only. What is absent has the default of
// the family's class in Hugging Face's transformers; what we cannot compute is refused by name; what we do not know is kept and
// written back. Model kinds that no family covers are written as model_type "paperlab", with our own config inside.

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

    // For what a family's fields cannot say.
    private const string OwnContext = "paperlab_context_length", OwnBalanceLoss = "paperlab_balance_loss_weight", OwnZLoss = "paperlab_z_loss_weight";

    // All that FieldsOf may write, and older or newer spellings of the same: these give way when the model is another than was read.
    private static readonly string[] s_modelFields =
    [
        "architectures", "model_type", "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
        "num_key_value_heads", "head_dim", "hidden_act", "max_position_embeddings", "rms_norm_eps", "rope_theta", "rope_scaling", "rope_parameters",
        "original_max_position_embeddings", "tie_word_embeddings", "attention_bias", "mlp_bias", "sliding_window", "use_sliding_window",
        "max_window_layers", "layer_types", "num_local_experts", "num_experts_per_tok", OwnConfig, OwnContext, OwnBalanceLoss, OwnZLoss,
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

    private static readonly Family[] s_families =
    [
        new("llama", "LlamaForCausalLM", ContextLength: 2048),
        new("mistral", "MistralForCausalLM", ContextLength: 131_072, KeyValueHeads: 8, SlidingWindow: 4096),
        new("mixtral", "MixtralForCausalLM", ContextLength: 131_072, KeyValueHeads: 8, RopeTheta: 1e6, NormEpsilon: 1e-5),
        new("qwen2", "Qwen2ForCausalLM", ContextLength: 32_768, KeyValueHeads: 32),
        new("qwen3", "Qwen3ForCausalLM", ContextLength: 32_768, KeyValueHeads: 32, HeadWidth: 128),
    ];

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
                : ParseModel(fields, s_families.FirstOrDefault(family => family.ModelType == type) ?? throw fields.Wrong(
                    "model_type", string.Join(", ", s_families.Select(family => family.ModelType).Append(OwnFamily)), "Take a checkpoint of one of these families."));
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

    private static TransformerConfig ParseModel(ConfigFields fields, Family family)
    {
        fields.MustBe("hidden_act", "silu");
        fields.MustBe("mlp_bias", false);
        fields.MustBe("partial_rotary_factor", 1);
        if (fields.Has("quantization_config"))
        {
            throw fields.Wrong("quantization_config", "none", "Take the checkpoint before it was quantized.");
        }

        (int width, int layers, int heads) = (fields.Count("hidden_size"), fields.Count("num_hidden_layers"), fields.Count("num_attention_heads"));
        if (width % heads != 0 && !fields.Has("head_dim") && family.HeadWidth is null)
        {
            throw fields.Wrong("num_attention_heads", $"a divisor of hidden_size = {width} where there is no head_dim");
        }

        int keyValueHeads = fields.Count("num_key_value_heads", family.KeyValueHeads ?? heads);
        int headWidth = fields.Count("head_dim", family.HeadWidth ?? width / heads);
        bool bias = family.ModelType == "qwen2" || (family.ModelType is "llama" or "qwen3" && fields.Flag("attention_bias", false));
        (double theta, RopeScaling? scaling, int context) = ParsePositions(fields, family);
        context = fields.Count(OwnContext, context);
        var attention = new AttentionConfig
        {
            KeyHeads = keyValueHeads == heads ? null : keyValueHeads,
            ValueHeads = keyValueHeads == heads ? null : keyValueHeads,
            KeyWidth = width % heads == 0 && headWidth == width / heads ? null : headWidth,
            ValueWidth = width % heads == 0 && headWidth == width / heads ? null : headWidth,
            SlidingWindow = ParseWindow(fields, family, layers, context),
            QkvBias = bias,
            OutputBias = bias && family.ModelType != "qwen2",
            QkNorm = family.ModelType == "qwen3",
        };
        return new TransformerConfig
        {
            VocabularySize = fields.Count("vocab_size"),
            Width = width,
            Layers = layers,
            Heads = heads,
            Attention = attention == new AttentionConfig() ? null : attention,
            ContextLength = context,
            RopeTheta = theta,
            RopeScaling = scaling,
            NormEpsilon = fields.Positive("rms_norm_eps", family.NormEpsilon),
            TieEmbeddings = fields.Flag("tie_word_embeddings", false),
            FeedForward = family.ModelType == "mixtral" ? ParseExperts(fields) : new DenseConfig(fields.Count("intermediate_size")),
        };
    }

    // Mixtral's weights are a softmax over all experts, divided by the sum over the chosen: a softmax over the chosen.
    private static MixtureOfExpertsConfig ParseExperts(ConfigFields fields) => new()
    {
        NumExperts = fields.Count("num_local_experts", 8),
        TopK = fields.Count("num_experts_per_tok", 2),
        Hidden = fields.Count("intermediate_size"),
        BalanceLossWeight = fields.Has(OwnBalanceLoss) ? fields.Positive(OwnBalanceLoss) : 0,
        ZLossWeight = fields.Has(OwnZLoss) ? fields.Positive(OwnZLoss) : 0,
    };

    // All layers alike is what we compute: full attention, or one window.
    private static int? ParseWindow(ConfigFields fields, Family family, int layers, int context)
    {
        bool qwen = family.ModelType is "qwen2" or "qwen3";
        int? window = family.ModelType == "llama" || (qwen && !fields.Flag("use_sliding_window", false)) ? null
            : fields.Has("sliding_window") ? fields.Count("sliding_window")
            : fields.IsNull("sliding_window") ? null : family.SlidingWindow;
        IReadOnlyList<string> kinds = fields.Texts("layer_types");
        if (kinds.Count == 0 && qwen && window is not null)
        {
            int full = fields.Count("max_window_layers", 28, least: 0);
            kinds = [.. Enumerable.Range(0, layers).Select(layer => layer < full ? "full_attention" : "sliding_attention")];
        }

        if (kinds.Count > 0 && kinds.All(kind => kind == "full_attention"))
        {
            return null;
        }

        // A window as long as the context is full attention.
        return kinds.All(kind => kind == "sliding_attention") || window >= context ? window : throw fields.Wrong(
            fields.Has("layer_types") ? "layer_types" : "max_window_layers",
            "the same kind of attention in every layer",
            "Layers with and without a window in one model are not supported; for texts within the window, set use_sliding_window to false and layer_types to null.");
    }

    private static (double Theta, RopeScaling? Scaling, int Context) ParsePositions(ConfigFields fields, Family family)
    {
        ConfigFields? parameters = fields.Object("rope_parameters");
        double theta = parameters?.Has("rope_theta") == true ? parameters.Positive("rope_theta") : fields.Positive("rope_theta", family.RopeTheta);
        int context = fields.Count("max_position_embeddings", family.ContextLength);
        if ((parameters ?? fields.Object("rope_scaling")) is not { } rope)
        {
            return (theta, null, context);
        }

        rope.MustBe("partial_rotary_factor", 1);
        if (rope.Has("full_attention") || rope.Has("sliding_attention"))
        {
            throw rope.Wrong(rope.Has("full_attention") ? "full_attention" : "sliding_attention", "one set of parameters for all layers");
        }

        string type = rope.Text("rope_type") ?? rope.Text("type") ?? "default";
        int original = rope.Count("original_max_position_embeddings", fields.Count("original_max_position_embeddings", context));
        int Stretched(double factor, int from) => (int)Math.Min(Math.Round(factor * from), int.MaxValue);
        return type switch
        {
            "default" => (theta, null, context),
            "linear" => (theta, new RopeScaling { Kind = RopeScalingKind.Linear, Factor = rope.Positive("factor") }, context),

            // Hugging Face takes max_position_embeddings for the length of training here.
            "dynamic" => (theta, new RopeScaling { Kind = RopeScalingKind.Dynamic, Factor = rope.Positive("factor"), OriginalContext = context }, Stretched(rope.Positive("factor"), context)),
            "llama3" => (theta, new RopeScaling
            {
                Kind = RopeScalingKind.Llama3,
                Factor = rope.Positive("factor"),
                OriginalContext = original,
                LowFrequencyFactor = rope.Positive("low_freq_factor"),
                HighFrequencyFactor = rope.Positive("high_freq_factor"),
            }, context),
            "yarn" => (theta, ParseYarn(rope, original), Math.Max(context, Stretched(rope.Positive("factor"), original))),
            _ => throw rope.Wrong(rope.Has("rope_type") ? "rope_type" : "type", "default, linear, dynamic, llama3, yarn"),
        };
    }

    private static RopeScaling ParseYarn(ConfigFields rope, int original)
    {
        rope.MustBe("truncate", true);
        rope.MustBe("mscale", 0);
        rope.MustBe("mscale_all_dim", 0);
        return new RopeScaling
        {
            Kind = RopeScalingKind.Yarn,
            Factor = rope.Positive("factor"),
            OriginalContext = original,
            BetaFast = rope.Positive("beta_fast", 32),
            BetaSlow = rope.Positive("beta_slow", 1),
            AttentionFactor = rope.Has("attention_factor") ? rope.Positive("attention_factor") : null,
        };
    }

    // The family that computes just what the model does; null where there is none.
    private static string? FamilyOf(TransformerConfig model)
    {
        AttentionConfig attention = model.Attention ?? new AttentionConfig();
        AttentionShape shape = AttentionShape.Of(model);
        bool special = shape.KeyHeads != shape.ValueHeads || shape.KeyWidth != shape.ValueWidth || attention.QueryHidden is not null || attention.SelectedValues is not null;
        (bool qkv, bool output, bool norm, bool window) = (attention.QkvBias, attention.OutputBias, attention.QkNorm, attention.SlidingWindow is not null);
        return (model.FeedForward, special) switch
        {
            (DenseConfig, false) when norm && qkv == output => "qwen3",
            (DenseConfig, false) when !norm && qkv && !output => "qwen2",
            (DenseConfig, false) when !norm && !qkv && !output && window => "mistral",
            (DenseConfig, false) when !norm && qkv == output && !window => "llama",
            (MixtureOfExpertsConfig { Selection: ExpertSelection.TopK, NormalizeWeights: true, GateRank: null, SharedExperts: 0, BiasUpdateRate: 0 }, false)
                when !norm && !qkv && !output => "mixtral",
            _ => null,
        };
    }

    private static JsonObject FieldsOf(TransformerConfig model)
    {
        if (FamilyOf(model) is not { } type)
        {
            return new JsonObject
            {
                ["architectures"] = new JsonArray("PaperLabTransformer"),
                ["model_type"] = OwnFamily,
                [OwnConfig] = JsonSerializer.SerializeToNode(model, s_json),
            };
        }

        Family family = s_families.First(known => known.ModelType == type);
        AttentionShape shape = AttentionShape.Of(model);
        AttentionConfig attention = model.Attention ?? new AttentionConfig();
        bool qwen = type is "qwen2" or "qwen3";
        var json = new JsonObject
        {
            ["architectures"] = new JsonArray(family.Architecture),
            ["model_type"] = type,
            ["vocab_size"] = model.VocabularySize,
            ["hidden_size"] = model.Width,
            ["intermediate_size"] = (model.FeedForward as DenseConfig)?.Hidden ?? ((MixtureOfExpertsConfig)model.FeedForward).Hidden,
            ["num_hidden_layers"] = model.Layers,
            ["num_attention_heads"] = model.Heads,
            ["num_key_value_heads"] = shape.KeyHeads,
            ["head_dim"] = shape.KeyWidth,
            ["hidden_act"] = "silu",
            ["max_position_embeddings"] = model.RopeScaling is { Kind: RopeScalingKind.Dynamic } dynamic ? dynamic.OriginalContext : model.ContextLength,
            ["rms_norm_eps"] = model.NormEpsilon,
            ["rope_theta"] = model.RopeTheta,
            ["rope_scaling"] = RopeFieldsOf(model.RopeScaling),
            ["tie_word_embeddings"] = model.TieEmbeddings,
        };
        if (type is "llama" or "qwen3")
        {
            json["attention_bias"] = attention.QkvBias;
        }

        if (qwen)
        {
            json["use_sliding_window"] = attention.SlidingWindow is not null;
            json["max_window_layers"] = attention.SlidingWindow is null ? model.Layers : 0;
        }

        if (type != "llama")
        {
            json["sliding_window"] = attention.SlidingWindow;
        }

        if (model.FeedForward is MixtureOfExpertsConfig experts)
        {
            json["num_local_experts"] = experts.NumExperts;
            json["num_experts_per_tok"] = experts.TopK;
            if (experts.BalanceLossWeight > 0)
            {
                json[OwnBalanceLoss] = experts.BalanceLossWeight;
            }

            if (experts.ZLossWeight > 0)
            {
                json[OwnZLoss] = experts.ZLossWeight;
            }
        }

        if (ParsePositions(new ConfigFields(FileName, json), family).Context != model.ContextLength)
        {
            json[OwnContext] = model.ContextLength;
        }

        return json;
    }

    private static JsonObject? RopeFieldsOf(RopeScaling? scaling) => scaling switch
    {
        null => null,
        { Kind: RopeScalingKind.Linear } => new JsonObject { ["rope_type"] = "linear", ["factor"] = scaling.Factor },
        { Kind: RopeScalingKind.Dynamic } => new JsonObject { ["rope_type"] = "dynamic", ["factor"] = scaling.Factor },
        { Kind: RopeScalingKind.Llama3 } => new JsonObject
        {
            ["rope_type"] = "llama3",
            ["factor"] = scaling.Factor,
            ["low_freq_factor"] = scaling.LowFrequencyFactor,
            ["high_freq_factor"] = scaling.HighFrequencyFactor,
            ["original_max_position_embeddings"] = scaling.OriginalContext,
        },
        _ => new JsonObject
        {
            ["rope_type"] = "yarn",
            ["factor"] = scaling.Factor,
            ["original_max_position_embeddings"] = scaling.OriginalContext,
            ["beta_fast"] = scaling.BetaFast,
            ["beta_slow"] = scaling.BetaSlow,
            ["attention_factor"] = scaling.AttentionFactor,
        },
    };

    /// <summary>What sets a family apart; the numbers are what its class in transformers assumes where config.json is silent.</summary>
    private sealed record Family(
        string ModelType, string Architecture, int ContextLength, int? KeyValueHeads = null, int? HeadWidth = null, int? SlidingWindow = null, double RopeTheta = 10_000, double NormEpsilon = 1e-6);
}
