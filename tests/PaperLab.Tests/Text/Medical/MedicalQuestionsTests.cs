using PaperLab.Text;
using PaperLab.Text.Medical;

namespace PaperLab.Tests.Text.Medical;

public sealed class MedicalQuestionsTests
{
    private static readonly MedicalCorpus s_corpus = new(MedicalFixture.Knowledge, new MedicalCorpusOptions { ArabicOnlyShare = 0.1, HeldOutShare = 0.5 });
    private static readonly MedicalQuestion[] s_test = [.. All(Split.HeldOut)];

    private static MedicalKnowledge Knowledge => MedicalFixture.Knowledge;

    private static IEnumerable<MedicalQuestion> All(Split side) =>
        Enum.GetValues<MedicalTask>().SelectMany(task => Enum.GetValues<TextLanguage>().SelectMany(language => MedicalQuestions.Build(s_corpus, task, language, side)));

    [Fact]
    public void Every_task_asks_in_both_languages_item_by_item()
    {
        foreach (MedicalTask task in Enum.GetValues<MedicalTask>())
        {
            IReadOnlyList<MedicalQuestion> english = MedicalQuestions.Build(s_corpus, task, TextLanguage.English, Split.HeldOut);
            IReadOnlyList<MedicalQuestion> arabic = MedicalQuestions.Build(s_corpus, task, TextLanguage.Arabic, Split.HeldOut);

            Assert.NotEmpty(english);
            Assert.Equal(english.Select(question => (question.Id, question.Answer)), arabic.Select(question => (question.Id, question.Answer)));
            Assert.Equal(english.Count, english.Select(question => question.Id).Distinct().Count());
            Assert.All(english, question => Assert.DoesNotMatch("[\u0600-\u06FF]", question.Prompt + string.Concat(question.Options)));
            Assert.All(arabic, question => Assert.DoesNotMatch("[A-Za-z{}|]", question.Prompt + string.Concat(question.Options)));
        }
    }

    [Fact]
    public void Statements_say_each_option_in_the_same_words()
    {
        foreach (MedicalQuestion question in s_test.Where(question => question.Task != MedicalTask.Case))
        {
            Assert.Equal(4, question.Statements.Count);
            Assert.Equal(question.Task == MedicalTask.Reading, question.Passage.Length > 0);
            Assert.StartsWith(question.Passage, question.Question, StringComparison.Ordinal);
            int words = WordsOf(question, question.Answer);
            Assert.All(Enumerable.Range(0, 4), option => Assert.Equal(words, WordsOf(question, option)));
        }

        static int WordsOf(MedicalQuestion question, int option) =>
            MedicalWriter.Sentences(question.Content.Asked with { Entity = question.Content.Options[option] }, question.Language).ToList().IndexOf(question.Statements[option].Trim());
    }

    [Fact]
    public void Statements_on_a_passage_have_its_words_and_a_line_of_their_own()
    {
        foreach (MedicalQuestion question in s_test.Where(question => question.Task == MedicalTask.Reading))
        {
            Assert.Contains(question.Statements[question.Answer].Trim(), question.Passage);
            Assert.All(question.Statements, statement => Assert.StartsWith("\n", statement, StringComparison.Ordinal));
            Assert.Single(question.Statements, statement => question.Passage.Contains(statement.Trim(), StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Statements_on_a_case_need_the_disease_and_what_belongs_to_it()
    {
        foreach (MedicalQuestion question in s_test.Where(question => question.Task == MedicalTask.Case))
        {
            Fact[] said = [.. question.Content.Options.Zip(question.Content.Diseases, (option, disease) => question.Content.Asked with { Disease = disease, Entity = option })];

            Assert.Equal(question.Question, $"{question.Passage} {MedicalWriter.QuestionOnCase(question.Content.Asked.Relation, question.Language)}");
            Assert.All(question.Statements.Zip(said), pair =>
            {
                Assert.StartsWith($" {MedicalWriter.Diagnosis(pair.Second.Disease, question.Language)} ", pair.First, StringComparison.Ordinal);
                Assert.Contains(pair.First[(MedicalWriter.Diagnosis(pair.Second.Disease, question.Language).Length + 2)..], MedicalWriter.Sentences(pair.Second, question.Language));
                Assert.Equal(Split.HeldOut, s_corpus.SideOf(pair.Second.Disease)); // which diseases have cases in training gives nothing away
            });
            Assert.Equal(question.Content.Asked, said[question.Answer]);
            Assert.Contains(said.Where((_, option) => option != question.Answer), fact => fact.Disease == question.Content.Asked.Disease);
            Assert.Single(said, fact => fact.Disease == question.Content.Asked.Disease && Knowledge.Holds(fact));
        }
    }

    [Fact]
    public void No_wrong_option_is_right()
    {
        foreach (MedicalQuestion question in s_test.Concat(All(Split.Train)))
        {
            Fact asked = question.Content.Asked;
            MedicalEntity[] wrong = [.. question.Content.Options.Where((_, index) => index != question.Answer)];

            Assert.Equal(4, question.Options.Distinct().Count());
            Assert.Equal(asked.Entity.Name(question.Language), question.Options[question.Answer]);
            Assert.All(question.Content.Options, option => Assert.Equal(asked.Entity.Kind, option.Kind));
            switch (question.Task)
            {
                case MedicalTask.Recall:
                    Assert.True(Knowledge.Holds(asked));
                    Assert.All(wrong, option => Assert.False(Knowledge.Holds(asked with { Entity = option })));
                    break;
                case MedicalTask.Reading:
                    Assert.False(Knowledge.Holds(asked));
                    Assert.Contains(asked, question.Content.Context);
                    Assert.All(question.Content.Context, fact => Assert.False(Knowledge.Holds(fact)));
                    Assert.All(wrong, option => Assert.DoesNotContain(asked with { Entity = option }, question.Content.Context));
                    Assert.All(wrong, option => Assert.False(Knowledge.Holds(asked with { Entity = option }))); // what is known does not help
                    Assert.Equal(Enum.GetValues<Relation>(), question.Content.Context.Select(fact => fact.Relation).Order());
                    break;
                default:
                    MedicalEntity[] fitting = [.. Knowledge.Of(EntityKind.Disease).Where(disease => question.Content.Context.All(fact => Knowledge.Holds(fact with { Disease = disease })))];
                    Assert.Contains(asked.Disease, fitting);
                    Assert.All(wrong, option => Assert.All(fitting, disease => Assert.False(Knowledge.Holds(new Fact(disease, asked.Relation, option)))));
                    Assert.DoesNotContain(asked.Disease.Name(question.Language), question.Question);
                    break;
            }
        }
    }

    [Fact]
    public void A_case_that_fits_two_diseases_offers_no_drug_of_the_other()
    {
        // The symptoms of gastritis are all symptoms of kidney stones.
        MedicalCorpus corpus = CorpusThatHoldsOut("gastritis");
        MedicalQuestion question = MedicalQuestions.Build(corpus, MedicalTask.Case, TextLanguage.English, Split.HeldOut).Single(question => question.Id == "case/gastritis/treatedby/omeprazole");

        Assert.DoesNotContain("ibuprofen", question.Options);
        Assert.DoesNotContain("diuretics", question.Options);
    }

    [Fact]
    public void Wrong_options_are_of_diseases_that_resemble_the_one_asked_about()
    {
        var ofSimilar = MedicalQuestions.Build(s_corpus, MedicalTask.Recall, TextLanguage.English, Split.HeldOut).SelectMany(question => question.Content.Options
            .Where((_, index) => index != question.Answer)
            .Select(option => Knowledge.DiseasesWith(question.Content.Asked.Relation, option).Any(disease => Knowledge.Shared(disease, question.Content.Asked.Disease) > 0))).ToArray();

        Assert.InRange(ofSimilar.Count(similar => similar), 0.8 * ofSimilar.Length, ofSimilar.Length);
    }

    [Theory]
    [InlineData(MedicalTask.Recall)]
    [InlineData(MedicalTask.Case)]
    public void Who_knows_only_how_frequent_or_long_names_are_is_near_chance(MedicalTask task)
    {
        var knowledge = MedicalKnowledge.Load();
        IReadOnlyList<MedicalQuestion> questions = MedicalQuestions.Build(new MedicalCorpus(knowledge), task, TextLanguage.Arabic, Split.HeldOut);
        Dictionary<MedicalEntity, int> frequency = knowledge.Facts.CountBy(fact => fact.Entity).ToDictionary();
        double Accuracy(Func<MedicalEntity, double> guess) => questions.Average(question =>
        {
            double[] scores = [.. question.Content.Options.Select(guess)];
            return scores[question.Answer] == scores.Max() ? 1.0 / scores.Count(score => score == scores.Max()) : 0;
        });

        double chance = 0.25, tolerance = 3 * Math.Sqrt(chance * (1 - chance) / questions.Count);
        Assert.InRange(questions.Count, 100, int.MaxValue);
        Assert.InRange(Accuracy(option => frequency[option]), chance - tolerance, chance + tolerance);
        Assert.InRange(Accuracy(option => -frequency[option]), chance - tolerance, chance + tolerance);
        Assert.InRange(Accuracy(option => option.ArabicDefinite.Length), chance - tolerance, chance + tolerance);
    }

    [Fact]
    public void Every_option_and_symptom_is_named_in_training_texts_of_both_languages()
    {
        string english = Told(TextLanguage.English), arabic = Told(TextLanguage.Arabic);

        Assert.All(s_test.SelectMany(question => question.Content.Options), option =>
        {
            Assert.Contains(option.English, english, StringComparison.OrdinalIgnoreCase);
            Assert.Contains(option.ArabicDefinite, arabic);
        });
        static string Told(TextLanguage language) => string.Join('\n', s_corpus.FactsIn(language).SelectMany(fact => MedicalWriter.Sentences(fact, language)));
    }

    [Fact]
    public void Some_of_the_test_is_told_in_the_other_language_only_and_none_of_what_is_trained_on()
    {
        Assert.Contains(s_test, question => question is { Task: MedicalTask.Recall, Language: TextLanguage.Arabic, Access: Access.OtherLanguage });
        Assert.Contains(s_test, question => question is { Task: MedicalTask.Recall, Language: TextLanguage.Arabic, Access: Access.Told });
        Assert.Contains(s_test, question => question is { Task: MedicalTask.Case, Access: Access.Told });
        Assert.All(s_test, question => Assert.Equal(question.Task == MedicalTask.Reading, question.Access == Access.InText));
        Assert.All(All(Split.Train), question => Assert.True(question.Access != Access.OtherLanguage && question.Forbidden.Count == 0));
        Assert.Empty(s_test.Select(question => question.Content.Asked.Disease).Intersect(All(Split.Train).Select(question => question.Content.Asked.Disease)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.3)]
    public void Nothing_of_the_test_is_in_training(double errors)
    {
        var options = new MedicalStreamOptions { ArabicShare = 0.5, Budget = 4000, TranslationErrorRate = errors };
        Document[] training = [.. s_corpus.Stream(options, s_test), .. All(Split.Train).Select(question => question.AsDocument())];

        Assert.Empty(MedicalQuestions.Leaks(training, s_test));
    }

    [Fact]
    public void Facts_cases_and_passages_of_the_test_are_held_out_by_themselves_and_only_errors_need_the_filter()
    {
        IReadOnlyList<Leak> Unfiltered(double errors) =>
            MedicalQuestions.Leaks(s_corpus.Stream(new MedicalStreamOptions { ArabicShare = 0.5, Budget = 4000, TranslationErrorRate = errors }, []), s_test);

        Assert.Empty(Unfiltered(0));
        Assert.NotEmpty(Unfiltered(0.3));
    }

    [Theory]
    [InlineData(MedicalTask.Recall)]
    [InlineData(MedicalTask.Reading)]
    [InlineData(MedicalTask.Case)]
    public void A_stream_that_leaks_is_caught(MedicalTask task)
    {
        (string Id, string Text)[] forbidden = [.. s_test.Where(question => question.Task == task).SelectMany(question => question.Forbidden.Select(text => (question.Id, text)))];
        Document[] clean = [.. s_corpus.Stream(new MedicalStreamOptions { ArabicShare = 0.5, Budget = 500 }, s_test)];
        IEnumerable<Document> leaking = forbidden.Select((one, index) => new Document($"mutated {index}", MedicalCorpus.Arabic, Split.Train, $"One more thing! {Disguised(one.Text)} And so on."));
        IReadOnlyList<Leak> leaks = MedicalQuestions.Leaks([.. clean, .. leaking], s_test);

        Assert.NotEmpty(forbidden);
        Assert.Superset(forbidden.Select((one, index) => new Leak(one.Id, $"mutated {index}", one.Text)).ToHashSet(), leaks.ToHashSet());
        Assert.All(leaks, leak => Assert.StartsWith("mutated", leak.Document));

        // Other case, spacing, vowel signs and stretching.
        static string Disguised(string text) => text.ToUpperInvariant().Replace(" ", "  ").Replace("ا", "اَ").Replace("ي", "يـ");
    }

    [Fact]
    public void What_is_said_of_another_disease_with_a_longer_name_is_no_leak()
    {
        MedicalQuestion question = s_test[0] with { Forbidden = ["Fever occurs in hepatitis."] };
        static Document Said(string text) => new("said", MedicalCorpus.English, Split.Train, text);

        Assert.Empty(MedicalQuestions.Leaks([Said("Fever occurs in hepatitis B.")], [question]));
        Assert.Single(MedicalQuestions.Leaks([Said("Fever occurs in hepatitis!")], [question]));
    }

    [Fact]
    public void A_held_out_question_forbids_itself_its_case_and_what_is_not_told()
    {
        MedicalQuestion untold = s_test.First(question => question is { Task: MedicalTask.Recall, Language: TextLanguage.Arabic, Access: Access.OtherLanguage });
        MedicalQuestion told = s_test.First(question => question is { Task: MedicalTask.Recall, Access: Access.Told });
        MedicalQuestion reading = s_test.First(question => question.Task == MedicalTask.Reading);
        MedicalQuestion patient = s_test.First(question => question is { Task: MedicalTask.Case, Access: Access.Told });

        Assert.Equal([untold.Question, .. MedicalWriter.Sentences(untold.Needed[0], TextLanguage.Arabic)], untold.Forbidden);
        Assert.Equal([told.Question], told.Forbidden);
        Assert.Superset(reading.Content.Context.SelectMany(fact => MedicalWriter.Sentences(fact, TextLanguage.Arabic)).ToHashSet(), reading.Forbidden.ToHashSet());
        Assert.Equal([patient.Question, .. MedicalWriter.Vignettes(patient.Content.Context, patient.Language)], patient.Forbidden);
    }

    [Fact]
    public void A_question_to_train_on_ends_in_its_answer()
    {
        MedicalQuestion question = MedicalQuestions.Build(s_corpus, MedicalTask.Recall, TextLanguage.Arabic, Split.Train)[0];
        Document document = question.AsDocument();

        Assert.Equal($"{question.Question}\nالجواب: {question.Options[question.Answer]}", document.Text);
        Assert.Equal((MedicalCorpus.Arabic, Split.Train), (document.Domain, document.Split));
    }

    [Fact]
    public void The_seed_decides_options_and_order()
    {
        string Drawn(ulong seed) => string.Join('\n', MedicalQuestions.Build(s_corpus, MedicalTask.Case, TextLanguage.English, Split.HeldOut, seed).Select(question => $"{question.Question} {string.Join('|', question.Options)}"));

        Assert.Equal(Drawn(1), Drawn(1));
        Assert.NotEqual(Drawn(1), Drawn(2));
    }

    private static MedicalCorpus CorpusThatHoldsOut(string disease) =>
        Enumerable.Range(1, 50)
            .Select(seed => new MedicalCorpus(Knowledge, new MedicalCorpusOptions { Seed = (ulong)seed, EnglishOnlyShare = 0 }))
            .First(corpus => corpus.SideOf(MedicalFixture.Entity(disease)) == Split.HeldOut);
}
