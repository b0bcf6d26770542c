using PaperLab.Text;
using PaperLab.Text.Medical;

namespace PaperLab.Tests.Text.Medical;

public sealed class MedicalCorpusTests
{
    private static readonly MedicalCorpus s_corpus = new(MedicalFixture.Knowledge, new MedicalCorpusOptions { ArabicOnlyShare = 0.15 });

    [Fact]
    public void What_is_told_in_one_language_has_the_shares_asked_for()
    {
        (MedicalEntity, Relation)[] pairs = [.. MedicalFixture.Knowledge.Facts.Select(fact => (fact.Disease, fact.Relation)).Distinct()];
        int Told(ToldIn told) => MedicalFixture.Knowledge.Facts.Where(fact => s_corpus.Told(fact) == told).Select(fact => (fact.Disease, fact.Relation)).Distinct().Count();

        Assert.Equal(52, pairs.Length);
        Assert.Equal(13, Told(ToldIn.EnglishOnly));
        Assert.Equal(8, Told(ToldIn.ArabicOnly));
        Assert.Equal(5, MedicalFixture.Knowledge.Of(EntityKind.Disease).Count(disease => s_corpus.SideOf(disease) == Split.HeldOut));
    }

    [Fact]
    public void Every_disease_is_named_in_both_languages_even_at_the_highest_shares()
    {
        var corpus = new MedicalCorpus(MedicalFixture.Knowledge, new MedicalCorpusOptions { EnglishOnlyShare = 0.5, ArabicOnlyShare = 0.25 });

        Assert.All(MedicalFixture.Knowledge.Of(EntityKind.Disease), disease => Assert.Contains(MedicalFixture.Knowledge.About(disease), fact => corpus.Told(fact) == ToldIn.Both));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.2)]
    [InlineData(0.5)]
    [InlineData(1)]
    public void The_stream_has_the_share_of_Arabic_by_documents_and_by_words_all_along(double share)
    {
        static int Words(string text) => text.Split(' ').Length;

        Document[] byDocuments = [.. s_corpus.Stream(new MedicalStreamOptions { ArabicShare = share, Budget = 500 }, [])];
        Document[] byWords = [.. s_corpus.Stream(new MedicalStreamOptions { ArabicShare = share, Budget = 5000 }, [], Words)];
        int most = byWords.Max(document => Words(document.Text));

        Assert.Equal(500, byDocuments.Length);
        Assert.InRange(byDocuments.Count(document => document.Domain == MedicalCorpus.Arabic), (500 * share) - 1, (500 * share) + 1);
        Assert.InRange(byWords.Sum(document => Words(document.Text)), 5000, 5000 + most);
        double arabic = 0, all = 0;
        foreach (Document document in byWords)
        {
            all += Words(document.Text);
            arabic += document.Domain == MedicalCorpus.Arabic ? Words(document.Text) : 0;
            Assert.InRange(arabic, (all * share) - most, (all * share) + most);
        }
    }

    [Fact]
    public void A_document_tells_only_what_is_told_in_its_language()
    {
        var untold = Enum.GetValues<TextLanguage>().SelectMany(language => MedicalFixture.Knowledge.Facts
            .Where(fact => !s_corpus.IsTold(fact, language)).SelectMany(fact => MedicalWriter.Sentences(fact, language))).ToArray();
        IReadOnlyList<Document> stream = s_corpus.Stream(new MedicalStreamOptions { ArabicShare = 0.5, Budget = 1000 }, []);

        Assert.NotEmpty(untold);
        Assert.DoesNotContain(stream, document => untold.Any(document.Text.Contains));
    }

    [Fact]
    public void A_round_tells_every_fact_of_the_language()
    {
        string text = string.Join('\n', s_corpus.Stream(new MedicalStreamOptions { ArabicShare = 1, Budget = 200 }, []).Select(document => document.Text));

        Assert.All(s_corpus.FactsIn(TextLanguage.Arabic), fact => Assert.Contains(MedicalWriter.Sentences(fact, TextLanguage.Arabic), text.Contains));
    }

    [Fact]
    public void Cases_are_of_the_train_side_in_training_and_of_the_other_side_where_held_out()
    {
        IReadOnlyList<Document> stream = s_corpus.Stream(new MedicalStreamOptions { ArabicShare = 0.5, Budget = 1000 }, []);
        IReadOnlyList<Document> heldOut = [.. s_corpus.HeldOut(TextLanguage.English), .. s_corpus.HeldOut(TextLanguage.Arabic)];
        Split[] SidesOf(IEnumerable<Document> documents) =>
            [.. documents.Where(document => document.Name.Contains("/case/")).Select(document => s_corpus.SideOf(MedicalFixture.Entity(document.Name.Split('/')[2]))).Distinct()];

        Assert.Equal([Split.Train], SidesOf(stream));
        Assert.Equal([Split.HeldOut], SidesOf(heldOut));
        Assert.All(heldOut, document => Assert.Equal(Split.HeldOut, document.Split));
        Assert.Empty(heldOut.Select(document => document.Text).Intersect(stream.Select(document => document.Text)));
    }

    [Fact]
    public void What_is_to_be_read_is_not_true_and_stands_there_twice()
    {
        HashSet<string> truths = [.. MedicalFixture.Knowledge.Facts.SelectMany(fact => Enum.GetValues<TextLanguage>().SelectMany(language => MedicalWriter.Sentences(fact, language)))];
        Document[] passages = [.. s_corpus.Stream(new MedicalStreamOptions { ArabicShare = 0.5, Budget = 1000 }, []).Where(document => document.Name.Contains("/reading/"))];

        Assert.Equal(2, passages.Select(document => document.Domain).Distinct().Count());
        Assert.All(passages, document =>
        {
            Assert.Equal(Split.Train, s_corpus.SideOf(MedicalFixture.Entity(document.Name.Split('/')[2])));
            string[] lines = document.Text.Split('\n');
            Assert.Equal(2, lines.Length);
            Assert.DoesNotContain(truths, document.Text.Contains);
        });
        double repeated = passages.Average(document => document.Text.Split('\n') is [var told, var again] ? again.TrimEnd('.').Split(". ").Count(sentence => told.Contains(sentence)) / 4.0 : 0);
        Assert.InRange(repeated, 0.4, 0.75); // half of the sentences, and those that came out alike
    }

    [Fact]
    public void Glossary_lines_come_with_the_Arabic_part_where_asked_for()
    {
        var corpus = new MedicalCorpus(MedicalFixture.Knowledge, new MedicalCorpusOptions { Glossary = true });
        Document[] With(MedicalCorpus one, double share) => [.. one.Stream(new MedicalStreamOptions { ArabicShare = share, Budget = 400 }, []).Where(document => document.Domain == MedicalCorpus.Glossary)];

        Assert.NotEmpty(With(corpus, 0.5));
        Assert.Empty(With(corpus, 0));
        Assert.Empty(With(s_corpus, 0.5));
    }

    [Fact]
    public void The_translators_errors_are_in_the_Arabic_part_only_and_not_in_what_only_Arabic_tells()
    {
        HashSet<string> Right(TextLanguage language, Func<Fact, bool> which) => [.. MedicalFixture.Knowledge.Facts.Where(which).SelectMany(fact => MedicalWriter.Sentences(fact, language))];
        IReadOnlyList<Document> stream = s_corpus.Stream(new MedicalStreamOptions { ArabicShare = 0.5, Budget = 2000, TranslationErrorRate = 0.3 }, []);
        bool IsSentence(Document document, string domain) => document.Domain == domain && document.Name.Contains("/statements/") && document.Text.Count(letter => letter == '.') == 1;
        HashSet<string> english = Right(TextLanguage.English, _ => true), arabic = Right(TextLanguage.Arabic, _ => true);
        string[] told = [.. stream.Where(document => IsSentence(document, MedicalCorpus.Arabic)).Select(document => document.Text)];

        Assert.All(stream.Where(document => IsSentence(document, MedicalCorpus.English)), document => Assert.Contains(document.Text, english));
        Assert.InRange(told.Count(text => !arabic.Contains(text)), 0.2 * told.Length, 0.55 * told.Length); // two terms each, and what is Arabic alone is right
        Assert.Contains(told, Right(TextLanguage.Arabic, fact => s_corpus.Told(fact) == ToldIn.ArabicOnly).Contains);
    }

    [Fact]
    public void The_seeds_decide_everything()
    {
        string[] Texts(ulong corpus, ulong stream) => [.. new MedicalCorpus(MedicalFixture.Knowledge, new MedicalCorpusOptions { Seed = corpus })
            .Stream(new MedicalStreamOptions { ArabicShare = 0.4, Budget = 300, TranslationErrorRate = 0.1, Seed = stream }, []).Select(document => document.Text)];

        Assert.Equal(Texts(1, 1), Texts(1, 1));
        Assert.NotEqual(Texts(1, 1), Texts(1, 2));
        Assert.NotEqual(Texts(1, 1), Texts(2, 1));
    }

    [Fact]
    public void What_is_out_of_range_is_named()
    {
        void Refused(string message, Action action) => Assert.StartsWith(message, Assert.Throws<ArgumentException>(action).Message);
        void Corpus(MedicalCorpusOptions options) => _ = new MedicalCorpus(MedicalFixture.Knowledge, options);
        void Stream(double share, long budget, double errors = 0, Func<string, int>? count = null) =>
            s_corpus.Stream(new MedicalStreamOptions { ArabicShare = share, Budget = budget, TranslationErrorRate = errors }, [], count);

        Refused("EnglishOnlyShare is 0.8; allowed: 0 to 0.75.", () => Corpus(new() { EnglishOnlyShare = 0.8 }));
        Refused("ArabicOnlyShare is 0.6; allowed: 0 to 0.75 together with EnglishOnlyShare, which is 0.25.", () => Corpus(new() { ArabicOnlyShare = 0.6 }));
        Refused("HeldOutShare is 0; allowed: 0.1 to 0.9.", () => Corpus(new() { HeldOutShare = 0 }));
        Refused("ArabicShare is 1.5; allowed: 0 to 1.", () => Stream(1.5, 10));
        Refused("Budget is 0; allowed: 1 or more.", () => Stream(0.5, 0));
        Refused("TranslationErrorRate is -1; allowed: 0 to 1.", () => Stream(0.5, 10, -1));
        Refused("the count of '", () => Stream(0.5, 10, count: _ => 0));
    }

    [Fact]
    public void A_test_that_forbids_everything_is_an_error_and_not_an_endless_search()
    {
        MedicalQuestion any = MedicalQuestions.Build(s_corpus, MedicalTask.Recall, TextLanguage.English, Split.HeldOut)[0];
        Document[] all = [.. s_corpus.Stream(new MedicalStreamOptions { ArabicShare = 0, Budget = 3000 }, [])];
        IEnumerable<string> everything = MedicalFixture.Knowledge.Facts.SelectMany(fact => MedicalWriter.Sentences(fact, TextLanguage.English));
        MedicalQuestion greedy = any with { Forbidden = [.. everything, .. all.Select(document => document.Text)] };

        Assert.StartsWith(
            "the number of English documents that the test does not forbid is 0; allowed: 1 or more; tell more facts, or test fewer.",
            Assert.Throws<ArgumentException>(() => s_corpus.Stream(new MedicalStreamOptions { ArabicShare = 0, Budget = 10 }, [greedy])).Message);
    }
}
