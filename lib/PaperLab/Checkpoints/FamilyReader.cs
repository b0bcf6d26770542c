// The fields of config.json → TransformerConfig. What we cannot compute is refused by name.

using PaperLab.Models;

namespace PaperLab.Checkpoints;

internal static class FamilyReader
{
    /// <summary>The model that the fields describe; not yet validated.</summary>
    /// <exception cref="CheckpointException">A field is missing, out of range or not supported.</exception>
    public static TransformerConfig Read(ConfigFields fields, ModelFamily family)
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
        (double theta, RopeScaling? scaling, int context) = ReadPositions(fields, family);
        context = fields.Count(ModelFamily.OwnContext, context);
        var attention = new AttentionConfig
        {
            KeyHeads = keyValueHeads == heads ? null : keyValueHeads,
            ValueHeads = keyValueHeads == heads ? null : keyValueHeads,
            KeyWidth = width % heads == 0 && headWidth == width / heads ? null : headWidth,
            ValueWidth = width % heads == 0 && headWidth == width / heads ? null : headWidth,
            SlidingWindow = ReadWindow(fields, family, layers, context),
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
            FeedForward = family.ModelType == "mixtral" ? ReadExperts(fields) : new DenseConfig(fields.Count("intermediate_size")),
        };
    }

    // Mixtral's weights are a softmax over all experts, divided by the sum over the chosen: a softmax over the chosen.
    private static MixtureOfExpertsConfig ReadExperts(ConfigFields fields) => new()
    {
        NumExperts = fields.Count("num_local_experts", 8),
        TopK = fields.Count("num_experts_per_tok", 2),
        Hidden = fields.Count("intermediate_size"),
        BalanceLossWeight = fields.Has(ModelFamily.OwnBalanceLoss) ? fields.Positive(ModelFamily.OwnBalanceLoss) : 0,
        ZLossWeight = fields.Has(ModelFamily.OwnZLoss) ? fields.Positive(ModelFamily.OwnZLoss) : 0,
    };

    // All layers alike is what we compute: full attention, or one window.
    private static int? ReadWindow(ConfigFields fields, ModelFamily family, int layers, int context)
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

    public static (double Theta, RopeScaling? Scaling, int Context) ReadPositions(ConfigFields fields, ModelFamily family)
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
            "yarn" => (theta, ReadYarn(rope, original), Math.Max(context, Stretched(rope.Positive("factor"), original))),
            _ => throw rope.Wrong(rope.Has("rope_type") ? "rope_type" : "type", "default, linear, dynamic, llama3, yarn"),
        };
    }

    private static RopeScaling ReadYarn(ConfigFields rope, int original)
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
}
