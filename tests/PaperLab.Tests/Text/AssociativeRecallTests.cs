using PaperLab.Text;
using PaperLab.Training;

namespace PaperLab.Tests.Text;

public sealed class AssociativeRecallTests
{
    private static readonly RecallOptions s_options = new() { Pairs = 4, Queries = 3, Symbols = 8, TrainSequences = 3000, HeldOutSequences = 200 };
    private static readonly TokenizedCorpus s_text = AssociativeRecall.Load(s_options);

    [Fact]
    public void Every_query_is_for_a_key_of_the_sequence_and_is_answered_by_its_value()
    {
        foreach (string text in Texts(Split.Train))
        {
            Dictionary<char, char> pairs = Pairs(text).ToDictionary(pair => pair.Key, pair => pair.Value); // throws if a key comes twice
            Assert.Equal(s_options.Pairs, pairs.Count);
            Assert.Empty(pairs.Keys.Intersect(pairs.Values));
            Assert.All(text[(2 * s_options.Pairs)..].Chunk(2), query => Assert.Equal(pairs[query[0]], query[1]));
        }
    }

    [Fact]
    public void No_held_out_sequence_is_trained_on()
    {
        Assert.Equal(200, Texts(Split.HeldOut).Distinct().Count());
        Assert.Empty(Texts(Split.HeldOut).Intersect(Texts(Split.Train)));
    }

    [Fact]
    public void A_task_with_few_sequences_draws_none_of_them_twice()
    {
        // Eight keys with eight values and one query: 64 sequences, all of them wanted.
        TokenizedCorpus all = AssociativeRecall.Load(new RecallOptions { Pairs = 1, Queries = 1, Symbols = 8, TrainSequences = 60, HeldOutSequences = 4 });

        Assert.Equal(64, all.Corpus.Documents.Select(document => document.Text).Distinct().Count());
        Assert.Contains(
            "RecallOptions.TrainSequences + HeldOutSequences is 65; allowed: at most 64, the sequences that there are",
            Assert.Throws<ArgumentException>(() => AssociativeRecall.Load(new RecallOptions { Pairs = 1, Queries = 1, Symbols = 8, TrainSequences = 61, HeldOutSequences = 4 })).Message);
    }

    [Fact]
    public void Nothing_can_be_learned_by_heart()
    {
        Dictionary<char, char> likeliest = Texts(Split.Train).SelectMany(Pairs).GroupBy(pair => pair.Key).ToDictionary(key => key.Key, key => key.GroupBy(pair => pair.Value).MaxBy(value => value.Count())!.Key);
        double right = Texts(Split.HeldOut).SelectMany(Pairs).Average(pair => likeliest[pair.Key] == pair.Value ? 1.0 : 0);

        Assert.InRange(right, 0, 0.125 + 0.05); // chance is 1/8; five standard errors of 800 pairs
    }

    [Fact]
    public void Equal_options_give_equal_sequences_and_another_seed_others()
    {
        Assert.Equal(s_text.Corpus.Hash, AssociativeRecall.Load(s_options).Corpus.Hash);
        Assert.NotEqual(s_text.Corpus.Hash, AssociativeRecall.Load(s_options with { Seed = 2 }).Corpus.Hash);
    }

    [Fact]
    public void Only_answers_are_scored_in_training_and_in_evaluation()
    {
        Batch train = new BatchSampler(s_text, 8, s_options.Length, seed: 1).Next();
        IReadOnlyList<Batch> heldOut = EvaluationWindows.Cut(s_text, 8, s_options.Length);

        Assert.Equal(200, heldOut.Sum(batch => batch.Sequences));
        foreach (Batch batch in heldOut.Prepend(train))
        {
            Assert.Equal(batch.Sequences * s_options.Queries, batch.ScoredTokens);
            for (int row = 0; row < batch.Sequences; row++)
            {
                string text = string.Concat(batch.Inputs.Skip(row * s_options.Length).Take(s_options.Length).Select(id => s_text.Tokenizer.Decode([(int)id])));
                Assert.Contains(text, s_text.Corpus.Documents.Select(document => document.Text)); // from its beginning to its end
                long[] targets = [.. batch.Targets.Skip(row * s_options.Length).Take(s_options.Length)];
                Assert.Equal(text.Where((_, t) => t > 2 * s_options.Pairs && t % 2 == 1), targets.Where(id => id != Batch.Ignored).Select(id => s_text.Tokenizer.Decode([(int)id])[0]));
            }
        }
    }

    [Fact]
    public void Validation_and_test_share_no_sequence()
    {
        string[] Inputs(HeldOutPart part) => [.. EvaluationWindows.Cut(s_text, 1, s_options.Length, part: part).Select(batch => string.Join(' ', batch.Inputs))];

        Assert.Equal(100, Inputs(HeldOutPart.Validation).Length);
        Assert.Equal(100, Inputs(HeldOutPart.Test).Length);
        Assert.Empty(Inputs(HeldOutPart.Validation).Intersect(Inputs(HeldOutPart.Test)));
    }

    [Theory]
    [InlineData(4, 3, 7, "RecallOptions.Symbols is 7; allowed: 8 to 47")]
    [InlineData(9, 3, 8, "RecallOptions.Pairs is 9; allowed: 1 to Symbols = 8, for each has a key of its own")]
    [InlineData(4, 0, 8, "RecallOptions.Queries is 0; allowed: 1 or more")]
    public void An_option_out_of_range_is_named(int pairs, int queries, int symbols, string message)
    {
        Assert.Contains(message, Assert.Throws<ArgumentException>(() => AssociativeRecall.Load(new RecallOptions { Pairs = pairs, Queries = queries, Symbols = symbols })).Message);
    }

    [Fact]
    public void A_context_that_is_not_a_sequence_is_refused()
    {
        Assert.Contains("the context length is 12; allowed: 14, the length of every sequence of this text", Assert.Throws<ArgumentException>(() => new BatchSampler(s_text, 8, 12, seed: 1)).Message);
        Assert.Contains("the context length is 12; allowed: 14", Assert.Throws<ArgumentException>(() => EvaluationWindows.Cut(s_text, 8, 12)).Message);
    }

    [Fact]
    public void A_run_reads_one_text()
    {
        var neither = new TextConfig { VocabularySize = AssociativeRecall.VocabularySize, EvaluationWindows = 4 };
        Assert.Contains("Text.Recall is null; allowed: a task, for Text.Corpus is null", Assert.Throws<ArgumentException>(neither.Load).Message);
        Assert.Contains("allowed: null, for there is a Text.Corpus", Assert.Throws<ArgumentException>((neither with { Recall = s_options, Corpus = CorpusOptions.Smoke }).Load).Message);
        Assert.Contains("Text.VocabularySize is 300; allowed: 257", Assert.Throws<ArgumentException>((neither with { Recall = s_options, VocabularySize = 300 }).Load).Message);
        Assert.Equal(s_text.Corpus.Hash, (neither with { Recall = s_options }).Load().Corpus.Hash);
    }

    private static IEnumerable<string> Texts(Split split) => s_text.Corpus.Select(split, "recall").Select(document => document.Text);

    private static IEnumerable<(char Key, char Value)> Pairs(string text) => text[..(2 * s_options.Pairs)].Chunk(2).Select(pair => (pair[0], pair[1]));
}
