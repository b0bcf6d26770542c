// What a feed-forward layer of any kind returns, and the dense one.
// Shapes: N tokens (B·T), C width, F inner width, E experts, K experts per token.

using TorchSharp.Modules;
using static TorchSharp.torch;

namespace PaperLab.Models;

/// <summary>The output of a feed-forward layer and, where tokens were routed, how.</summary>
/// <param name="Output_NC">New values for the residual stream.</param>
/// <param name="Routing">Null for a dense layer.</param>
public readonly record struct FeedForwardOutput(Tensor Output_NC, Routing? Routing);

/// <summary>A feed-forward layer: tokens in, tokens out, each on its own. Weights are allocated and left unwritten.</summary>
public abstract class FeedForward(string name) : nn.Module<Tensor, FeedForwardOutput>(name)
{
    /// <summary>Multiply-adds × 2 of one token's forward pass.</summary>
    public double FlopsPerToken => 2.0 * ActiveParameters;

    /// <summary>Parameters that take part in one token's forward pass.</summary>
    public abstract long ActiveParameters { get; }

    /// <summary>Builds the layer that <paramref name="config"/> describes.</summary>
    public static FeedForward Create(FeedForwardConfig config, int width) => config switch
    {
        DenseConfig dense => new DenseFeedForward(width, dense),
        MixtureOfExpertsConfig moe => new MixtureOfExperts(width, moe),
        AutonomyOfExpertsConfig aoe => new AutonomyOfExperts(width, aoe),
        _ => throw new ArgumentException($"{config.GetType().Name} is not a feed-forward layer that this library knows.", nameof(config)),
    };

    /// <summary>Draws the weights. <paramref name="residualStd"/> is the standard deviation of projections back into the residual stream.</summary>
    public abstract void Initialize(double std, double residualStd);

    /// <summary>Output [N, C] when <paramref name="routing"/> decides who computes what: for questions of the form "what if this expert had taken it".</summary>
    /// <exception cref="NotSupportedException">A dense layer has nothing to route.</exception>
    public virtual Tensor ForwardAlong(Tensor x_NC, Routing routing) => throw new NotSupportedException($"{GetName()} routes nothing.");

    /// <summary>A weight that is allocated and left unwritten.</summary>
    protected static Parameter Weight(params long[] shape) => new(empty(shape));
}

/// <summary>SwiGLU (arXiv 2002.05202) for every token: (SiLU(x·Wg) ⊙ x·Wp)·Wo, without biases. Takes any leading dimensions.</summary>
public sealed class DenseFeedForward : FeedForward
{
    private readonly Projection gate_proj, up_proj, down_proj;

    public DenseFeedForward(int width, DenseConfig config)
        : base(nameof(DenseFeedForward))
    {
        gate_proj = new Projection(width, config.Hidden);
        up_proj = new Projection(width, config.Hidden);
        down_proj = new Projection(config.Hidden, width);
        RegisterComponents();
    }

    public override long ActiveParameters => parameters().Sum(parameter => parameter.numel());

    public override void Initialize(double std, double residualStd)
    {
        gate_proj.Initialize(std);
        up_proj.Initialize(std);
        down_proj.Initialize(residualStd);
    }

    public override FeedForwardOutput forward(Tensor x_NC) =>
        new(down_proj.forward(nn.functional.silu(gate_proj.forward(x_NC)) * up_proj.forward(x_NC)), null);
}
