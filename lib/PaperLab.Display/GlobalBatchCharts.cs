// The figures of global-batch load balancing: the search for a weight, what grows with the balance batch, and one loss in three scopes.

using PaperLab.Models;
using PaperLab.Papers;
using PaperLab.Training;

namespace PaperLab.Display;

/// <summary>Draws a comparison of <see cref="GlobalBatchPaper"/>.</summary>
public static class GlobalBatchCharts
{
    /// <summary>Validation loss by weight, a line for each scope.</summary>
    public static Figure WeightSearch(IEnumerable<WeightChoice> choices) =>
        Chart.Lines("The weight of the balance loss, searched for each scope", choices.Select(choice => Series.Of(choice.Scope, choice.Tried, choice.ValidationLosses).AsLineWithPoints()))
            .XAxis("α", log: true).YAxis("Validation loss", "nats/token")
            .WithCaption("Seeds and held-out windows of the search's own. The lowest point of a line is the weight its scope goes on with.");

    /// <summary>Loss, specialisation and balance by the number of sequences that f is counted over.</summary>
    public static Figure BySize(ComparisonResult result)
    {
        IReadOnlyList<(string Arm, int Sequences)> sizes = GlobalBatchPaper.BySize(result.Comparison);
        Figure Panel(string title, string y, string unit, params IEnumerable<(string Name, Func<RunRecord, double> Metric)> lines) =>
            Chart.Lines(title, lines.Select(line => Line(line.Name, line.Metric))).XAxis("Sequences that share one f", log: true).YAxis(y, unit);
        Series Line(string name, Func<RunRecord, double> metric) =>
            Series.Of(name, sizes.Select(size => (double)size.Sequences), sizes.Select(size => SeedSpread.Of(result.Of(size.Arm).Select(metric)))).AsLineWithPoints();

        double[] baseline = [.. result.Of(GlobalBatchPaper.Micro).Select(run => run.Final.Loss)];
        int firstSeed = result.Comparison.Seeds[0];
        return Chart.Grid(
            "The wider the load is counted", 3,
            [
                Panel("Held-out loss", $"Loss − loss of {GlobalBatchPaper.Micro}", "nats/token", ("loss", run => run.Final.Loss - baseline[run.Config.Seed - firstSeed])),
                Panel("Specialisation", "I(domain; expert)", "nats", ("information", run => GlobalBatchPaper.Mean(run.Final, GlobalBatchPaper.Information))),
                Panel("Balance loss, above its minimum", "E Σ f P − K", "",
                    ("f of each sequence", Excess(balance => balance.SequenceLoss)), ("f of all", Excess(balance => balance.GlobalLoss))),
            ],
            shareAxes: false).WithCaption(SeedSpread.Caption(result));
    }

    /// <summary>The balance loss of arms on held-out text, its f counted in three scopes: how far each lies above the minimum, K.</summary>
    public static Figure BalanceLosses(ComparisonResult result, params string[] arms)
    {
        Series Bars(string name, Func<LayerBalance, double> loss) => Series.Of(name, arms.Select(arm => SeedSpread.Of(result.Of(arm).Select(Excess(loss)))));
        return Chart.Bars("One balance loss, three scopes", arms,
                Bars("f of each sequence", balance => balance.SequenceLoss),
                Bars("f of each domain", balance => balance.DomainLoss),
                Bars("f of all", balance => balance.GlobalLoss))
            .YAxis("E Σ f P − K, mean over layers")
            .WithSubtitle("Zero: perfectly even in that scope.")
            .WithCaption(SeedSpread.Caption(result));
    }

    private static Func<RunRecord, double> Excess(Func<LayerBalance, double> loss) =>
        run => GlobalBatchPaper.Mean(run.Final, layer => loss(layer.Balance!)) - ((RoutedConfig)run.Config.Model.FeedForward).TopK;
}
