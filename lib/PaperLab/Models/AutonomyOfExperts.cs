// Autonomy of experts (arXiv 2501.13074, section 3 and algorithm 1): no router. Every expert starts on every token, and the ones
// whose activation is largest go on.
//   Wgᵢ = Wdownᵢ·Wupᵢ,   C = x·[Wdown₁ … Wdown_E],   pᵢ = ‖Cᵢ‖₂,   I = topK(p),   p̂ = softmax(p[I])
//   h = Σ_{i∈I} p̂ᵢ · (SiLU(Cᵢ·Wupᵢ) ⊙ x·Wpᵢ)·Woᵢ        (Cᵢ is computed once and used twice)
// Differs from the released code, follows the paper: the softmax runs over the chosen experts, so the weights sum to 1.
// Shapes: N tokens, C width, F inner width, E experts, K experts per token, R = d_low, A assignments in expert order.

using TorchSharp.Modules;
using static TorchSharp.torch;

namespace PaperLab.Models;

/// <summary>Experts that select themselves by the norm of their own low-rank activation.</summary>
public sealed class AutonomyOfExperts : FeedForward
{
    private const float NormEpsilon = 1e-12f; // keeps the square root differentiable at an all-zero activation

    private readonly Parameter gate_down; // [E·R, C]: all experts' Wdown stacked, so that C is one product
    private readonly Parameter gate_up;   // [E, R, F]
    private readonly Parameter up;        // [E, C, F]
    private readonly Parameter down;      // [E, F, C]
    private readonly AutonomyOfExpertsConfig _config;

    public AutonomyOfExperts(int width, AutonomyOfExpertsConfig config)
        : base(nameof(AutonomyOfExperts))
    {
        config.Validate();
        _config = config;
        gate_down = Weight(config.NumExperts * config.GateRank, width);
        gate_up = Weight(config.NumExperts, config.GateRank, config.Hidden);
        up = Weight(config.NumExperts, width, config.Hidden);
        down = Weight(config.NumExperts, config.Hidden, width);
        RegisterComponents();
    }

    public override long ActiveParameters => gate_down.numel() + ((gate_up.numel() + up.numel() + down.numel()) / _config.NumExperts * _config.TopK);

    public override void Initialize(double std, double residualStd)
    {
        nn.init.normal_(gate_down, 0, std);

        // Two factors of the usual small standard deviation would shrink the gate's pre-activation 3 to 9 times; 1/√R keeps it.
        nn.init.normal_(gate_up, 0, 1 / Math.Sqrt(_config.GateRank));
        nn.init.normal_(up, 0, std);
        nn.init.normal_(down, 0, residualStd);
    }

    public override FeedForwardOutput forward(Tensor x_NC)
    {
        Tensor c_NER = Activations(x_NC);
        Tensor norms_NE = c_NER.to(ScalarType.Float32).square().sum([-1]).add(NormEpsilon).sqrt();
        Routing routing = Routing.Of(norms_NE, _config, causal: !training);
        return new FeedForwardOutput(Continue(x_NC, c_NER, routing), routing);
    }

    public override Tensor ForwardAlong(Tensor x_NC, Routing routing) => Continue(x_NC, Activations(x_NC), routing);

    private Tensor Activations(Tensor x_NC) => nn.functional.linear(x_NC, gate_down).view(-1, _config.NumExperts, _config.GateRank);

    private Tensor Continue(Tensor x_NC, Tensor c_NER, Routing routing)
    {
        var experts = new ExpertProduct(routing);
        Tensor c_AR = c_NER.view(-1, _config.GateRank).index_select(0, (experts.Routing.Tokens_A * _config.NumExperts) + experts.Routing.Experts_A);
        Tensor x_AC = x_NC.index_select(0, experts.Routing.Tokens_A);
        return experts.Mix(c_AR, [gate_up], x_AC, up, down);
    }
}
