// Mixture of experts: the baseline of Autonomy-of-Experts (arXiv 2501.13074, equations 1 and 2).
//   Eᵢ(x) = (SiLU(x·Wgᵢ) ⊙ x·Wpᵢ)·Woᵢ,   p = R(x),   I = topK(p),   h = Σ_{i∈I} softmax(p[I])ᵢ · Eᵢ(x)
// With GateRank set, Wgᵢ = Wdownᵢ·Wupᵢ: the paper's control for what the factorisation alone does. With RouterHidden set, R has two layers:
// its control for what a router as large as AoE's choosing part does.
// Shapes: N tokens, C width, F inner width, E experts, K experts per token, R gate rank, H the router's inner width, A assignments in
// expert order.

using TorchSharp.Modules;
using static TorchSharp.torch;

namespace PaperLab.Models;

/// <summary>Experts behind a linear router, perhaps beside experts that every token shares.</summary>
public sealed class MixtureOfExperts : FeedForward
{
    private readonly Parameter? router_hidden; // [H, C]
    private readonly Parameter router;         // [E, C], or [E, H] behind router_hidden
    private readonly Parameter? gate;          // [E, C, F], or
    private readonly Parameter? gate_down;     // [E, C, R] and
    private readonly Parameter? gate_up;       // [E, R, F]
    private readonly Parameter up;             // [E, C, F]
    private readonly Parameter down;           // [E, F, C]
    private readonly DenseFeedForward? shared;
    private readonly Tensor? expert_bias;      // [E], a buffer: it moves by counts, not by gradients
    private readonly MixtureOfExpertsConfig _config;

    public MixtureOfExperts(int width, MixtureOfExpertsConfig config)
        : base(nameof(MixtureOfExperts))
    {
        config.Validate();
        _config = config;
        router_hidden = config.RouterHidden is { } inner ? Weight(inner, width) : null;
        router = Weight(config.NumExperts, config.RouterHidden ?? width);
        if (config.GateRank is { } rank)
        {
            gate_down = Weight(config.NumExperts, width, rank);
            gate_up = Weight(config.NumExperts, rank, config.Hidden);
        }
        else
        {
            gate = Weight(config.NumExperts, width, config.Hidden);
        }

        up = Weight(config.NumExperts, width, config.Hidden);
        down = Weight(config.NumExperts, config.Hidden, width);
        shared = config.SharedExperts > 0 ? new DenseFeedForward(width, new DenseConfig(config.SharedExperts * config.Hidden)) : null;
        expert_bias = config.BiasUpdateRate > 0 ? zeros(config.NumExperts) : null;
        RegisterComponents();
    }

    public override long ActiveParameters =>
        (router_hidden?.numel() ?? 0) + router.numel() + ((GateParameters + up.numel() + down.numel()) / _config.NumExperts * _config.TopK) + (shared?.ActiveParameters ?? 0);

    private long GateParameters => gate?.numel() ?? gate_down!.numel() + gate_up!.numel();

    public override void Initialize(double std, double residualStd)
    {
        if (router_hidden is not null)
        {
            nn.init.normal_(router_hidden, 0, std);
            nn.init.normal_(router, 0, 1 / Math.Sqrt(_config.RouterHidden!.Value)); // logits of the order of one, as behind one matrix
        }
        else
        {
            nn.init.normal_(router, 0, std);
        }

        if (gate is not null)
        {
            nn.init.normal_(gate, 0, std);
        }
        else
        {
            nn.init.normal_(gate_down!, 0, std);
            nn.init.normal_(gate_up!, 0, 1 / Math.Sqrt(_config.GateRank!.Value)); // as in AutonomyOfExperts, and for its reason
        }

        nn.init.normal_(up, 0, std);
        nn.init.normal_(down, 0, residualStd);
        shared?.Initialize(std, residualStd);
    }

    public override FeedForwardOutput forward(Tensor x_NC)
    {
        Tensor seen_N = router_hidden is null ? x_NC : nn.functional.silu(nn.functional.linear(x_NC, router_hidden)); // [N, C or H]
        Tensor logits_NE = nn.functional.linear(seen_N, router).to(ScalarType.Float32); // who computes a token is not left to bf16
        Routing routing = Routing.Of(logits_NE, _config, expert_bias, causal: !training);
        return new FeedForwardOutput(ForwardAlong(x_NC, routing), routing);
    }

    public override Tensor ForwardAlong(Tensor x_NC, Routing routing)
    {
        var experts = new ExpertProduct(routing);
        Tensor x_AC = x_NC.index_select(0, experts.Routing.Tokens_A);
        Tensor output_NC = experts.Mix(x_AC, gate is not null ? [gate] : [gate_down!, gate_up!], x_AC, up, down);
        return shared is null ? output_NC : output_NC + shared.forward(x_NC).Output_NC;
    }

    /// <summary>
    /// Moves each expert's bias up or down by the config's rate, according to whether its load was below or above the mean
    /// (arXiv 2408.15664, algorithm 1). Does nothing without a rate.
    /// </summary>
    /// <param name="counts_E">Assignments of each expert in the step's batch.</param>
    public void UpdateBias(Tensor counts_E)
    {
        if (expert_bias is not null)
        {
            using var noGrad = no_grad();
            Tensor load_E = counts_E.to(ScalarType.Float32);
            expert_bias.add_((load_E.mean() - load_E).sign() * _config.BiasUpdateRate);
        }
    }
}
