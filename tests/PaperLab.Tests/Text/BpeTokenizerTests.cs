using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.ML.Tokenizers;
using PaperLab.Text;
using BpeTokenizer = PaperLab.Text.BpeTokenizer;
using PreTokenizer = PaperLab.Text.PreTokenizer;

namespace PaperLab.Tests.Text;

public sealed class BpeTokenizerTests
{
    private static readonly BpeTokenizer s_tokenizer = BpeTokenizer.Train(
        Fixtures.SmallCorpus().Documents.Select(document => document.Text).Append("für Größe, der Größe wegen: маршрут, маршрута, 路由路由。"), 330, ["<|user|>"]);

    [Theory]
    [InlineData("")]
    [InlineData("the expert gate routes each token")]
    [InlineData("   leading, trailing   ")]
    [InlineData("line\r\nline\n\n\ttab\u00a0\u2028\u2029end")]
    [InlineData("😀👩‍👩‍👧 🇩🇪 𝒜𝔅")]
    [InlineData("مرحبا بالعالم، كيف الحال؟ مُحَمَّد")]
    [InlineData("漢字かな交じり文、ハングル 한국어")]
    [InlineData("\0\u0001\u001f\u007f\u0085\ufeff\ufffd\uffff")]
    [InlineData("it's they'll I'd 'S 'tis don'texist")]
    [InlineData("Ġ Ċ are letters too")]
    public void Every_text_comes_back_as_it_was(string text)
    {
        Assert.Equal(text, s_tokenizer.Decode(s_tokenizer.Encode(text)));
    }

    [Fact]
    public void Any_sequence_of_unicode_scalars_comes_back_as_it_was()
    {
        Arbitrary<string> texts = ArbMap.Default.ArbFor<int[]>().Convert(
            values => string.Concat(values.Select(ToScalar)),
            text => [.. text.EnumerateRunes().Select(rune => rune.Value)]);

        Prop.ForAll(texts, text => s_tokenizer.Decode(s_tokenizer.Encode(text)) == text)
            .Check(Config.QuickThrowOnFailure.WithMaxTest(500).WithEndSize(300));
    }

    [Fact]
    public void Any_string_at_all_encodes_as_its_utf8()
    {
        Prop.ForAll(ArbMap.Default.ArbFor<char[]>(), characters =>
            {
                var text = new string(characters);
                return s_tokenizer.Decode(s_tokenizer.Encode(text)) == Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
            })
            .Check(Config.QuickThrowOnFailure.WithMaxTest(500).WithEndSize(200));
    }

    [Fact]
    public void A_lone_surrogate_becomes_the_replacement_character()
    {
        Assert.Equal("a\ufffdb\ufffd", s_tokenizer.Decode(s_tokenizer.Encode("a\ud800b\udc00")));
    }

    [Theory]
    [InlineData("x")]
    [InlineData(" ")]
    [InlineData("!")]
    [InlineData("\n")]
    [InlineData("😀")]
    [InlineData("e\u0301")]
    public void A_long_run_of_one_character_is_cut_without_breaking_it(string character)
    {
        foreach (string text in new[] { Repeat(character, 200), "." + Repeat(character, 200), Repeat(character, 47) + "😀a" })
        {
            Assert.Equal(text, s_tokenizer.Decode(s_tokenizer.Encode(text)));
        }
    }

    [Fact]
    public void Every_character_is_in_exactly_one_word_and_no_word_is_long()
    {
        Arbitrary<string> texts = ArbMap.Default.ArbFor<(int, byte)[]>().Convert(
            runs => string.Concat(runs.Select(run => Repeat(ToScalar(run.Item1 * 37), run.Item2 / 2))),
            text => [.. text.EnumerateRunes().Select(rune => (rune.Value, (byte)2))]);

        Prop.ForAll(texts, text =>
            {
                string[] words = [.. PreTokenizer.Words().Matches(text).Select(match => match.Value)];
                return string.Concat(words) == text && words.All(word => word.Length <= 113);
            })
            .Check(Config.QuickThrowOnFailure.WithMaxTest(300).WithEndSize(100));
    }

    [Fact]
    public void A_word_that_was_learned_is_one_token()
    {
        Assert.Single(s_tokenizer.Encode(" tensor"));
        Assert.True(s_tokenizer.Encode(" qzxjv").Length > 3);
    }

    [Fact]
    public void The_merges_are_those_of_a_recount_after_each_merge()
    {
        Dictionary<string, int> words = BpeTrainer.CountWords(Fixtures.SmallCorpus().Documents.Take(12).Select(d => d.Text).Append("aaaa aaa ababab abab bbb. 😀😀 öööö"));

        Assert.Equal(LearnByRecounting(words, 60), BpeTrainer.Learn(words, 60));
    }

    [Fact]
    public void Every_id_below_the_vocabulary_size_is_a_token()
    {
        Assert.Equal(330, s_tokenizer.VocabularySize);
        Assert.Equal([328, 329], s_tokenizer.SpecialTokens.Values);
        Assert.Equal(328, s_tokenizer.EndOfText);
        for (int id = 0; id < s_tokenizer.VocabularySize; id++)
        {
            Assert.Equal(s_tokenizer.SpecialTokens.Values.Contains(id), s_tokenizer.ByteLength(id) == 0);
        }
    }

    [Fact]
    public void Text_that_spells_a_special_token_stays_text()
    {
        int[] ids = s_tokenizer.Encode("<|endoftext|>");

        Assert.DoesNotContain(s_tokenizer.EndOfText, ids);
        Assert.Equal("<|endoftext|>", s_tokenizer.Decode(ids));
        Assert.Equal("<|endoftext|>", s_tokenizer.Decode([s_tokenizer.EndOfText]));
    }

    [Fact]
    public void Half_a_character_decodes_to_the_replacement_character()
    {
        int[] emoji = BpeTokenizer.Train([], 257).Encode("😀");

        Assert.Equal(4, emoji.Length);
        Assert.Equal("\ufffd", s_tokenizer.Decode([s_tokenizer.Encode("é")[0]]));
    }

    [Fact]
    public void Byte_lengths_of_the_tokens_add_up_to_the_text()
    {
        const string Text = "the gate of each expert — für Größe 路由 😀";

        Assert.Equal(Encoding.UTF8.GetByteCount(Text), s_tokenizer.Encode(Text).Sum(s_tokenizer.ByteLength));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(330)]
    public void An_id_outside_the_vocabulary_is_named(int id)
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => s_tokenizer.Decode([0, id]));

        Assert.Contains($"Token 1 is {id}", error.Message);
        Assert.Contains("0 to 329", error.Message);
    }

    [Theory]
    [InlineData(256)]
    [InlineData(70_000)]
    public void A_vocabulary_size_out_of_range_is_named(int size)
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => BpeTokenizer.Train(["a"], size));

        Assert.Contains($"is {size}", error.Message);
        Assert.Contains("257", error.Message);
    }

    [Theory]
    [InlineData("user")]
    [InlineData("<|two words|>")]
    [InlineData("<|größe|>")]
    [InlineData("<|endoftext|>")]
    [InlineData("")]
    public void A_special_token_that_text_could_produce_is_refused(string token)
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => BpeTokenizer.Train(["a"], 300, [token]));

        Assert.Contains($"'{token}'", error.Message);
    }

    [Fact]
    public void A_saved_tokenizer_opens_as_the_same_one()
    {
        using var temporary = new TemporaryCache();
        s_tokenizer.Save(temporary.Folder);

        BpeTokenizer opened = BpeTokenizer.Open(temporary.Folder);

        Assert.Equal(s_tokenizer.Hash, opened.Hash);
        Assert.Equal(s_tokenizer.SpecialTokens, opened.SpecialTokens);
        Assert.Equal(s_tokenizer.Encode("the expert, größer 😀"), opened.Encode("the expert, größer 😀"));
    }

    [Fact]
    public void The_two_files_are_what_other_readers_of_vocab_and_merges_expect()
    {
        using var temporary = new TemporaryCache();
        s_tokenizer.Save(temporary.Folder);
        var options = new BpeOptions(Path.Combine(temporary.Folder, "vocab.json"), Path.Combine(temporary.Folder, "merges.txt"))
        {
            ByteLevel = true,
            PreTokenizer = new RegexPreTokenizer(PreTokenizer.Words(), null),
        };

        Assert.Equal(s_tokenizer.Encode("the expert, größer 😀"), Microsoft.ML.Tokenizers.BpeTokenizer.Create(options).EncodeToIds("the expert, größer 😀"));
    }

    [Theory]
    [InlineData("vocab.json")]
    [InlineData("merges.txt")]
    [InlineData("seal.json")]
    public void A_damaged_tokenizer_is_named_and_trained_again(string file)
    {
        using var temporary = new TemporaryCache();
        Corpus corpus = Fixtures.SmallCorpus();
        BpeTokenizer first = BpeTokenizer.Load(corpus, 300, temporary.Cache);
        string path = temporary.OnlyFile(file);
        byte[] sound = File.ReadAllBytes(path);

        foreach (byte[] damaged in new[] { Damage.Flip(sound), Damage.Truncate(sound), [] })
        {
            temporary.Notices.Clear();
            File.WriteAllBytes(path, damaged);

            Assert.Equal(first.Hash, BpeTokenizer.Load(corpus, 300, temporary.Cache).Hash);
            Assert.Contains(file, Assert.Single(temporary.Notices));
            Assert.Equal(sound, File.ReadAllBytes(path));
        }
    }

    [Fact]
    public void The_tokenizer_never_sees_held_out_text()
    {
        SourceDocument[] documents = [.. Fixtures.RandomDocuments("a", 40, 1), Fixtures.Document("z", "zzqq")];
        Corpus corpus = Corpus.Build([new FixedSource("alpha", documents)], Fixtures.Options);
        using var temporary = new TemporaryCache();

        Assert.Equal(
            BpeTokenizer.Train(corpus.Select(Split.Train).Select(d => d.Text), 330).Hash,
            BpeTokenizer.Load(corpus, 330, temporary.Cache).Hash);
        Assert.NotEqual(
            BpeTokenizer.Train(corpus.Documents.Select(d => d.Text), 330).Hash,
            BpeTokenizer.Load(corpus, 330, temporary.Cache).Hash);
    }

    private static string Repeat(string text, int count) => string.Concat(Enumerable.Repeat(text, count));

    private static string ToScalar(int value)
    {
        int scalar = Math.Abs(value % 0x110000);
        return char.IsBetween((char)(scalar & 0xFFFF), '\ud800', '\udfff') && scalar < 0x10000 ? "?" : char.ConvertFromUtf32(scalar);
    }

    // The definition of BPE, at its plainest: count all pairs afresh, merge the most frequent, repeat.
    private static List<(int, int)> LearnByRecounting(Dictionary<string, int> wordCounts, int merges)
    {
        List<(List<int> Symbols, int Count)> words = [.. wordCounts.Select(word => (Encoding.UTF8.GetBytes(word.Key).Select(b => (int)b).ToList(), word.Value))];
        var learned = new List<(int, int)>();
        while (learned.Count < merges)
        {
            var counts = new Dictionary<(int, int), int>();
            foreach ((List<int> symbols, int count) in words)
            {
                foreach ((int, int) pair in symbols.Zip(symbols.Skip(1)))
                {
                    counts[pair] = counts.GetValueOrDefault(pair) + count;
                }
            }

            (int Left, int Right) best = counts.OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key).First().Key;
            foreach ((List<int> symbols, _) in words)
            {
                for (int i = 0; i + 1 < symbols.Count; i++)
                {
                    if (symbols[i] == best.Left && symbols[i + 1] == best.Right)
                    {
                        symbols[i] = 256 + learned.Count;
                        symbols.RemoveAt(i + 1);
                    }
                }
            }

            learned.Add(best);
        }

        return learned;
    }
}
