using PaperLab.Models;
using static TorchSharp.torch;

namespace PaperLab.Tests.Models;

public sealed class AttentionTests : TorchTest
{
    private static readonly TransformerConfig Config = new()
    {
        VocabularySize = 40,
        Width = 32,
        Layers = 2,
        Heads = 8,
        ContextLength = 24,
        FeedForward = new DenseConfig(24),
    };

    /// <summary>Every kind of attention, by name.</summary>
    public static TheoryData<string> Kinds => [.. Configs.Keys];

    private static readonly Dictionary<string, TransformerConfig> Configs = new()
    {
        ["multi-head"] = Config,
        ["grouped-query"] = Config with { Attention = new AttentionConfig { KeyHeads = 2, ValueHeads = 2 } },
        ["multi-query"] = Config with { Attention = new AttentionConfig { KeyHeads = 1, ValueHeads = 1 } },
        ["DiffQKV"] = Config with { Attention = new AttentionConfig { KeyHeads = 1, ValueHeads = 4, QueryHidden = 48 } },
        ["more keys than values"] = Config with { Attention = new AttentionConfig { KeyHeads = 4, ValueHeads = 2 } },
        ["narrow keys"] = Config with { Attention = new AttentionConfig { KeyHeads = 4, ValueHeads = 4, KeyWidth = 2 } },
        ["wide keys"] = Config with { Attention = new AttentionConfig { KeyWidth = 12, ValueWidth = 6 } },
        ["bias and norms"] = Config with { Attention = new AttentionConfig { QkvBias = true, OutputBias = true, QkNorm = true } },
        ["selected values"] = Config with { Attention = new AttentionConfig { KeyHeads = 2, ValueHeads = 4, SelectedValues = 3 } },
        ["sliding window"] = Config with { Attention = new AttentionConfig { KeyHeads = 2, ValueHeads = 2, SlidingWindow = 5 } },
        ["experts"] = Config with { FeedForward = new MixtureOfExpertsConfig { NumExperts = 4, Hidden = 8 } },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_later_token_cannot_change_an_earlier_output(string kind)
    {
        Transformer model = Model(kind);
        Tensor tokens = Tokens(3, 12), changed = tokens.clone();
        changed[TensorIndex.Colon, 7] = (changed[TensorIndex.Colon, 7] + 1) % Config.VocabularySize;

        Tensor before = model.forward(tokens).Logits_BTV, after = model.forward(changed).Logits_BTV;

        Assert.True(Close(before.narrow(1, 0, 7), after.narrow(1, 0, 7)));
        Assert.False(Close(before.narrow(1, 7, 5), after.narrow(1, 7, 5)));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_cache_changes_nothing(string kind)
    {
        using var noGrad = no_grad();
        Transformer model = Model(kind);
        Tensor tokens = Tokens(3, 20);
        using var cache = new KeyValueCache(model.Config, rows: 3, capacity: 20, CPU);

        // A prompt, two pieces, then one token at a time.
        long[] pieces = [6, 3, 2, .. Enumerable.Repeat(1L, 9)];
        Tensor cached = cat([.. tokens.split(pieces, 1).Select(piece => model.Hidden(piece, cache).Hidden_BTC)], 1);

        Assert.True(Close(model.Hidden(tokens).Hidden_BTC, cached));
        Assert.Equal(20, cache.Length);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_padded_row_computes_what_it_computes_alone(string kind)
    {
        using var noGrad = no_grad();
        Transformer model = Model(kind);
        Tensor tokens = Tokens(3, 14);
        long[] starts = [0, 5, 3];
        using var cache = new KeyValueCache(model.Config, rows: 3, capacity: 14, CPU, starts: starts);
        Tensor together = cat([.. tokens.split([8, 1, 4, 1], 1).Select(piece => model.Hidden(piece, cache).Hidden_BTC)], 1);

        for (int row = 0; row < 3; row++)
        {
            Tensor alone = model.Hidden(tokens.narrow(0, row, 1).narrow(1, starts[row], 14 - starts[row])).Hidden_BTC;
            Assert.True(Close(alone, together.narrow(0, row, 1).narrow(1, starts[row], 14 - starts[row])), $"row {row}");
        }
    }

    [Fact]
    public void Rows_that_leave_the_cache_do_not_change_those_that_stay()
    {
        using var noGrad = no_grad();
        Transformer model = Model("DiffQKV");
        Tensor tokens = Tokens(4, 10);
        using var cache = new KeyValueCache(model.Config, rows: 4, capacity: 10, CPU, starts: [0, 2, 1, 0]);
        model.Hidden(tokens.narrow(1, 0, 6), cache);
        long[] stay = [3, 1];
        cache.Keep(stay);
        Tensor kept = model.Hidden(tokens.index_select(0, tensor(stay)).narrow(1, 6, 4), cache).Hidden_BTC;

        using var whole = new KeyValueCache(model.Config, rows: 4, capacity: 10, CPU, starts: [0, 2, 1, 0]);
        Tensor all = model.Hidden(tokens, whole).Hidden_BTC.narrow(1, 6, 4);

        Assert.True(Close(all.index_select(0, tensor(stay)), kept));
        Assert.Equal(2, cache.Rows);
    }

    [Theory]
    [InlineData(8, 8, 16, 16)]
    [InlineData(2, 2, 16, 16)]
    [InlineData(1, 4, 16, 16)]
    [InlineData(4, 2, 16, 16)]
    [InlineData(2, 8, 8, 16)]
    [InlineData(8, 2, 16, 8)]
    public void Every_kernel_gives_the_same(int keyHeads, int valueHeads, int keyWidth, int valueWidth)
    {
        // 1,300 columns: beyond what is held whole, so Attend takes blocks where the fused kernel does not fit.
        const int T = 1300;
        Tensor q = randn(1, 8, T, keyWidth), k = randn(1, keyHeads, T, keyWidth), v = randn(1, valueHeads, T, valueWidth);
        var plain = new AttentionMask(T, T, null, null, CPU);
        var padded = new AttentionMask(T, T, null, zeros(1, dtype: ScalarType.Int64), CPU); // hides nothing more, but is not plain

        Tensor whole = AttentionKernel.Explicit(q, k, v, plain.Additive(ScalarType.Float32));

        Assert.True(Close(whole, AttentionKernel.Fused(q, k, v)));
        Assert.True(Close(whole, AttentionKernel.Attend(q, k, v, padded)));
        Assert.True(Close(ByDefinition(q, k, v), whole));
    }

    [Theory]
    [InlineData(8, 8)]
    [InlineData(2, 2)]
    [InlineData(1, 4)]
    [InlineData(4, 2)]
    public void One_query_over_a_cache_is_the_same_by_every_kernel(int keyHeads, int valueHeads)
    {
        foreach (int length in new[] { 40, 300, 1100 }) // Attend takes another kernel for each
        {
            Tensor q = randn(2, 8, 1, 16), k = randn(2, keyHeads, length + 5, 16).narrow(2, 0, length), v = randn(2, valueHeads, length + 5, 16).narrow(2, 0, length);
            var mask = new AttentionMask(1, length, null, null, CPU);
            var ragged = new AttentionMask(1, length, null, tensor(new long[] { 0, 7 }), CPU);

            Assert.True(Close(ByDefinition(q, k, v), AttentionKernel.ByHead(q, k, v, additive: null)));
            Assert.True(Close(ByDefinition(q, k, v), AttentionKernel.Attend(q, k, v, mask)));
            Assert.True(Close(AttentionKernel.Explicit(q, k, v, ragged.Additive(ScalarType.Float32)), AttentionKernel.Attend(q, k, v, ragged)));
        }
    }

    [Fact]
    public void A_window_in_blocks_equals_a_window_at_once()
    {
        const int T = 1300;
        Tensor q = randn(1, 2, T, 8), k = randn(1, 2, T, 8), v = randn(1, 2, T, 8);
        var mask = new AttentionMask(T, T, 37, null, CPU);

        Assert.True(Close(AttentionKernel.Explicit(q, k, v, mask.Additive(ScalarType.Float32)), AttentionKernel.Attend(q, k, v, mask)));
    }

    [Fact]
    public void Selecting_all_values_changes_nothing_and_selecting_one_reads_one()
    {
        Tensor q = randn(1, 2, 6, 4), k = randn(1, 2, 6, 4), v = randn(1, 2, 6, 4);
        var mask = new AttentionMask(6, 6, null, null, CPU);

        Assert.True(Close(AttentionKernel.Attend(q, k, v, mask), AttentionKernel.AttendSelected(q, k, v, mask, 6)));

        Tensor one = AttentionKernel.AttendSelected(q, k, v, mask, 1);
        Tensor weights = (q.matmul(k.transpose(-2, -1)) / 2 + mask.Additive(ScalarType.Float32)).softmax(-1);
        (Tensor largest, Tensor position) = weights.max(-1);
        Assert.True(Close(largest.unsqueeze(-1) * v.gather(2, position.unsqueeze(-1).expand(1, 2, 6, 4)), one));
    }

    [Fact]
    public void The_cache_counts_what_shared_heads_save()
    {
        // SIGMA's own sizes (arXiv 2501.13629): 32 query, 4 key and 16 value heads of width 64 against GQA with 16 and 16: 37.5 % less.
        TransformerConfig gqa = Config with { Width = 2048, Heads = 32, Layers = 1, Attention = new AttentionConfig { KeyHeads = 16, ValueHeads = 16 } };
        TransformerConfig sigma = gqa with { Attention = new AttentionConfig { KeyHeads = 4, ValueHeads = 16 } };
        using var large = new KeyValueCache(gqa, 1, 2, CPU, ScalarType.BFloat16);
        using var small = new KeyValueCache(sigma, 1, 2, CPU, ScalarType.BFloat16);

        Assert.Equal(2048 * 2, large.BytesPerToken);
        Assert.Equal(1280 * 2, small.BytesPerToken);
    }

    [Fact]
    public void Rotary_positions_see_distances_and_not_places()
    {
        // One query and one key at positions (2, 0) and (7, 5): the same distance, so the same score.
        Tensor q = randn(8), k = randn(8);

        Assert.Equal(Turned(q, 2).dot(Turned(k, 0)).item<float>(), Turned(q, 7).dot(Turned(k, 5)).item<float>(), 4);
        Assert.NotEqual(Turned(q, 2).dot(Turned(k, 0)).item<float>(), Turned(q, 7).dot(Turned(k, 4)).item<float>(), 3);
    }

    [Fact]
    public void A_rotary_turn_matches_a_hand_worked_example()
    {
        // D = 2, position 1, angle 1 rad: (1, 0) → (cos 1, sin 1).
        Tensor turned = Turned(tensor(new float[] { 1, 0 }), 1);

        Assert.Equal(Math.Cos(1), turned[0].item<float>(), 6);
        Assert.Equal(Math.Sin(1), turned[1].item<float>(), 6);
    }

    [Theory]
    [InlineData(nameof(TransformerConfig.Heads), 3, "Heads is 3; allowed: a number that divides Width = 32")]
    [InlineData(nameof(AttentionConfig.KeyHeads), 3, "KeyHeads is 3; allowed: a divisor of Heads = 8")]
    [InlineData(nameof(AttentionConfig.KeyWidth), 3, "KeyWidth is 3; allowed: a number that makes queries and keys of even width")]
    [InlineData(nameof(AttentionConfig.SlidingWindow), 0, "SlidingWindow is 0; allowed: 1 or more")]
    public void A_size_out_of_range_is_named(string field, int value, string message)
    {
        TransformerConfig config = field switch
        {
            nameof(TransformerConfig.Heads) => Config with { Heads = value },
            nameof(AttentionConfig.KeyHeads) => Config with { Attention = new AttentionConfig { KeyHeads = value } },
            nameof(AttentionConfig.KeyWidth) => Config with { Attention = new AttentionConfig { KeyWidth = value } },
            _ => Config with { Attention = new AttentionConfig { SlidingWindow = value } },
        };

        Assert.Contains(message, Assert.Throws<ArgumentException>(() => new Transformer(config)).Message);
    }

    [Fact]
    public void A_full_cache_and_a_cache_with_gradients_are_refused()
    {
        Transformer model = Model("multi-head");
        using var cache = new KeyValueCache(model.Config, rows: 1, capacity: 4, CPU);

        Assert.Contains("off (no_grad)", Assert.Throws<ArgumentException>(() => model.Hidden(Tokens(1, 2), cache)).Message);
        using var noGrad = no_grad();
        Assert.Contains("the sequence's length is 5; allowed: up to 4, the capacity of its cache", Assert.Throws<ArgumentException>(() => model.Hidden(Tokens(1, 5), cache)).Message);
        Assert.Contains("the batch's number of rows is 2", Assert.Throws<ArgumentException>(() => model.Hidden(Tokens(2, 2), cache)).Message);
    }

    // Small initial weights would leave attention nearly uniform, and a test of it nearly blind.
    private static Transformer Model(string kind)
    {
        var model = new Transformer(Configs[kind]);
        using var noGrad = no_grad();
        foreach (var parameter in model.parameters())
        {
            parameter.add_(randn_like(parameter) * 0.2);
        }

        return model;
    }

    private static Tensor Tokens(int rows, int columns) => randint(0, Config.VocabularySize, [rows, columns], dtype: ScalarType.Int64);

    private static bool Close(Tensor expected, Tensor found) => found.allclose(expected, rtol: 1e-4, atol: 2e-5);

    private static Tensor Turned(Tensor vector, int position)
    {
        var rotary = new RotaryEmbedding(Config with { Width = (int)vector.shape[0], Heads = 1 });
        return rotary.At(position, 1, position + 1, null, CPU).Apply(vector.view(1, 1, 1, -1)).view(-1);
    }

    // Head by head, with nothing shared between them.
    private static Tensor ByDefinition(Tensor q, Tensor k, Tensor v)
    {
        (long h, long t) = (q.shape[1], q.shape[2]);
        Tensor future = ones(t, t, dtype: ScalarType.Bool).triu(1);
        return stack([.. Enumerable.Range(0, (int)h).Select(i =>
        {
            Tensor keys = k.select(1, i * k.shape[1] / h), values = v.select(1, i * v.shape[1] / h);
            Tensor scores = q.select(1, i).matmul(keys.transpose(-2, -1)) / Math.Sqrt(q.shape[3]);
            return scores.masked_fill(future, float.NegativeInfinity).softmax(-1).matmul(values);
        })], 1);
    }

    /// <summary>Attentions of other sizes than plain multi-head attention.</summary>
    public static TheoryData<AttentionConfig> OtherSizes =>
    [
        new AttentionConfig { KeyHeads = 2 },
        new AttentionConfig { ValueHeads = 1 },
        new AttentionConfig { KeyWidth = 8 },
        new AttentionConfig { QueryHidden = 24 },
        new AttentionConfig { KeyHeads = 1, ValueHeads = 2, KeyWidth = 4, QueryHidden = 40 },
    ];

    [Theory]
    [MemberData(nameof(OtherSizes))]
    public void A_feed_forward_layer_makes_up_for_what_attention_has_more_or_less(AttentionConfig attention)
    {
        var baseline = new TransformerConfig { VocabularySize = 50, Width = 64, Layers = 3, Heads = 4, FeedForward = new DenseConfig(96) };
        TransformerConfig other = baseline with { Attention = attention, FeedForward = DenseConfig.ForEqualParameters(baseline, attention) };
        using var one = new Transformer(baseline);
        using var two = new Transformer(other);

        Assert.NotEqual(baseline.FeedForward, other.FeedForward);
        Assert.InRange(Math.Abs(one.TotalParameters - two.TotalParameters), 0, baseline.Layers * 3 * baseline.Width / 2); // half a unit of the inner width
    }

    [Fact]
    public void Only_a_dense_layer_can_make_up_for_attention()
    {
        var routed = new TransformerConfig { VocabularySize = 50, FeedForward = new MixtureOfExpertsConfig { NumExperts = 2, Hidden = 8 } };

        Assert.Contains("baseline.FeedForward is MixtureOfExpertsConfig; allowed: DenseConfig", Assert.Throws<ArgumentException>(() => DenseConfig.ForEqualParameters(routed, new AttentionConfig())).Message);
    }
}
