// The pictures of the Gaussian toy: every test point by its two scores, so that the diagonal is the decision; and how fast it is learned.

using PaperLab.Papers;

namespace PaperLab.Display;

/// <summary>Draws a <see cref="GaussianToyComparison"/>.</summary>
public static class ToyCharts
{
    /// <summary>Scores of both experts for every point of the first seed, coloured by class, for both layers.</summary>
    public static Figure WhoTakesWhat(GaussianToyComparison toy) =>
        Chart.Grid("Who takes which class", 2, [Scores("MoE: router logits", toy.MoeRuns[0]), Scores("AoE: activation norms", toy.AoeRuns[0])], shareAxes: false)
            .WithCaption("Above the dashed diagonal a point goes to expert 2, below it to expert 1.");

    /// <summary>How fast both learn: training loss, with the t interval over seeds.</summary>
    public static Figure Learning(GaussianToyComparison toy) =>
        Chart.Lines("Training loss of the toy", Curve("MoE", toy.MoeRuns), Curve("AoE", toy.AoeRuns))
            .XAxis("Step").YAxis("Cross-entropy", "nats")
            .WithCaption($"Mean of {toy.Config.Seeds} seeds; the band is the 95 % t interval of the mean.");

    private static Series Curve(string name, IReadOnlyList<GaussianToyResult> runs) =>
        Series.OfRuns(name, runs[0].TrainingLoss.Select((_, i) => (i + 0.5) * GaussianToy.StepsPerLoss), runs.Select(run => run.TrainingLoss));

    private static Figure Scores(string title, GaussianToyResult run)
    {
        double low = run.Points.Min(point => Math.Min(point.Score1, point.Score2)), high = run.Points.Max(point => Math.Max(point.Score1, point.Score2));
        Series diagonal = Series.Of("equal scores", [low, high], [low, high]).AsLine().AsDashed().InColor(Palette.Grey);
        return Chart.Scatter(title, [.. Enumerable.Range(0, GaussianToyConfig.Classes).Select(Class), diagonal])
            .XAxis("Score of expert 1").YAxis("Score of expert 2");

        Series Class(int label)
        {
            GaussianToyPoint[] points = [.. run.Points.Where(point => point.Class == label)];
            return Series.Of($"class {label + 1}", points.Select(point => point.Score1), points.Select(point => point.Score2));
        }
    }
}
