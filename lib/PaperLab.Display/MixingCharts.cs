// The figures of a mixing experiment: accuracy and loss by the share of Arabic, ways of asking and of training side by side, what a law
// predicts, and the paper's own tables.

using PaperLab.Evaluation.Mixing;
using PaperLab.Papers;
using PaperLab.Text.Medical;

namespace PaperLab.Display;

/// <summary>Draws <see cref="MixingResults"/>.</summary>
public static class MixingCharts
{
    private const double Chance = 0.25;
    private const string ShareLabel = "Share of Arabic in the stream";
    private const string Bootstrap = "95 % bootstrap interval over seeds and, in each, over diseases.";
    private const string IntervalCaption = $"Shaded: {Bootstrap}";

    /// <summary>A task as axis and panel titles call it.</summary>
    public static string NameOf(MedicalTask task) => task switch
    {
        MedicalTask.Recall => "Recall of a fact",
        MedicalTask.Reading => "Reading a passage",
        _ => "Case in two hops",
    };

    /// <summary>Accuracy by share of Arabic, a panel for each task: Arabic with a perfect and with an erring translator of the data, Arabic that is translated into English when asked, and English.</summary>
    public static Figure ByRatio(MixingResults results, string size)
    {
        string preset = results.Comparison.Preset;
        double noise = ArabicMixingPaper.Noises(preset)[^1];
        return Tasks($"What the {size} model knows, by share of Arabic", task =>
        [
            Line(results, "Arabic", size, 0, task, TextLanguage.Arabic),
            Line(results, $"Arabic, {noise:0 %} errors", size, noise, task, TextLanguage.Arabic),
            Line(results, "through a translator", size, 0, task, TextLanguage.Arabic, Asking.TranslatedStatement).AsDashed(),
            Line(results, "English", size, 0, task, TextLanguage.English).AsDashed(),
        ]);
    }

    /// <summary>Arabic accuracy by share of Arabic, both sizes.</summary>
    public static Figure BySize(MixingResults results) => Tasks("Two sizes, Arabic statements", task =>
        [.. Sizes.Select(size => Line(results, $"{size}, {results.Of(ArabicMixingPaper.Base(size))[0].Parameters / 1e6:0.00}M parameters", size, 0, task, TextLanguage.Arabic))]);

    /// <summary>Arabic accuracy by how the question is put.</summary>
    public static Figure ByAsking(MixingResults results, string size) => Tasks($"How the question is put, {size} model, Arabic", task =>
    [
        Line(results, "statement", size, 0, task, TextLanguage.Arabic),
        Line(results, "question, full text of the option", size, 0, task, TextLanguage.Arabic, Asking.InFull),
        Line(results, "question, letter of the option", size, 0, task, TextLanguage.Arabic, Asking.ByLetter),
    ]);

    /// <summary>Recall in Arabic of what was told in Arabic too, and of what was told in English only.</summary>
    public static Figure Transfer(MixingResults results) => Chart.Grid(
        "Does knowledge cross over?", Sizes.Length,
        Sizes.Select(size => ByShare($"{size} model",
        [
            Line(results, "told in both languages", size, 0, MedicalTask.Recall, TextLanguage.Arabic, access: Access.Told),
            Line(results, "told in English only", size, 0, MedicalTask.Recall, TextLanguage.Arabic, access: Access.OtherLanguage),
        ]))).WithCaption($"Recall, Arabic statements. {IntervalCaption}");

    /// <summary>Nats per token on held-out text of each language, by share of Arabic.</summary>
    public static Figure Loss(MixingResults results) => Chart.Grid(
        "Loss on held-out cases", Sizes.Length,
        Sizes.Select(size =>
        {
            double[] ratios = Ratios(results);
            Series Of(TextLanguage language) => Series.Of($"{language}", ratios, ArabicMixingPaper.Cells(results.Comparison.Preset, size)
                .Select(cell => SeedSpread.Of(results.Values(cell, run => run.HeldOutLoss[language])))).AsLineWithPoints();
            return Chart.Lines($"{size} model", Of(TextLanguage.Arabic), Of(TextLanguage.English)).XAxis(ShareLabel, percent: true).YAxis("Cross-entropy", "nats/token");
        })).WithCaption(SeedSpread.Caption(results.Comparison.Seeds.Count));

    /// <summary>The ways of training at equal tokens, by task, in Arabic.</summary>
    public static Figure Arms(MixingResults results, params (string Name, string Arm)[] arms) =>
        Chart.Bars("Equal tokens, half Arabic", ArabicMixingPaper.Tasks.Select(NameOf), arms.Select(arm =>
                Series.Of(arm.Name, ArabicMixingPaper.Tasks.Select(task => results.Answers(arm.Arm, task, TextLanguage.Arabic).Mean))))
            .YAxis("Right Arabic statements", percent: true, min: 0, max: 1)
            .ReferenceY(Chance, "chance")
            .WithCaption($"Bars: {Bootstrap}");

    /// <summary>What laws fitted to the small model predict for the large one, and what it measured.</summary>
    public static Figure Laws(MixingResults results, IReadOnlyList<MixingReport> reports) => Chart.Grid(
        "Fitted to the small model, judged by the large one", 3,
        reports.GroupBy(report => report.Task).Select(task =>
        {
            IReadOnlyList<string> cells = ArabicMixingPaper.Cells(results.Comparison.Preset, ArabicMixingPaper.Large, task.First().Noise);
            Func<MixingRecord, double> metric = ArabicMixingPaper.Metrics.First(each => each.Name == task.Key).Of;
            return Chart.Lines(task.Key,
                [
                    Series.Of("measured", Ratios(results), cells.Select(cell => SeedSpread.Of(results.Values(cell, metric)))).AsPoints(),
                    .. task.Select(report => Series.Of(report.Law, report.Curve.Select(point => point.Ratio), report.Curve.Select(point => point.Value))),
                ])
                .XAxis(ShareLabel, percent: true).YAxis("Right statements", percent: true);
        })).WithCaption($"Laws see the small model only, so levels may be off; what counts is where the highest point lies. {SeedSpread.Caption(results.Comparison.Seeds.Count)}");

    /// <summary>The paper's own accuracies, a panel for each benchmark.</summary>
    public static Figure Published() => Chart.Grid(
        "The paper: Arabic accuracy by share of Arabic", 4,
        ArabicMixingTables.All.GroupBy(row => row.Benchmark).Select(benchmark => Chart.Lines(
                benchmark.Key,
                benchmark.SelectMany(row => new[]
                {
                    Series.Of(row.Model, row.Points.Select(point => point.Ratio), row.Points.Select(point => point.Accuracy)).AsLineWithPoints(),
                    Series.Of($"{row.Model}, before", [0, 1], [row.Baseline, row.Baseline]).AsDashed(),
                }))
            .XAxis("Share of Arabic", percent: true).YAxis("Accuracy", percent: true)),
        shareAxes: false)
        .WithCaption($"One run for each point: standard error {Error("PubMedQA")} points on PubMedQA, {Error("MedQA")} on MedQA (8B).");

    private static string[] Sizes => [ArabicMixingPaper.Small, ArabicMixingPaper.Large];

    private static string Error(string benchmark) => $"{100 * ArabicMixingTables.All.First(row => row.Benchmark == benchmark).StandardError:0.0}";

    private static double[] Ratios(MixingResults results) => [.. ArabicMixingPaper.Ratios(results.Comparison.Preset)];

    private static Figure Tasks(string title, Func<MedicalTask, Series[]> lines) => Chart.Grid(
        title, ArabicMixingPaper.Tasks.Count, ArabicMixingPaper.Tasks.Select(task => ByShare(NameOf(task), lines(task)))).WithCaption(IntervalCaption);

    private static Figure ByShare(string title, Series[] lines) => Chart.Lines(title, lines)
        .XAxis(ShareLabel, percent: true).YAxis("Right", percent: true).ReferenceY(Chance, "chance");

    private static Series Line(MixingResults results, string name, string size, double noise, MedicalTask task, TextLanguage language, Asking asked = Asking.AsStatement, Access? access = null) =>
        Series.Of(name, Ratios(results), ArabicMixingPaper.Cells(results.Comparison.Preset, size, noise).Select(cell => results.Answers(cell, task, language, asked, access).Mean)).AsLineWithPoints();
}
