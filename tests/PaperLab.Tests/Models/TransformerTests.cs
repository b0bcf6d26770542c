using PaperLab.Models;
using static TorchSharp.torch;

namespace PaperLab.Tests.Models;

public sealed class TransformerTests : TorchTest
{
    private static readonly TransformerConfig Config = new()
    {
        VocabularySize = 50,
        Width = 16,
        Layers = 2,
        Heads = 2,
        ContextLength = 12,
        FeedForward = new AutonomyOfExpertsConfig { NumExperts = 4, Hidden = 8, GateRank = 3, BalanceLossWeight = 0.01 },
    };

    [Fact]
    public void Parameters_have_the_names_and_shapes_of_a_checkpoint()
    {
        string[] found = new Transformer(Config).named_parameters().Select(p => $"{p.name} [{string.Join(", ", p.parameter.shape)}]").ToArray();

        string[] block(int i) =>
        [
            $"layers.{i}.input_layernorm.weight [16]",
            $"layers.{i}.mlp.down [4, 8, 16]",
            $"layers.{i}.mlp.gate_down [12, 16]",
            $"layers.{i}.mlp.gate_up [4, 3, 8]",
            $"layers.{i}.mlp.up [4, 16, 8]",
            $"layers.{i}.post_attention_layernorm.weight [16]",
            $"layers.{i}.self_attn.k_proj.weight [16, 16]",
            $"layers.{i}.self_attn.o_proj.weight [16, 16]",
            $"layers.{i}.self_attn.q_proj.weight [16, 16]",
            $"layers.{i}.self_attn.v_proj.weight [16, 16]",
        ];
        string[] expected = ["embed_tokens.weight [50, 16]", .. block(0), .. block(1), "lm_head.weight [50, 16]", "norm.weight [16]"];
        Assert.Equal(expected, found.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_later_token_cannot_change_an_earlier_output()
    {
        var model = new Transformer(Config);
        Tensor tokens = randint(0, 50, [3, 12], dtype: ScalarType.Int64);
        Tensor changed = tokens.clone();
        changed[TensorIndex.Colon, 7] = (changed[TensorIndex.Colon, 7] + 1) % 50;

        Tensor before = model.forward(tokens).Logits_BTV;
        Tensor after = model.forward(changed).Logits_BTV;

        Assert.True(before.narrow(1, 0, 7).allclose(after.narrow(1, 0, 7), rtol: 1e-5, atol: 1e-6));
        Assert.False(before.narrow(1, 7, 5).allclose(after.narrow(1, 7, 5), rtol: 1e-5, atol: 1e-6));
    }

    [Fact]
    public void Initial_loss_is_that_of_a_uniform_guess()
    {
        var model = new Transformer(Config);
        Tensor tokens = randint(0, 50, [8, 12], dtype: ScalarType.Int64);
        Tensor loss = nn.functional.cross_entropy(model.forward(tokens).Logits_BTV.view(-1, 50), randint(0, 50, [96], dtype: ScalarType.Int64));

        Assert.InRange(loss.item<float>(), Math.Log(50) - 0.4, Math.Log(50) + 0.6);
    }

    [Fact]
    public void Active_parameters_and_flops_count_only_the_chosen_experts()
    {
        var dense = new Transformer(Config with { FeedForward = new DenseConfig(16) });
        var moe = new Transformer(Config with { FeedForward = new MixtureOfExpertsConfig { NumExperts = 4, TopK = 2, Hidden = 8 } });

        long router = 2 * 4 * 16;
        Assert.Equal(dense.TotalParameters, dense.ActiveParameters);
        Assert.Equal(dense.ActiveParameters + router, moe.ActiveParameters);
        Assert.True(moe.TotalParameters > moe.ActiveParameters);
        Assert.Equal(dense.FlopsPerToken + (2.0 * router), moe.FlopsPerToken);
    }

    [Fact]
    public void A_training_step_leaves_no_tensor_behind()
    {
        var model = new Transformer(Config);
        Tensor tokens = randint(0, 50, [2, 12], dtype: ScalarType.Int64);
        void Step()
        {
            using var scope = NewDisposeScope();
            TransformerOutput output = model.forward(tokens);
            (nn.functional.cross_entropy(output.Logits_BTV.view(-1, 50), tokens.view(-1)) + output.AuxiliaryLoss(Config.FeedForward)!).backward();
            foreach (var parameter in model.parameters())
            {
                parameter.grad = null;
            }
        }

        Step();
        long before = LiveTensors();
        for (int i = 0; i < 100; i++)
        {
            Step();
        }

        Assert.InRange(LiveTensors(), 0, before);
    }

    [Fact]
    public void A_tied_head_is_the_embedding()
    {
        var model = new Transformer(Config with { TieEmbeddings = true });

        Assert.DoesNotContain("lm_head.weight", model.named_parameters().Select(parameter => parameter.name));
        model.forward(randint(0, 50, [1, 5], dtype: ScalarType.Int64)).Logits_BTV.sum().backward();
        Assert.All(model.named_parameters().Single(parameter => parameter.name == "embed_tokens.weight").parameter.grad!.abs().sum([1]).data<float>().ToArray(), row => Assert.True(row > 0));
    }

    [Fact]
    public void A_sequence_beyond_the_context_is_refused()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => new Transformer(Config).forward(zeros(1, 13, dtype: ScalarType.Int64)));

        Assert.Contains("the sequence's length is 13; allowed: up to 12, the model's ContextLength", error.Message);
    }

    [Theory]
    [InlineData(nameof(TransformerConfig.VocabularySize), "VocabularySize is 1; allowed: 2 or more")]
    [InlineData(nameof(TransformerConfig.Heads), "Heads is 3; allowed: a number that divides Width = 16")]
    public void A_size_out_of_range_is_named(string field, string message)
    {
        TransformerConfig config = field == nameof(TransformerConfig.Heads) ? Config with { Heads = 3 } : Config with { VocabularySize = 1 };

        Assert.Contains(message, Assert.Throws<ArgumentException>(() => new Transformer(config)).Message);
    }
}
