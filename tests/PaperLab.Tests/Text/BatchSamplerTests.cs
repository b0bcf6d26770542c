using PaperLab.Text;

namespace PaperLab.Tests.Text;

public sealed class BatchSamplerTests
{
    private static readonly TokenizedCorpus s_tokens = Tokenize(Fixtures.SmallCorpus());

    [Fact]
    public void The_same_seed_gives_the_same_batches_and_another_seed_others()
    {
        BatchSampler first = new(s_tokens, 4, 16, seed: 1);
        BatchSampler second = new(s_tokens, 4, 16, seed: 1);
        BatchSampler other = new(s_tokens, 4, 16, seed: 2);

        for (int i = 0; i < 10; i++)
        {
            Batch batch = first.Next();
            Assert.Equal(batch.Inputs, second.Next().Inputs);
            Assert.NotEqual(batch.Inputs, other.Next().Inputs);
        }
    }

    [Fact]
    public void A_target_is_the_token_after_its_input()
    {
        Batch batch = new BatchSampler(s_tokens, 3, 16, seed: 1).Next();

        Assert.Equal(3, batch.Sequences);
        Assert.Equal(3 * 16, batch.Inputs.Length);
        for (int row = 0; row < 3; row++)
        {
            Assert.Equal(batch.Inputs[((row * 16) + 1)..((row + 1) * 16)], batch.Targets[(row * 16)..(((row + 1) * 16) - 1)]);
        }
    }

    [Fact]
    public void Every_sequence_is_a_window_of_the_train_stream_of_its_domain()
    {
        Batch batch = new BatchSampler(s_tokens, 20, 16, seed: 3).Next();

        for (int row = 0; row < batch.Sequences; row++)
        {
            ushort[] window = [.. batch.Inputs.Skip(row * 16).Take(16).Select(id => (ushort)id)];
            Assert.True(s_tokens.Stream(Split.Train, batch.Domains[row]).Span.IndexOf(window) >= 0);
        }
    }

    [Fact]
    public void A_restored_sampler_goes_on_where_it_was()
    {
        BatchSampler sampler = new(s_tokens, 4, 16, seed: 1);
        sampler.Next();
        SamplerState state = sampler.State;
        long[] expected = sampler.Next().Inputs;

        BatchSampler restored = new(s_tokens, 4, 16, seed: 99) { State = state };

        Assert.Equal(1, restored.Batches);
        Assert.Equal(expected, restored.Next().Inputs);
        Assert.Equal(sampler.State, restored.State);
    }

    [Fact]
    public void Domains_are_drawn_by_their_weights()
    {
        BatchSampler sampler = new(s_tokens, 4000, 8, seed: 5, weights: [3, 1]);

        Assert.InRange(sampler.Next().Domains.Count(domain => domain == 0), 2850, 3150);
        Assert.All(new BatchSampler(s_tokens, 200, 8, seed: 5, weights: [0, 1]).Next().Domains, domain => Assert.Equal(1, domain));
        Assert.All(new BatchSampler(s_tokens, 200, 8, seed: 5, weights: [1, 0]).Next().Domains, domain => Assert.Equal(0, domain));
    }

    [Theory]
    [InlineData(new[] { 1.0 })]
    [InlineData(new[] { 1.0, -1.0 })]
    [InlineData(new[] { 0.0, 0.0 })]
    [InlineData(new[] { 1.0, double.NaN })]
    public void Weights_that_mean_nothing_are_refused(double[] weights)
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => new BatchSampler(s_tokens, 4, 16, seed: 1, weights));

        Assert.Contains("alpha, beta", error.Message);
    }

    [Fact]
    public void A_context_longer_than_a_domain_names_the_domain()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => new BatchSampler(s_tokens, 4, 1_000_000, seed: 1));

        Assert.Contains("'alpha'", error.Message);
        Assert.Contains("'alpha'", Assert.Throws<ArgumentException>(() => EvaluationWindows.Cut(s_tokens, 4, 1_000_000)).Message);
    }

    [Fact]
    public void Evaluation_predicts_each_held_out_token_once_and_in_order()
    {
        IReadOnlyList<Batch> batches = EvaluationWindows.Cut(s_tokens, batchSize: 3, context: 16);

        for (int domain = 0; domain < 2; domain++)
        {
            ushort[] stream = s_tokens.Stream(Split.HeldOut, domain).ToArray();
            long[] targets = [.. batches.Where(batch => batch.Domains[0] == domain).SelectMany(batch => batch.Targets)];
            Assert.Equal(stream.Skip(1).Take(targets.Length).Select(id => (long)id), targets);
            Assert.InRange(stream.Length - 1 - targets.Length, 0, 15);
        }

        Assert.All(batches, batch => Assert.Single(batch.Domains.Distinct()));
    }

    [Fact]
    public void Fewer_evaluation_windows_are_spread_over_the_stream()
    {
        IReadOnlyList<Batch> all = EvaluationWindows.Cut(s_tokens, 1, 16);
        IReadOnlyList<Batch> some = EvaluationWindows.Cut(s_tokens, 1, 16, maxWindowsPerDomain: 4);
        int ofFirstDomain = all.Count(batch => batch.Domains[0] == 0);

        Assert.Equal(8, some.Count);
        Assert.Equal(all[0].Inputs, some[0].Inputs);
        Assert.Equal(all[3 * ofFirstDomain / 4].Inputs, some[3].Inputs);
    }

    [Fact]
    public void The_token_streams_hold_the_text_with_an_end_after_each_document()
    {
        for (int domain = 0; domain < 2; domain++)
        {
            string expected = string.Concat(s_tokens.Corpus.Select(Split.Train, s_tokens.Domains[domain]).Select(document => document.Text + "<|endoftext|>"));

            Assert.Equal(expected, s_tokens.Tokenizer.Decode([.. s_tokens.Stream(Split.Train, domain).ToArray().Select(id => (int)id)]));
        }
    }

    [Fact]
    public void Bytes_per_token_are_those_of_the_held_out_text()
    {
        Assert.Equal(
            s_tokens.Tokenizer.BytesPerToken(s_tokens.Corpus.Select(Split.HeldOut, "beta").Select(document => document.Text)),
            s_tokens.BytesPerToken(1), 12);
    }

    [Fact]
    public void Damaged_token_streams_are_encoded_again()
    {
        using var temporary = new TemporaryCache();
        TokenizedCorpus first = TokenizedCorpus.Load(s_tokens.Corpus, s_tokens.Tokenizer, temporary.Cache);
        string path = temporary.OnlyFile("*.bin");
        byte[] sound = File.ReadAllBytes(path);

        foreach (byte[] damaged in new[] { Damage.Flip(sound), Damage.Truncate(sound) })
        {
            File.WriteAllBytes(path, damaged);
            TokenizedCorpus again = TokenizedCorpus.Load(s_tokens.Corpus, s_tokens.Tokenizer, temporary.Cache);
            Assert.Equal(first.Stream(Split.Train, 1).ToArray(), again.Stream(Split.Train, 1).ToArray());
            Assert.Equal(sound, File.ReadAllBytes(path));
        }

        Assert.Equal(2, temporary.Notices.Count);
        TokenizedCorpus read = TokenizedCorpus.Load(s_tokens.Corpus, s_tokens.Tokenizer, temporary.Cache);
        Assert.Equal(first.Stream(Split.HeldOut, 0).ToArray(), read.Stream(Split.HeldOut, 0).ToArray());
    }

    [Fact]
    public void Blocks_are_of_one_domain_and_all_domains_have_equal_parts()
    {
        BatchSampler sampler = new(s_tokens, 12, 16, seed: 1, domainBlock: 3);
        int[][] batches = [.. Enumerable.Range(0, 20).Select(_ => sampler.Next().Domains)];

        Assert.All(batches, domains => Assert.All(domains.Chunk(3), block => Assert.Single(block.Distinct())));
        Assert.All(batches, domains => Assert.Equal([6, 6], [domains.Count(domain => domain == 0), domains.Count(domain => domain == 1)]));
        Assert.True(batches.Select(domains => string.Join("", domains)).Distinct().Count() > 2, "blocks lie in random order");
    }

    [Fact]
    public void Fewer_blocks_than_domains_take_them_in_turn()
    {
        BatchSampler sampler = new(s_tokens, 3, 16, seed: 1, domainBlock: 3);

        Assert.Equal([0, 1, 0, 1], Enumerable.Range(0, 4).Select(_ => sampler.Next().Domains[0]));
    }

    [Fact]
    public void Blocks_that_do_not_fill_a_batch_are_refused()
    {
        Assert.Contains("domainBlock is 5; allowed: 0, or a divisor of the batch size 12", Assert.Throws<ArgumentException>(() => new BatchSampler(s_tokens, 12, 16, seed: 1, domainBlock: 5)).Message);
    }

    [Fact]
    public void Settings_are_chosen_by_other_windows_than_those_of_the_test()
    {
        long[][] Inputs(HeldOutPart part) => [.. EvaluationWindows.Cut(s_tokens, 1, 16, part: part).Select(batch => batch.Inputs)];

        long[][] validation = Inputs(HeldOutPart.Validation), test = Inputs(HeldOutPart.Test), all = Inputs(HeldOutPart.All);

        Assert.InRange(test.Length - validation.Length, 0, s_tokens.Domains.Count);
        Assert.Equal(all.Select(Name).Order(), validation.Concat(test).Select(Name).Order());

        static string Name(long[] ids) => string.Join(' ', ids);
    }

    private static TokenizedCorpus Tokenize(Corpus corpus)
    {
        using var temporary = new TemporaryCache();
        return TokenizedCorpus.Load(corpus, BpeTokenizer.Load(corpus, 300, temporary.Cache), temporary.Cache);
    }
}
