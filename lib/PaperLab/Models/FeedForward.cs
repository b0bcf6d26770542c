// What a feed-forward layer of any kind returns, and the dense one.
// Shapes: N tokens (B·T), C width, F inner width, E experts, K experts per token.

using TorchSharp.Modules;
using static TorchSharp.torch;

namespace PaperLab.Models;

/// <summary>The output of a feed-forward layer and, where tokens were routed, how.</summary>
/// <param name="Output_NC">New values for the residual stream.</param>
/// <param name="Routing">Null for a dense layer.</param>
public readonly record struct FeedForwardOutput(Tensor Output_NC, Routing? Routing);

/// <summary>A feed-forward layer: tokens in, tokens out, each on its own.</summary>
public abstract class FeedForward(string name) : nn.Module<Tensor, FeedForwardOutput>(name)
{
    /// <summary>Multiply-adds × 2 of one token's forward pass.</summary>
    public abstract double FlopsPerToken { get; }

    /// <summary>Parameters that take part in one token's forward pass.</summary>
    public abstract long ActiveParameters { get; }

    /// <summary>Builds the layer that <paramref name="config"/> describes. <paramref name="residualStd"/> is the standard deviation of projections back into the residual stream.</summary>
    public static FeedForward Create(FeedForwardConfig config, int width, double initStd, double residualStd) => config switch
    {
        DenseConfig dense => new SwiGlu(width, dense.Hidden, initStd, residualStd),
        MixtureOfExpertsConfig moe => new MixtureOfExperts(width, moe, initStd, residualStd),
        AutonomyOfExpertsConfig aoe => new AutonomyOfExperts(width, aoe, initStd, residualStd),
        _ => throw new ArgumentException($"{config.GetType().Name} is not a feed-forward layer that this library knows.", nameof(config)),
    };

    /// <summary>Output [N, C] when <paramref name="routing"/> decides who computes what: for questions of the form "what if this expert had taken it".</summary>
    /// <exception cref="NotSupportedException">A dense layer has nothing to route.</exception>
    public virtual Tensor ForwardAlong(Tensor x_NC, Routing routing) => throw new NotSupportedException($"{GetName()} routes nothing.");

    /// <summary>A weight drawn from N(0, std²).</summary>
    protected static Parameter Weight(double std, params long[] shape) => new(randn(shape) * std);
}

/// <summary>SwiGLU (Shazeer 2020): (SiLU(x·Wg) ⊙ x·Wp)·Wo, without biases.</summary>
public sealed class SwiGlu : FeedForward
{
    private readonly Parameter gate_proj; // [F, C]
    private readonly Parameter up_proj;   // [F, C]
    private readonly Parameter down_proj; // [C, F]

    public SwiGlu(int width, int hidden, double initStd, double residualStd)
        : base(nameof(SwiGlu))
    {
        gate_proj = Weight(initStd, hidden, width);
        up_proj = Weight(initStd, hidden, width);
        down_proj = Weight(residualStd, width, hidden);
        RegisterComponents();
    }

    public override long ActiveParameters => 3 * gate_proj.numel();

    public override double FlopsPerToken => 2.0 * ActiveParameters;

    public override FeedForwardOutput forward(Tensor x_NC)
    {
        Tensor hidden_NF = nn.functional.silu(nn.functional.linear(x_NC, gate_proj)) * nn.functional.linear(x_NC, up_proj);
        return new FeedForwardOutput(nn.functional.linear(hidden_NF, down_proj), null);
    }
}
