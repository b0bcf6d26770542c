using PaperLab.Text;
using PaperLab.Text.Sources;

namespace PaperLab.Tests.Text;

public sealed class FertilityTests
{
    private static readonly ParallelPair[] s_pairs = [new("the red book", "الكتاب الأحمر", "a"), new("read - now !", "اقرأ", "b")];

    [Fact]
    public void Words_bytes_and_tokens_of_both_sides_are_counted_over_all_pairs()
    {
        Fertility fertility = Fertility.Of(new Letters(), s_pairs);

        // A dash and a mark between spaces are no words. Arabic letters have two bytes.
        Assert.Equal(new TokenCount(Words: 5, Bytes: 24, Tokens: 24), fertility.English);
        Assert.Equal(new TokenCount(Words: 3, Bytes: 33, Tokens: 17), fertility.Arabic);
        Assert.Equal(24.0 / 5, fertility.English.PerWord);
        Assert.Equal(33.0 / 17, fertility.Arabic.BytesPerToken);
        Assert.Equal(17.0 / 24, fertility.TokenRatio);
    }

    [Fact]
    public void A_side_without_a_word_is_an_error()
    {
        Assert.Contains("the number of pairs is 0", Assert.Throws<ArgumentException>(() => Fertility.Of(new Letters(), [])).Message);
        Assert.Contains("the number of words on the Arabic side is 0", Assert.Throws<ArgumentException>(() => Fertility.Of(new Letters(), [new("a", "-", "")])).Message);
    }

    /// <summary>A token for every character.</summary>
    private sealed class Letters : ITokenizer
    {
        public int VocabularySize => char.MaxValue + 1;

        public int[] Encode(string text) => [.. text.Select(letter => (int)letter)];

        public string Decode(IReadOnlyList<int> ids) => string.Concat(ids.Select(id => (char)id));
    }
}
