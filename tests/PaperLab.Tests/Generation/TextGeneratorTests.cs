using PaperLab.Generation;
using PaperLab.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace PaperLab.Tests.Generation;

public sealed class TextGeneratorTests : TorchTest
{
    private static readonly TransformerConfig Config = new() { VocabularySize = 24, Width = 16, Layers = 2, Heads = 4, ContextLength = 20, FeedForward = new DenseConfig(24) };

    private static readonly IReadOnlyList<int>[] Prompts = [[3, 1, 4], [1], [5, 9, 2, 6, 5, 3], [5, 8], [9, 7, 9, 3], [2, 3], [8, 4, 6, 2, 6], [4]];

    [Fact]
    public void Greedy_text_is_what_the_whole_sequence_says_at_every_step()
    {
        Transformer model = Model();
        IReadOnlyList<Continuation> rows = new TextGenerator(model).Generate(Prompts, new SamplingOptions { MaxNewTokens = 8, Temperature = 0 });

        using var noGrad = no_grad();
        for (int row = 0; row < Prompts.Length; row++)
        {
            List<int> sequence = [.. Prompts[row]];
            for (int i = 0; i < 8; i++)
            {
                Tensor logProbs_V = model.forward(tensor(sequence.ToArray(), [1, sequence.Count], dtype: ScalarType.Int64)).Logits_BTV[0, -1].log_softmax(-1);
                int best = (int)logProbs_V.argmax().item<long>();
                Assert.Equal(best, rows[row].Tokens[i]);
                Assert.Equal(logProbs_V[best].item<float>(), rows[row].LogProbs[i], 4);
                sequence.Add(best);
            }
        }
    }

    [Fact]
    public void A_row_with_a_seed_of_its_own_does_not_depend_on_its_place()
    {
        var generator = new TextGenerator(Model());
        ulong[] seeds = [.. Prompts.Select((_, row) => (ulong)(100 + row))];
        var options = new SamplingOptions { MaxNewTokens = 8, RowSeeds = seeds };

        IReadOnlyList<Continuation> forwards = generator.Generate(Prompts, options), backwards = generator.Generate([.. Prompts.Reverse()], options with { RowSeeds = [.. seeds.Reverse()] });

        Assert.Equal(forwards.Select(row => row.Tokens), backwards.Reverse().Select(row => row.Tokens));
        Assert.Contains("RowSeeds is of 2 rows", Assert.Throws<ArgumentException>(() => generator.Generate(Prompts, options with { RowSeeds = [1, 2] })).Message);
    }

    [Theory]
    [InlineData("dense")]
    [InlineData("DiffQKV with experts")]
    public void A_row_does_not_depend_on_the_rows_beside_it(string kind)
    {
        Transformer model = Model(kind == "dense" ? Config : Config with
        {
            Attention = new AttentionConfig { KeyHeads = 1, ValueHeads = 2 },
            FeedForward = new AutonomyOfExpertsConfig { NumExperts = 4, Hidden = 8, GateRank = 4 },
        });
        var options = new SamplingOptions { MaxNewTokens = 12, StopTokens = [0, 7], Seed = 5 };
        var generator = new TextGenerator(model);
        IReadOnlyList<Continuation> together = generator.Generate(Prompts, options);

        // A row's numbers follow its index, so the first rows alone are the same batch with fewer mates.
        for (int rows = 1; rows < Prompts.Length; rows++)
        {
            IReadOnlyList<Continuation> fewer = generator.Generate(Prompts[..rows], options);
            for (int row = 0; row < rows; row++)
            {
                Assert.Equal(together[row].Tokens, fewer[row].Tokens);
                Assert.Equal(together[row].Finish, fewer[row].Finish);
            }
        }

        // Other mates, with longer prompts.
        IReadOnlyList<Continuation> withOthers = generator.Generate([Prompts[0], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]], options);
        Assert.Equal(together[0].Tokens, withOthers[0].Tokens);
        Assert.True(together.Select(row => row.Tokens.Count).Distinct().Count() > 2, "rows of different lengths, so that some left the batch early");
    }

    [Fact]
    public void The_same_seed_gives_the_same_text_and_another_seed_another()
    {
        var generator = new TextGenerator(Model());
        var options = new SamplingOptions { MaxNewTokens = 10, Seed = 1 };

        int[][] Texts(SamplingOptions chosen) => [.. generator.Generate(Prompts, chosen).Select(row => row.Tokens.ToArray())];

        Assert.Equal(Texts(options), Texts(options));
        Assert.NotEqual(Texts(options), Texts(options with { Seed = 2 }));
        int[][] samePrompt = [.. generator.Generate([[1], [1]], options).Select(row => row.Tokens.ToArray())];
        Assert.NotEqual(samePrompt[0], samePrompt[1]);
    }

    [Fact]
    public void A_row_ends_at_its_stop_token_its_length_or_its_context()
    {
        Transformer model = Model();
        Continuation free = new TextGenerator(model).Generate([[1, 2]], new SamplingOptions { MaxNewTokens = 4, Temperature = 0 })[0];
        Continuation stopped = new TextGenerator(model).Generate([[1, 2]], new SamplingOptions { MaxNewTokens = 4, Temperature = 0, StopTokens = [free.Tokens[2]] })[0];
        int stop = free.Tokens.ToList().IndexOf(free.Tokens[2]);

        Assert.Equal(FinishReason.Length, free.Finish);
        Assert.True(free.Truncated);
        Assert.Equal(FinishReason.Stop, stopped.Finish);
        Assert.Equal(free.Tokens.Take(stop + 1), stopped.Tokens);
        Assert.False(stopped.Truncated);

        // Rows of a batch reach their own ends of the context: 20 positions, whatever the column.
        int[][] prompts = [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], [1, 2, 3]];
        IReadOnlyList<Continuation> full = new TextGenerator(model).Generate(prompts, new SamplingOptions { MaxNewTokens = 100, Temperature = 0 });
        Assert.All(full, row => Assert.Equal(FinishReason.Context, row.Finish));
        Assert.Equal([5, 17], full.Select(row => row.Tokens.Count));
    }

    [Fact]
    public void Draws_follow_the_distribution()
    {
        // 20,000 draws of one distribution; a share differs from its probability by at most about 4 standard errors.
        Tensor probs = tensor(new float[] { 0.5f, 0.3f, 0.15f, 0.05f });
        Tensor logits_BV = probs.log().expand(20_000, 4);
        Tensor uniform_B = rand(20_000);

        (Tensor tokens_B, Tensor logProbs_B) = Sampler.Draw(logits_BV, uniform_B, new SamplingOptions { MaxNewTokens = 1 });

        Tensor shares = tokens_B.bincount(null, 4).to(ScalarType.Float32) / 20_000f;
        Assert.True(shares.allclose(probs, rtol: 0, atol: 0.015));
        Assert.True(logProbs_B.allclose(probs.log().index_select(0, tokens_B)));
    }

    [Fact]
    public void Filters_keep_what_their_names_say()
    {
        Tensor probs = tensor(new float[] { 0.05f, 0.5f, 0.3f, 0.15f }, [1, 4]);
        bool[] Kept(SamplingOptions options) => Sampler.Filtered(probs, options).gt(0).data<bool>().ToArray();
        var all = new SamplingOptions { MaxNewTokens = 1 };

        Assert.Equal([true, true, true, true], Kept(all));
        Assert.Equal([false, true, true, false], Kept(all with { TopK = 2 }));
        Assert.Equal([false, true, true, false], Kept(all with { TopP = 0.75 }));
        Assert.Equal([false, true, false, false], Kept(all with { TopP = 0.01 }));
        Assert.Equal([false, true, true, true], Kept(all with { MinP = 0.2 }));
        Assert.Equal([false, true, false, false], Kept(all with { TopK = 2, TopP = 0.6 }));
    }

    [Fact]
    public void Temperature_sharpens_and_log_probabilities_are_of_the_sharpened_distribution()
    {
        Tensor logits_BV = tensor(new float[] { 1, 2, 0 }, [1, 3]);

        (Tensor tokens_B, Tensor logProbs_B) = Sampler.Draw(logits_BV, tensor(new float[] { 0.5f }), new SamplingOptions { MaxNewTokens = 1, Temperature = 0.5, TopK = 2 });

        Assert.Equal(1, tokens_B[0].item<long>());
        Assert.Equal((logits_BV * 2).log_softmax(-1)[0, 1].item<float>(), logProbs_B[0].item<float>(), 5);
    }

    [Fact]
    public void Generation_leaves_no_tensor_behind_and_training_goes_on_after_it()
    {
        Transformer model = Model();
        var generator = new TextGenerator(model);
        void Run() => generator.Generate(Prompts, new SamplingOptions { MaxNewTokens = 10, StopTokens = [0, 1] });

        Run();
        long before = LiveTensors();
        for (int i = 0; i < 100; i++)
        {
            Run();
        }

        Assert.InRange(LiveTensors(), 0, before);
        model.forward(zeros(1, 4, dtype: ScalarType.Int64)).Logits_BTV.sum().backward();
    }

    [Fact]
    public void A_half_precision_model_generates()
    {
        Transformer model = Model().to(ScalarType.BFloat16);

        Assert.Equal(6, new TextGenerator(model).Generate([[1, 2]], new SamplingOptions { MaxNewTokens = 6 })[0].Tokens.Count);
    }

    [Fact]
    public void Bad_input_is_named()
    {
        var generator = new TextGenerator(Model());
        string Refused(IReadOnlyList<IReadOnlyList<int>> prompts, SamplingOptions options) => Assert.Throws<ArgumentException>(() => { generator.Generate(prompts, options); }).Message;
        var options = new SamplingOptions { MaxNewTokens = 3 };

        Assert.Contains("the length of prompt 1 is 0", Refused([[1], []], options));
        Assert.Contains("the length of prompt 0 is 20; allowed: 1 to 19: ContextLength is 20", Refused([Enumerable.Repeat(1, 20).ToArray()], options));
        Assert.Contains("a token of prompt 0 is 24; allowed: 0 to 23: is this the model's tokenizer?", Refused([[24]], options));
        Assert.Contains("TopP is 0; allowed: above 0, up to 1", Refused([[1]], options with { TopP = 0 }));
        Assert.Contains("Temperature is -1", Refused([[1]], options with { Temperature = -1 }));
        Assert.Contains("Temperature is 1E-40; allowed: 0, or 0.001 and more", Refused([[1]], options with { Temperature = 1e-40 }));
        Assert.Contains("StopTokens is 24; allowed: 0 to 23", Refused([[1]], options with { StopTokens = [24] }));
        Assert.Empty(generator.Generate([], options));

        var choosing = new TextGenerator(Model(Config with { FeedForward = new MixtureOfExpertsConfig { NumExperts = 4, Hidden = 8, Selection = ExpertSelection.ExpertChoice } }));
        Assert.Contains("Selection is ExpertChoice", Assert.Throws<ArgumentException>(() => { choosing.Generate([[1]], options); }).Message);
    }

    [Fact]
    public void Any_number_of_new_tokens_ends_at_the_context()
    {
        IReadOnlyList<Continuation> rows = new TextGenerator(Model()).Generate([[1, 2], [1]], new SamplingOptions { MaxNewTokens = int.MaxValue });

        Assert.Equal([18, 19], rows.Select(row => row.Tokens.Count));
        Assert.All(rows, row => Assert.True(row.Truncated));
    }

    [Fact]
    public void A_model_without_finite_weights_says_so()
    {
        Transformer model = Model();
        using (no_grad())
        {
            model.parameters().First().fill_(float.NaN);
        }

        var error = Assert.Throws<InvalidOperationException>(() => { new TextGenerator(model).Generate([[1]], new SamplingOptions { MaxNewTokens = 2 }); });
        Assert.Contains("not finite", error.Message);
    }

    private static Transformer Model(TransformerConfig? config = null)
    {
        var model = new Transformer(config ?? Config);
        using var noGrad = no_grad();
        foreach (var parameter in model.parameters())
        {
            parameter.add_(randn_like(parameter) * 0.3);
        }

        return model;
    }
}
