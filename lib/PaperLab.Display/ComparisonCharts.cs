// The figures that every comparison of architectures shows: loss curves, paired differences, loss by domain, routing.

using PaperLab.Papers;
using PaperLab.Training;

namespace PaperLab.Display;

/// <summary>Draws a <see cref="ComparisonResult"/>.</summary>
public static class ComparisonCharts
{
    // A t interval of fewer seeds is wider than the figure; the range over seeds says what there is.
    private const int SeedsForInterval = 5;
    private const int CurvePoints = 40;

    /// <summary>Training loss of every arm, averaged over blocks of steps: the mean over seeds with its band.</summary>
    public static Figure TrainingLoss(ComparisonResult result) =>
        Chart.Lines("Training loss", result.Comparison.Arms.Select(arm => LossCurve(result, arm.Name)))
            .XAxis("Optimizer step").YAxis("Cross-entropy", "nats/token")
            .WithCaption(BandCaption(result));

    /// <summary>Paired difference of the final held-out loss, each arm against the first, with its 95 % t interval.</summary>
    public static Figure LossDifferences(ComparisonResult result)
    {
        string baseline = result.Comparison.Arms[0].Name;
        string[] arms = [.. result.Comparison.Arms.Skip(1).Select(arm => arm.Name)];
        return Chart.Bars($"Held-out loss against {baseline}", arms, Series.Of("difference", arms.Select(arm => result.Difference(arm, baseline, run => run.Final.Loss))))
            .YAxis($"Loss − loss of {baseline}", "nats/token")
            .WithSubtitle("Below zero: better than the baseline. A bar whose interval crosses zero decides nothing.")
            .WithCaption($"Paired over {result.Comparison.Seeds.Count} seeds, 95 % t interval.");
    }

    /// <summary>Final held-out loss by domain and arm, mean over seeds.</summary>
    public static Figure LossByDomain(ComparisonResult result)
    {
        string[] domains = [.. result.Records[0].Final.LossByDomain.Keys];
        return Chart.Bars("Held-out loss by domain", domains, result.Comparison.Arms.Select(arm =>
                Series.Of(arm.Name, domains.Select(domain => result.Of(arm.Name).Average(run => run.Final.LossByDomain[domain])))))
            .YAxis("Cross-entropy", "nats/token")
            .WithCaption($"Mean over {result.Comparison.Seeds.Count} seeds.");
    }

    /// <summary>Share of the assignments that each expert of each layer got on held-out text: one panel for each arm, first seed.</summary>
    public static Figure ExpertLoad(ComparisonResult result, params string[] arms) =>
        Chart.Grid("Load by expert", arms.Length, arms.Select(arm =>
        {
            IReadOnlyList<LayerRouting> layers = result.Of(arm)[0].Final.Routing;
            return Chart.Heatmap(arm, LayerNames(layers), ExpertNames(layers), Cells(layers.Select(layer => layer.Load)), "share of assignments", midpoint: 1.0 / layers[0].Load.Count, format: "F2");
        })).WithCaption($"Even load is {1.0 / result.Of(arms[0])[0].Final.Routing[0].Load.Count:0.000}. Seed {result.Comparison.Seeds[0]}; experts have no order, so seeds cannot be averaged.");

    /// <summary>Which experts each domain's tokens go to, in one layer (1 is the first): one panel for each arm, first seed.</summary>
    public static Figure DomainLoad(ComparisonResult result, int layer, params string[] arms) =>
        Chart.Grid($"Experts by domain, layer {layer}", arms.Length, arms.Select(arm =>
        {
            LayerRouting routing = result.Of(arm)[0].Final.Routing[layer - 1];
            return Chart.Heatmap(arm, routing.LoadByDomain.Keys, ExpertNames([routing]), Cells(routing.LoadByDomain.Values), "share of assignments", format: "F2");
        })).WithCaption($"Each row sums to 1. Seed {result.Comparison.Seeds[0]}.");

    /// <summary>How the entropy of the choice changed with training, by depth: final over initial, mean over seeds with its band.</summary>
    public static Figure ConfidenceByDepth(ComparisonResult result)
    {
        double[] depth = [.. Enumerable.Range(1, result.Records[0].Final.Routing.Count).Select(layer => (double)layer)];
        return Chart.Lines("Confidence of the choice, by depth", result.Comparison.Arms.Select(arm => Band(
                result, arm.Name, depth, run => [.. run.Final.Routing.Zip(run.Initial.Routing, (final, initial) => final.ConfidenceEntropy / initial.ConfidenceEntropy)]).AsLineWithPoints()))
            .XAxis("Layer", whole: true).YAxis("Entropy after training / before")
            .ReferenceY(1, "as at the start")
            .WithSubtitle("Lower: the layer has become surer of which expert a token belongs to.")
            .WithCaption(BandCaption(result));
    }

    private static Series LossCurve(ComparisonResult result, string arm)
    {
        RunRecord first = result.Of(arm)[0];
        int losses = first.TrainingLoss.Count;
        int block = Math.Max(1, losses / CurvePoints);
        double[] x = [.. Enumerable.Range(0, losses).Select(i => ((i + 0.5) * first.StepsPerLoss) + 0.5).Chunk(block).Select(chunk => chunk.Average())];
        return Band(result, arm, x, run => [.. run.TrainingLoss.Chunk(block).Select(chunk => chunk.Average())]);
    }

    private static Series Band(ComparisonResult result, string arm, double[] x, Func<RunRecord, double[]> curve)
    {
        double[][] curves = [.. result.Of(arm).Select(curve)];
        if (curves.Length >= SeedsForInterval)
        {
            return Series.OfRuns(arm, x, curves);
        }

        double[] Across(Func<IEnumerable<double>, double> statistic) => [.. x.Select((_, i) => statistic(curves.Select(values => values[i])))];
        return Series.Of(arm, x, Across(Enumerable.Average)).WithBand(Across(Enumerable.Min), Across(Enumerable.Max));
    }

    private static string BandCaption(ComparisonResult result) => result.Comparison.Seeds.Count >= SeedsForInterval
        ? $"Mean of {result.Comparison.Seeds.Count} seeds; the band is the 95 % t interval of the mean."
        : $"Mean of {result.Comparison.Seeds.Count} seeds; the band is their range (too few seeds for an interval).";

    private static string[] LayerNames(IReadOnlyList<LayerRouting> layers) => [.. Enumerable.Range(1, layers.Count).Select(layer => $"layer {layer}")];

    private static string[] ExpertNames(IReadOnlyList<LayerRouting> layers) => [.. Enumerable.Range(1, layers[0].Load.Count).Select(expert => $"{expert}")];

    private static double[,] Cells(IEnumerable<IReadOnlyList<double>> rows)
    {
        IReadOnlyList<double>[] values = [.. rows];
        var cells = new double[values.Length, values[0].Count];
        for (int row = 0; row < values.Length; row++)
        {
            for (int column = 0; column < values[row].Count; column++)
            {
                cells[row, column] = values[row][column];
            }
        }

        return cells;
    }
}
