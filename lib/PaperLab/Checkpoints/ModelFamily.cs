// The model families of Hugging Face's transformers that differ from Llama in a few fields only.

using PaperLab.Models;

namespace PaperLab.Checkpoints;

/// <summary>What sets a family apart; the numbers are what its class in transformers assumes where config.json is silent.</summary>
internal sealed record ModelFamily(
    string ModelType, string Architecture, int ContextLength, int? KeyValueHeads = null, int? HeadWidth = null, int? SlidingWindow = null, double RopeTheta = 10_000, double NormEpsilon = 1e-6)
{
    // For what a family's fields cannot say.
    public const string OwnContext = "paperlab_context_length", OwnBalanceLoss = "paperlab_balance_loss_weight", OwnZLoss = "paperlab_z_loss_weight";

    public static readonly IReadOnlyList<ModelFamily> All =
    [
        new("llama", "LlamaForCausalLM", ContextLength: 2048),
        new("mistral", "MistralForCausalLM", ContextLength: 131_072, KeyValueHeads: 8, SlidingWindow: 4096),
        new("mixtral", "MixtralForCausalLM", ContextLength: 131_072, KeyValueHeads: 8, RopeTheta: 1e6, NormEpsilon: 1e-5),
        new("qwen2", "Qwen2ForCausalLM", ContextLength: 32_768, KeyValueHeads: 32),
        new("qwen3", "Qwen3ForCausalLM", ContextLength: 32_768, KeyValueHeads: 32, HeadWidth: 128),
    ];

    /// <summary>The family that computes just what the model does; null where there is none.</summary>
    public static ModelFamily? Of(TransformerConfig model)
    {
        AttentionConfig attention = model.Attention ?? new AttentionConfig();
        AttentionShape shape = AttentionShape.Of(model);
        bool special = shape.KeyHeads != shape.ValueHeads || shape.KeyWidth != shape.ValueWidth || attention.QueryHidden is not null || attention.SelectedValues is not null;
        (bool qkv, bool output, bool norm, bool window) = (attention.QkvBias, attention.OutputBias, attention.QkNorm, attention.SlidingWindow is not null);
        string? type = (model.FeedForward, special) switch
        {
            (DenseConfig, false) when norm && qkv == output => "qwen3",
            (DenseConfig, false) when !norm && qkv && !output => "qwen2",
            (DenseConfig, false) when !norm && !qkv && !output && window => "mistral",
            (DenseConfig, false) when !norm && qkv == output && !window => "llama",
            (MixtureOfExpertsConfig { Selection: ExpertSelection.TopK, NormalizeWeights: true, GateRank: null, RouterHidden: null, SharedExperts: 0, BiasUpdateRate: 0 }, false)
                when !norm && !qkv && !output => "mixtral",
            _ => null,
        };
        return All.FirstOrDefault(family => family.ModelType == type);
    }
}
