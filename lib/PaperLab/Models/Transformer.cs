// A decoder-only language model, pre-norm. Modules carry the names of Hugging Face's Llama.
// Shapes: B batch, T tokens, C width, V vocabulary, N = B·T.

using TorchSharp.Modules;
using static TorchSharp.torch;

namespace PaperLab.Models;

/// <summary>Logits for every position and, for each block with experts, how its tokens were routed.</summary>
public readonly record struct TransformerOutput(Tensor Logits_BTV, IReadOnlyList<Routing> Routings);

/// <summary>Embedding, blocks, norm, head (not tied).</summary>
public sealed class Transformer : nn.Module<Tensor, TransformerOutput>
{
    private readonly Embedding embed_tokens;
    private readonly ModuleList<TransformerBlock> layers;
    private readonly RmsNorm norm;
    private readonly Linear lm_head;

    /// <summary>Builds the model with weights drawn from torch's current generator.</summary>
    /// <exception cref="ArgumentException">A size is out of range; the message names the field.</exception>
    public Transformer(TransformerConfig config)
        : base(nameof(Transformer))
    {
        config.Validate();
        Config = config;
        embed_tokens = nn.Embedding(config.VocabularySize, config.Width);
        layers = new ModuleList<TransformerBlock>(Enumerable.Range(0, config.Layers).Select(_ => new TransformerBlock(config)).ToArray());
        norm = new RmsNorm(config.Width, config.NormEpsilon);
        lm_head = nn.Linear(config.Width, config.VocabularySize, hasBias: false);
        nn.init.normal_(embed_tokens.weight!, 0, config.InitStd);
        nn.init.normal_(lm_head.weight, 0, config.InitStd);
        RegisterComponents();
    }

    public TransformerConfig Config { get; }

    /// <summary>All parameters.</summary>
    public long TotalParameters => parameters().Sum(parameter => parameter.numel());

    /// <summary>Parameters that take part in one token's forward pass.</summary>
    public long ActiveParameters => TotalParameters - layers.Sum(layer => layer.mlp.parameters().Sum(parameter => parameter.numel()) - layer.mlp.ActiveParameters);

    /// <summary>FLOPs of one token's forward pass: 2 per active weight (the embedding is a look-up) and the attention scores at half the context.</summary>
    public double FlopsPerToken =>
        (2.0 * (ActiveParameters - embed_tokens.weight!.numel())) + (2.0 * Config.Layers * Config.ContextLength * Config.Width);

    /// <summary>Token ids [B, T] → logits [B, T, V].</summary>
    public override TransformerOutput forward(Tensor tokens_BT)
    {
        Tensor x_BTC = embed_tokens.forward(tokens_BT);
        var routings = new List<Routing>(Config.Layers);
        foreach (TransformerBlock layer in layers)
        {
            (x_BTC, Routing? routing) = layer.forward(x_BTC);
            if (routing is not null)
            {
                routings.Add(routing);
            }
        }

        return new TransformerOutput(lm_head.forward(norm.forward(x_BTC)), routings);
    }
}

/// <summary>x + attention(norm(x)), then x + feedForward(norm(x)).</summary>
internal sealed class TransformerBlock : nn.Module<Tensor, (Tensor Output_BTC, Routing? Routing)>
{
    private readonly RmsNorm input_layernorm;
    private readonly CausalSelfAttention self_attn;
    private readonly RmsNorm post_attention_layernorm;
    internal readonly FeedForward mlp;

    public TransformerBlock(TransformerConfig config)
        : base(nameof(TransformerBlock))
    {
        // Two additions to the residual stream a block: GPT-2's scaling keeps its variance from growing with depth.
        double residualStd = config.InitStd / Math.Sqrt(2 * config.Layers);
        input_layernorm = new RmsNorm(config.Width, config.NormEpsilon);
        self_attn = new CausalSelfAttention(config, residualStd);
        post_attention_layernorm = new RmsNorm(config.Width, config.NormEpsilon);
        mlp = FeedForward.Create(config.FeedForward, config.Width, config.InitStd, residualStd);
        RegisterComponents();
    }


    public override (Tensor Output_BTC, Routing? Routing) forward(Tensor x_BTC)
    {
        x_BTC += self_attn.forward(input_layernorm.forward(x_BTC));
        FeedForwardOutput update = mlp.forward(post_attention_layernorm.forward(x_BTC).view(-1, x_BTC.shape[2]));
        return (x_BTC + update.Output_NC.view_as(x_BTC), update.Routing);
    }
}
