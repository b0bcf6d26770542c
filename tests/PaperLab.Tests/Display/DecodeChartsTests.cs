using PaperLab.Display;
using PaperLab.Papers;
using PaperLab.Training;

namespace PaperLab.Tests.Display;

public sealed class DecodeChartsTests : TorchTest
{
    // SIGMA attends at half the price and pays 1 ms for its query: 0.01 ms a cached token against 0.02.
    private static readonly DecodeCost s_cost = new(
        DiffQkvPaper.Decoding("standard")[0] with { Lengths = [50, 200], Rounds = 1 },
        RunEnvironment.Of(TorchRuntime.Initialize("cpu", threads: 1)),
        [.. new[] { 50, 200 }.SelectMany(length => new[]
        {
            new DecodeCell(DiffQkvPaper.Gqa16, length, 0, [new TokenCost(0, 1, 0.02 * length, 0)]),
            new DecodeCell(DiffQkvPaper.Gqa4, length, 0, [new TokenCost(0, 1, 0.005 * length, 0)]),
            new DecodeCell(DiffQkvPaper.Sigma, length, 0, [new TokenCost(0, 1, 0.01 * length, 1)]),
        })]);

    [Fact]
    public void The_title_says_where_lines_cross()
    {
        Assert.Equal("One sequence: lines cross at 100", DecodeCharts.Total(s_cost, DiffQkvPaper.Sigma, DiffQkvPaper.Gqa16).Title);
        Assert.Equal("One sequence: lines do not cross", DecodeCharts.Total(s_cost, DiffQkvPaper.Sigma, DiffQkvPaper.Gqa4).Title);
    }

    [Fact]
    public void Savings_stand_where_an_output_was_measured_and_nowhere_else()
    {
        HeatmapCells cells = DecodeCharts.Savings(s_cost, DiffQkvPaper.Sigma, DiffQkvPaper.Gqa16).Panels[0].Heatmap!;

        Assert.Equal(["prefix 0", "prefix 50"], cells.Rows);
        Assert.Equal(["output 50", "output 200"], cells.Columns);
        Assert.Equal(-50, cells.Values[0][0], 9); // 1.5 ms against 1, level up to the shortest length
        Assert.Equal(double.NaN, cells.Values[1][1]); // 250 tokens
    }

    [Fact]
    public void Parts_and_ways_to_store_are_drawn_by_name()
    {
        Assert.Equal([DiffQkvPaper.Gqa16, DiffQkvPaper.Gqa4, DiffQkvPaper.Sigma], DecodeCharts.Parts(s_cost, 200).Panels[0].Series.Select(series => series.Name));
        Assert.Equal([0.0, 2, 1], DecodeCharts.Parts(s_cost, 200).Panels[0].Series[2].Y);
        Assert.Equal([[0.0, 0], [1, 1]], DecodeCharts.Store(s_cost, DiffQkvPaper.Sigma).Panels[0].Series.Select(series => series.Y));
    }
}
