// Low-rank adaptation (Hu et al., arXiv 2106.09685, section 4.1): the weights stay as they are, and beside each projection two thin
// matrices are trained.
//   y = x·Wᵀ + b + (α/r)·(x·Aᵀ)·Bᵀ        A [r, in] ~ N(0, 1/in),  B [out, r] = 0
// At first B = 0, so nothing has changed; a model without its adapter is the model before training, which makes the reference of a
// reinforcement learning free. A trained adapter is merged into the weights, W ← W + (α/r)·B·A, and leaves an ordinary model.
// The paper names no variance for A; 1/in keeps x·Aᵀ at the scale of x.
// Differs from the paper: all projections of attention and of dense feed-forward layers have one, not those of attention alone. A layer
// of experts keeps its weights, shared experts excepted.

using TorchSharp.Modules;
using static TorchSharp.torch;

namespace PaperLab.Models;

/// <summary>An adapter on a model. While it is there, its factors are the model's only parameters that require gradients.</summary>
public sealed class LowRankAdapter
{
    private readonly Transformer _model;
    private readonly Projection[] _projections;
    private readonly Parameter[] _frozen;

    private LowRankAdapter(Transformer model, int rank, double alpha)
    {
        _model = model;
        (Rank, Alpha) = (rank, alpha);
        _projections = [.. ProjectionsOf(model)];
        _frozen = [.. model.parameters().Where(parameter => parameter.requires_grad)];
    }

    /// <summary>r.</summary>
    public int Rank { get; }

    /// <summary>α: what the factors add is scaled by α/r.</summary>
    public double Alpha { get; }

    /// <summary>Parameters to train.</summary>
    public long Parameters => _projections.Sum(projection => projection.lora_A!.numel() + projection.lora_B!.numel());

    /// <summary>Puts an adapter on a model: its outputs are as before, and its own weights no longer require gradients.</summary>
    /// <param name="model">The model, where it will be trained.</param>
    /// <param name="rank">r; 1 to the model's width.</param>
    /// <param name="alpha">α, above 0.</param>
    /// <param name="seed">Of A.</param>
    /// <exception cref="ArgumentException">A number is out of range, or the model has an adapter.</exception>
    public static LowRankAdapter Attach(Transformer model, int rank, double alpha, int seed)
    {
        RequireSizes(model.Config, rank, alpha);
        Require.That(model.Adapter is null, nameof(model), "with an adapter", "a model without one; merge that first");
        var adapter = new LowRankAdapter(model, rank, alpha);
        Array.ForEach(adapter._frozen, parameter => parameter.requires_grad_(false));
        using var random = new Generator((ulong)seed, CPU);
        using var scope = NewDisposeScope();
        foreach (Projection projection in adapter._projections)
        {
            (long outputs, long inputs) = (projection.weight.shape[0], projection.weight.shape[1]);
            Tensor a = randn([rank, inputs], ScalarType.Float32, CPU, generator: random) / Math.Sqrt(inputs);
            Tensor b = zeros(outputs, rank, dtype: ScalarType.Float32, device: model.Device);
            projection.Attach(Lasting(a.to(model.Device)), Lasting(b), (float)(alpha / rank));
        }

        model.Adapter = adapter;
        return adapter;
    }

    /// <summary>Adds the factors to the weights and takes the adapter off: an ordinary model with the same outputs, whose weights require gradients as they did.</summary>
    public void Merge()
    {
        using var noGrad = no_grad();
        foreach (Projection projection in _projections)
        {
            using Tensor merged = projection.Merged();
            projection.weight.copy_(merged);
            (Parameter a, Parameter b) = projection.Detach();
            a.Dispose();
            b.Dispose();
        }

        Array.ForEach(_frozen, parameter => parameter.requires_grad_(true));
        _model.Adapter = null;
    }

    /// <summary>Parameters that an adapter on such a model has: r·(in + out) for each projection.</summary>
    /// <exception cref="ArgumentException">The rank is out of range.</exception>
    public static long ParametersOf(TransformerConfig config, int rank)
    {
        RequireSizes(config, rank, alpha: 1);
        AttentionShape shape = AttentionShape.Of(config);
        long c = config.Width, queries = shape.Heads * shape.KeyWidth;
        long attention = (c + queries) + (c + (shape.KeyHeads * shape.KeyWidth)) + (c + (shape.ValueHeads * shape.ValueWidth)) + ((shape.Heads * shape.ValueWidth) + c);
        long augmented = config.Attention?.QueryHidden is { } inner ? 3 * (queries + inner) : 0;
        long dense = config.FeedForward switch
        {
            DenseConfig feedForward => 3 * (c + feedForward.Hidden),
            MixtureOfExpertsConfig { SharedExperts: > 0 } experts => 3 * (c + (experts.SharedExperts * experts.Hidden)),
            _ => 0,
        };
        return rank * config.Layers * (attention + augmented + dense);
    }

    /// <summary>A model's state dict as it is without adapter, or would be with its adapter merged. Merged weights belong to the caller's dispose scope.</summary>
    internal static IEnumerable<(string Name, Tensor Tensor)> PlainState(Transformer model)
    {
        Dictionary<string, Projection> adapted = model.named_modules().Where(module => module.module is Projection { lora_A: not null })
            .ToDictionary(module => module.name, module => (Projection)module.module);
        foreach ((string name, Tensor tensor) in model.state_dict())
        {
            int dot = name.LastIndexOf('.');
            (string owner, string part) = (name[..Math.Max(dot, 0)], name[(dot + 1)..]);
            if (part is not (nameof(Projection.lora_A) or nameof(Projection.lora_B)))
            {
                yield return (name, part == nameof(Projection.weight) && adapted.TryGetValue(owner, out Projection? projection) ? projection.Merged() : tensor);
            }
        }
    }

    /// <summary>The factors as they are now, to come back to; the caller's to dispose of.</summary>
    internal IReadOnlyList<(Tensor A, Tensor B)> Copied()
    {
        using var noGrad = no_grad();
        return [.. _projections.Select(projection => (projection.lora_A!.clone().DetachFromDisposeScope(), projection.lora_B!.clone().DetachFromDisposeScope()))];
    }

    /// <summary>What <paramref name="compute"/> gives while the model adds the factors of another time; null for none, which is the model without adapter.</summary>
    internal T With<T>(IReadOnlyList<(Tensor A, Tensor B)>? factors, Func<T> compute)
    {
        try
        {
            for (int i = 0; i < _projections.Length; i++)
            {
                _projections[i].Added = factors?[i];
            }

            return compute();
        }
        finally
        {
            Array.ForEach(_projections, projection => projection.Added = (projection.lora_A!, projection.lora_B!));
        }
    }

    private static IEnumerable<Projection> ProjectionsOf(Transformer model) => model.Blocks.SelectMany(block => block.modules()).OfType<Projection>();

    private static Parameter Lasting(Tensor tensor) => (Parameter)new Parameter(tensor, requires_grad: true).DetachFromDisposeScope();

    private static void RequireSizes(TransformerConfig config, int rank, double alpha)
    {
        Require.That(rank >= 1 && rank <= config.Width, nameof(rank), rank, $"1 to {config.Width}, the model's Width");
        Require.That(double.IsFinite(alpha) && alpha > 0, nameof(alpha), alpha, "a finite number above 0");
    }
}
