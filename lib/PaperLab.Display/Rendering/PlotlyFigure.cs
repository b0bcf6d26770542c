// The live chart: Plotly.NET traces and layout, without its template and its random ids.
// Plotly.NET's objects take any Plotly attribute by name, and the names here are those of Plotly's reference.

using Microsoft.FSharp.Collections;
using Plotly.NET;

namespace PaperLab.Display.Rendering;

internal static class PlotlyFigure
{
    /// <summary>The figure as JSON with data and layout.</summary>
    public static string Of(Figure figure, FigureLayout layout)
    {
        string[] names = [.. figure.Panels.SelectMany(panel => panel.Series).Select(series => series.Name).Distinct()];
        var named = new HashSet<string>();
        Trace[] traces = [.. figure.Panels.SelectMany((panel, i) => Traces(panel, i + 1, names, named, layout))];
        GenericChart chart = GenericChart.ofTraceObjects(false, ListModule.OfSeq(traces));
        string json = GenericChart.toFigureJson(GenericChart.setLayout(PlotlyLayout.Of(figure, layout), chart));
        return json.Replace(",\"frames\":[]", "");
    }

    private static IEnumerable<Trace> Traces(Panel panel, int number, string[] names, HashSet<string> named, FigureLayout layout)
    {
        if (panel.Heatmap is { } heatmap)
        {
            yield return HeatmapTrace(heatmap, number, layout);
        }

        foreach (Series series in panel.Series)
        {
            int index = Array.IndexOf(names, series.Name);
            if (series.Low is not null && series.Mark is Mark.Line or Mark.LineWithPoints)
            {
                foreach (Trace edge in Band(series, number))
                {
                    yield return edge;
                }
            }

            Trace trace = series.Mark == Mark.Bar ? BarTrace(panel, series, number) : ScatterTrace(panel, series, number, index);
            // One legend entry for each name; a click on it switches the series in every panel.
            trace.SetProperty("legendgroup", series.Name);
            trace.SetProperty("showlegend", names.Length > 1 && named.Add(series.Name));
            yield return trace;
        }
    }

    private static Trace2D ScatterTrace(Panel panel, Series series, int number, int index)
    {
        Trace2D trace = OnAxes("scatter", number);
        trace.SetProperty("name", series.Name);
        SetX(trace, series.X);
        trace.SetProperty("y", Numbers(series.Y));
        trace.SetProperty("mode", series.Mark switch { Mark.Points => "markers", Mark.Line => "lines", _ => "lines+markers" });
        if (series.Mark != Mark.Points)
        {
            trace.SetProperty("line", new { color = series.Color, width = Style.LineWidth(panel.Series.Count), dash = Style.IsDashed(series, index) ? "dash" : "solid" });
        }

        if (series.Mark != Mark.Line)
        {
            trace.SetProperty("marker", new { color = series.Color, size = 7, symbol = Symbol(index), opacity = Style.PointOpacity(series.Y.Count) });
        }

        if (series.Low is not null && series.Mark == Mark.Points)
        {
            trace.SetProperty("error_y", Errors(series, series.Color!));
        }

        return trace;
    }

    private static Trace2D BarTrace(Panel panel, Series series, int number)
    {
        Trace2D trace = OnAxes("bar", number);
        trace.SetProperty("name", series.Name);
        trace.SetProperty("x", panel.Categories!);
        trace.SetProperty("y", Numbers(series.Y));
        trace.SetProperty("marker", new { color = series.Color });
        if (series.Low is not null)
        {
            trace.SetProperty("error_y", Errors(series, Style.Ink));
        }

        return trace;
    }

    // The upper edge, then the lower one filled up to it; a click in the legend takes them away with their line.
    private static IEnumerable<Trace> Band(Series series, int number)
    {
        (byte red, byte green, byte blue) = Palette.Parse(series.Color!);
        foreach ((IReadOnlyList<double> edge, string fill) in new[] { (series.High!, "none"), (series.Low!, "tonexty") })
        {
            Trace2D trace = OnAxes("scatter", number);
            SetX(trace, series.X);
            trace.SetProperty("y", Numbers(edge));
            trace.SetProperty("mode", "lines");
            trace.SetProperty("line", new { width = 0 });
            if (fill != "none")
            {
                trace.SetProperty("fill", fill);
                trace.SetProperty("fillcolor", FormattableString.Invariant($"rgba({red},{green},{blue},{Style.BandOpacity})"));
            }

            trace.SetProperty("hoverinfo", "skip");
            trace.SetProperty("legendgroup", series.Name);
            trace.SetProperty("showlegend", false);
            yield return trace;
        }
    }

    private static Trace2D HeatmapTrace(HeatmapCells heatmap, int number, FigureLayout layout)
    {
        Trace2D trace = OnAxes("heatmap", number);
        trace.SetProperty("x", heatmap.Columns);
        trace.SetProperty("y", heatmap.Rows);
        trace.SetProperty("z", heatmap.Values.Select(Numbers));
        IReadOnlyList<string> map = PngPanel.Map(heatmap);
        trace.SetProperty("colorscale", map.Select((color, i) => new object[] { i / (double)(map.Count - 1), color }));
        trace.SetProperty("zmin", heatmap.Min!.Value);
        trace.SetProperty("zmax", heatmap.Max!.Value);
        trace.SetProperty("hoverongaps", false);
        string format = D3Format(heatmap.Format);
        trace.SetProperty("hovertemplate", $"%{{y}}, %{{x}}: %{{z:{format}}}<extra></extra>");
        if (layout.Panels[number - 1].ShowValues)
        {
            trace.SetProperty("texttemplate", $"%{{z:{format}}}");
            trace.SetProperty("textfont", new { size = Style.TickSize });
        }

        trace.SetProperty("showscale", layout.Panels[number - 1].ShowColorBar);
        trace.SetProperty("colorbar", PlotlyLayout.ColorBar(heatmap, layout, number));
        return trace;
    }

    private static Trace2D OnAxes(string type, int number)
    {
        var trace = new Trace2D(type);
        if (number > 1)
        {
            trace.SetProperty("xaxis", $"x{number}");
            trace.SetProperty("yaxis", $"y{number}");
        }

        return trace;
    }

    // Evenly spaced positions need two numbers instead of a list.
    private static void SetX(Trace2D trace, IReadOnlyList<double> x)
    {
        double step = x.Count > 2 ? (x[^1] - x[0]) / (x.Count - 1) : 0;
        if (step > 0 && x.Index().All(point => Math.Abs(point.Item - (x[0] + (point.Index * step))) <= step * 1e-9))
        {
            trace.SetProperty("x0", Number(x[0])!);
            trace.SetProperty("dx", Number(step)!);
            return;
        }

        trace.SetProperty("x", Numbers(x));
    }

    private static object Errors(Series series, string color) => new
    {
        type = "data",
        symmetric = false,
        array = Numbers([.. series.High!.Zip(series.Y, (high, y) => high - y)]),
        arrayminus = Numbers([.. series.Y.Zip(series.Low!, (y, low) => y - low)]),
        color,
        thickness = 1.4,
        width = 4,
    };

    private static object?[] Numbers(IReadOnlyList<double> values) => [.. values.Select(Number)];

    // Whole numbers without ".0"; a gap is null; differences lose the noise of the last bits.
    private static object? Number(double value) =>
        !double.IsFinite(value) ? null : value == Math.Floor(value) && Math.Abs(value) < 1e15 ? (object)(long)value : double.Parse(value.ToString("G9"));

    private static string Symbol(int index) => (index % 5) switch
    {
        0 => "circle",
        1 => "square",
        2 => "triangle-up",
        3 => "diamond",
        _ => "triangle-down",
    };

    /// <summary>The d3 format that reads like a .NET one: G3, F2, N0, P1.</summary>
    private static string D3Format(string format) => (format[0], format[1..]) switch
    {
        ('P', var digits) => $".{digits}%",
        ('F', var digits) => $".{digits}f",
        ('N', var digits) => $",.{digits}f",
        (_, var digits) => $".{digits}~g",
    };
}
