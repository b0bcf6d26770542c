using PaperLab.Text;
using PaperLab.Text.Medical;

namespace PaperLab.Tests.Text.Medical;

public sealed class NoisyTranslatorTests
{
    private static MedicalKnowledge Knowledge => MedicalFixture.Knowledge;

    [Theory]
    [InlineData(TextLanguage.English, TextLanguage.Arabic)]
    [InlineData(TextLanguage.Arabic, TextLanguage.English)]
    public void Without_errors_a_sentence_says_the_same_in_the_other_language(TextLanguage from, TextLanguage to)
    {
        var translator = new NoisyTranslator(Knowledge, errorRate: 0, seed: 1);
        foreach (MedicalText text in Texts(from, rounds: 1))
        {
            MedicalText translated = translator.Translate(text);

            Assert.Equal(to, translated.Language);
            Assert.Equal(text.Facts, translated.Facts);
            Assert.Contains(translated.Text, MedicalWriter.Sentences(text.Facts[0], to));
        }
    }

    [Theory]
    [InlineData(0.05)]
    [InlineData(0.2)]
    [InlineData(0.5)]
    [InlineData(1)]
    public void Terms_are_mistaken_for_others_of_their_kind_at_the_rate(double rate)
    {
        var translator = new NoisyTranslator(Knowledge, rate, seed: 5);
        int terms = 0, wrong = 0;
        foreach (MedicalText text in Texts(TextLanguage.English, rounds: 20).DistinctBy(text => text.Text))
        {
            Fact before = text.Facts[0];
            MedicalText translated = translator.Translate(text);
            Fact after = translated.Facts[0];
            Assert.Contains(translated.Text, MedicalWriter.Sentences(after, TextLanguage.Arabic));
            Assert.Equal((before.Disease.Kind, before.Relation, before.Entity.Kind), (after.Disease.Kind, after.Relation, after.Entity.Kind));
            terms += 2;
            wrong += (before.Disease != after.Disease ? 1 : 0) + (before.Entity != after.Entity ? 1 : 0);
        }

        double deviation = Math.Sqrt(rate * (1 - rate) / terms);
        Assert.InRange((double)wrong / terms, rate - (4 * deviation), rate + (4 * deviation));
    }

    [Fact]
    public void The_same_text_comes_out_the_same_and_another_seed_errs_elsewhere()
    {
        MedicalText[] texts = [.. Texts(TextLanguage.English, rounds: 1)];
        string Translated(ulong seed) => string.Join('\n', texts.Select(text => new NoisyTranslator(Knowledge, 0.3, seed).Translate(text).Text));

        Assert.Equal(Translated(1), Translated(1));
        Assert.NotEqual(Translated(1), Translated(2));
    }

    [Fact]
    public void Within_a_text_a_term_is_translated_alike()
    {
        var translator = new NoisyTranslator(Knowledge, 0.5, seed: 1);
        var random = new SplitMix64(1);
        foreach (MedicalEntity disease in Knowledge.Of(EntityKind.Disease))
        {
            MedicalText passage = MedicalWriter.Write(TextForm.Statements, [.. Knowledge.About(disease)], TextLanguage.English, ref random);
            MedicalText translated = translator.Translate(passage);

            Assert.Single(translated.Facts.Select(fact => fact.Disease).Distinct());
            Assert.Equal(passage.Facts.Count, translated.Facts.Select(fact => fact.Entity).Distinct().Count());
        }
    }

    [Theory]
    [InlineData(MedicalTask.Recall)]
    [InlineData(MedicalTask.Reading)]
    [InlineData(MedicalTask.Case)]
    public void An_Arabic_question_becomes_the_English_one(MedicalTask task)
    {
        var corpus = new MedicalCorpus(Knowledge);
        var english = MedicalQuestions.Build(corpus, task, TextLanguage.English, Split.HeldOut).ToDictionary(question => question.Id);
        var perfect = new NoisyTranslator(Knowledge, 0, seed: 1);
        var poor = new NoisyTranslator(Knowledge, 0.5, seed: 1);
        foreach (MedicalQuestion question in MedicalQuestions.Build(corpus, task, TextLanguage.Arabic, Split.HeldOut))
        {
            MedicalQuestion translated = perfect.Translate(question);
            Assert.Equal(TextLanguage.English, translated.Language);
            Assert.Equal(english[question.Id].Options, translated.Options);
            Assert.Equal((question.Id, question.Answer, question.Access), (translated.Id, translated.Answer, translated.Access));
            Assert.Equal(question.Needed, translated.Needed);
            Assert.DoesNotMatch("[\u0600-\u06FF]", translated.Prompt);

            MedicalQuestion garbled = poor.Translate(question);
            Assert.Equal(4, garbled.Options.Distinct().Count());
            Assert.DoesNotMatch("[\u0600-\u06FF]", garbled.Prompt);
        }
    }

    [Theory]
    [InlineData(-0.1)]
    [InlineData(1.1)]
    [InlineData(double.NaN)]
    public void A_rate_that_is_none_is_refused(double rate) =>
        Assert.Equal($"errorRate is {rate}; allowed: 0 to 1. (Parameter 'errorRate')", Assert.Throws<ArgumentException>(() => new NoisyTranslator(Knowledge, rate, 1)).Message);

    [Fact]
    public void Nothing_to_mistake_a_term_for_says_so()
    {
        var random = new SplitMix64(1);
        Fact[] all = [.. Knowledge.Facts.Where(fact => fact.Relation == Relation.AffectsOrgan)];
        MedicalText text = MedicalWriter.Write(TextForm.Statements, all, TextLanguage.English, ref random);

        Assert.StartsWith(
            "the number of entities of the kind Disease that a text does not name is 0; allowed: 1 or more, to mistake one for; take a larger knowledge base.",
            Assert.Throws<ArgumentException>(() => new NoisyTranslator(Knowledge, 1, 1).Translate(text)).Message);
    }

    private static IEnumerable<MedicalText> Texts(TextLanguage language, int rounds)
    {
        var random = new SplitMix64(11);
        for (int round = 0; round < rounds; round++)
        {
            foreach (Fact fact in Knowledge.Facts)
            {
                yield return MedicalWriter.Write(TextForm.Statements, [fact], language, ref random);
            }
        }
    }
}
