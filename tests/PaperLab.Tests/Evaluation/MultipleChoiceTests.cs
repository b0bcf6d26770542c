using PaperLab.Evaluation;
using PaperLab.Models;
using PaperLab.Text;
using static TorchSharp.torch;

namespace PaperLab.Tests.Evaluation;

public sealed class MultipleChoiceTests : TorchTest
{
    private const int Begin = 31;
    private static readonly TransformerConfig Config = new() { VocabularySize = 32, Width = 16, Layers = 2, Heads = 4, ContextLength = 40, FeedForward = new DenseConfig(24) };

    private static readonly MultipleChoiceItem[] Items =
    [
        new("colour", "what colour is the sky", [" blue", " a bright red", " g", " no colour at all"], 0, "nature"),
        new("sum", "one and one", [" two", " three"], 0, "numbers"),
        new("long", "a question that is much longer", [" yes", " no", " yes or no"], 2, "nature"),
        new("short", "b", [" c", " c d e f g h i j k l m"], 1, "numbers"),
    ];

    [Theory]
    [InlineData("dense")]
    [InlineData("experts")]
    [InlineData("rotary angles that depend on the length")]
    public void A_batch_gives_what_every_option_gives_alone(string kind)
    {
        Transformer model = Model(kind switch
        {
            "dense" => Config,
            "experts" => Config with { FeedForward = new MixtureOfExpertsConfig { NumExperts = 4, Hidden = 8, TopK = 2 } },
            _ => Config with { RopeScaling = new RopeScaling { Kind = RopeScalingKind.Dynamic, Factor = 4, OriginalContext = 10 } },
        });
        foreach (int batchTokens in new[] { 1, 100, 4096 })
        {
            var options = new MultipleChoiceOptions { BeginToken = Begin, NeutralContext = "so ", BatchTokens = batchTokens };
            IReadOnlyList<ItemLikelihoods> results = new MultipleChoice(model, Letters, options).Score(Items).Items;

            Assert.Equal(Items, results.Select(result => result.Item));
            foreach (ItemLikelihoods result in results)
            {
                Assert.Equal(result.Item.Options.Count, result.Options.Count);
                foreach ((string text, OptionLikelihood option) in result.Item.Options.Zip(result.Options))
                {
                    Assert.Equal(text.Length, option.Tokens);
                    Assert.Equal(Alone(model, [Begin, .. Letters(result.Item.Question)], Letters(text)), option.LogLikelihood, 3);
                    Assert.Equal(Alone(model, [Begin, .. Letters("so")], Letters(text)), option.UnconditionalLogLikelihood!.Value, 3);
                }
            }
        }
    }

    [Fact]
    public void A_vocabulary_too_large_for_all_logits_at_once_changes_nothing()
    {
        Transformer model = Model(Config with { VocabularySize = 1 << 22, Width = 4, Heads = 1, Layers = 1, TieEmbeddings = true, FeedForward = new DenseConfig(4) });
        MultipleChoiceItem item = new("wide", "ab", ["cdefg", "hij"], 0);

        ItemLikelihoods result = new MultipleChoice(model, Letters).Score([item]).Items[0];

        Assert.Equal(Alone(model, Letters("ab"), Letters("cdefg")), result.Options[0].LogLikelihood, 3);
        Assert.Equal(Alone(model, Letters("ab"), Letters("hij")), result.Options[1].LogLikelihood, 3);
    }

    [Fact]
    public void A_model_that_knows_nothing_gives_every_token_one_over_the_vocabulary()
    {
        Transformer model = Model();
        using (no_grad())
        {
            foreach (var parameter in model.parameters())
            {
                parameter.zero_();
            }
        }

        IReadOnlyList<OptionLikelihood> options = new MultipleChoice(model, text => Letters(text.Replace("é", "xyz"))).Score([new("é", "q", ["é", "ab"], 0)]).Items[0].Options;

        Assert.Equal(-3 * Math.Log(32), options[0].LogLikelihood, 5);
        Assert.Equal(new OptionLikelihood(options[0].LogLikelihood, Tokens: 3, Bytes: 2), options[0]);
        Assert.Equal(-Math.Log(32), options[1].Score(AnswerNormalization.PerToken), 5);
        Assert.Equal(-1.5 * Math.Log(32), options[0].Score(AnswerNormalization.PerByte), 5);
    }

    [Fact]
    public void A_space_counts_as_the_options_wherever_it_stands()
    {
        BpeTokenizer tokenizer = BpeTokenizer.Train(["Answer: yes. Answer: no. Answer: yes. Answer: no. Answer: yes or no."], 300);
        Transformer model = Model(Config with { VocabularySize = tokenizer.VocabularySize });
        var options = new MultipleChoiceOptions { BeginToken = tokenizer.EndOfText, NeutralContext = "" };

        IReadOnlyList<ItemLikelihoods> results = new MultipleChoice(model, tokenizer.Encode, options).Score(
            [new("before", "Answer: ", ["yes", "no"], 0), new("after", "Answer:", [" yes", " no"], 0)]).Items;

        Assert.Equal([1, 1], results[0].Options.Select(option => option.Tokens));
        Assert.Equal(Alone(model, [tokenizer.EndOfText, .. tokenizer.Encode("Answer:")], tokenizer.Encode(" yes")), results[0].Options[0].LogLikelihood, 3);
        Assert.Equal(Alone(model, [tokenizer.EndOfText], tokenizer.Encode(" yes")), results[0].Options[0].UnconditionalLogLikelihood!.Value, 3);
        Assert.Equal(results[1].Options.Select(option => option with { Bytes = option.Bytes - 1 }), results[0].Options);
    }

    [Fact]
    public void A_token_across_the_boundary_belongs_to_the_question()
    {
        // "ab" is token 30: "xa" + "bc" is x, ab, c, and "xa" alone two tokens, so that c is what the option adds.
        static int[] Merged(string text) => Letters(text.Replace("ab", "~"));
        Transformer model = Model();
        var choice = new MultipleChoice(model, Merged);

        OptionLikelihood option = choice.Score([new("across", "xa", ["bc", "c"], 0)]).Items[0].Options[0];

        Assert.Equal(1, option.Tokens);
        Assert.Equal(Alone(model, [23, 30], [2]), option.LogLikelihood, 3);
        ArgumentException error = Assert.Throws<ArgumentException>(() => choice.Score([new("nothing", "xa", ["c", "b"], 0)]));
        Assert.Contains("the number of tokens that item 'nothing', option 1, adds to what stands before it is 0", error.Message);
    }

    [Fact]
    public void The_normalisation_decides_between_short_and_long()
    {
        // Short: −3 in 1 token of 2 bytes. Long: −6 in 4 tokens of 3 bytes, of which −5 were to be expected without the question.
        OptionLikelihood[] options = [new(-3, 1, 2, -1), new(-6, 4, 3, -5)];
        var likelihoods = new MultipleChoiceLikelihoods([new(new("item", "question", ["ab", "cde"], 1), options)]);
        ItemChoice Choice(AnswerNormalization normalization) => likelihoods.Choose(normalization).Items[0];

        Assert.Equal([-3.0, -6.0], Choice(AnswerNormalization.None).Scores);
        Assert.Equal([-3.0, -1.5], Choice(AnswerNormalization.PerToken).Scores);
        Assert.Equal([-1.5, -2.0], Choice(AnswerNormalization.PerByte).Scores);
        Assert.Equal([-2.0, -1.0], Choice(AnswerNormalization.Unconditional).Scores);
        Assert.Equal([0, 1, 0, 1], Enum.GetValues<AnswerNormalization>().Select(normalization => Choice(normalization).Chosen));
        Assert.Equal([false, true, false, true], Enum.GetValues<AnswerNormalization>().Select(normalization => Choice(normalization).Correct));
    }

    [Fact]
    public void Probabilities_are_the_softmax_of_the_scores()
    {
        var choice = new ItemChoice(new("item", "q", ["a", "b", "c"], 1), [-1000, -1000 + Math.Log(6), -1000 + Math.Log(3)]);

        Assert.Equal([0.1, 0.6, 0.3], choice.Probabilities.Select(p => Math.Round(p, 9)));
        Assert.Equal(0.6, choice.Confidence, 9);
        Assert.True(choice.Correct);
        Assert.Equal(0, new ItemChoice(choice.Item, [-2, -2, -3]).Chosen);
    }

    [Fact]
    public void Accuracy_is_over_all_items_and_by_group()
    {
        ItemChoice Choice(string group, bool right) => new(new("item", "q", ["a", "b"], right ? 1 : 0, group), [-2, -1]);
        var result = new MultipleChoiceResult(AnswerNormalization.None, [Choice("de", true), Choice("en", true), Choice("de", false), Choice("de", false), Choice("en", true)]);

        Assert.Equal(Interval.OfBootstrap([1, 1, 0, 0, 1], seed: 4), result.Accuracy(seed: 4));
        Assert.Equal([("de", Interval.OfBootstrap([1, 0, 0], seed: 4)), ("en", new Interval(1, 1, 1, 2))], result.AccuracyByGroup(seed: 4));
    }

    [Fact]
    public void Evaluation_leaves_no_tensor_behind_and_the_model_as_it_was()
    {
        Transformer model = Model();
        model.train();
        var choice = new MultipleChoice(model, Letters, new MultipleChoiceOptions { BeginToken = Begin, NeutralContext = "", BatchTokens = 100 });
        var shares = new Shares();
        choice.Score(Items, shares);
        long before = LiveTensors();
        for (int i = 0; i < 30; i++)
        {
            choice.Score(Items);
        }

        Assert.InRange(LiveTensors(), 0, before);
        Assert.True(shares.Count > 3);
        Assert.Equal(shares.Order(), shares);
        Assert.Equal(1, shares[^1]);
        Assert.Throws<OperationCanceledException>(() => choice.Score(Items, cancellation: new CancellationToken(canceled: true)));
        Assert.True(model.training);
        model.forward(zeros(1, 4, dtype: ScalarType.Int64)).Logits_BTV.sum().backward();
    }

    [Fact]
    public void Bad_input_is_named()
    {
        Transformer model = Model();
        string Refused(MultipleChoiceItem item, MultipleChoiceOptions? options = null) =>
            Assert.Throws<ArgumentException>(() => new MultipleChoice(model, Letters, options).Score([Items[1], item])).Message;
        MultipleChoiceItem item = new("x", "question", ["a", "b"], 0);

        Assert.Contains("the number of tokens to read for item 'x', option 1, is 41; allowed: up to 40, the model's ContextLength; shorten the question", Refused(item with { Question = new string('a', 39), Options = ["b", "bcd"] }));
        Assert.Contains("the number of options of item 'x' is 1; allowed: 2 or more", Refused(item with { Options = ["a"] }));
        Assert.Contains("the answer of item 'x' is 2; allowed: 0 to 1", Refused(item with { Answer = 2 }));
        Assert.Contains("the text of item 'x', option 1, is empty", Refused(item with { Options = ["a", ""] }));
        Assert.Contains("the number of tokens before item 'x', option 0, is 0; allowed: 1 or more; give a text, or set BeginToken", Refused(item with { Question = "" }));
        Assert.Contains("the number of tokens before item 'sum', option 0, after the neutral context, is 0", Refused(item, new MultipleChoiceOptions { NeutralContext = "" }));
        Assert.Contains("a token of item 'x', option 0, is 136; allowed: 0 to 31: is this the model's tokenizer?", Refused(item with { Options = ["é", "b"] }));
        Assert.Contains("BeginToken is 32; allowed: 0 to 31, or null", Refused(item, new MultipleChoiceOptions { BeginToken = 32 }));
        Assert.Contains("BatchTokens is 0", Refused(item, new MultipleChoiceOptions { BatchTokens = 0 }));
        Assert.Contains("the number of items is 0", Assert.Throws<ArgumentException>(() => new MultipleChoice(model, Letters).Score([])).Message);
        Assert.Contains("normalization is Unconditional; allowed: the others, unless MultipleChoiceOptions.NeutralContext was set", Assert.Throws<ArgumentException>(() => new MultipleChoice(model, Letters).Score([item]).Choose(AnswerNormalization.Unconditional)).Message);
    }

    [Fact]
    public void A_model_without_finite_numbers_is_refused_and_not_scored()
    {
        Transformer model = Model();
        using (no_grad())
        {
            model.parameters().First().fill_(double.NaN);
        }

        InvalidOperationException error = Assert.Throws<InvalidOperationException>(() => new MultipleChoice(model, Letters).Score(Items));

        Assert.Contains("The log-likelihood of ' blue' in item 'colour' is NaN", error.Message);
    }

    // a to z are 0 to 25, the space is 26 and "~" is 30.
    private static int[] Letters(string text) => [.. text.Select(letter => letter switch { ' ' => 26, '~' => 30, _ => letter - 'a' })];

    private static double Alone(Transformer model, int[] before, int[] answer)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        long[] tokens = [.. before.Concat(answer).Select(token => (long)token)];
        Tensor logProbs_TV = model.forward(tensor(tokens[..^1], [1, tokens.Length - 1])).Logits_BTV[0].log_softmax(-1);
        return Enumerable.Range(before.Length, answer.Length).Sum(t => (double)logProbs_TV[t - 1, tokens[t]].item<float>());
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

    private sealed class Shares : List<double>, IProgress<double>
    {
        public void Report(double value) => Add(value);
    }
}
