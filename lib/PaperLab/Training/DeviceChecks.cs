// Whether a device computes what it should: every kind of model on it, against the same weights in double precision on the processor. The
// library's own arithmetic there is checked against PyTorch by the tests; this asks the same of a GPU, its driver and its libtorch, on a
// machine that has neither the tests nor the SDK to run them with. `paperlab doctor --verify` runs it; so do the tests, on what is there.
//
// fp32 products are plain: libtorch leaves TF32 off unless it is told otherwise, and nothing here tells it.
// Shapes: B batch, T tokens, V vocabulary, N = B·T.

using PaperLab.Models;
using PaperLab.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace PaperLab.Training;

/// <summary>One comparison.</summary>
/// <param name="Name">What was compared.</param>
/// <param name="Error">The largest difference over the largest value; for bf16, that of the median token, norm over norm.</param>
/// <param name="Limit">How large it may be.</param>
public sealed record DeviceCheck(string Name, double Error, double Limit)
{
    /// <summary>Whether it is within its limit; what is no number is not.</summary>
    public bool Passed => Error <= Limit;
}

/// <summary>Compares a device with double precision.</summary>
public static class DeviceChecks
{
    private const double Float32Limit = 1e-4, BFloat16Limit = 1e-2;
    private const int Rows = 4, Context = 64, Vocabulary = 96, Width = 64, Steps = 3;

    // Widths are multiples of 8, which the grouped product of a GPU wants.
    private static readonly Dictionary<string, TransformerConfig> Models = new()
    {
        ["dense"] = Config(new DenseConfig(96)),
        ["dense, shared heads"] = Config(new DenseConfig(96), new AttentionConfig { KeyHeads = 2, ValueHeads = 2 }),
        ["dense, sliding window"] = Config(new DenseConfig(96), new AttentionConfig { SlidingWindow = 24 }),
        ["dense, DiffQKV"] = Config(new DenseConfig(96), new AttentionConfig { KeyHeads = 1, ValueHeads = 4, KeyWidth = 8, QueryHidden = 32 }),
        ["mixture of experts"] = Config(new MixtureOfExpertsConfig { Hidden = 32, BalanceLossWeight = 0.01, ZLossWeight = 0.001, SharedExperts = 1 }),
        ["autonomy of experts"] = Config(new AutonomyOfExpertsConfig { Hidden = 32, GateRank = 16, BalanceLossWeight = 0.01 }),
    };

    /// <summary>The kinds of model.</summary>
    public static IReadOnlyCollection<string> Kinds => Models.Keys;

    /// <summary>Compares a kind of model on the runtime's device: logits, gradients, losses of some steps, a cache, causality, bf16.</summary>
    /// <param name="kind">One of <see cref="Kinds"/>.</param>
    /// <param name="runtime">Where it computes.</param>
    public static IReadOnlyList<DeviceCheck> Run(string kind, TorchRuntime runtime)
    {
        using var scope = NewDisposeScope();
        TransformerConfig config = Models[kind];
        manual_seed(1);
        using var model = new Transformer(config);
        Tensor tokens_BT = randint(0, Vocabulary, [Rows, Context + 1], dtype: ScalarType.Int64);
        using Transformer exact = Copy(model, ScalarType.Float64);
        model.to(runtime.Device);

        Pass expected = Forward(exact, tokens_BT), found = Forward(model, tokens_BT.to(runtime.Device));
        List<DeviceCheck> checks =
        [
            new("logits", Error(found.Logits_BTV, expected.Logits_BTV), Float32Limit),
            new("gradients", found.Gradients.Zip(expected.Gradients, Error).Max(), Float32Limit),
            new("cache", Error(WithCache(model, tokens_BT.to(runtime.Device)), found.Logits_BTV), Float32Limit),
            new("causality", Error(WithLaterTokensChanged(model, tokens_BT.to(runtime.Device)), found.Logits_BTV.narrow(1, 0, Context / 2)), Float32Limit),
        ];
        if (runtime.WithBFloat16() is { UsesBFloat16: true } half)
        {
            using Autocast forward = half.BeginForward();
            using var noGrad = no_grad();
            Tensor difference_BTV = model.forward(tokens_BT.narrow(1, 0, Context).to(runtime.Device)).Logits_BTV.to(ScalarType.Float64).cpu() - expected.Logits_BTV;

            // The median, because near a tie bf16 sends a token to another expert, and that token's logits are then others.
            Tensor errors_BT = linalg.vector_norm(difference_BTV, 2, [-1]) / linalg.vector_norm(expected.Logits_BTV, 2, [-1]);
            checks.Add(new DeviceCheck("bf16 logits", errors_BT.median().item<double>(), BFloat16Limit));
        }

        checks.Add(new DeviceCheck("losses of training", Train(model, tokens_BT.to(runtime.Device)).Zip(Train(exact, tokens_BT), (left, right) => Math.Abs(left - right) / right).Max(), Float32Limit));
        return checks;
    }

    private static TransformerConfig Config(FeedForwardConfig feedForward, AttentionConfig? attention = null) =>
        new() { VocabularySize = Vocabulary, Width = Width, Layers = 2, Heads = 4, ContextLength = Context, FeedForward = feedForward, Attention = attention };

    private static Transformer Copy(Transformer model, ScalarType dtype)
    {
        var copy = new Transformer(model.Config, initialize: false);
        copy.load_state_dict(model.state_dict());
        copy.to(dtype);
        return copy;
    }

    private sealed record Pass(Tensor Logits_BTV, Tensor Loss, IReadOnlyList<Tensor> Gradients);

    private static Pass Forward(Transformer model, Tensor tokens_BT)
    {
        (Tensor logits_BTV, Tensor loss) = Loss(model, tokens_BT);
        loss.backward();
        Tensor[] gradients = [.. model.parameters().Select(parameter => parameter.grad!.clone())];
        model.zero_grad();
        return new Pass(logits_BTV.detach(), loss.detach(), gradients);
    }

    private static (Tensor Logits_BTV, Tensor Loss) Loss(Transformer model, Tensor tokens_BT)
    {
        TransformerOutput output = model.forward(tokens_BT.narrow(1, 0, Context));
        Tensor crossEntropy = nn.functional.cross_entropy(output.Logits_BTV.view(-1, Vocabulary), tokens_BT.narrow(1, 1, Context).reshape(-1));
        return (output.Logits_BTV, output.AuxiliaryLoss(model.Config.FeedForward) is { } auxiliary ? crossEntropy + auxiliary : crossEntropy);
    }

    private static double[] Train(Transformer model, Tensor tokens_BT)
    {
        using var optimizer = new AdamW(model.named_parameters(), learningRate: 1e-3);
        return [.. Enumerable.Range(0, Steps).Select(_ =>
        {
            using var scope = NewDisposeScope();
            Tensor loss = Loss(model, tokens_BT).Loss;
            loss.backward();
            optimizer.Step();
            model.zero_grad();
            return loss.to(ScalarType.Float64).item<double>();
        })];
    }

    // A prompt, then one token at a time.
    private static Tensor WithCache(Transformer model, Tensor tokens_BT)
    {
        using var noGrad = no_grad();
        using var cache = new KeyValueCache(model.Config, Rows, Context, model.Device);
        long[] pieces = [Context / 2, .. Enumerable.Repeat(1L, Context / 2)];
        return model.Logits(cat([.. tokens_BT.narrow(1, 0, Context).split(pieces, 1).Select(piece => model.Hidden(piece, cache).Hidden_BTC)], 1));
    }

    // What the first half of the logits becomes.
    private static Tensor WithLaterTokensChanged(Transformer model, Tensor tokens_BT)
    {
        using var noGrad = no_grad();
        Tensor changed_BT = cat([tokens_BT.narrow(1, 0, Context / 2), (tokens_BT.narrow(1, Context / 2, Context / 2) + 1) % Vocabulary], 1);
        return model.forward(changed_BT).Logits_BTV.narrow(1, 0, Context / 2);
    }

    private static double Error(Tensor found, Tensor expected)
    {
        Tensor exact = expected.to(ScalarType.Float64).cpu();
        return ((found.to(ScalarType.Float64).cpu() - exact).abs().max() / exact.abs().max()).item<double>();
    }
}
