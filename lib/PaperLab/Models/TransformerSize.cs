// How large a model is, by its config alone: nothing is built.

namespace PaperLab.Models;

/// <summary>Counts of a config's model.</summary>
public static class TransformerSize
{
    /// <summary>All parameters: <see cref="Transformer.TotalParameters"/> of a model without adapter.</summary>
    /// <exception cref="ArgumentException">A size is out of range.</exception>
    public static long Parameters(TransformerConfig config)
    {
        config.Validate();
        long embedding = (long)config.VocabularySize * config.Width;
        return (config.TieEmbeddings ? 1 : 2) * embedding + config.Width + (config.Layers * BlockParameters(config));
    }

    /// <summary>Parameters of one block.</summary>
    public static long BlockParameters(TransformerConfig config)
    {
        AttentionShape shape = AttentionShape.Of(config);
        AttentionConfig attention = config.Attention ?? new AttentionConfig();
        long biases = (attention.QkvBias ? (shape.Heads * shape.KeyWidth) + shape.CacheElements : 0) + (attention.OutputBias ? config.Width : 0);
        return AttentionShape.WeightsOf(config) + biases + (attention.QkNorm ? 2 * shape.KeyWidth : 0) + (2 * config.Width) + FeedForwardParameters(config.FeedForward, config.Width);
    }

    private static long FeedForwardParameters(FeedForwardConfig config, long c) => config switch
    {
        DenseConfig dense => 3 * c * dense.Hidden,
        MixtureOfExpertsConfig moe =>
            (moe.RouterHidden is { } inner ? inner * (c + moe.NumExperts) : c * moe.NumExperts)
            + (moe.NumExperts * ((moe.GateRank is { } rank ? rank * (c + moe.Hidden) : c * moe.Hidden) + (2 * c * moe.Hidden)))
            + (3 * c * moe.SharedExperts * moe.Hidden),
        AutonomyOfExpertsConfig aoe => aoe.NumExperts * ((aoe.GateRank * (c + aoe.Hidden)) + (2 * c * aoe.Hidden)),
        _ => throw new ArgumentException($"{config.GetType().Name} is not a feed-forward layer that this library knows.", nameof(config)),
    };
}
