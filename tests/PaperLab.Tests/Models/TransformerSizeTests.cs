using PaperLab.Models;

namespace PaperLab.Tests.Models;

public sealed class TransformerSizeTests : TorchTest
{
    private static readonly TransformerConfig s_config = new() { VocabularySize = 50, Width = 32, Layers = 3, Heads = 4, ContextLength = 16, FeedForward = new DenseConfig(48) };

    public static TheoryData<TransformerConfig> Configs =>
    [
        s_config,
        s_config with { TieEmbeddings = true, Attention = new AttentionConfig { KeyHeads = 2, ValueHeads = 2, QkvBias = true, OutputBias = true, QkNorm = true } },
        s_config with { Attention = new AttentionConfig { QueryHidden = 12, KeyHeads = 1, ValueHeads = 2, KeyWidth = 6, ValueWidth = 10 } },
        s_config with { FeedForward = new MixtureOfExpertsConfig { NumExperts = 4, Hidden = 8, SharedExperts = 2, GateRank = 3 } },
        s_config with { FeedForward = new MixtureOfExpertsConfig { NumExperts = 4, Hidden = 8, RouterHidden = 5 } },
        s_config with { FeedForward = new AutonomyOfExpertsConfig { NumExperts = 4, Hidden = 8, GateRank = 2 } },
    ];

    [Theory]
    [MemberData(nameof(Configs))]
    public void A_config_has_the_parameters_of_its_model(TransformerConfig config)
    {
        using var model = new Transformer(config);

        Assert.Equal(model.TotalParameters, TransformerSize.Parameters(config));
        Assert.Equal(model.Blocks.First().parameters().Sum(parameter => parameter.numel()), TransformerSize.BlockParameters(config));
    }
}
