using PaperLab.Models;
using static TorchSharp.torch;

namespace PaperLab.Tests.Models;

public sealed class ExpertLayerTests : TorchTest
{
    private const int Width = 12, Experts = 4, TopK = 2, Hidden = 10, Rank = 3, Tokens = 17;
    private static readonly MixtureOfExpertsConfig Moe = new() { NumExperts = Experts, TopK = TopK, Hidden = Hidden };
    private static readonly AutonomyOfExpertsConfig Aoe = new() { NumExperts = Experts, TopK = TopK, Hidden = Hidden, GateRank = Rank };

    /// <summary>Layers in which every token takes the same number of experts.</summary>
    public static TheoryData<FeedForwardConfig> TopKLayers => [Moe, Moe with { GateRank = Rank }, Moe with { RouterHidden = 6 }, Aoe];

    /// <summary>Layers of every selection.</summary>
    public static TheoryData<FeedForwardConfig> RoutedLayers =>
    [
        Moe,
        Moe with { GateRank = Rank },
        Moe with { RouterHidden = 6 },
        Moe with { NormalizeWeights = false },
        Moe with { BiasUpdateRate = 0.1 },
        Moe with { SharedExperts = 2 },
        Moe with { Selection = ExpertSelection.TopP, TopP = 0.6 },
        Moe with { Selection = ExpertSelection.ExpertChoice },
        Aoe,
        Aoe with { Selection = ExpertSelection.TopP, TopP = 0.6 },
        Aoe with { Selection = ExpertSelection.ExpertChoice },
    ];

    [Theory]
    [MemberData(nameof(TopKLayers))]
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
    [MemberData(nameof(TopKLayers))]
    public void An_expert_that_no_token_chose_costs_nothing_and_breaks_nothing(FeedForwardConfig config)
    {
        FeedForward layer = Layer(config);
        Tensor oneToken = randn(1, Width);

        FeedForwardOutput output = layer.forward(oneToken);
        output.Output_NC.sum().backward();

        Assert.Equal(Experts - TopK, output.Routing!.Counts_E.eq(0).sum().item<long>());
        Assert.True(output.Output_NC.isfinite().all().item<bool>());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Grouped_products_equal_one_expert_after_another(bool factorised)
    {
        // Expert 2 has no tokens.
        Routing routing = Routing.Fixed(tensor(new long[] { 0, 1, 3, 1, 0, 3 }, [6, 1]), rand(6, 1), randn(6, Experts));
        Tensor[] leaves = [randn(6, 16), randn(Experts, 16, 8), randn(Experts, 8, 16), .. factorised ? new[] { randn(Experts, 16, 8), randn(Experts, 8, 8) } : [randn(Experts, 16, 8)]];

        Tensor[] Computed(Func<ExpertProduct, Func<Tensor, Tensor[], Tensor, Tensor, Tensor, Tensor>> way)
        {
            Tensor[] inputs = [.. leaves.Select(leaf => leaf.detach().requires_grad_())];
            Tensor value = way(new ExpertProduct(routing))(inputs[0], inputs[3..], inputs[0], inputs[1], inputs[2]);
            value.square().sum().backward();
            return [value, .. inputs.Select(input => input.grad!)];
        }

        Tensor[] expected = Computed(product => product.ByExpert);
        Assert.All(Computed(product => product.Grouped).Zip(expected), pair => Assert.True(pair.First.allclose(pair.Second, rtol: 1e-4, atol: 1e-4)));
    }

    [Theory]
    [MemberData(nameof(RoutedLayers))]
    public void Assignments_of_weight_zero_change_no_output_and_no_gradient(FeedForwardConfig config)
    {
        FeedForward layer = Layer(config);
        Tensor x_NC = randn(Tokens, Width);
        Routing routing = layer.forward(x_NC).Routing!;
        (Tensor Output, Tensor[] Gradients) Along(Func<Routing, Routing> change)
        {
            layer.zero_grad();
            Routing along = layer.forward(x_NC).Routing!;
            Tensor output_NC = layer.ForwardAlong(x_NC, change(along));
            output_NC.square().sum().backward();
            return (output_NC, [.. layer.parameters().Select(parameter => parameter.grad!.clone())]);
        }

        (Tensor output, Tensor[] gradients) = Along(r => r);
        (Tensor padded, Tensor[] paddedGradients) = Along(r => r.Padded(8));

        Assert.All(routing.Padded(8).Counts_E.data<long>().ToArray().Zip(routing.Counts_E.data<long>().ToArray()), count => Assert.Equal((count.Second + 7) / 8 * 8, count.First));
        Assert.True(output.allclose(padded, rtol: 1e-5, atol: 1e-6));
        Assert.All(gradients.Zip(paddedGradients), pair => Assert.True(pair.First.allclose(pair.Second, rtol: 1e-4, atol: 1e-5)));
    }

    [Theory]
    [InlineData(60, 60)]      // a mean of 15 rows stays as it is
    [InlineData(4 * 17, 68)]  // 16 and more in twos, at most: here all are 17, which is a multiple of one
    [InlineData(4 * 33, 136)] // 33 → 34
    public void Experts_compute_a_few_rows_more_where_they_have_many(int assignments, int computed)
    {
        Routing routing = Routing.Fixed(arange(assignments).remainder(4).view(-1, 1), ones(assignments, 1), randn(assignments, Experts));

        Assert.Equal(computed, new ExpertProduct(routing).Routing.Tokens_A.shape[0]);
    }

    [Fact]
    public void Top_p_takes_the_fewest_experts_that_reach_p()
    {
        // Softmax shares 0.5, 0.25, 0.125, 0.125: three experts reach 0.8, one reaches 0.5, all are needed for 1.
        Tensor scores = tensor(new float[] { 0.5f, 0.125f, 0.25f, 0.125f }, [1, 4]).log();

        Routing Taken(double p) => Routing.Of(scores, Moe with { Selection = ExpertSelection.TopP, TopP = p });

        Assert.Equal([0, 2], Taken(0.7).Experts_A.data<long>().ToArray());
        Assert.Equal(2 / 3f, Taken(0.7).Weights_A[0].item<float>(), 5);
        Assert.Equal([0], Taken(0.4).Experts_A.data<long>().ToArray());
        Assert.Equal(4, Taken(1).Experts_A.shape[0]);
    }

    [Fact]
    public void Expert_choice_gives_every_expert_as_many_tokens()
    {
        Routing routing = Routing.Of(randn(10, Experts), Moe with { Selection = ExpertSelection.ExpertChoice });

        Assert.Equal([5, 5, 5, 5], routing.Counts_E.data<long>().ToArray()); // 10 tokens · 2 experts each / 4 experts
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Experts_that_choose_their_tokens_are_chosen_by_the_token_itself_in_evaluation(bool autonomous)
    {
        FeedForward layer = Layer(autonomous ? Aoe with { Selection = ExpertSelection.ExpertChoice } : Moe with { Selection = ExpertSelection.ExpertChoice });
        Tensor x_NC = randn(Tokens, Width), changed_NC = cat([x_NC.narrow(0, 0, 9), randn(Tokens - 9, Width) * 3], 0);
        float ChangeBefore(int token) => (layer.forward(changed_NC).Output_NC - layer.forward(x_NC).Output_NC).narrow(0, 0, token).abs().max().item<float>();

        Assert.True(ChangeBefore(9) > 1e-3, "in training a later token takes an earlier one's place");
        layer.eval();
        Assert.Equal(0, ChangeBefore(9), 1e-6f);
        Routing routing = layer.forward(x_NC).Routing!;
        Assert.Equal(Tokens * TopK, routing.Counts_E.sum().item<long>());
        Assert.True(routing.Experts_NK.equal(routing.Scores_NE.topk(TopK, -1).indexes).all().item<bool>());
        Assert.True(routing.Weights_NK.allclose(routing.Scores_NE.softmax(-1).gather(-1, routing.Experts_NK)), "the weights of training: shares of a softmax over all");
    }

    [Fact]
    public void A_large_router_chooses_by_as_many_weights_as_AoE_and_the_experts_pay_for_it()
    {
        const int width = 96, rank = 32;
        var usual = new MixtureOfExpertsConfig { Hidden = 256 };
        var aoe = new AutonomyOfExperts(width, new AutonomyOfExpertsConfig { Hidden = AutonomyOfExpertsConfig.HiddenForEqualParameters(width, 256, rank), GateRank = rank });
        var large = new MixtureOfExperts(width, usual.WithLargeRouter(width, rank));
        long Size(FeedForward layer, string name) => layer.named_parameters().Where(p => p.name.StartsWith(name, StringComparison.Ordinal)).Sum(p => p.parameter.numel());

        Assert.InRange((double)Size(large, "router") / Size(aoe, "gate_down"), 0.995, 1.005);
        Assert.InRange((double)Size(large, "") / Size(new MixtureOfExperts(width, usual), ""), 0.995, 1.005);
        Assert.Equal(Size(large, "router") + ((Size(large, "") - Size(large, "router")) / 4), large.ActiveParameters);
    }

    [Fact]
    public void The_selection_bias_changes_who_is_chosen_and_no_weight()
    {
        Tensor scores = tensor(new float[] { 2, 1, 0, -1 }, [1, 4]);
        Routing routing = Routing.TopK(scores, 2, bias_E: tensor(new float[] { -1, 0, 0, 1 }));

        Assert.Equal([3, 1], routing.Experts_NK.view(-1).data<long>().ToArray());
        Assert.True(routing.Weights_NK.allclose(tensor(new float[] { -1, 1 }, [1, 2]).softmax(-1)));
    }

    [Fact]
    public void The_selection_bias_moves_towards_the_mean_load()
    {
        var layer = new MixtureOfExperts(Width, Moe with { BiasUpdateRate = 0.25 });
        layer.UpdateBias(tensor(new long[] { 8, 4, 4, 0 }));

        Tensor bias_E = layer.named_buffers().Single(buffer => buffer.name == "expert_bias").buffer;
        Assert.Equal([-0.25f, 0, 0, 0.25f], bias_E.data<float>().ToArray());
    }

    [Fact]
    public void The_balance_loss_is_K_at_perfect_balance_and_E_at_collapse()
    {
        Tensor inTurn = tensor(new long[] { 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3 }, [8, TopK]);
        Routing balanced = Routing.Fixed(inTurn, full([8, TopK], 0.5), zeros(8, Experts));
        Tensor peaked = zeros(8, Experts);
        peaked[TensorIndex.Colon, 0] = 100;
        Routing collapsed = Routing.Fixed(zeros(8, 1, dtype: ScalarType.Int64), ones(8, 1), peaked);

        Assert.Equal(TopK, balanced.BalanceLoss().item<float>(), 5);
        Assert.Equal(Experts, collapsed.BalanceLoss().item<float>(), 5);
    }

    [Fact]
    public void The_z_loss_matches_a_hand_worked_example()
    {
        // logsumexp(0, 0) = ln 2; logsumexp(ln 3, 0) = ln 4.
        Routing routing = Routing.TopK(tensor(new float[] { 0, 0, MathF.Log(3), 0 }, [2, 2]), 1);

        Assert.Equal((Math.Pow(Math.Log(2), 2) + Math.Pow(Math.Log(4), 2)) / 2, routing.ZLoss().item<float>(), 5);
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
        var moe = new MixtureOfExperts(128, new MixtureOfExpertsConfig { Hidden = 192 });
        int hidden = AutonomyOfExpertsConfig.HiddenForEqualFlops(128, 192, gateRank: 32, numExperts: 8, topK: 2);
        var aoe = new AutonomyOfExperts(128, new AutonomyOfExpertsConfig { Hidden = hidden, GateRank = 32 });

        Assert.InRange(aoe.FlopsPerToken / moe.FlopsPerToken, 0.995, 1.005);
    }

    [Fact]
    public void A_wrong_size_is_named_with_what_is_allowed()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => Layer(new MixtureOfExpertsConfig { NumExperts = 4, TopK = 5, Hidden = 8 }));

        Assert.Contains("TopK is 5; allowed: 1 to NumExperts = 4", error.Message);
    }

    private static FeedForward Layer(FeedForwardConfig config)
    {
        var layer = FeedForward.Create(config, Width);
        layer.Initialize(std: 0.3, residualStd: 0.3);
        return layer;
    }

    /// <summary>Every expert on every token, then the chosen ones weighed: the equations without any sorting.</summary>
    private static Tensor ByDefinition(FeedForward layer, Tensor x_NC, Routing routing)
    {
        Dictionary<string, Tensor> weights = layer.named_parameters().ToDictionary(p => p.name, p => (Tensor)p.parameter);
        Tensor result = zeros_like(x_NC);
        Tensor weights_NE = zeros(x_NC.shape[0], Experts).index_put_(routing.Weights_A.detach(), routing.Tokens_A, routing.Experts_A);
        for (int e = 0; e < Experts; e++)
        {
            Tensor gate = weights.TryGetValue("gate", out Tensor? whole)
                ? x_NC.mm(whole[e])
                : x_NC.mm(weights["gate_down"].dim() == 3 ? weights["gate_down"][e] : weights["gate_down"].view(Experts, Rank, Width)[e].t()).mm(weights["gate_up"][e]);
            Tensor expert_NC = (nn.functional.silu(gate) * x_NC.mm(weights["up"][e])).mm(weights["down"][e]);
            result += weights_NE.narrow(1, e, 1) * expert_NC;
        }

        return weights.TryGetValue("shared.gate_proj.weight", out Tensor? sharedGate)
            ? result + (nn.functional.silu(x_NC.mm(sharedGate.t())) * x_NC.mm(weights["shared.up_proj.weight"].t())).mm(weights["shared.down_proj.weight"].t())
            : result;
    }
}
