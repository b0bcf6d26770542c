using System.Text.RegularExpressions;
using PaperLab.Text.Medical;

namespace PaperLab.Tests.Text.Medical;

public sealed partial class MedicalWriterTests
{
    // Worked out by hand.
    [Theory]
    [InlineData("pneumonia", Relation.AffectsOrgan, "lung", "يصيب الالتهاب الرئوي الرئة.")] // the verb is masculine with الالتهاب
    [InlineData("psoriasis", Relation.AffectsOrgan, "skin", "تصيب الصدفية الجلد.")] // and feminine with الصدفية
    [InlineData("pneumonia", Relation.AffectsOrgan, "lung", "تتأثر الرئة عند الإصابة بالالتهاب الرئوي.")] // ب with the article
    [InlineData("gastritis", Relation.AffectsOrgan, "stomach", "تتأثر المعدة عند الإصابة بالتهاب المعدة.")] // and without: the first two letters are of the word
    [InlineData("psoriasis", Relation.AffectsOrgan, "skin", "العضو الذي تصيبه الصدفية هو الجلد.")]
    [InlineData("tuberculosis", Relation.AffectsOrgan, "lung", "تعد الرئة الموضع الرئيسي للسل.")] // ل and the article are written لل
    [InlineData("gastritis", Relation.AffectsOrgan, "stomach", "تعد المعدة الموضع الرئيسي لالتهاب المعدة.")]
    [InlineData("heart-failure", Relation.AffectsOrgan, "heart", "يعد القلب الموضع الرئيسي لقصور القلب.")]
    [InlineData("ovarian-cancer", Relation.AffectsOrgan, "ovary", "تعاني المريضة المصابة بسرطان المبيض من اضطراب في المبيض.")] // participle and noun are feminine
    [InlineData("tuberculosis", Relation.HasSymptom, "fever", "تصاحب الحمى السل في كثير من الحالات.")]
    [InlineData("kidney-stones", Relation.HasSymptom, "nausea", "قد تؤدي الحصوات الكلوية إلى الغثيان.")] // a plural of things is feminine
    [InlineData("meningitis", Relation.HasSymptom, "seizures", "تظهر النوبات التشنجية عند المصابين بالتهاب السحايا.")]
    [InlineData("pneumonia", Relation.HasSymptom, "chest-pain", "يشكو المريض المصاب بالالتهاب الرئوي من ألم في الصدر.")] // indefinite
    [InlineData("pneumonia", Relation.HasSymptom, "chest-pain", "ألم الصدر من أعراض الالتهاب الرئوي.")] // definite
    [InlineData("migraine", Relation.TreatedBy, "propranolol", "تعالج الشقيقة بالبروبرانولول.")]
    [InlineData("heart-failure", Relation.TreatedBy, "diuretics", "تستخدم مدرات البول لعلاج قصور القلب.")]
    [InlineData("hepatitis-b", Relation.TreatedBy, "tenofovir", "تتلقى المريضة المصابة بالتهاب الكبد ب دواء التينوفوفير.")]
    [InlineData("heart-failure", Relation.RiskFactor, "obesity", "تزيد السمنة من خطر الإصابة بقصور القلب.")]
    [InlineData("asthma", Relation.RiskFactor, "smoking", "يعد التدخين عاملا مهما في الإصابة بالربو.")]
    [InlineData("eczema", Relation.RiskFactor, "family-history", "تكثر الإكزيما مع التاريخ العائلي.")]
    public void Arabic_agrees_in_gender_and_definiteness(string disease, Relation relation, string entity, string sentence) =>
        Assert.Contains(sentence, MedicalWriter.Sentences(MedicalFixture.FactOf(disease, relation, entity), TextLanguage.Arabic));

    [Theory]
    [InlineData("pneumonia", Relation.AffectsOrgan, "lung", "Pneumonia affects the lung.")]
    [InlineData("kidney-stones", Relation.AffectsOrgan, "kidney", "Kidney stones affect the kidney.")]
    [InlineData("rheumatoid-arthritis", Relation.AffectsOrgan, "joints", "The joints are affected in rheumatoid arthritis.")]
    [InlineData("tuberculosis", Relation.HasSymptom, "chills", "Chills are a symptom of tuberculosis.")]
    [InlineData("kidney-stones", Relation.HasSymptom, "nausea", "Kidney stones often present with nausea.")]
    [InlineData("heart-failure", Relation.TreatedBy, "diuretics", "Diuretics treat heart failure.")]
    [InlineData("hepatitis-b", Relation.TreatedBy, "tenofovir", "Hepatitis B is treated with tenofovir.")]
    [InlineData("asthma", Relation.RiskFactor, "smoking", "Smoking raises the risk of asthma.")]
    public void English_agrees_in_number(string disease, Relation relation, string entity, string sentence) =>
        Assert.Contains(sentence, MedicalWriter.Sentences(MedicalFixture.FactOf(disease, relation, entity), TextLanguage.English));

    [Theory]
    [InlineData("ب", "الربو", "بالربو")]
    [InlineData("ل", "الربو", "للربو")]
    [InlineData("ل", "اللوكيميا", "للوكيميا")]
    [InlineData("ل", "الالتهاب الرئوي", "للالتهاب الرئوي")]
    [InlineData("ل", "التهاب الكبد", "لالتهاب الكبد")]
    [InlineData("ل", "سرطان الرئة", "لسرطان الرئة")]
    [InlineData("ل", "ألم الصدر", "لألم الصدر")]
    [InlineData("", "الربو", "الربو")]
    public void A_preposition_is_written_with_its_noun(string preposition, string phrase, string written) =>
        Assert.Equal(written, MedicalWriter.WithPreposition(preposition, phrase));

    [Fact]
    public void Every_template_comes_out_whole_for_every_fact()
    {
        foreach (Relation relation in Enum.GetValues<Relation>())
        {
            foreach (TextLanguage language in Enum.GetValues<TextLanguage>())
            {
                Assert.InRange(MedicalWriter.TemplatesOf(relation, language).Count, 5, 10);
                foreach (Fact fact in MedicalFixture.Knowledge.Facts.Where(fact => fact.Relation == relation))
                {
                    IReadOnlyList<string> sentences = MedicalWriter.Sentences(fact, language);
                    Assert.InRange(sentences.Count, MedicalWriter.TemplatesOf(relation, language).Count, 2 * MedicalWriter.TemplatesOf(relation, language).Count);
                    Assert.All(sentences, sentence => Assert.Matches(WholeIn(language), sentence));
                }
            }
        }
    }

    [Theory]
    [InlineData(TextLanguage.English)]
    [InlineData(TextLanguage.Arabic)]
    public void Cases_and_questions_come_out_whole(TextLanguage language)
    {
        for (ulong seed = 0; seed < 40; seed++)
        {
            var random = new SplitMix64(seed);
            foreach (MedicalEntity disease in MedicalFixture.Knowledge.Of(EntityKind.Disease))
            {
                Fact[] symptoms = [.. MedicalFixture.Knowledge.About(disease, Relation.HasSymptom)];
                string vignette = MedicalWriter.Vignette(symptoms, language, ref random);
                Assert.Contains(vignette, MedicalWriter.Vignettes(symptoms, language));
                Assert.DoesNotContain(disease.Name(language), vignette);
                Assert.Matches(WholeIn(language), vignette);
                Assert.Contains(disease.Name(language), MedicalWriter.Case(symptoms, language, ref random));
                Assert.All(Enum.GetValues<Relation>(), relation =>
                {
                    var words = new SplitMix64(seed);
                    string question = MedicalWriter.Question(MedicalFixture.Knowledge.About(disease, relation).First(), language, ref words);
                    Assert.Contains(disease.Name(language), question);
                    Assert.Matches(language == TextLanguage.English ? "^[A-Z][A-Za-z ]+\\?$" : "^[\u0621-\u064A ]+؟$", question);
                });
            }
        }
    }

    [Fact]
    public void Cases_read_as_they_should()
    {
        Fact[] symptoms = [.. MedicalFixture.Knowledge.About(MedicalFixture.Entity("pneumonia"), Relation.HasSymptom)];

        Assert.Contains("A female patient comes to the clinic with cough, fever and chest pain.", MedicalWriter.Vignettes(symptoms, TextLanguage.English));
        Assert.Contains("أصيبت مريضة بسعال وحمى وألم في الصدر.", MedicalWriter.Vignettes(symptoms, TextLanguage.Arabic));
        Assert.Contains("فحص الطبيب مريضا يعاني من سعال وحمى وألم في الصدر.", MedicalWriter.Vignettes(symptoms, TextLanguage.Arabic));
        Assert.Contains("A patient has cough and fever.", MedicalWriter.Vignettes(symptoms[..2], TextLanguage.English));
        Assert.Contains("يشكو مريض من سعال.", MedicalWriter.Vignettes(symptoms[..1], TextLanguage.Arabic));
    }

    [Fact]
    public void A_disease_of_women_is_only_told_of_women()
    {
        Fact[] symptoms = [.. MedicalFixture.Knowledge.About(MedicalFixture.Entity("ovarian-cancer"), Relation.HasSymptom)];

        Assert.DoesNotContain(MedicalWriter.Vignettes(symptoms, TextLanguage.English), vignette => vignette.Contains(" male "));
        Assert.DoesNotContain(MedicalWriter.Vignettes(symptoms, TextLanguage.Arabic), vignette => vignette.Contains("مريض "));
        Assert.DoesNotContain(symptoms.SelectMany(fact => MedicalWriter.Sentences(fact, TextLanguage.Arabic)), sentence => sentence.Contains("المريض "));
    }

    [Fact]
    public void The_generator_alone_decides_the_words()
    {
        Fact[] facts = [.. MedicalFixture.Knowledge.Facts];
        string Told(ulong seed)
        {
            var random = new SplitMix64(seed);
            return MedicalWriter.Passage(facts, TextLanguage.Arabic, ref random);
        }

        Assert.Equal(Told(1), Told(1));
        Assert.NotEqual(Told(1), Told(2));
    }

    [Fact]
    public void A_passage_has_a_sentence_for_each_fact_and_a_glossary_line_both_names()
    {
        var random = new SplitMix64(3);
        Fact[] facts = [.. MedicalFixture.Knowledge.About(MedicalFixture.Entity("migraine"))];
        string passage = MedicalWriter.Passage(facts, TextLanguage.English, ref random);
        string[] lines = [.. Enumerable.Range(0, 20).Select(_ => MedicalWriter.Glossary(MedicalFixture.Entity("fever"), ref random)).Distinct().Order(StringComparer.Ordinal)];

        Assert.Equal(facts.Length, passage.Count(letter => letter == '.'));
        Assert.Equal(["fever: حمى", "حمى: fever"], lines);
    }

    [Fact]
    public void Of_a_case_only_organ_and_drug_are_asked() =>
        Assert.Equal(
            "relation is RiskFactor; allowed: AffectsOrgan and TreatedBy. (Parameter 'relation')",
            Assert.Throws<ArgumentException>(() => MedicalWriter.QuestionOnCase(Relation.RiskFactor, TextLanguage.English)).Message);

    private static Regex WholeIn(TextLanguage language) => language == TextLanguage.English ? EnglishSentence() : ArabicSentence();

    // No bracket, bar or colon of a template, no double space, one script only.
    [GeneratedRegex("^[A-Z][A-Za-z,]*(?: [A-Za-z,]+)*\\.$")]
    private static partial Regex EnglishSentence();

    [GeneratedRegex("^[\u0621-\u064A]+(?: [\u0621-\u064A]+)*\\.$")]
    private static partial Regex ArabicSentence();
}
