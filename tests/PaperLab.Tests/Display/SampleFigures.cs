// The figures that several tests draw: one of each kind, with values that follow from formulas.

using PaperLab.Display;

namespace PaperLab.Tests.Display;

internal static class SampleFigures
{
    public static IReadOnlyList<string> Names { get; } = ["lines", "bars", "heatmap", "scatter", "grid"];

    public static Figure Named(string name) => name switch
    {
        "lines" => Lines(),
        "bars" => Bars(),
        "heatmap" => Heatmap(),
        "scatter" => Scatter(),
        "grid" => Chart.Grid("Four panels", 2, Enumerable.Range(1, 4).Select(i => Lines() with { Title = $"layer {i}" })),
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "There is no such sample."),
    };

    public static Figure Lines()
    {
        double[] steps = [.. Enumerable.Range(0, 101).Select(i => i * 20.0)];
        double[] loss = [.. steps.Select(step => 2.3 + (3.2 * Math.Exp(-step / 420)))];
        return Chart.Lines(
                "Held-out loss",
                Series.Of("AoE", steps, loss).WithBand(loss.Select(value => value - 0.1), loss.Select(value => value + 0.1)),
                Series.Of("MoE", steps, loss.Select((value, i) => value + 0.1 + (0.02 * Math.Sin(i)))))
            .XAxis("step").YAxis("loss", "nats/token").WithSubtitle("8 experts, top-2").WithCaption("Band: ± 0.1.").ReferenceY(4, "bigram entropy");
    }

    public static Figure Bars() =>
        Chart.Bars("Load per expert", ["E1", "E2", "E3"], Series.Of("MoE", [0.5, 0.3, 0.2]).WithBand([0.45, 0.25, 0.15], [0.55, 0.35, 0.25]), Series.Of("AoE", [0.35, 0.33, 0.32]))
            .XAxis("expert").YAxis("share of tokens", percent: true);

    public static Figure Heatmap() =>
        Chart.Heatmap("Confidence by depth", ["layer 1", "layer 2"], ["E1", "E2", "E3"], new double[,] { { 0.1, 0.2, 0.7 }, { 0.3, double.NaN, 0.4 } }, "mean weight", format: "F2");

    public static Figure Scatter()
    {
        double[] x = [.. Enumerable.Range(0, 60).Select(i => Math.Sin(i) * 3)];
        return Chart.Scatter("Norm against logit", Series.Of("chosen", x, x.Select((value, i) => value + Math.Cos(i * 7))), Series.Of("not chosen", x, x.Select((value, i) => (value / 2) + Math.Cos(i * 3)))).XAxis("norm").YAxis("logit");
    }
}
