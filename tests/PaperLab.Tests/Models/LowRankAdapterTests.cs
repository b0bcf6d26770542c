using PaperLab.Checkpoints;
using PaperLab.Models;
using static TorchSharp.torch;
using AdamW = PaperLab.Training.AdamW;

namespace PaperLab.Tests.Models;

public sealed class LowRankAdapterTests : TorchTest
{
    private static readonly TransformerConfig s_config = new()
    {
        VocabularySize = 50,
        Width = 32,
        Layers = 2,
        Heads = 4,
        ContextLength = 16,
        Attention = new AttentionConfig { KeyHeads = 2, ValueHeads = 2, QkvBias = true },
        FeedForward = new DenseConfig(48),
    };

    public static TheoryData<TransformerConfig> Configs =>
    [
        s_config,
        s_config with { Attention = new AttentionConfig { QueryHidden = 12, KeyHeads = 1, ValueHeads = 2, KeyWidth = 6, ValueWidth = 10 } },
        s_config with { FeedForward = new MixtureOfExpertsConfig { NumExperts = 4, Hidden = 8, SharedExperts = 2 } },
        s_config with { FeedForward = new AutonomyOfExpertsConfig { NumExperts = 4, Hidden = 8, GateRank = 2 } },
    ];

    [Theory]
    [MemberData(nameof(Configs))]
    public void An_untrained_adapter_changes_nothing_and_has_as_many_parameters_as_foretold(TransformerConfig config)
    {
        using var model = new Transformer(config);
        Tensor tokens = Tokens(), before = Logits(model, tokens);
        long parameters = model.TotalParameters;

        LowRankAdapter adapter = LowRankAdapter.Attach(model, rank: 3, alpha: 6, seed: 1);

        Assert.True(before.eq(Logits(model, tokens)).all().item<bool>());
        Assert.Equal(LowRankAdapter.ParametersOf(config, 3), adapter.Parameters);
        Assert.Equal(parameters + adapter.Parameters, model.TotalParameters);
        Assert.Equal(adapter.Parameters, model.parameters().Where(parameter => parameter.requires_grad).Sum(parameter => parameter.numel()));
    }

    [Fact]
    public void Only_the_adapter_learns_and_merged_it_computes_the_same()
    {
        using var model = new Transformer(s_config);
        LowRankAdapter.Attach(model, rank: 4, alpha: 8, seed: 1);
        Tensor tokens = Tokens(), before = Logits(model, tokens);
        Dictionary<string, Tensor> weights = model.state_dict().ToDictionary(entry => entry.Key, entry => entry.Value.clone());
        Train(model, tokens);
        Tensor adapted = Logits(model, tokens);

        string[] changed = [.. model.state_dict().Where(entry => !entry.Value.eq(weights[entry.Key]).all().item<bool>()).Select(entry => entry.Key)];
        model.Adapter!.Merge();

        Assert.Equal(2 * 7 * 2, changed.Length);
        Assert.All(changed, name => Assert.Contains(".lora_", name));
        Assert.True((adapted - before).abs().max().item<float>() > 0.1);
        Assert.Equal(0, (adapted - Logits(model, tokens)).abs().max().item<float>(), 1e-5);
        Assert.Null(model.Adapter);
        using var ordinary = new Transformer(s_config);
        Assert.Equal(ordinary.named_parameters().Select(named => named.name), model.named_parameters().Select(named => named.name));
        Assert.All(model.parameters(), parameter => Assert.True(parameter.requires_grad));
    }

    [Fact]
    public void The_optimizer_holds_moments_of_the_adapter_alone()
    {
        using var model = new Transformer(s_config);
        LowRankAdapter adapter = LowRankAdapter.Attach(model, rank: 4, alpha: 8, seed: 1);
        using var optimizer = new AdamW(model.named_parameters(), learningRate: 0.01);

        Assert.Equal(2 * adapter.Parameters, optimizer.State().Where(entry => entry.Key != "step").Sum(entry => entry.Value.numel()));
    }

    [Fact]
    public void The_sum_is_the_papers()
    {
        using var model = new Transformer(s_config);
        LowRankAdapter.Attach(model, rank: 4, alpha: 6, seed: 1);
        Train(model, Tokens());
        Projection projection = model.Blocks.First().self_attn.modules().OfType<Projection>().First();
        Tensor x = randn(5, 32);

        Tensor expected = x.mm(projection.weight.t()) + projection.bias! + (x.mm(projection.lora_A!.t()).mm(projection.lora_B!.t()) * 1.5);

        Assert.Equal(0, (expected - projection.forward(x)).abs().max().item<float>(), 1e-5);
        Assert.InRange(projection.lora_A!.std().item<float>() * Math.Sqrt(32), 0.8, 1.2); // variance 1/in
    }

    [Fact]
    public void Factors_follow_from_the_seed()
    {
        Tensor A(int seed)
        {
            using var model = new Transformer(s_config);
            LowRankAdapter.Attach(model, rank: 4, alpha: 8, seed);
            return model.state_dict()["layers.1.mlp.up_proj.lora_A"].clone();
        }

        Assert.True(A(1).eq(A(1)).all().item<bool>());
        Assert.False(A(1).eq(A(2)).any().item<bool>());
    }

    [Fact]
    public void A_saved_model_is_an_ordinary_one_and_the_adapter_stays_on()
    {
        using var folder = new TemporaryFolder();
        using var model = new Transformer(s_config);
        LowRankAdapter.Attach(model, rank: 4, alpha: 8, seed: 1);
        Tensor tokens = Tokens();
        Train(model, tokens);

        HuggingFaceModel.Of(model).Save(folder.File("saved"));

        using HuggingFaceModel loaded = HuggingFaceModel.Load(folder.File("saved"));
        Assert.Equal("qwen2", loaded.Config.ModelType);
        Assert.DoesNotContain(loaded.Model.state_dict().Keys, name => name.Contains("lora"));
        Assert.Equal(0, (Logits(model, tokens) - Logits(loaded.Model, tokens)).abs().max().item<float>(), 1e-5);
        Assert.NotNull(model.Adapter);
    }

    [Fact]
    public void Another_times_factors_or_none_serve_while_something_is_computed()
    {
        using var model = new Transformer(s_config);
        LowRankAdapter adapter = LowRankAdapter.Attach(model, rank: 4, alpha: 8, seed: 1);
        Tensor tokens = Tokens(), untrained = Logits(model, tokens);
        Train(model, tokens);
        Tensor middle = Logits(model, tokens);
        IReadOnlyList<(Tensor A, Tensor B)> factors = adapter.Copied();
        Train(model, tokens);
        Tensor now = Logits(model, tokens);

        Assert.True(adapter.With(null, () => Logits(model, tokens)).eq(untrained).all().item<bool>());
        Assert.True(adapter.With(factors, () => Logits(model, tokens)).eq(middle).all().item<bool>());
        Assert.True(Logits(model, tokens).eq(now).all().item<bool>());
        Assert.Throws<InvalidOperationException>(() => adapter.With<int>(null, () => throw new InvalidOperationException()));
        Assert.True(Logits(model, tokens).eq(now).all().item<bool>());
    }

    [Fact]
    public void What_does_not_fit_is_refused_by_name()
    {
        using var model = new Transformer(s_config);

        Assert.Contains("rank is 33; allowed: 1 to 32", Assert.Throws<ArgumentException>(() => LowRankAdapter.Attach(model, 33, 8, 1)).Message);
        Assert.Contains("alpha is 0", Assert.Throws<ArgumentException>(() => LowRankAdapter.Attach(model, 4, 0, 1)).Message);
        LowRankAdapter.Attach(model, 4, 8, 1);
        Assert.Contains("merge that first", Assert.Throws<ArgumentException>(() => LowRankAdapter.Attach(model, 4, 8, 1)).Message);
    }

    private static Tensor Tokens() => randint(0, 50, [3, 12], dtype: ScalarType.Int64);

    private static Tensor Logits(Transformer model, Tensor tokens)
    {
        using var noGrad = no_grad();
        return model.forward(tokens).Logits_BTV;
    }

    private static void Train(Transformer model, Tensor tokens)
    {
        using var optimizer = new AdamW(model.named_parameters(), learningRate: 0.02);
        for (int step = 0; step < 5; step++)
        {
            optimizer.ZeroGradients();
            nn.functional.cross_entropy(model.forward(tokens).Logits_BTV.flatten(0, 1), tokens.view(-1)).backward();
            optimizer.Step();
        }
    }
}
