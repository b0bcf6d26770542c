using FsCheck;
using FsCheck.Fluent;
using PaperLab.Text;

namespace PaperLab.Tests.Text;

public sealed class CanonicalFormTests
{
    // Characters that compose, reorder, decompose for good, or stand in the way.
    private static readonly string[] s_pieces =
        ["a", "e", "\u0301", "\u0308", "\u0323", "\u0345", "é", "ệ", "\u212b", "\u0958", "\u0915", "\u093c", "\u0651", "\u064e", "م", "한", "\u1112", "\u1161", "\u11ab", "😀", "\U0001d15e", "\U0001d157", "\U0001d165", " "];

    [Theory]
    [InlineData("plain text, größer", "plain text, größer")]
    [InlineData("e\u0301", "é")]
    [InlineData("e\u0323\u0302", "ệ")]
    [InlineData("e\u0302\u0323", "ệ")]                    // marks of different classes, in the other order
    [InlineData("a\u0328\u0301", "ą\u0301")]              // no composite of all three
    [InlineData("a\u0301\u0301", "á\u0301")]              // the second is blocked by the first
    [InlineData("\u212b", "Å")]                           // a singleton, with a composed form of its own
    [InlineData("\u2126", "Ω")]
    [InlineData("\u0958", "\u0915\u093c")]                // excluded from composition
    [InlineData("\u0627\u0653", "آ")]
    [InlineData("\u0645\u064f\u062d\u064e\u0645\u0651\u064e\u062f", "\u0645\u064f\u062d\u064e\u0645\u064e\u0651\u062f")] // shadda (33) after fatha (30)
    [InlineData("\u1112\u1161\u11ab", "한")]
    [InlineData("\ud558\u11ab", "한")]
    [InlineData("\ud558\u11a7", "\ud558\u11a7")]          // no trailing consonant
    [InlineData("\U0001d157\U0001d165", "\U0001d157\U0001d165")]
    [InlineData("\U0001d15e", "\U0001d157\U0001d165")]
    [InlineData("\U000110d2\u0301\U00011099\U000110ba", "\U000110d2\u0301\U0001109a")]
    public void A_text_takes_its_composed_form(string text, string composed)
    {
        Assert.Equal(composed, CanonicalForm.Compose(text));
    }

    [Fact]
    public void A_composed_text_stays_as_it_is_and_parts_compose_as_the_whole()
    {
        Gen<string> text = Gen.Elements(s_pieces).ListOf().Select(string.Concat);

        Prop.ForAll(text.ToArbitrary(), text.ToArbitrary(), (left, right) =>
            {
                string composed = CanonicalForm.Compose(left + right);
                return CanonicalForm.Compose(composed) == composed
                    && CanonicalForm.Compose(CanonicalForm.Compose(left) + CanonicalForm.Compose(right)) == composed;
            })
            .Check(Config.QuickThrowOnFailure.WithMaxTest(1000));
    }
}
