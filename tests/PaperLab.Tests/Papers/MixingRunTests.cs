// A cell of a mixing experiment, from documents to scores. What it learns is not tested here: the recorded runs tell.

using PaperLab.Models;
using PaperLab.Papers;
using PaperLab.Tests.Training;
using PaperLab.Text;
using PaperLab.Text.Medical;
using PaperLab.Training;

namespace PaperLab.Tests.Papers;

public sealed class MixingRunTests : TrainingTest
{
    private static readonly MedicalDataOptions s_data = new() { Diseases = 12, VocabularySize = 400, Corpus = new MedicalCorpusOptions { Seed = 1 } };

    private static readonly MixingRunConfig s_base = new()
    {
        Paper = "test",
        Arm = "base",
        Data = s_data,
        Model = new TransformerConfig { VocabularySize = 400, Width = 16, Layers = 1, Heads = 2, ContextLength = 512, FeedForward = new DenseConfig(24) },
        Stream = new MedicalStreamOptions { ArabicShare = 0, Budget = 8000 },
        Questions = 0.3,
        Seed = 1,
        BatchSize = 16,
        LearningRate = 1e-2,
        Asked = false,
    };

    private static readonly MixingRunConfig s_mixed = s_base with { Arm = "r = 0.5", From = s_base, Stream = s_base.Stream with { ArabicShare = 0.5, TranslationErrorRate = 0.3 }, Asked = true };

    [Fact]
    public void A_stream_has_its_share_of_both_languages_in_tokens_and_leaks_nothing()
    {
        MedicalData data = MedicalData.Of(s_data);
        IReadOnlyList<Document> stream = data.Corpus.Stream(new MedicalStreamOptions { ArabicShare = 0.4, Budget = 20_000 }, data.Test, data.CountOf);
        long Tokens(string domain) => stream.Where(document => document.Domain == domain).Sum(document => (long)data.CountOf(document.Text));

        Assert.Equal(0.4, Tokens(MedicalCorpus.Arabic) / (double)(Tokens(MedicalCorpus.English) + Tokens(MedicalCorpus.Arabic)), 2);
        Assert.Empty(MedicalQuestions.Leaks(stream, data.Test));
        Assert.Same(data, MedicalData.Of(s_data with { }));
        Assert.InRange(data.Lessons(new MedicalStreamOptions { ArabicShare = 0.4, Budget = 5000 }, questions: 0.5).Sum(lesson => lesson.Completion.Length), 4900, 5300);
    }

    [Fact]
    public void A_tokenizer_of_little_arabic_spends_more_tokens_on_it()
    {
        MedicalData fair = MedicalData.Of(s_data), english = MedicalData.Of(s_data with { TokenizerArabicShare = 0.05 });

        Assert.True(english.Fertility(TextLanguage.Arabic) > 1.3 * fair.Fertility(TextLanguage.Arabic), $"{english.Fertility(TextLanguage.Arabic):0.00} against {fair.Fertility(TextLanguage.Arabic):0.00}");
        Assert.True(english.Fertility(TextLanguage.English) < fair.Fertility(TextLanguage.English));
    }

    [Fact]
    public void A_cell_goes_on_from_its_base_and_is_asked_everything_in_every_way()
    {
        RunStore store = TrainingChild.Store(Folder.File("store"));

        MixingRecord record = MixingRun.Of(s_mixed, "smoke", Runtime, store), again = MixingRun.Of(s_mixed, "smoke", Runtime, store);

        Assert.Equal(record.Finished, again.Finished);
        Assert.Equal(record.Scores, again.Scores);
        Assert.True(File.Exists(store.WeightsOf("test", s_base))); // for the cell goes on from it
        Assert.False(File.Exists(store.WeightsOf("test", s_mixed)));
        int Asked(TextLanguage language, Asking asked) => record.Scores.Where(score => score.Language == language && score.Asked == asked).Sum(score => score.Right.Length);
        MedicalData data = MedicalData.Of(s_data);
        foreach (TextLanguage language in Enum.GetValues<TextLanguage>())
        {
            int stated = data.Test.Count(question => question.Language == language);
            int questions = data.Test.Where(question => question.Language == language).DistinctBy(question => question.Id).Count();
            Assert.InRange(questions, 1, stated - 1);
            Assert.Equal(questions, Asked(language, Asking.InFull));
            Assert.Equal(questions, Asked(language, Asking.ByLetter));
            Assert.Equal(language == TextLanguage.Arabic ? questions : 0, Asked(language, Asking.Translated));
            Assert.Equal(stated, Asked(language, Asking.AsStatement));
            Assert.Equal(language == TextLanguage.Arabic ? stated : 0, Asked(language, Asking.TranslatedStatement));
        }

        Assert.All(record.Scores, score => Assert.InRange(score.Accuracy, 0, 1));
        Assert.InRange(record.Accuracy(MedicalTask.Recall, TextLanguage.Arabic), 0, 1);
        Assert.True(record.HeldOutLoss[TextLanguage.English] < Math.Log(400));
        Assert.InRange(record.Tokens, 7900, 8400);
    }

    [Fact]
    public void An_interrupted_cell_ends_with_the_same_numbers()
    {
        RunStore store = TrainingChild.Store(Folder.File("store")), other = TrainingChild.Store(Folder.File("other"));
        MixingRecord through = MixingRun.Of(s_base, "smoke", Runtime, store, keepWeights: true);
        using var cancellation = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => MixingRun.Of(s_base, "smoke", Runtime, other, new() { Progress = new Reports(report => { if (report.Step == 2) { cancellation.Cancel(); } }) }, cancellation: cancellation.Token));

        MixingRecord resumed = MixingRun.Of(s_base, "smoke", Runtime, other, keepWeights: true);

        Assert.Equal(2, Assert.Single(resumed.Resumed).AfterStep);
        Assert.Equal(through.Losses, resumed.Losses);
        Assert.Equal(File.ReadAllBytes(store.WeightsOf("test", s_base)), File.ReadAllBytes(other.WeightsOf("test", s_base)));
    }

    [Theory]
    [InlineData("vocabulary", "VocabularySize is 7")]
    [InlineData("from", "a run with the same model and data")]
    [InlineData("questions", "Questions is 2")]
    public void A_config_that_does_not_fit_is_refused_by_its_field(string what, string message)
    {
        MixingRunConfig config = what switch
        {
            "vocabulary" => s_base with { Model = s_base.Model with { VocabularySize = 7 } },
            "from" => s_mixed with { Model = s_base.Model with { Width = 32 } },
            _ => s_base with { Questions = 2 },
        };

        Assert.Contains(message, Assert.Throws<ArgumentException>(config.Validate).Message);
    }
}
