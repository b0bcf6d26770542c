// What is measured: each benchmark is a table of ways to do the same thing, timed in turn in one run.
// Shapes: N tokens, A assignments in expert order, C width, F inner width, E experts, K experts per token.

using PaperLab.Generation;
using PaperLab.Models;
using PaperLab.Native;
using PaperLab.Papers;
using PaperLab.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace PaperLab.Benchmarks;

/// <summary>One table.</summary>
/// <param name="Title">What was done.</param>
/// <param name="Unit">What the rate counts, for example "tokens".</param>
/// <param name="PerRepeat">How many of them one repeat does.</param>
/// <param name="Times">The ways; ratios are against the last one.</param>
/// <param name="Flops">FLOPs of one repeat, where they are known.</param>
/// <param name="Note">What else was found, below the table; null for nothing.</param>
internal sealed record Table(string Title, string Unit, double PerRepeat, Times[] Times, double? Flops = null, string? Note = null);

internal sealed class Measurements(TorchRuntime runtime, int rounds)
{
    private const int Steps = 3, Batch = 16;

    // 3.4M parameters keep a processor busy; a GPU needs 110M.
    private static readonly TransformerConfig ForProcessor = new() { VocabularySize = 512, Width = 256, Layers = 4, Heads = 8, ContextLength = 128, FeedForward = new DenseConfig(688) };
    private static readonly TransformerConfig ForGpu = new() { VocabularySize = 16384, Width = 768, Layers = 12, Heads = 12, ContextLength = 1024, FeedForward = new DenseConfig(2048) };

    private readonly TransformerConfig _dense = runtime.IsCuda ? ForGpu : ForProcessor;

    // The papers' own measurements, at sizes for the device.
    private readonly string _preset = runtime.IsCuda ? "full" : "standard";

    /// <summary>Where both sides compute.</summary>
    public Device Device => runtime.Device;

    private string[] PeerSizes =>
    [
        "--width", $"{_dense.Width}", "--layers", $"{_dense.Layers}", "--heads", $"{_dense.Heads}",
        "--hidden", $"{((DenseConfig)_dense.FeedForward).Hidden}", "--vocabulary", $"{_dense.VocabularySize}",
    ];

    /// <summary>A training step of a dense model: forward, backward, clip, AdamW. Each arithmetic is a contest of its own.</summary>
    public Table Step(bool bf16)
    {
        string arithmetic = bf16 ? "bf16" : "fp32";
        using Peer? peer = Peer.Start("dense_step.py", runtime, ["--steps", $"{Steps}", "--batch", $"{Batch}", "--context", $"{_dense.ContextLength}", .. PeerSizes, .. bf16 ? ["--bf16"] : Array.Empty<string>()]);
        var ways = new List<Way> { TrainingSteps("this library", bf16) };
        AddPeer(ways, "PyTorch eager", peer);
        using var model = new Transformer(_dense, initialize: false);
        long tokens = Steps * Batch * _dense.ContextLength;
        return new Table(
            $"training step, {arithmetic}, {model.TotalParameters / 1e6:0.0}M parameters, {Batch} × {_dense.ContextLength} tokens", "tokens", tokens, Contest.Run(rounds, ways), 3 * model.FlopsPerToken * tokens);
    }

    /// <summary>A training step of models whose experts choose themselves, at several ranks, and of those behind a router: few experts, and many.</summary>
    public IEnumerable<Table> Autonomy()
    {
        ExpertCostGrid grid = AutonomyOfExpertsPaper.Cost(_preset) with { Rounds = rounds, Threads = runtime.Threads };
        ExpertCost cost = ExpertCost.Measure(grid, runtime);
        double tokens = (double)grid.Steps * grid.Sequences * grid.Model.ContextLength;
        return
            from cell in cost.Cells
            let layer = (RoutedConfig)grid.Arms.Single(arm => arm.Name == cell.Arm).FeedForward
            orderby layer is MixtureOfExpertsConfig // last: what the others are measured against
            group cell by layer.NumExperts into cells
            select new Table(
                $"training step of a model with {cells.Key} experts, fp32, {cells.Min(cell => cell.Parameters) / 1e6:0.0}M parameters", "tokens", tokens,
                [.. cells.Select(cell => new Times(cell.Arm, [.. cell.Rounds.Select(round => tokens / round.TokensPerSecond)]))]);
    }

    /// <summary>One token of a layer with DiffQKV attention: storing, attending and augmenting, beside a cache with as many keys as values.</summary>
    public IEnumerable<Table> DiffQkv() =>
        from grid in DiffQkvPaper.Decoding(_preset)
        let cost = DecodeCost.Measure(grid with { Rounds = rounds, Threads = runtime.Threads }, runtime)
        from length in grid.Lengths
        select new Table(
            $"attention of a decoder's layer, {grid.Rows} rows, {length} cached", "tokens", grid.Rows,
            [.. grid.Shapes.Reverse().Select(shape => new Times(shape.Name, [.. cost.Of(shape.Name).Single(cell => cell.Length == length).Rounds.Select(round => round.Sum / 1e3)]))]);

    private Way TrainingSteps(string name, bool bf16)
    {
        manual_seed(1);
        var model = new Transformer(_dense);
        model.to(Device);
        var optimizer = new AdamW(model.named_parameters().Select(named => (named.name, named.parameter)), learningRate: 1e-3);
        Tensor tokens_BT = randint(0, _dense.VocabularySize, [Batch, _dense.ContextLength], dtype: ScalarType.Int64, device: Device);
        Tensor targets_N = randint(0, _dense.VocabularySize, [Batch * _dense.ContextLength], dtype: ScalarType.Int64, device: Device);
        return Way.Timed(name, runtime, () =>
        {
            for (int i = 0; i < Steps; i++)
            {
                using var scope = NewDisposeScope();
                Tensor loss;
                using (bf16 ? Autocast.BFloat16(Device) : default)
                {
                    loss = nn.functional.cross_entropy(model.forward(tokens_BT).Logits_BTV.view(targets_N.shape[0], -1), targets_N);
                }

                optimizer.ZeroGradients();
                loss.backward();
                optimizer.ClipGradients(1);
                optimizer.Step();
                loss.item<float>();
            }
        });
    }

    /// <summary>A layer of experts, forward and backward, by every way there is.</summary>
    public Table Experts(int experts, int topK, int hidden)
    {
        const int N = 2048, C = 256;
        using Peer? peer = Peer.Start("experts.py", runtime, "--experts", $"{experts}", "--top", $"{topK}", "--hidden", $"{hidden}");
        Tensor x_NC = randn(N, C, device: Device).requires_grad_(), g_NC = randn(N, C, device: Device);
        Tensor Weight(params long[] shape) => (randn(shape, device: Device) * 0.05).requires_grad_();
        Tensor router_EC = Weight(experts, C), gate_ECF = Weight(experts, C, hidden), up_ECF = Weight(experts, C, hidden), down_EFC = Weight(experts, hidden, C);
        Tensor[] leaves = [x_NC, router_EC, gate_ECF, up_ECF, down_EFC];
        Way ForwardBackward(string name, Func<Routing, Tensor> layer) => Way.Timed(name, runtime, () =>
        {
            using var scope = NewDisposeScope();
            layer(Routing.TopK(nn.functional.linear(x_NC, router_EC), topK)).backward([g_NC]);
            foreach (Tensor leaf in leaves)
            {
                leaf.grad = null;
            }
        });
        Tensor Sorted(Routing routing, Func<ExpertProduct, Func<Tensor, Tensor[], Tensor, Tensor, Tensor, Tensor>> way)
        {
            var product = new ExpertProduct(routing);
            Tensor tokens_A = product.Routing.Tokens_A, x_AC = x_NC.index_select(0, tokens_A);
            return zeros_like(x_NC).index_add_(0, tokens_A, way(product)(x_AC, [gate_ECF], x_AC, up_ECF, down_EFC), 1);
        }

        Tensor Masks(Routing routing)
        {
            (Tensor experts_NK, Tensor weights_NK) = (routing.Experts_NK, routing.Weights_NK);
            Tensor[] gate_CF = gate_ECF.unbind(0), up_CF = up_ECF.unbind(0), down_FC = down_EFC.unbind(0);
            Tensor result_NC = zeros_like(x_NC);
            for (int e = 0; e < experts; e++)
            {
                Tensor places = experts_NK.eq(e).nonzero();
                Tensor token_n = places.select(1, 0), x_nC = x_NC.index_select(0, token_n);
                Tensor y_nC = (nn.functional.silu(x_nC.mm(gate_CF[e])) * x_nC.mm(up_CF[e])).mm(down_FC[e]);
                Tensor weight_n = weights_NK.view(-1).index_select(0, (token_n * topK) + places.select(1, 1));
                result_NC = result_NC.index_add(0, token_n, y_nC * weight_n.unsqueeze(-1), 1);
            }

            return result_NC;
        }

        var ways = new List<Way>
        {
            ForwardBackward("sorted, grouped products", routing => Sorted(routing, product => product.Grouped)),
            ForwardBackward("sorted, expert by expert", routing => Sorted(routing, product => product.ByExpert)),
            ForwardBackward("loop over masks, here", Masks),
        };
        AddPeer(ways, "PyTorch, loop over masks", peer);
        return new Table($"{experts} experts, top {topK}, forward and backward, {N} tokens of width {C}", "tokens", N, Contest.Run(rounds, ways), 3.0 * 2 * N * topK * 3 * C * hidden);
    }

    /// <summary>Sampling of 64 rows of 120 tokens, log-probabilities kept.</summary>
    public Table Generation()
    {
        const int Rows = 64, Prompt = 8, New = 120;
        using Peer? peer = Peer.Start("generation.py", runtime, PeerSizes);
        manual_seed(1);
        var model = new Transformer(_dense);
        model.to(Device);
        var generator = new TextGenerator(model);
        var numbers = new SplitMix64(1);
        IReadOnlyList<int>[] prompts = [.. Enumerable.Range(0, Rows).Select(_ => Enumerable.Range(0, Prompt).Select(_ => numbers.Next(_dense.VocabularySize)).ToArray())];
        var ways = new List<Way> { Way.Timed("this library", runtime, () => generator.Generate(prompts, new SamplingOptions { MaxNewTokens = New })) };
        AddPeer(ways, "PyTorch, growing cache", peer);
        return new Table($"generation, {Rows} rows of {New} tokens", "tokens", Rows * New, Contest.Run(rounds, ways));
    }

    /// <summary>A step of GRPO on countdown, whole and in parts.</summary>
    public IReadOnlyList<Table> Rollouts() => new RolloutContest(runtime, rounds).Run();

    /// <summary>Attention, forward and backward, explicit and fused: which is faster from which length on.</summary>
    public Table Attention(int length, bool bf16)
    {
        const int H = 8, D = 32;
        int rows = Math.Max(1, 2048 / length);
        Tensor Heads() => randn(rows, H, length, D, dtype: bf16 ? ScalarType.BFloat16 : ScalarType.Float32, device: Device).requires_grad_();
        Tensor q = Heads(), k = Heads(), v = Heads();
        Tensor additive = new AttentionMask(length, length, null, null, Device).Additive(q.dtype);
        Way ForwardBackward(string name, Func<Tensor> attend) => Way.Timed(name, runtime, () =>
        {
            using var scope = NewDisposeScope();
            Tensor y = attend();
            y.backward([y.detach()]);
            q.grad = k.grad = v.grad = null;
        });
        return new Table($"attention, {rows} × {length} tokens, {H} heads of {D}, {(bf16 ? "bf16" : "fp32")}, forward and backward", "tokens", rows * length, Contest.Run(
            rounds,
            ForwardBackward("explicit", () => AttentionKernel.Explicit(q, k, v, additive)),
            ForwardBackward("fused", () => AttentionKernel.Fused(q, k, v))));
    }

    /// <summary>One token's attention over a cache with room to spare, by every way there is.</summary>
    public Table Decode(int rows, int length, int heads, int keyHeads, int valueHeads, int width)
    {
        Tensor q = randn(rows, heads, 1, width, device: Device);
        Tensor Cached(int shared) => randn(rows, shared, length + 64, width, device: Device).narrow(2, 0, length);
        Tensor k = Cached(keyHeads), v = Cached(valueHeads);
        Way Forward(string name, Func<Tensor> attend) => Way.Timed(name, runtime, () =>
        {
            using var scope = NewDisposeScope();
            using var noGrad = no_grad();
            for (int i = 0; i < Math.Max(1, 8192 / length / rows); i++)
            {
                attend().Dispose();
            }
        });
        return new Table($"attention of one token, {rows} rows, {length} positions, {heads} heads of {width} over {keyHeads} for keys and {valueHeads} for values", "tokens", rows * Math.Max(1, 8192 / length / rows), Contest.Run(
            rounds,
            Forward("by head", () => AttentionKernel.ByHead(q, k, v, additive: null)),
            Forward("explicit", () => AttentionKernel.Explicit(q, k, v, additive: null)),
            Forward("fused", () => AttentionKernel.Fused(q, k, v))));
    }

    /// <summary>What a large product reaches: the rate that a training step is measured against.</summary>
    public Table Product(bool bf16)
    {
        const int M = 2048;
        Tensor Matrix() => randn(M, M, dtype: bf16 ? ScalarType.BFloat16 : ScalarType.Float32, device: Device);
        Tensor a = Matrix(), b = Matrix();
        return new Table($"product of two {M} × {M} matrices, {(bf16 ? "bf16" : "fp32")}", "products", 1, Contest.Run(rounds, Way.Timed("mm", runtime, () =>
        {
            using var scope = NewDisposeScope();
            a.mm(b)[0, 0].to(ScalarType.Float32).item<float>();
        })), 2.0 * M * M * M);
    }

    private static void AddPeer(List<Way> ways, string name, Peer? peer)
    {
        if (peer is not null)
        {
            ways.Add(new Way(name, peer.Go));
        }
    }
}
