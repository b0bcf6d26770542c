using PaperLab.Text.Medical;

namespace PaperLab.Tests.Text.Medical;

public sealed class GlossaryCheckTests
{
    [Theory]
    [InlineData("الرّئة", "رئه")]
    [InlineData("الحُمَّى", "حمي")]
    [InlineData("حمــى", "حمي")]
    [InlineData("إلتهاب المعدة")]
    [InlineData("الالتهاب المعدي", "التهاب معدى")]
    [InlineData("القيء", "قىء")]
    [InlineData("الدم", "دم")]
    public void Spellings_of_one_name_are_the_same(string one, string? other = null) =>
        Assert.Equal(ArabicSpelling.WordsOf(other ?? one.Replace("إ", "ا")), ArabicSpelling.WordsOf(one));

    [Theory]
    [InlineData("التهاب", "تهاب")] // its first letters are of the root
    [InlineData("الم", "م")]
    [InlineData("كبد", "كبس")]
    public void Other_words_stay_others(string one, string other) => Assert.NotEqual(ArabicSpelling.WordsOf(other), ArabicSpelling.WordsOf(one));

    [Fact]
    public void Names_that_the_dictionary_has_are_counted_and_the_others_listed()
    {
        GlossaryCheck check = GlossaryCheck.Of(MedicalFixture.Knowledge,
        [
            new("lung", "الرّئه", ""), new("lung", "قصبة", ""),
            new("Cough", "السعال", ""),
            new("rash", "الطفح", ""),
            new("chills", "البرد", ""), new("chills", "الرعشة", ""),
            new("spleen", "الطحال", ""),
        ]);

        Assert.Equal(MedicalFixture.Knowledge.Entities.Count, check.Entities);
        Assert.Equal(["lung", "cough", "rash", "chills"], check.Found.Select(entry => entry.Entity.Id));
        Assert.Equal((2, 1, 1), (check.Count(GlossaryAgreement.Same), check.Count(GlossaryAgreement.Partly), check.Count(GlossaryAgreement.Different)));
        Assert.Equal(["rash", "chills"], check.Disagreements.Select(entry => entry.Entity.Id));
        Assert.Equal(["البرد", "الرعشة"], check.Found[3].Dictionary);
    }
}
