// The limits of axes and colour maps, settled once so that the live chart and the picture agree to the last pixel.

namespace PaperLab.Display.Rendering;

internal static class Limits
{
    // Room beyond the data on each side, as a share of their range (of the decades on a logarithmic axis).
    private const double Room = 0.04;

    /// <summary>Settles every unset limit: from each panel's own data, or from all panels' data where axes are shared.</summary>
    public static Panel[] Settle(IReadOnlyList<Panel> panels, bool shared)
    {
        Panel[] charts = [.. panels.Where(panel => panel.Heatmap is null)];
        Panel[] maps = [.. panels.Where(panel => panel.Heatmap is not null)];
        return [.. panels.Select(panel => panel.Heatmap is { } heatmap
            ? panel with { Heatmap = WithRange(heatmap, shared ? maps : [panel]) }
            : WithLimits(panel, shared ? charts : [panel]))];
    }

    private static Panel WithLimits(Panel panel, Panel[] together)
    {
        (double xMin, double xMax) = panel.Categories is { } categories
            ? (-0.5, categories.Count - 0.5)
            : Of(together, panel.X, series => series.X, references: true);
        (double yMin, double yMax) = Of(together, panel.Y, YValues, references: false);
        return panel with
        {
            X = panel.X with { Min = panel.X.Min ?? xMin, Max = panel.X.Max ?? xMax },
            Y = panel.Y with { Min = panel.Y.Min ?? yMin, Max = panel.Y.Max ?? yMax },
        };
    }

    private static (double Min, double Max) Of(Panel[] panels, Axis axis, Func<Series, IEnumerable<double>> values, bool references)
    {
        // A reference line belongs to the picture: chance level must be in sight even when every value is far above it.
        IEnumerable<double> lines = panels.SelectMany(panel => panel.References).Where(line => line.Vertical == references).Select(line => line.Value);
        double[] finite = [.. panels.SelectMany(panel => panel.Series).SelectMany(values).Concat(lines).Where(value => double.IsFinite(value) && (!axis.Log || value > 0))];
        bool bars = panels.Any(panel => panel.Series.Any(series => series.Mark == Mark.Bar)) && !references && !axis.Log;
        if (finite.Length == 0)
        {
            return axis.Log ? (1, 10) : (0, 1);
        }

        (double low, double high) = (finite.Min(), finite.Max());
        if (bars)
        {
            (low, high) = (Math.Min(low, 0), Math.Max(high, 0));
        }

        (double from, double to) = axis.Log ? (Math.Log10(low), Math.Log10(high)) : (low, high);
        double room = to > from ? (to - from) * Room : axis.Log ? 0.3 : Math.Max(Math.Abs(to) * 0.1, 0.5);
        from -= bars && low == 0 ? 0 : room;
        to += bars && high == 0 ? 0 : room;
        return axis.Log ? (Math.Pow(10, from), Math.Pow(10, to)) : (from, to);
    }

    private static IEnumerable<double> YValues(Series series) => series.Y.Concat(series.Low ?? []).Concat(series.High ?? []);

    private static HeatmapCells WithRange(HeatmapCells heatmap, Panel[] together)
    {
        double[] cells = [.. together.SelectMany(panel => panel.Heatmap!.Values).SelectMany(row => row).Where(double.IsFinite)];
        double min = heatmap.Min ?? (cells.Length == 0 ? 0 : cells.Min());
        double max = heatmap.Max ?? (cells.Length == 0 ? 1 : cells.Max());
        if (heatmap.Midpoint is { } middle)
        {
            double reach = Math.Max(Math.Abs(max - middle), Math.Abs(middle - min));
            (min, max) = (middle - reach, middle + reach);
        }

        return heatmap with { Min = min, Max = max > min ? max : min + 1 };
    }
}
