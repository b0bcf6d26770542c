using System.Text.Json;
using PaperLab.Display;

namespace PaperLab.Tests.Display;

/// <summary>Data that figures meet in practice and that are easy to draw wrongly, or not at all.</summary>
public sealed class FigureEdgeTests
{
    public static TheoryData<string> Names => [.. Figures.Keys];

    private static Dictionary<string, Figure> Figures => new()
    {
        ["one point"] = Chart.Lines("t", Series.Of("a", [1])),
        ["constant"] = Chart.Lines("t", Series.Of("a", [5, 5, 5])),
        ["nothing finite"] = Chart.Lines("t", Series.Of("a", [double.NaN, double.PositiveInfinity])),
        ["diverged from the first step"] = Chart.Lines("t", Series.Of("a", [double.NaN, double.NaN]), Series.Of("b", [1, 2])),
        ["tiny numbers"] = Chart.Lines("t", Series.Of("a", [1e-12, 3e-12, 2e-12])),
        ["huge numbers"] = Chart.Lines("t", Series.Of("a", [1e18, 3e18, 2e18])),
        ["negative bars"] = Chart.Bars("t", ["x", "y"], Series.Of("a", [-1, 2])),
        ["bars with a gap"] = Chart.Bars("t", ["x", "y"], Series.Of("a", [double.NaN, 2]).WithBand([double.NaN, 1], [double.NaN, 3])),
        ["logarithmic bars"] = Chart.Bars("t", ["x", "y"], Series.Of("a", [1, 1000])).YAxis("n", log: true),
        ["band below zero on a logarithmic axis"] = Chart.Lines("t", Series.Of("a", [1, 2]).WithBand([-1, 1], [2, 3])).YAxis("n", log: true),
        ["logarithm within one decade"] = Chart.Lines("t", Series.Of("a", [2.1, 2.4])).YAxis("n", log: true),
        ["logarithm over thirty decades"] = Chart.Lines("t", Series.Of("a", [1e-15, 1e15])).YAxis("n", log: true),
        ["one cell"] = Chart.Heatmap("t", ["r"], ["c"], new double[,] { { 1 } }),
        ["empty cells"] = Chart.Heatmap("t", ["r"], ["c", "d"], new double[,] { { double.NaN, double.NaN } }),
        ["wide heatmap"] = Chart.Heatmap("t", ["r"], Enumerable.Range(0, 300).Select(i => $"{i}"), new double[1, 300]),
        ["tall heatmap"] = Chart.Heatmap("t", Enumerable.Range(0, 300).Select(i => $"{i}"), ["c"], new double[300, 1]),
        ["names that do not fit"] = Chart.Bars("t", Enumerable.Range(0, 60).Select(i => $"a rather long category name {i}"), Series.Of("a", Enumerable.Range(0, 60).Select(i => (double)i))),
        ["a long title"] = Chart.Lines(string.Join(' ', Enumerable.Repeat("word", 60)), Series.Of("a", [1, 2])),
        ["no words"] = Chart.Lines("", Series.Of("a", [1, 2])),
        ["twenty series"] = Chart.Lines("t", Enumerable.Range(0, 20).Select(i => Series.Of($"series {i}", [i, i + 1]))),
        ["unordered x"] = Chart.Lines("t", Series.Of("a", [3, 1, 2], [1, 2, 3])),
        ["a grid with a hole"] = Chart.Grid("t", 2, [Chart.Lines("p", Series.Of("a", [1, 2])), Chart.Bars("q", ["x"], Series.Of("a", [1])), Chart.Heatmap("r", ["r"], ["c"], new double[,] { { 1 } })]),
        ["limits inside the data"] = Chart.Lines("t", Series.Of("a", [1, 100])).YAxis("y", min: 0, max: 10),
    };

    [Fact]
    public void A_heatmaps_row_names_are_in_its_picture()
    {
        // Names of the same width, so that nothing but the letters themselves can differ.
        byte[] one = Chart.Heatmap("t", ["69"], ["c"], new double[,] { { 1 } }).ToPng();
        byte[] other = Chart.Heatmap("t", ["96"], ["c"], new double[,] { { 1 } }).ToPng();

        Assert.NotEqual(one, other);
    }

    [Fact]
    public void Values_that_differ_by_rounding_alone_have_a_text_too()
    {
        // The mean of three times 0.7 is a little less than 0.7.
        double[] values = [.. Enumerable.Repeat(0.7, 119), Math.BitIncrement(0.7)];

        Assert.Contains("t", Chart.Lines("t", Series.Of("line", values)).ToString());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void It_is_drawn_in_every_form(string name)
    {
        Figure figure = Figures[name];

        Assert.InRange(figure.ToPng().Length, 500, 22_000);
        using JsonDocument json = JsonDocument.Parse(figure.ToPlotlyJson());
        Assert.NotEmpty(json.RootElement.GetProperty("data").EnumerateArray());
        Assert.DoesNotContain("NaN", figure.ToHtml()[..200]);
        Assert.Contains("data:image/png;base64,", figure.ToHtml());
        Assert.NotNull(figure.ToString());
    }
}
