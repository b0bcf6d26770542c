// The comparison of Arabic medical language mixing, from streams to claims and charts, and how its numbers are read.

using PaperLab.Display;
using PaperLab.Evaluation;
using PaperLab.Evaluation.Mixing;
using PaperLab.Papers;
using PaperLab.Tests.Training;
using PaperLab.Text.Medical;
using PaperLab.Training;

namespace PaperLab.Tests.Papers;

public sealed class ArabicMixingPaperTests : TrainingTest
{
    private readonly List<string> _notes = [];

    [Fact]
    public void Cells_differ_in_share_and_noise_alone_and_arms_spend_equal_tokens()
    {
        MixingComparison comparison = ArabicMixingPaper.Compare("standard", firstSeed: 7);
        MixingRunConfig Of(string arm) => comparison.Arms.Single(each => each.Name == arm).Config(7);
        MixingRunConfig half = Of(ArabicMixingPaper.Cell(ArabicMixingPaper.Large, 0.5)), start = Of(ArabicMixingPaper.Base(ArabicMixingPaper.Large));

        Assert.Equal([7, 8, 9, 10, 11], comparison.Seeds);
        Assert.Equal(2 * (1 + 7 + 6) + 4, comparison.Arms.Count);
        Assert.Equal(comparison.Arms.Count, comparison.Arms.Select(arm => arm.Config(7).Key).Distinct().Count());
        Assert.Equal(start, half.From);
        Assert.Equal(half with { Arm = "large, r = 0.2, ε = 0.3", Stream = half.Stream with { ArabicShare = 0.2, TranslationErrorRate = 0.3 } }, Of(ArabicMixingPaper.Cell(ArabicMixingPaper.Large, 0.2, 0.3)));
        Assert.Equal(ArabicMixingPaper.Cell(ArabicMixingPaper.Small, 0), ArabicMixingPaper.Cell(ArabicMixingPaper.Small, 0, 0.3));
        Assert.NotEqual(start.Data, comparison.Arms[0].Config(8).Data); // each seed has a world of its own
        Assert.Equal(start.Data, comparison.Arms[0].Config(7).Data);

        long tokens = half.Stream.Budget, before = start.Stream.Budget;
        MixingRunConfig tuned = Of(ArabicMixingPaper.ContinuedTuned);
        Assert.Equal(tokens, Of(ArabicMixingPaper.FineTuned).Stream.Budget);
        Assert.Equal(tokens, tuned.Stream.Budget + tuned.From!.Stream.Budget);
        Assert.Equal(tokens + before, Of(ArabicMixingPaper.Scratch).Stream.Budget);
        Assert.Null(Of(ArabicMixingPaper.Scratch).From);
        Assert.Equal((1, 0, 1), (Of(ArabicMixingPaper.FineTuned).Questions, tuned.From.Questions, tuned.Questions));
        Assert.Contains("there are smoke, standard, full", Assert.Throws<ArgumentException>(() => ArabicMixingPaper.Compare("large")).Message);
    }

    [Theory]
    [InlineData("smoke")]
    [InlineData("standard")]
    [InlineData("full")]
    public void Every_run_of_a_preset_fits_together(string preset)
    {
        Assert.All(ArabicMixingPaper.Compare(preset).Arms, arm => arm.Config(1).Validate());
    }

    [Fact]
    public void A_comparison_is_trained_once_read_again_and_judged_by_its_intervals()
    {
        RunStore store = TrainingChild.Store(Folder.File("store"));
        MixingResults results = Short().Run(Runtime, store, note: _notes.Add);
        Assert.Empty(_notes);
        MixingResults again = Short().Run(Runtime, store, note: _notes.Add);

        int runs = results.Records.Count;
        Assert.Equal(2 * (2 * (1 + 3 + 2) + 4), runs);
        Assert.Equal($"{runs} of {runs} runs were loaded from records of earlier runs; fresh = true trains them again.", Assert.Single(_notes));
        Assert.Equal(results.Records.Select(run => run.Finished), again.Records.Select(run => run.Finished));
        Assert.Contains("there are small base", Assert.Throws<ArgumentException>(() => results.Of("medium base")).Message);

        IReadOnlyList<Claim> claims = ArabicMixingPaper.Judge(results);
        Assert.All(claims, claim => Assert.True(claim.Verdict is Verdict.Inconclusive or Verdict.NotTestable, $"two seeds decide nothing, and {claim.Statement} is {claim.Verdict}"));
        Assert.Equal(claims.Count, claims.Select(claim => claim.Statement).Distinct().Count());

        string cell = ArabicMixingPaper.Cell(ArabicMixingPaper.Large, 1);
        foreach (MedicalTask task in ArabicMixingPaper.Tasks)
        {
            QueryValues answers = results.Answers(cell, task, TextLanguage.Arabic);
            Assert.InRange(answers.Mean.Estimate, 0, 1);
            Assert.Equal(results.Of(cell).Count, answers.BySeed.Count);
        }

        AssertWhoeverTunesDoesNotSeeWhatHeIsJudgedBy(results);

        IReadOnlyList<MixingReport> laws = ArabicMixingPaper.Laws(results);
        Assert.Equal(ArabicMixingPaper.Metrics.Count * (TreeMixingLaw.IsAvailable ? 3 : 2), laws.Count);
        Figure[] figures =
        [
            MixingCharts.ByRatio(results, ArabicMixingPaper.Large),
            MixingCharts.BySize(results),
            MixingCharts.ByAsking(results, ArabicMixingPaper.Small),
            MixingCharts.Transfer(results),
            MixingCharts.Loss(results),
            MixingCharts.Arms(results, ("base", ArabicMixingPaper.Base(ArabicMixingPaper.Large)), ("from scratch", ArabicMixingPaper.Scratch)),
            MixingCharts.Laws(results, laws),
            MixingCharts.Published(),
        ];
        Assert.All(figures, figure => Assert.NotEmpty(figure.ToHtml()));
        Assert.Equal([0, 0.5, 1], figures[0].Panels[0].Series[0].X);
    }

    [Fact]
    public void The_papers_tables_are_as_printed()
    {
        PublishedMixing Of(string model, string benchmark) => ArabicMixingTables.All.Single(row => row.Model == model && row.Benchmark == benchmark);

        Assert.Equal(8, ArabicMixingTables.All.Count);
        Assert.Equal([1, 0.8, 0.4, 0], new[] { "PubMedQA", "MedMCQA", "MedQA", "MMLU medical" }.Select(benchmark => Of(ArabicMixingTables.Small, benchmark).Best));
        Assert.All(ArabicMixingTables.All.Where(row => row.Model == ArabicMixingTables.Large), row => Assert.Equal(1, row.Best));
        Assert.Equal(0.768, Of(ArabicMixingTables.Large, "PubMedQA").Points[^1].Accuracy, 12);
        Assert.Equal(0.344, Of(ArabicMixingTables.Small, "PubMedQA").Baseline, 12);
        Assert.Equal(0.022, Of(ArabicMixingTables.Small, "PubMedQA").StandardError, 3);
    }

    private static void AssertWhoeverTunesDoesNotSeeWhatHeIsJudgedBy(MixingResults results)
    {
        // Seed by seed another share is best: by the other seed's choice each seed gets its worst.
        double Value(MixingRecord run) => run.Config.Stream.ArabicShare == (run.Config.Seed == 1 ? 0 : 1) ? 1 : 0;

        Assert.Equal([0.0, 0.0], ArabicMixingPaper.Tuned(results, ArabicMixingPaper.Small, Value));
        Assert.Equal([1.0, 1.0], ArabicMixingPaper.Tuned(results, ArabicMixingPaper.Small, run => run.Config.Stream.ArabicShare));

        BestRatio best = ArabicMixingPaper.Best(results, ArabicMixingPaper.Small, new MixingMetric("opposite", null, Value));
        Assert.Equal((0, 1), (best.Low, best.High)); // which it is depends on who is drawn
    }

    // The smoke preset with streams of some documents.
    private static MixingComparison Short()
    {
        MixingComparison smoke = ArabicMixingPaper.Compare("smoke");
        MixingRunConfig Fewer(MixingRunConfig config) => config with
        {
            From = config.From is { } from ? Fewer(from) : null,
            Model = config.Model with { Width = 8, Layers = 1, Heads = 2 },
            Stream = config.Stream with { Budget = 600 },
        };
        return smoke with { Arms = [.. smoke.Arms.Select(arm => arm with { Config = seed => Fewer(arm.Config(seed)) })] };
    }
}
