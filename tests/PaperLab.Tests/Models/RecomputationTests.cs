using PaperLab.Models;
using PaperLab.Native;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Transformer = PaperLab.Models.Transformer;

namespace PaperLab.Tests.Models;

public sealed class RecomputationTests : TorchTest
{
    private static readonly TransformerConfig s_dense = new() { VocabularySize = 50, Width = 32, Layers = 3, Heads = 4, ContextLength = 16, FeedForward = new DenseConfig(48) };

    private static readonly MixtureOfExpertsConfig s_experts = new() { NumExperts = 4, Hidden = 16, BalanceLossWeight = 0.1, ZLossWeight = 0.1, BiasUpdateRate = 0.1 };

    public static TheoryData<string, FeedForwardConfig, AttentionConfig?> Models => new()
    {
        { "dense", new DenseConfig(48), null },
        { "shared heads, norms and biases", new DenseConfig(48), new AttentionConfig { KeyHeads = 2, ValueHeads = 2, QkNorm = true, QkvBias = true } },
        { "a window", new DenseConfig(48), new AttentionConfig { SlidingWindow = 5 } },
        { "experts", s_experts, null },
        { "experts that choose tokens", new MixtureOfExpertsConfig { NumExperts = 4, Hidden = 16, Selection = ExpertSelection.ExpertChoice, BalanceLossWeight = 0.1 }, null },
        { "experts up to a share", new MixtureOfExpertsConfig { NumExperts = 4, Hidden = 16, Selection = ExpertSelection.TopP, TopP = 0.6 }, null },
        { "autonomous experts", new AutonomyOfExpertsConfig { NumExperts = 4, Hidden = 16, GateRank = 4, BalanceLossWeight = 0.1 }, null },
    };

    [Theory]
    [MemberData(nameof(Models))]
    public void Gradients_are_those_without(string model, FeedForwardConfig feedForward, AttentionConfig? attention)
    {
        Assert.NotEmpty(model);
        using var policy = new Transformer(s_dense with { FeedForward = feedForward, Attention = attention });

        (double loss, Dictionary<string, Tensor> gradients) = Gradients(policy);
        policy.GradientCheckpointing = true;
        (double again, Dictionary<string, Tensor> recomputed) = Gradients(policy);

        Assert.Equal(loss, again, 6);
        RequireSame(gradients, recomputed);
    }

    [Fact]
    public void A_model_whose_own_weights_are_frozen_still_trains_its_adapter()
    {
        using var policy = new Transformer(s_dense);
        LowRankAdapter.Attach(policy, rank: 4, alpha: 8, seed: 1);
        using (no_grad())
        {
            foreach (Parameter factor in policy.named_parameters().Where(named => named.name.EndsWith("lora_B", StringComparison.Ordinal)).Select(named => named.parameter))
            {
                factor.normal_(0, 0.1);
            }
        }

        (_, Dictionary<string, Tensor> gradients) = Gradients(policy);
        policy.GradientCheckpointing = true;
        (_, Dictionary<string, Tensor> recomputed) = Gradients(policy);

        Assert.Equal(3 * 7 * 2, gradients.Count);
        RequireSame(gradients, recomputed);
    }

    [Fact]
    public void Under_autocast_the_second_time_computes_as_the_first()
    {
        Assert.SkipUnless(Autocast.IsAvailable(TorchSharp.DeviceType.CPU), "this libtorch has no autocast to switch");
        using var policy = new Transformer(s_dense);

        (_, Dictionary<string, Tensor> gradients) = Gradients(policy, autocast: true);
        policy.GradientCheckpointing = true;
        (_, Dictionary<string, Tensor> recomputed) = Gradients(policy, autocast: true);

        RequireSame(gradients, recomputed);
    }

    [Fact]
    public void Routing_is_reported_once_and_moves_no_bias()
    {
        using var policy = new Transformer(s_dense with { FeedForward = s_experts }) { GradientCheckpointing = true };
        Tensor tokens = Tokens();
        using Tensor before = policy.state_dict()["layers.0.mlp.expert_bias"].clone();

        TransformerOutput output = policy.forward(tokens);
        (output.Logits_BTV.square().mean() + output.AuxiliaryLoss(s_experts)!).backward();

        Assert.Equal(3, output.Routings.Count);
        Assert.All(output.Routings, routing => Assert.Equal(tokens.numel() * s_experts.TopK, routing.Counts_E.sum().item<long>()));
        Assert.True(policy.state_dict()["layers.0.mlp.expert_bias"].eq(before).all().item<bool>());
    }

    [Fact]
    public void Gradients_of_several_passes_add_up()
    {
        using var policy = new Transformer(s_dense);
        Tensor[] batches = [Tokens(), Tokens()];

        Dictionary<string, Tensor> Sum(bool checkpointing)
        {
            policy.GradientCheckpointing = checkpointing;
            policy.zero_grad();
            Array.ForEach(batches, tokens => policy.forward(tokens).Logits_BTV.square().mean().backward());
            return Taken(policy);
        }

        RequireSame(Sum(false), Sum(true));
    }

    [Fact]
    public void Passes_leave_no_tensors_behind()
    {
        using var policy = new Transformer(s_dense with { FeedForward = s_experts }) { GradientCheckpointing = true };
        long[] live = [.. Enumerable.Range(0, 4).Select(i =>
        {
            using (NewDisposeScope())
            {
                TransformerOutput output = policy.forward(Tokens());
                if (i != 2) // one whose graph is dropped unused
                {
                    // All that a pass puts out is used: TorchSharp counts a gradient that is undefined as a live tensor for ever.
                    Tensor weights = output.Routings.Select(routing => routing.Weights_A.square().sum()).Aggregate((a, b) => a + b);
                    (output.Logits_BTV.square().mean() + output.AuxiliaryLoss(s_experts)! + weights).backward();
                }
            }

            return LiveTensors();
        })];

        Assert.Single(live.Skip(1).Distinct());
    }

    [Fact]
    public void Without_gradients_it_changes_nothing()
    {
        using var policy = new Transformer(s_dense);
        Tensor tokens = Tokens();
        using var noGrad = no_grad();
        Tensor plain = policy.forward(tokens).Logits_BTV;
        policy.GradientCheckpointing = true;
        using var cache = new KeyValueCache(policy.Config, tokens.shape[0], tokens.shape[1], CPU);

        Assert.True(plain.eq(policy.forward(tokens).Logits_BTV).all().item<bool>());
        Assert.Equal(0, (plain - policy.Logits(policy.Hidden(tokens, cache).Hidden_BTC)).abs().max().item<float>(), 1e-4);
    }

    [Fact]
    public void The_peak_of_a_deep_models_pass_falls_to_about_one_block()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "only Linux tells");
        using var policy = new Transformer(new TransformerConfig { VocabularySize = 50, Width = 256, Layers = 16, Heads = 4, ContextLength = 256, FeedForward = new DenseConfig(704) });
        Tensor tokens = randint(0, 50, [4, 256], dtype: ScalarType.Int64);

        long Peak(bool checkpointing)
        {
            policy.GradientCheckpointing = checkpointing;
            return ResidentMemory.PeakOf(() =>
            {
                using var scope = NewDisposeScope();
                policy.forward(tokens).Logits_BTV.square().mean().backward();
            })!.Value;
        }

        Peak(false); // the gradients stay
        (long kept, long recomputed) = (Peak(false), Peak(true));
        TestContext.Current.TestOutputHelper?.WriteLine($"{kept / 1e6:0} MB, recomputed {recomputed / 1e6:0} MB");

        Assert.InRange(recomputed, 0, kept / 2.5);
    }

    private static Tensor Tokens() => randint(0, 50, [3, 12], dtype: ScalarType.Int64);

    private static (double Loss, Dictionary<string, Tensor> Gradients) Gradients(Transformer model, bool autocast = false)
    {
        manual_seed(9);
        Tensor tokens = Tokens();
        model.zero_grad();
        Tensor loss = Loss(model, tokens, autocast);
        loss.backward();
        return (loss.item<float>(), Taken(model));
    }

    private static Tensor Loss(Transformer model, Tensor tokens, bool autocast)
    {
        using Autocast products = autocast ? Autocast.BFloat16(CPU) : default;
        TransformerOutput output = model.forward(tokens);
        Tensor loss = nn.functional.cross_entropy(output.Logits_BTV.flatten(0, 1), tokens.view(-1));
        return output.AuxiliaryLoss(model.Config.FeedForward) is { } auxiliary ? loss + auxiliary : loss;
    }

    private static Dictionary<string, Tensor> Taken(Transformer model) =>
        model.named_parameters().Where(named => named.parameter.grad is not null).ToDictionary(named => named.name, named => named.parameter.grad!.clone());

    private static void RequireSame(Dictionary<string, Tensor> expected, Dictionary<string, Tensor> actual)
    {
        Assert.Equal(expected.Keys, actual.Keys);
        Assert.Contains(expected.Values, gradient => gradient.abs().max().item<float>() > 1e-3);
        foreach ((string name, Tensor gradient) in expected)
        {
            float difference = (gradient - actual[name]).abs().max().item<float>();
            Assert.True(difference <= 1e-6, $"{name} differs by {difference}");
        }
    }
}
