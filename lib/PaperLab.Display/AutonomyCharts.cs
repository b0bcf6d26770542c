// The figures of Autonomy-of-Experts: loss by d_low, how far norms lie apart, what it costs.

using PaperLab.Evaluation;
using PaperLab.Papers;
using PaperLab.Training;

namespace PaperLab.Display;

/// <summary>Draws what <see cref="AutonomyOfExpertsPaper"/> compares and measures.</summary>
public static class AutonomyCharts
{
    /// <summary>Held-out loss of AoE against the MoE with the balance loss, by d_low.</summary>
    public static Figure LossByRank(ComparisonResult result)
    {
        const string moe = AutonomyOfExpertsPaper.MoeAux;
        IReadOnlyList<(string Arm, int Rank)> ranks = AutonomyOfExpertsPaper.ByRank(result.Comparison);
        return Chart.Lines(
                "Held-out loss by d_low",
                Series.Of("AoE + aux", ranks.Select(rank => (double)rank.Rank), ranks.Select(rank => LossDifference(result, rank.Arm, moe))).AsLineWithPoints())
            .XAxis("d_low").YAxis($"Loss − loss of {moe}", "nats/token")
            .ReferenceY(0, moe)
            .WithCaption($"All with the parameters of {moe}. {SeedSpread.Caption(result)}");
    }

    /// <summary>Held-out loss of AoE against MoE where tokens take K experts, experts until their share reaches P, and where experts choose.</summary>
    public static Figure LossBySelection(ComparisonResult result)
    {
        (string Name, string Aoe, string Moe)[] pairs =
        [
            ("top-K", AutonomyOfExpertsPaper.AoeAux, AutonomyOfExpertsPaper.MoeAux),
            ("top-P", AutonomyOfExpertsPaper.AoeTopP, AutonomyOfExpertsPaper.MoeTopP),
            ("expert choice", AutonomyOfExpertsPaper.AoeExpertChoice, AutonomyOfExpertsPaper.MoeExpertChoice),
        ];
        return Chart.Bars("AoE against MoE, by kind of selection", [.. pairs.Select(pair => pair.Name)],
                Series.Of("AoE − MoE", pairs.Select(pair => LossDifference(result, pair.Aoe, pair.Moe))))
            .YAxis("Loss of AoE − loss of MoE", "nats/token")
            .WithSubtitle("Below zero: AoE is better. A bar whose interval crosses zero decides nothing.")
            .WithCaption(SeedSpread.Caption(result));
    }

    /// <summary>
    /// Each expert's scores on held-out text, layer by layer, first seed: the mean, and a bar of one standard deviation over the tokens to
    /// both sides.
    /// </summary>
    public static Figure Scores(ComparisonResult result, params string[] arms) =>
        Chart.Grid("Each expert's score: mean and spread over tokens", arms.Length, arms.Select(arm =>
        {
            IReadOnlyList<LayerRouting> layers = result.Of(arm)[0].Final.Routing;
            return Chart.Scatter(arm, layers.Select((layer, i) => Series
                    .Of($"layer {i + 1}", Enumerable.Range(1, layer.Load.Count).Select(expert => expert + ((i - ((layers.Count - 1) / 2.0)) * 0.15)), layer.MeanScore)
                    .WithBand(layer.MeanScore.Zip(layer.ScoreStd!, (mean, std) => mean - std), layer.MeanScore.Zip(layer.ScoreStd!, (mean, std) => mean + std))))
                .XAxis("Expert", whole: true).YAxis("Score");
        }), shareAxes: false).WithCaption($"Logits behind a router, norms where experts choose themselves. Seed {result.Comparison.Seeds[0]}.");

    /// <summary>Throughput and peak memory of every AoE against the MoE with as many experts.</summary>
    public static Figure Cost(ExpertCost cost)
    {
        IReadOnlyList<(string Aoe, string Moe)> pairs = AutonomyOfExpertsPaper.CostPairs(cost);
        Figure Bars(string title, Func<string, string, IReadOnlyList<double>> ratio) =>
            Chart.Bars(title, pairs.Select(pair => pair.Aoe["AoE, ".Length..]), Series.Of("AoE", pairs.Select(pair => Interval.OfMean(ratio(pair.Aoe, pair.Moe)))))
                .YAxis("AoE / MoE − 1", percent: true);
        Figure[] panels = [Bars("Tokens per second", cost.Throughput), .. cost.KnowsMemory ? [Bars("Peak memory", cost.Memory)] : Array.Empty<Figure>()];
        return Chart.Grid("What AoE costs against the MoE with as many experts", panels.Length, panels, shareAxes: false)
            .WithCaption($"Means of {cost.Grid.Rounds} rounds in which the models take turns, 95 % t interval.");
    }

    private static Interval LossDifference(ComparisonResult result, string arm, string baseline) =>
        SeedSpread.Of(result.Of(arm).Zip(result.Of(baseline), (ours, theirs) => ours.Final.Loss - theirs.Final.Loss));
}
