using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using PaperLab.Checkpoints;
using PaperLab.Models;
using static TorchSharp.torch;

namespace PaperLab.Tests.Checkpoints;

public sealed class HuggingFaceConfigTests
{
    private const string Llama =
        """
        {
          "architectures": ["LlamaForCausalLM"], "model_type": "llama", "attention_bias": false, "bos_token_id": 128000, "eos_token_id": [128001, 128008, 128009],
          "hidden_act": "silu", "hidden_size": 4096, "initializer_range": 0.02, "intermediate_size": 14336, "max_position_embeddings": 131072, "mlp_bias": false,
          "num_attention_heads": 32, "num_hidden_layers": 32, "num_key_value_heads": 8, "pretraining_tp": 1, "rms_norm_eps": 1e-05,
          "rope_scaling": {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192, "rope_type": "llama3"},
          "rope_theta": 500000.0, "tie_word_embeddings": false, "torch_dtype": "bfloat16", "vocab_size": 128256, "unknown": {"kept": [1.50, null, "ü"]}
        }
        """;

    private static readonly Gen<TransformerConfig> s_models =
        from keyHeads in Gen.Elements(1, 2, 4)
        from groups in Gen.Elements(1, 3)
        from width in Gen.Elements(12, 48)
        from headWidth in Gen.Elements<int?>(null, 4, 6)
        from window in Gen.Elements<int?>(null, null, 5, 1000)
        from qkv in Gen.Elements(true, false)
        from output in Gen.Elements(true, false)
        from norm in Gen.Elements(true, false)
        from scaling in Gen.Elements<RopeScaling?>(
            null,
            new() { Kind = RopeScalingKind.Linear, Factor = 2.5 },
            new() { Kind = RopeScalingKind.Dynamic, Factor = 2, OriginalContext = 32 },
            new() { Kind = RopeScalingKind.Llama3, Factor = 8, OriginalContext = 16, LowFrequencyFactor = 1, HighFrequencyFactor = 3 },
            new() { Kind = RopeScalingKind.Yarn, Factor = 4, OriginalContext = 16, AttentionFactor = 1.25 },
            new() { Kind = RopeScalingKind.Yarn, Factor = 4, OriginalContext = 100, BetaFast = 20, BetaSlow = 2 })
        from feedForward in Gen.Elements<FeedForwardConfig>(
            new DenseConfig(24),
            new MixtureOfExpertsConfig { NumExperts = 4, TopK = 1, Hidden = 8 },
            new MixtureOfExpertsConfig { NumExperts = 3, TopK = 2, Hidden = 8, BalanceLossWeight = 0.01, ZLossWeight = 0.001 },
            new MixtureOfExpertsConfig { Hidden = 8, SharedExperts = 1 },
            new MixtureOfExpertsConfig { Hidden = 8, RouterHidden = 4 },
            new MixtureOfExpertsConfig { Hidden = 8, Selection = ExpertSelection.TopP, TopP = 0.5 },
            new AutonomyOfExpertsConfig { Hidden = 8, GateRank = 2 })
        from context in Gen.Elements(64, 77)
        from tied in Gen.Elements(true, false)
        let heads = keyHeads * groups
        where headWidth is not null || (width % heads == 0 && width / heads % 2 == 0)
        let shape = headWidth * heads == width ? null : headWidth
        let attention = new AttentionConfig
        {
            KeyHeads = groups == 1 ? null : keyHeads,
            ValueHeads = groups == 1 ? null : keyHeads,
            KeyWidth = shape,
            ValueWidth = shape,
            SlidingWindow = window,
            QkvBias = qkv,
            OutputBias = output,
            QkNorm = norm,
        }
        select new TransformerConfig
        {
            VocabularySize = 50,
            Width = width,
            Layers = 2,
            Heads = heads,
            Attention = attention == new AttentionConfig() ? null : attention,
            ContextLength = context,
            RopeTheta = 5000,
            RopeScaling = scaling,
            NormEpsilon = 1e-5,
            TieEmbeddings = tied,
            FeedForward = feedForward,
        };

    [Fact]
    public void A_llama_is_read_field_by_field()
    {
        HuggingFaceConfig config = Read(Llama);

        Assert.Equal(new TransformerConfig
        {
            VocabularySize = 128_256,
            Width = 4096,
            Layers = 32,
            Heads = 32,
            Attention = new AttentionConfig { KeyHeads = 8, ValueHeads = 8 },
            ContextLength = 131_072,
            RopeTheta = 500_000,
            RopeScaling = new RopeScaling { Kind = RopeScalingKind.Llama3, Factor = 8, OriginalContext = 8192, LowFrequencyFactor = 1, HighFrequencyFactor = 4 },
            NormEpsilon = 1e-5,
            FeedForward = new DenseConfig(14_336),
        }, config.Model);
        Assert.Equal((128_000, ScalarType.BFloat16), (config.BeginningOfText, config.Dtype));
        Assert.Equal([128_001, 128_008, 128_009], config.EndOfText);
    }

    [Theory]
    [InlineData("""{"model_type": "llama", "attention_bias": true}""", """{"QkvBias": true, "OutputBias": true}""")]
    [InlineData("""{"model_type": "llama", "head_dim": 10}""", """{"KeyWidth": 10, "ValueWidth": 10}""")]
    [InlineData("""{"model_type": "llama", "sliding_window": 7}""", "null")]
    [InlineData("""{"model_type": "mistral", "num_key_value_heads": 2, "sliding_window": 7}""", """{"KeyHeads": 2, "ValueHeads": 2, "SlidingWindow": 7}""")]
    [InlineData("""{"model_type": "mistral", "num_key_value_heads": 4, "sliding_window": null}""", "null")]
    [InlineData("""{"model_type": "mistral", "num_key_value_heads": 4}""", """{"SlidingWindow": 4096}""")]
    [InlineData("""{"model_type": "qwen2", "num_key_value_heads": 4, "sliding_window": 7, "max_window_layers": 0}""", """{"QkvBias": true}""")]
    [InlineData("""{"model_type": "qwen2", "num_key_value_heads": 4, "use_sliding_window": true, "sliding_window": 7, "max_window_layers": 0}""", """{"QkvBias": true, "SlidingWindow": 7}""")]
    [InlineData("""{"model_type": "qwen2", "num_key_value_heads": 4, "use_sliding_window": true, "sliding_window": 7, "max_window_layers": 2}""", """{"QkvBias": true}""")]
    [InlineData("""{"model_type": "qwen2", "num_key_value_heads": 4, "use_sliding_window": true, "sliding_window": 64, "max_window_layers": 1, "max_position_embeddings": 64}""", """{"QkvBias": true, "SlidingWindow": 64}""")]
    [InlineData("""{"model_type": "qwen3", "num_key_value_heads": 4}""", """{"QkNorm": true, "KeyWidth": 128, "ValueWidth": 128}""")]
    [InlineData("""{"model_type": "qwen3", "num_key_value_heads": 4, "head_dim": 8, "attention_bias": true, "layer_types": ["full_attention", "full_attention"]}""", """{"QkNorm": true, "QkvBias": true, "OutputBias": true}""")]
    public void A_familys_fields_decide_its_attention(string fields, string attention)
    {
        AttentionConfig? expected = System.Text.Json.JsonSerializer.Deserialize<AttentionConfig>(attention);

        Assert.Equal(expected, Read(Small(fields)).Model.Attention);
    }

    [Theory]
    [InlineData("""{}""", 10_000, null, 256)]
    [InlineData("""{"rope_theta": 7}""", 7, null, 256)]
    [InlineData("""{"rope_scaling": {"type": "linear", "factor": 4}}""", 10_000, RopeScalingKind.Linear, 256)]
    [InlineData("""{"rope_scaling": {"type": "dynamic", "factor": 2.0}}""", 10_000, RopeScalingKind.Dynamic, 512)]
    [InlineData("""{"rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 256}}""", 10_000, RopeScalingKind.Yarn, 1024)]
    [InlineData("""{"rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64}}""", 10_000, RopeScalingKind.Yarn, 256)]
    [InlineData("""{"rope_scaling": {"rope_type": "default"}}""", 10_000, null, 256)]
    [InlineData("""{"rope_parameters": {"rope_type": "default", "rope_theta": 9.5}}""", 9.5, null, 256)]
    [InlineData("""{"rope_theta": 3, "rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 9.5}}""", 9.5, RopeScalingKind.Linear, 256)]
    public void Positions_are_read_in_the_old_spelling_and_the_new(string fields, double theta, RopeScalingKind? kind, int context)
    {
        TransformerConfig model = Read(Small(fields)).Model;

        Assert.Equal((theta, kind, context), (model.RopeTheta, model.RopeScaling?.Kind, model.ContextLength));
    }

    [Fact]
    public void A_mixtral_has_experts()
    {
        TransformerConfig model = Read(Small("""{"model_type": "mixtral", "num_local_experts": 6, "num_experts_per_tok": 3, "router_aux_loss_coef": 0.02, "sliding_window": null}""")).Model;

        Assert.Equal(new MixtureOfExpertsConfig { NumExperts = 6, TopK = 3, Hidden = 24 }, model.FeedForward);
    }

    [Theory]
    [InlineData("""{"model_type": "gpt2"}""", "field 'model_type' is \"gpt2\"; allowed: llama, mistral, mixtral, qwen2, qwen3, paperlab")]
    [InlineData("""{"model_type": null}""", "field 'model_type' is missing")]
    [InlineData("""{"hidden_act": "gelu"}""", "field 'hidden_act' is \"gelu\"; allowed: \"silu\"")]
    [InlineData("""{"hidden_size": null}""", "field 'hidden_size' is missing; allowed: a whole number from 1")]
    [InlineData("""{"hidden_size": "32"}""", "field 'hidden_size' is \"32\"")]
    [InlineData("""{"hidden_size": 32.5}""", "field 'hidden_size' is 32.5")]
    [InlineData("""{"num_hidden_layers": 0}""", "field 'num_hidden_layers' is 0")]
    [InlineData("""{"num_hidden_layers": 99999999999}""", "field 'num_hidden_layers' is 99999999999")]
    [InlineData("""{"num_attention_heads": 5}""", "field 'num_attention_heads' is 5; allowed: a divisor of hidden_size = 32")]
    [InlineData("""{"num_key_value_heads": 3}""", "KeyHeads is 3")]
    [InlineData("""{"rms_norm_eps": 0}""", "field 'rms_norm_eps' is 0; allowed: a number above 0")]
    [InlineData("""{"tie_word_embeddings": 1}""", "field 'tie_word_embeddings' is 1; allowed: true or false")]
    [InlineData("""{"eos_token_id": [1, "x"]}""", "field 'eos_token_id' is [1,\"x\"]")]
    [InlineData("""{"bos_token_id": -1}""", "field 'bos_token_id' is -1")]
    [InlineData("""{"torch_dtype": "int8"}""", "field 'torch_dtype' is \"int8\"; allowed: bfloat16, float16, float32, float64")]
    [InlineData("""{"mlp_bias": true}""", "field 'mlp_bias' is true")]
    [InlineData("""{"quantization_config": {"bits": 4}}""", "field 'quantization_config'")]
    [InlineData("""{"rope_scaling": {"rope_type": "longrope"}}""", "field 'rope_scaling.rope_type' is \"longrope\"; allowed: default, linear, dynamic, llama3, yarn")]
    [InlineData("""{"rope_scaling": {"type": "linear"}}""", "field 'rope_scaling.factor' is missing")]
    [InlineData("""{"rope_scaling": {"type": "linear", "factor": 0.5}}""", "Factor is 0.5; allowed: 1 or more")]
    [InlineData("""{"rope_scaling": 3}""", "field 'rope_scaling' is 3; allowed: an object")]
    [InlineData("""{"rope_parameters": {"full_attention": {"rope_type": "default"}}}""", "field 'rope_parameters.full_attention'")]
    [InlineData("""{"rope_parameters": {"rope_theta": 10000.0, "rope_type": "default", "partial_rotary_factor": 0.5}}""", "field 'rope_parameters.partial_rotary_factor' is 0.5")]
    [InlineData("""{"model_type": "qwen2", "num_key_value_heads": 4, "use_sliding_window": true, "sliding_window": 7, "max_window_layers": 1}""", "field 'max_window_layers' is 1; allowed: the same kind of attention in every layer")]
    [InlineData("""{"model_type": "qwen3", "num_key_value_heads": 4, "use_sliding_window": true, "sliding_window": 7, "layer_types": ["full_attention", "sliding_attention"]}""", "field 'layer_types' is [\"full_attention\",\"sliding_attention\"]")]
    [InlineData("""{"model_type": "paperlab"}""", "field 'transformer' is missing")]
    [InlineData("""{"model_type": "paperlab", "transformer": {"Width": 3}}""", "field 'transformer' is not the config of a PaperLab model")]
    public void A_field_that_is_not_supported_is_named(string fields, string problem)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("config.json"), Small(fields));

        CheckpointException error = Assert.Throws<CheckpointException>(() => HuggingFaceConfig.Read(folder.File("config.json")));

        Assert.StartsWith(folder.File("config.json"), error.Message);
        Assert.Contains(problem, error.Message);
    }

    [Theory]
    [InlineData("[]", "it is JSON, but not an object")]
    [InlineData("{", "it is not JSON")]
    [InlineData("""{"a": 1, "a": 2}""", "it is not JSON")]
    [InlineData(null, "it is missing")]
    public void A_file_that_is_no_config_is_named(string? content, string problem)
    {
        using var folder = new TemporaryFolder();
        if (content is not null)
        {
            File.WriteAllText(folder.File("config.json"), content);
        }

        Assert.Contains($"{folder.File("config.json")}: {problem}", Assert.Throws<CheckpointException>(() => HuggingFaceConfig.Read(folder.File("config.json"))).Message);
    }

    [Fact]
    public void Any_value_of_any_field_is_read_or_refused_with_the_files_name()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("config.json");
        string[] names =
        [
            .. JsonNode.Parse(Llama)!.AsObject().Select(field => field.Key), "rope_parameters", "head_dim", "layer_types", "sliding_window", "use_sliding_window", "max_window_layers",
            "num_local_experts", "num_experts_per_tok", "dtype", "transformer", "paperlab_context_length", "quantization_config", "partial_rotary_factor",
        ];
        Gen<string> value = Gen.Elements(
            "null", "true", "\"x\"", "\"bfloat16\"", "\"mixtral\"", "\"qwen2\"", "\"paperlab\"", "0", "-1", "1", "8", "2.5", "1e400", "1e-400", "99999999999999999999", "{}", "[]", "[[]]", "[null]",
            "[1, 2]", "[\"full_attention\"]", """{"rope_type": "yarn", "factor": 1e300}""", """{"type": 3}""", """{"rope_type": "dynamic", "factor": 2}""", """{"FeedForward": null}""", """{"VocabularySize": 5, "FeedForward": {"$type": "dense", "Hidden": 3}}""");
        Gen<List<(string Name, string Value)>> changes = Gen.Elements(names).SelectMany(name => value.Select(json => (name, json))).ListOf(3);

        Prop.ForAll(changes.ToArbitrary(), list =>
            {
                JsonObject json = JsonNode.Parse(Llama)!.AsObject();
                list.ForEach(change => json[change.Name] = JsonNode.Parse(change.Value));
                File.WriteAllText(path, json.ToJsonString());
                try
                {
                    HuggingFaceConfig.Read(path).Model.Validate();
                    return true;
                }
                catch (CheckpointException error)
                {
                    return error.Message.StartsWith(path, StringComparison.Ordinal);
                }
            })
            .Check(Config.QuickThrowOnFailure.WithMaxTest(2000));
    }

    [Fact]
    public void What_was_read_is_written_back_to_the_last_field()
    {
        using var folder = new TemporaryFolder();

        Read(Llama).Write(folder.File("config.json"));

        Assert.Equal(JsonNode.Parse(Llama)!.ToJsonString(), JsonNode.Parse(File.ReadAllText(folder.File("config.json")))!.ToJsonString());
    }

    [Fact]
    public void A_changed_model_changes_its_fields_and_leaves_the_others()
    {
        HuggingFaceConfig read = Read(Llama);
        HuggingFaceConfig changed = read with { Model = read.Model with { Layers = 3, RopeScaling = null }, Dtype = ScalarType.Float32, EndOfText = [5] };
        using var folder = new TemporaryFolder();

        changed.Write(folder.File("config.json"));

        JsonObject json = JsonNode.Parse(File.ReadAllText(folder.File("config.json")))!.AsObject();
        Assert.Equal(changed.Model, HuggingFaceConfig.Read(folder.File("config.json")).Model);
        Assert.Equal("float32", (string?)json["torch_dtype"]);
        Assert.Equal(5, (int?)json["eos_token_id"]);
        Assert.Equal(128_000, (int?)json["bos_token_id"]);
        Assert.Equal("""{"kept":[1.50,null,"ü"]}""", json["unknown"]!.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
    }

    [Fact]
    public void Any_model_comes_back_through_its_familys_fields_or_our_own()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("config.json");
        var families = new HashSet<string>();

        Prop.ForAll(s_models.ToArbitrary(), model =>
            {
                HuggingFaceConfig config = HuggingFaceConfig.Of(model);
                families.Add(config.ModelType);
                config.Write(path);
                HuggingFaceConfig read = HuggingFaceConfig.Read(path);
                return read.Model == model && read.ModelType == config.ModelType;
            })
            .Check(Config.QuickThrowOnFailure.WithMaxTest(600));

        Assert.Equal(["llama", "mistral", "mixtral", "paperlab", "qwen2", "qwen3"], families.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Attention_that_no_family_has_is_written_as_our_own()
    {
        TransformerConfig model = new()
        {
            VocabularySize = 9,
            Width = 16,
            Heads = 4,
            Attention = new AttentionConfig { KeyHeads = 1, ValueHeads = 2, QueryHidden = 8, SelectedValues = 3 },
            FeedForward = new DenseConfig(8),
        };
        using var folder = new TemporaryFolder();

        HuggingFaceConfig.Of(model).Write(folder.File("config.json"));

        HuggingFaceConfig read = HuggingFaceConfig.Read(folder.File("config.json"));
        Assert.Equal(("paperlab", model), (read.ModelType, read.Model));
    }

    // A small model's config with the given fields in place of its own.
    private static string Small(string fields)
    {
        JsonObject json = JsonNode.Parse(
            """{"model_type": "llama", "vocab_size": 50, "hidden_size": 32, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 256, "num_key_value_heads": 4}""")!.AsObject();
        foreach ((string name, JsonNode? value) in JsonNode.Parse(fields)!.AsObject())
        {
            json[name] = value?.DeepClone();
        }

        return json.ToJsonString();
    }

    private static HuggingFaceConfig Read(string json)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("config.json"), json);
        return HuggingFaceConfig.Read(folder.File("config.json"));
    }
}
