// From a figure as it was made to the figure as it is drawn: limits settled, colours given out, numbers rounded below what a
// screen can show, long series thinned. Both renderers draw exactly this, so the live chart and the picture hold the same data.

namespace PaperLab.Display.Rendering;

internal static class DrawnFigure
{
    // What a panel's JSON may hold at full detail, so that there is room for a sharp picture beside it.
    private const int MostNumbers = 800;
    private const int MostCells = 1800;

    // A panel some 300 pixels high: a step of 1/2000 of its range is a seventh of a pixel.
    private const double StepsAcrossRange = 2000;

    /// <summary>The figure as drawn; <paramref name="detail"/> in (0, 1] scales the number of points; cells are averaged only past a fixed number.</summary>
    public static Figure Of(Figure figure, double detail = 1)
    {
        int numbers = figure.Panels.Max(panel => panel.Series.Sum(NumbersPerPoint));
        int pointsPerSeries = Math.Max(16, (int)(detail * MostNumbers / Math.Max(1, numbers)));
        // A tenth fewer points would save little and cost the even spacing.
        int longest = figure.Panels.SelectMany(panel => panel.Series).Select(series => series.Y.Count).DefaultIfEmpty().Max();
        pointsPerSeries = longest <= pointsPerSeries * 1.5 ? longest : pointsPerSeries;
        Panel[] panels = [.. Limits.Settle(figure.Panels, figure.ShareAxes)];
        Dictionary<string, string> colors = Colors(panels);
        return figure with
        {
            Caption = Caption(figure, pointsPerSeries, MostCells),
            Panels = [.. panels.Select(panel => panel with
            {
                Series = [.. panel.Series.Select(series => Drawn(series, panel, pointsPerSeries) with { Color = series.Color ?? colors[series.Name] })],
                Heatmap = panel.Heatmap is { } heatmap ? Drawn(heatmap, MostCells) : null,
            })],
        };
    }

    // Each edge of a band is a line of its own.
    private static int NumbersPerPoint(Series series) => series.Low is null ? 1 : 3;

    private static Dictionary<string, string> Colors(IEnumerable<Panel> panels)
    {
        var colors = new Dictionary<string, string>();
        foreach (string name in panels.SelectMany(panel => panel.Series).Where(series => series.Color is null).Select(series => series.Name))
        {
            colors.TryAdd(name, Palette.Categories[colors.Count % Palette.Categories.Count]);
        }

        return colors;
    }

    private static Series Drawn(Series series, Panel panel, int points)
    {
        int[] kept = series.Mark == Mark.Bar ? [.. Enumerable.Range(0, series.Y.Count)] : Thinning.Keep(series, points);
        return series with
        {
            X = Pick(series.X, kept, panel.X),
            Y = Pick(series.Y, kept, panel.Y),
            Low = series.Low is { } low ? Pick(low, kept, panel.Y) : null,
            High = series.High is { } high ? Pick(high, kept, panel.Y) : null,
        };
    }

    private static double[] Pick(IReadOnlyList<double> values, int[] kept, Axis axis) => [.. kept.Select(i => Rounded(values[i], axis))];

    private static double Rounded(double value, Axis axis)
    {
        if (!double.IsFinite(value))
        {
            return double.NaN;
        }

        return axis.Log ? Digits(value, 4) : ToStep(value, (axis.Max!.Value - axis.Min!.Value) / StepsAcrossRange);
    }

    private static HeatmapCells Drawn(HeatmapCells heatmap, int mostCells)
    {
        HeatmapCells cells = Thinning.Shrink(heatmap, mostCells);
        double step = (heatmap.Max!.Value - heatmap.Min!.Value) / (cells.ShowValues ? StepsAcrossRange : 200);
        return cells with { Values = [.. cells.Values.Select(row => (IReadOnlyList<double>)[.. row.Select(value => double.IsFinite(value) ? ToStep(value, step) : double.NaN)])] };
    }

    /// <summary>Rounds to the power of ten at or below <paramref name="step"/>.</summary>
    private static double ToStep(double value, double step)
    {
        int decimals = -(int)Math.Floor(Math.Log10(step));
        return decimals is >= 0 and <= 15 ? Math.Round(value, decimals) : decimals < 0 ? Math.Round(value) : value;
    }

    private static double Digits(double value, int digits) => double.Parse(value.ToString($"G{digits}"));

    // What is left out is said on the figure itself.
    private static string Caption(Figure figure, int points, int cells)
    {
        int longest = figure.Panels.SelectMany(panel => panel.Series).Where(series => series.Mark != Mark.Bar).Select(series => series.Y.Count).DefaultIfEmpty().Max();
        bool shrunk = figure.Panels.Any(panel => panel.Heatmap is { } heatmap && heatmap.Rows.Count * heatmap.Columns.Count > cells);
        string[] parts =
        [
            figure.Caption,
            longest > points ? $"Drawn from at most {points:N0} of {longest:N0} points a series." : "",
            shrunk ? "Neighbouring cells are averaged." : "",
        ];
        return string.Join(' ', parts.Where(part => part.Length > 0));
    }
}
