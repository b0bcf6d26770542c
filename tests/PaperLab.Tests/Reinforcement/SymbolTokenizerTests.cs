using PaperLab.Reinforcement;

namespace PaperLab.Tests.Reinforcement;

public sealed class SymbolTokenizerTests
{
    private static readonly SymbolTokenizer s_tokenizer = new(["<think>", "0", "1", " yes", "\n"]);

    [Fact]
    public void Symbols_have_ids_in_their_order_after_the_end()
    {
        Assert.Equal([1, 3, 2, 4, 5], s_tokenizer.Encode("<think>10 yes\n"));
        Assert.Equal("<think>10 yes\n<|end|>", s_tokenizer.Decode([1, 3, 2, 4, 5, SymbolTokenizer.End]));
        Assert.Equal(6, s_tokenizer.VocabularySize);
        Assert.Empty(s_tokenizer.Encode(""));
    }

    [Theory]
    [InlineData("01 no", "the text at character 2 is ' no'; allowed: the symbols '<think>', '0', '1', ' yes', '\\n'")]
    [InlineData("0<|end|>", "the text at character 1 is '<|end|>'")] // no text ends itself
    public void What_is_no_symbol_is_named_with_its_place(string text, string message)
    {
        Assert.Contains(message, Assert.Throws<ArgumentException>(() => s_tokenizer.Encode(text)).Message);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(6)]
    public void What_is_no_id_is_named(int id)
    {
        Assert.Contains($"a token id is {id}; allowed: 0 to 5", Assert.Throws<ArgumentException>(() => s_tokenizer.Decode([0, id])).Message);
    }

    [Fact]
    public void A_vocabulary_with_two_ways_to_write_a_text_is_refused()
    {
        static string Refused(params string[] symbols) => Assert.Throws<ArgumentException>(() => new SymbolTokenizer(symbols)).Message;

        Assert.Contains("symbol 2 is 'ab'; allowed: one that does not begin with another, and symbol 1 is 'a'", Refused("a", "ab"));
        Assert.Contains("symbol 1 is 'a'; allowed: one that does not begin with another, and symbol 2 is 'a'", Refused("a", "a"));
        Assert.Contains("symbol 2 is empty", Refused("a", ""));
    }

    [Fact]
    public void Whatever_a_model_draws_its_text_encodes_to_the_same_ids()
    {
        SymbolTokenizer[] vocabularies =
        [
            new ParityTask(new ParityOptions()).Tokenizer,
            new ParityTask(new ParityOptions { LanguageMix = 0.5 }).Tokenizer,
            new CountdownTask(new CountdownOptions()).Tokenizer,
            new CountdownTask(new CountdownOptions { LanguageMix = 0.5 }).Tokenizer,
        ];
        var random = new SplitMix64(1);
        foreach (SymbolTokenizer tokenizer in vocabularies)
        {
            for (int i = 0; i < 200; i++)
            {
                int[] ids = new int[30];
                for (int t = 0; t < ids.Length; t++)
                {
                    ids[t] = 1 + random.Next(tokenizer.VocabularySize - 1);
                }

                Assert.Equal(ids, tokenizer.Encode(tokenizer.Decode(ids)));
            }
        }
    }

    [Fact]
    public void Vocabularies_are_small()
    {
        Assert.Equal(8, new ParityTask(new ParityOptions()).Tokenizer.VocabularySize);
        Assert.Equal(14, new ParityTask(new ParityOptions { LanguageMix = 0.5 }).Tokenizer.VocabularySize);
        Assert.Equal(30, new CountdownTask(new CountdownOptions()).Tokenizer.VocabularySize);
        Assert.Equal(35, new CountdownTask(new CountdownOptions { LanguageMix = 0.5 }).Tokenizer.VocabularySize);
    }
}
