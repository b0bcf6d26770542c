// TransformerConfig → the fields of its family's config.json.

using System.Text.Json.Nodes;
using PaperLab.Models;

namespace PaperLab.Checkpoints;

internal static class FamilyWriter
{
    /// <summary>All fields that describe the model, in the order of a config.json.</summary>
    public static JsonObject FieldsOf(TransformerConfig model, ModelFamily family)
    {
        string type = family.ModelType;
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
                json[ModelFamily.OwnBalanceLoss] = experts.BalanceLossWeight;
            }

            if (experts.ZLossWeight > 0)
            {
                json[ModelFamily.OwnZLoss] = experts.ZLossWeight;
            }
        }

        if (FamilyReader.ReadPositions(new ConfigFields(HuggingFaceConfig.FileName, json), family).Context != model.ContextLength)
        {
            json[ModelFamily.OwnContext] = model.ContextLength;
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
}
