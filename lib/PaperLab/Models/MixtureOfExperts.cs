// Mixture of experts: the baseline of Autonomy-of-Experts (arXiv 2501.13074, equations 1 and 2).
//   Eᵢ(x) = (SiLU(x·Wgᵢ) ⊙ x·Wpᵢ)·Woᵢ,   p = R(x),   I = topK(p),   h = Σ_{i∈I} softmax(p[I])ᵢ · Eᵢ(x)
// With GateRank set, Wgᵢ = Wdownᵢ·Wupᵢ: the paper's control for what the factorisation alone does.
// Shapes: N tokens, C width, F inner width, E experts, K experts per token, R gate rank, A = N·K assignments in expert order.

using TorchSharp.Modules;
using static TorchSharp.torch;

namespace PaperLab.Models;

/// <summary>Experts behind a linear router.</summary>
public sealed class MixtureOfExperts : FeedForward
{
    private readonly Parameter router;     // [E, C]
    private readonly Parameter? gate;      // [E, C, F], or
    private readonly Parameter? gate_down; // [E, C, R] and
    private readonly Parameter? gate_up;   // [E, R, F]
    private readonly Parameter up;         // [E, C, F]
    private readonly Parameter down;       // [E, F, C]
    private readonly MixtureOfExpertsConfig _config;

    public MixtureOfExperts(int width, MixtureOfExpertsConfig config, double initStd, double residualStd)
        : base(nameof(MixtureOfExperts))
    {
        config.Validate();
        _config = config;
        router = Weight(initStd, config.NumExperts, width);
        if (config.GateRank is { } rank)
        {
            gate_down = Weight(initStd, config.NumExperts, width, rank);
            gate_up = Weight(1 / Math.Sqrt(rank), config.NumExperts, rank, config.Hidden); // as in AutonomyOfExperts, and for its reason
        }
        else
        {
            gate = Weight(initStd, config.NumExperts, width, config.Hidden);
        }

        up = Weight(initStd, config.NumExperts, width, config.Hidden);
        down = Weight(residualStd, config.NumExperts, config.Hidden, width);
        RegisterComponents();
    }

    public override long ActiveParameters => router.numel() + ((GateParameters + up.numel() + down.numel()) / _config.NumExperts * _config.TopK);

    public override double FlopsPerToken => 2.0 * ActiveParameters;

    private long GateParameters => gate?.numel() ?? gate_down!.numel() + gate_up!.numel();

    public override FeedForwardOutput forward(Tensor x_NC)
    {
        Routing routing = Routing.TopK(nn.functional.linear(x_NC, router), _config.TopK, _config.NormalizeWeights);
        return new FeedForwardOutput(ForwardAlong(x_NC, routing), routing);
    }

    public override Tensor ForwardAlong(Tensor x_NC, Routing routing)
    {
        var dispatch = new ExpertDispatch(routing);
        Tensor x_AC = x_NC.index_select(0, dispatch.Tokens_A);
        Func<int, Tensor, Tensor> gateOf = GateProjection();
        Tensor[] up_CF = up.unbind(0), down_FC = down.unbind(0);
        Tensor results_AC = dispatch.ForEachExpert([x_AC], (e, slices) =>
        {
            Tensor x_nC = slices[0];
            Tensor hidden_nF = nn.functional.silu(gateOf(e, x_nC)) * x_nC.mm(up_CF[e]);
            return hidden_nF.mm(down_FC[e]);
        });
        return dispatch.Combine(results_AC);
    }

    private Func<int, Tensor, Tensor> GateProjection()
    {
        if (gate is not null)
        {
            Tensor[] gate_CF = gate.unbind(0);
            return (e, x_nC) => x_nC.mm(gate_CF[e]);
        }

        Tensor[] gateDown_CR = gate_down!.unbind(0), gateUp_RF = gate_up!.unbind(0);
        return (e, x_nC) => x_nC.mm(gateDown_CR[e]).mm(gateUp_RF[e]);
    }
}
