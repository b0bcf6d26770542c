// The picture of the Gaussian toy: every test point by its two scores, so that the diagonal is the decision.

using PaperLab.Papers;

namespace PaperLab.Display;

/// <summary>Draws a <see cref="GaussianToyComparison"/>.</summary>
public static class ToyCharts
{
    /// <summary>Scores of both experts for every point of the first seed, coloured by class, for both layers.</summary>
    public static Figure WhoTakesWhat(GaussianToyComparison toy) =>
        Chart.Grid("Who takes which class", 2, [Scores("MoE: router logits", toy.MoeRuns[0]), Scores("AoE: activation norms", toy.AoeRuns[0])], shareAxes: false)
            .WithCaption("Above the dashed diagonal a point goes to expert 2, below it to expert 1.");

    private static Figure Scores(string title, GaussianToyResult run)
    {
        double low = run.Scores.Min(scores => scores.Min()), high = run.Scores.Max(scores => scores.Max());
        Series diagonal = Series.Of("equal scores", [low, high], [low, high]).AsLine().AsDashed().InColor(Palette.Grey);
        return Chart.Scatter(title, [.. Enumerable.Range(0, GaussianToy.Classes).Select(Class), diagonal])
            .XAxis("Score of expert 1").YAxis("Score of expert 2");

        Series Class(int label)
        {
            double[][] points = [.. run.Scores.Where((_, i) => run.Class[i] == label)];
            return Series.Of($"class {label + 1}", points.Select(point => point[0]), points.Select(point => point[1]));
        }
    }
}
