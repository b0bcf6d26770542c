// A decoder-only language model, pre-norm. Modules carry the names of Hugging Face's Llama.
// Shapes: B batch, T tokens, C width, V vocabulary, N = B·T.

using PaperLab.Native;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace PaperLab.Models;

/// <summary>Logits for every position and, for each block with experts, how its tokens were routed.</summary>
public readonly record struct TransformerOutput(Tensor Logits_BTV, IReadOnlyList<Routing> Routings)
{
    /// <summary>
    /// What training adds to the cross-entropy: the balance loss and the router z-loss with the weights of <paramref name="config"/>,
    /// summed over layers as in Switch Transformer. Null when there is nothing to add.
    /// </summary>
    /// <param name="config">The feed-forward layers' config.</param>
    /// <param name="statistics">Counts the load of the balance loss over its scope; null for over these logits' batch.</param>
    public Tensor? AuxiliaryLoss(FeedForwardConfig config, BalanceStatistics? statistics = null)
    {
        double balance = (config as RoutedConfig)?.BalanceLossWeight ?? 0, z = (config as MixtureOfExpertsConfig)?.ZLossWeight ?? 0;
        int sequences = (int)Logits_BTV.shape[0];
        IEnumerable<Tensor> terms = Routings.SelectMany((routing, layer) => new[]
        {
            balance > 0 ? (statistics?.LossOf(layer, routing, sequences) ?? routing.BalanceLoss()) * balance : null,
            z > 0 ? routing.ZLoss() * z : null,
        }).OfType<Tensor>();
        return terms.Aggregate((Tensor?)null, (sum, term) => sum is null ? term : sum + term);
    }
}

/// <summary>Embedding, blocks, norm, head.</summary>
public sealed class Transformer : nn.Module<Tensor, TransformerOutput>
{
    private readonly Projection embed_tokens; // [V, C]: a row for each token
    private readonly ModuleList<TransformerBlock> layers;
    private readonly RmsNorm norm;
    private readonly Projection? lm_head;     // null when the head is the embedding
    private readonly RotaryEmbedding _rotary;
    private readonly Recomputation _recomputation = new();

    /// <summary>Builds the model with weights drawn from torch's current generator.</summary>
    /// <param name="config">Its sizes.</param>
    /// <param name="initialize">False leaves the weights unwritten, for a checkpoint to fill: nothing is drawn and no memory is touched.</param>
    /// <exception cref="ArgumentException">A size is out of range; the message names the field.</exception>
    public Transformer(TransformerConfig config, bool initialize = true)
        : base(nameof(Transformer))
    {
        config.Validate();
        Config = config;
        embed_tokens = new Projection(config.Width, config.VocabularySize);
        layers = new ModuleList<TransformerBlock>(Enumerable.Range(0, config.Layers).Select(_ => new TransformerBlock(config)).ToArray());
        norm = new RmsNorm(config.Width, config.NormEpsilon);
        lm_head = config.TieEmbeddings ? null : new Projection(config.Width, config.VocabularySize);
        _rotary = new RotaryEmbedding(config);
        RegisterComponents();
        if (initialize)
        {
            Initialize();
        }
    }

    public TransformerConfig Config { get; }

    /// <summary>
    /// Whether a pass with gradients keeps the blocks' inputs alone and computes what lies between again in the backward pass: less
    /// memory, a third more time, the same numbers. It belongs to a machine rather than to the model, so the config does not have it.
    /// </summary>
    public bool GradientCheckpointing { get; set; }

    /// <summary>The low-rank adapter on the projections; null for none.</summary>
    public LowRankAdapter? Adapter { get; internal set; }

    /// <summary>Where the weights are.</summary>
    public Device Device => embed_tokens.weight.device;

    /// <summary>The weights' number format.</summary>
    public ScalarType Dtype => embed_tokens.weight.dtype;

    /// <summary>All parameters.</summary>
    public long TotalParameters => parameters().Sum(parameter => parameter.numel());

    /// <summary>Parameters that take part in one token's forward pass.</summary>
    public long ActiveParameters => TotalParameters - layers.Sum(layer => layer.mlp.parameters().Sum(parameter => parameter.numel()) - layer.mlp.ActiveParameters);

    /// <summary>FLOPs of one token's forward pass: 2 per active weight of a product, and the attention scores and mixes at half the context.</summary>
    public double FlopsPerToken
    {
        get
        {
            AttentionShape shape = AttentionShape.Of(Config);
            long inProducts = ActiveParameters - (lm_head is null ? 0 : embed_tokens.weight.numel()); // a look-up, unless it is the head too
            return (2.0 * inProducts) + (1.0 * Config.Layers * Config.ContextLength * shape.Heads * (shape.KeyWidth + shape.ValueWidth));
        }
    }

    /// <summary>The feed-forward layers with experts that balance themselves without a loss; most models have none.</summary>
    public IEnumerable<MixtureOfExperts> MixturesOfExperts => layers.Select(layer => layer.mlp).OfType<MixtureOfExperts>();

    /// <summary>The blocks, first to last.</summary>
    internal IEnumerable<TransformerBlock> Blocks => layers;

    /// <summary>Token ids [B, T] → logits [B, T, V].</summary>
    public override TransformerOutput forward(Tensor tokens_BT)
    {
        (Tensor hidden_BTC, IReadOnlyList<Routing> routings) = Hidden(tokens_BT);
        return new TransformerOutput(Logits(hidden_BTC), routings);
    }

    /// <summary>Token ids [B, T] → the last block's output, normalised [B, T, C]: what the head reads.</summary>
    /// <param name="tokens_BT">Token ids.</param>
    /// <param name="cache">Holds the tokens before these, and takes these in; only without gradients. Null for a sequence from its start.</param>
    /// <param name="look">Shown what each part puts out, by the part's name in the state dict, in order.</param>
    /// <exception cref="ArgumentException">The sequence is longer than the model's context or the cache.</exception>
    public (Tensor Hidden_BTC, IReadOnlyList<Routing> Routings) Hidden(Tensor tokens_BT, KeyValueCache? cache = null, Action<string, Tensor>? look = null)
    {
        (long rows, long tokens, long before) = (tokens_BT.shape[0], tokens_BT.shape[1], cache?.Length ?? 0);
        long length = (cache?.LongestRow ?? 0) + tokens;
        Require.That(length <= Config.ContextLength, "the sequence's length", length, $"up to {Config.ContextLength}, the model's ContextLength");
        cache?.RequireRoom(rows, tokens);
        Tensor? starts_B = cache?.Starts_B;
        using RotaryTurn turn = _rotary.At(before, tokens, length, starts_B, Device);
        using var mask = new AttentionMask(tokens, before + tokens, Config.Attention?.SlidingWindow, starts_B, Device);

        Tensor x_BTC = Aten.Embedding(embed_tokens.weight, tokens_BT);
        look?.Invoke("embed_tokens", x_BTC);
        var routings = new List<Routing>(Config.Layers);
        for (int i = 0; i < layers.Count; i++)
        {
            using Tensor? input_BTC = look is null ? x_BTC : null; // whoever looked may have kept it
            (x_BTC, Routing? routing) = GradientCheckpointing && is_grad_enabled() ? Recomputed(layers[i], x_BTC) : Kept(layers[i], x_BTC, turn, mask, cache?[i]);
            if (routing is not null)
            {
                routings.Add(routing);
            }

            look?.Invoke($"layers.{i}", x_BTC);
        }

        cache?.Advance(tokens);
        x_BTC = norm.forward(x_BTC);
        look?.Invoke("norm", x_BTC);
        return (x_BTC, routings);
    }

    /// <summary>Output of <see cref="Hidden"/> [.., C] → logits [.., V].</summary>
    public Tensor Logits(Tensor hidden_C) => nn.functional.linear(hidden_C, (lm_head ?? embed_tokens).weight);

    // One scope a block: what the gradients do not need goes before the next block begins.
    private static (Tensor Output_BTC, Routing? Routing) Kept(TransformerBlock layer, Tensor x_BTC, RotaryTurn turn, AttentionMask mask, KeyValueCache.LayerCache? cache)
    {
        using var scope = NewDisposeScope();
        (Tensor output_BTC, Routing? routing) = layer.forward(x_BTC, turn, mask, cache);
        return (output_BTC.MoveToOuterDisposeScope(), routing?.MoveToOuterDisposeScope());
    }

    // Turns and mask are made anew each time: in the backward pass those of the forward pass are gone.
    private (Tensor Output_BTC, Routing? Routing) Recomputed(TransformerBlock layer, Tensor x_BTC) => _recomputation.Run(
        input_BTC =>
        {
            long tokens = input_BTC.shape[1];
            using RotaryTurn turn = _rotary.At(0, tokens, tokens, starts_B: null, Device);
            using var mask = new AttentionMask(tokens, tokens, Config.Attention?.SlidingWindow, Starts_B: null, Device);
            return layer.forward(input_BTC, turn, mask, cache: null);
        },
        layer.parameters(),
        x_BTC);

    private void Initialize()
    {
        // Two additions to the residual stream a block: GPT-2's scaling keeps its variance from growing with depth.
        double residualStd = Config.InitStd / Math.Sqrt(2 * Config.Layers);
        embed_tokens.Initialize(Config.InitStd);
        foreach (TransformerBlock layer in layers)
        {
            layer.self_attn.Initialize(Config.InitStd, residualStd);
            layer.mlp.Initialize(Config.InitStd, residualStd);
        }

        lm_head?.Initialize(Config.InitStd);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _rotary.Dispose();
            _recomputation.Dispose();
        }

        base.Dispose(disposing);
    }
}

/// <summary>x + attention(norm(x)), then x + feedForward(norm(x)).</summary>
internal sealed class TransformerBlock : nn.Module
{
    private readonly RmsNorm input_layernorm;
    internal readonly Attention self_attn;
    private readonly RmsNorm post_attention_layernorm;
    internal readonly FeedForward mlp;

    public TransformerBlock(TransformerConfig config)
        : base(nameof(TransformerBlock))
    {
        input_layernorm = new RmsNorm(config.Width, config.NormEpsilon);
        self_attn = new Attention(config);
        post_attention_layernorm = new RmsNorm(config.Width, config.NormEpsilon);
        mlp = FeedForward.Create(config.FeedForward, config.Width);
        RegisterComponents();
    }

    public (Tensor Output_BTC, Routing? Routing) forward(Tensor x_BTC, RotaryTurn turn, AttentionMask mask, KeyValueCache.LayerCache? cache)
    {
        x_BTC += self_attn.forward(input_layernorm.forward(x_BTC), turn, mask, cache);
        FeedForwardOutput update = mlp.forward(post_attention_layernorm.forward(x_BTC).view(-1, x_BTC.shape[2]));
        return (x_BTC + update.Output_NC.view_as(x_BTC), update.Routing);
    }
}
