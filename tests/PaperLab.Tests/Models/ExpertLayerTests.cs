using PaperLab.Models;
using static TorchSharp.torch;

namespace PaperLab.Tests.Models;

public sealed class ExpertLayerTests : TorchTest
{
    private const int Width = 12, Experts = 4, TopK = 2, Hidden = 10, Rank = 3, Tokens = 17;
    public static TheoryData<FeedForwardConfig> RoutedLayers =>
    [
        new MixtureOfExpertsConfig { NumExperts = Experts, TopK = TopK, Hidden = Hidden },
        new MixtureOfExpertsConfig { NumExperts = Experts, TopK = TopK, Hidden = Hidden, GateRank = Rank },
        new AutonomyOfExpertsConfig { NumExperts = Experts, TopK = TopK, Hidden = Hidden, GateRank = Rank },
    ];

    [Theory]
    [MemberData(nameof(RoutedLayers))]
    public void Routing_weights_of_a_token_sum_to_one_and_name_its_best_experts(FeedForwardConfig config)
    {
        Routing routing = Layer(config).forward(randn(Tokens, Width)).Routing!;

        Assert.True(routing.Weights_NK.sum([-1]).allclose(ones(Tokens)));
        Assert.True(routing.Experts_NK.equal(routing.Scores_NE.topk(TopK, -1).indexes).all().item<bool>());
        Assert.Equal(Tokens * TopK, routing.Counts_E.sum().item<long>());
    }

    [Theory]
    [MemberData(nameof(RoutedLayers))]
    public void Sorting_tokens_by_expert_gives_what_the_definition_gives(FeedForwardConfig config)
    {
        FeedForward layer = Layer(config);
        Tensor x_NC = randn(Tokens, Width);

        FeedForwardOutput output = layer.forward(x_NC);

        Assert.True(output.Output_NC.allclose(ByDefinition(layer, x_NC, output.Routing!), rtol: 1e-4, atol: 1e-6));
    }

    [Theory]
    [MemberData(nameof(RoutedLayers))]
    public void Every_weight_learns_from_the_output_alone(FeedForwardConfig config)
    {
        FeedForward layer = Layer(config);

        layer.forward(randn(200, Width)).Output_NC.square().sum().backward();

        Assert.All(layer.named_parameters(), parameter => Assert.True(parameter.parameter.grad is { } grad && grad.abs().sum().item<float>() > 0, parameter.name));
    }

    [Theory]
    [MemberData(nameof(RoutedLayers))]
    public void An_expert_that_no_token_chose_costs_nothing_and_breaks_nothing(FeedForwardConfig config)
    {
        FeedForward layer = Layer(config);
        Tensor oneToken = randn(1, Width);

        FeedForwardOutput output = layer.forward(oneToken);
        output.Output_NC.sum().backward();

        Assert.Equal(Experts - TopK, output.Routing!.Counts_E.eq(0).sum().item<long>());
        Assert.True(output.Output_NC.isfinite().all().item<bool>());
    }

    [Fact]
    public void The_balance_loss_is_K_at_perfect_balance_and_E_at_collapse()
    {
        Tensor uniform = zeros(8, Experts);
        Tensor counts = full([Experts], 8 * TopK / Experts, dtype: ScalarType.Int64);
        var balanced = new Routing(zeros(8, TopK, dtype: ScalarType.Int64), full([8, TopK], 0.5), uniform, counts);
        Tensor peaked = zeros(8, Experts);
        peaked[TensorIndex.Colon, 0] = 100;
        var collapsed = new Routing(zeros(8, 1, dtype: ScalarType.Int64), ones(8, 1), peaked, tensor(new long[] { 8, 0, 0, 0 }));

        Assert.Equal(TopK, balanced.BalanceLoss().item<float>(), 5);
        Assert.Equal(Experts, collapsed.BalanceLoss().item<float>(), 5);
    }

    [Fact]
    public void The_balance_loss_matches_a_hand_worked_example()
    {
        // Two tokens, two experts, top-1. Scores (ln 3, 0) → softmax (0.75, 0.25); (0, 0) → (0.5, 0.5). f = (1, 0), P = (0.625, 0.375).
        Tensor scores = tensor(new float[] { MathF.Log(3), 0, 0.001f, 0 }, [2, 2]);
        Routing routing = Routing.TopK(scores, 1);

        Assert.Equal(2 * 0.625, routing.BalanceLoss().item<float>(), 3);
    }

    [Fact]
    public void The_balance_loss_pushes_the_scores_and_not_the_counts()
    {
        Tensor scores = randn(16, Experts).requires_grad_();
        Routing.TopK(scores, TopK).BalanceLoss().backward();

        Assert.True(scores.grad!.abs().sum().item<float>() > 0);
    }

    [Theory]
    [InlineData(768, 3072, 8, 2, 64)]
    [InlineData(768, 3072, 8, 2, 256)]
    [InlineData(128, 192, 8, 2, 32)]
    public void Equal_parameters_means_equal_to_within_one_column(int width, int hidden, int experts, int topK, int rank)
    {
        int wide = AutonomyOfExpertsConfig.HiddenForEqualParameters(width, hidden, rank);
        long moe = 3L * width * hidden;
        long aoe = ((long)rank * width) + (((2L * width) + rank) * wide);

        Assert.True(Math.Abs(moe - aoe) <= (2L * width) + rank, $"{moe} against {aoe} for {experts} experts, top {topK}");
    }

    [Fact]
    public void Equal_flops_means_that_both_layers_count_the_same()
    {
        var moe = new MixtureOfExperts(128, new MixtureOfExpertsConfig { Hidden = 192 }, 0.02, 0.02);
        int hidden = AutonomyOfExpertsConfig.HiddenForEqualFlops(128, 192, gateRank: 32, numExperts: 8, topK: 2);
        var aoe = new AutonomyOfExperts(128, new AutonomyOfExpertsConfig { Hidden = hidden, GateRank = 32 }, 0.02, 0.02);

        Assert.InRange(aoe.FlopsPerToken / moe.FlopsPerToken, 0.995, 1.005);
    }

    [Fact]
    public void A_wrong_size_is_named_with_what_is_allowed()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => Layer(new MixtureOfExpertsConfig { NumExperts = 4, TopK = 5, Hidden = 8 }));

        Assert.Contains("TopK is 5; allowed: 1 to NumExperts = 4", error.Message);
    }

    private static FeedForward Layer(FeedForwardConfig config) => FeedForward.Create(config, Width, initStd: 0.3, residualStd: 0.3);

    /// <summary>Every expert on every token, then the chosen ones weighed: the equations without any sorting.</summary>
    private static Tensor ByDefinition(FeedForward layer, Tensor x_NC, Routing routing)
    {
        Dictionary<string, Tensor> weights = layer.named_parameters().ToDictionary(p => p.name, p => (Tensor)p.parameter);
        Tensor result = zeros_like(x_NC);
        for (int e = 0; e < Experts; e++)
        {
            Tensor gate = weights.TryGetValue("gate", out Tensor? whole)
                ? x_NC.mm(whole[e])
                : x_NC.mm(weights["gate_down"].dim() == 3 ? weights["gate_down"][e] : weights["gate_down"].view(Experts, Rank, Width)[e].t()).mm(weights["gate_up"][e]);
            Tensor expert_NC = (nn.functional.silu(gate) * x_NC.mm(weights["up"][e])).mm(weights["down"][e]);
            Tensor weight_N = (routing.Weights_NK * routing.Experts_NK.eq(e)).sum([-1]);
            result += weight_N.unsqueeze(-1) * expert_NC;
        }

        return result;
    }
}
