// A figure in words and blocks: what a reader in a terminal, or of a page without pictures, needs to follow the argument.

using System.Text;

namespace PaperLab.Display.Rendering;

internal static class FigureText
{
    private const int SparkWidth = 24;
    private const int MostRows = 24;
    private const string Blocks = "▁▂▃▄▅▆▇█";

    public static string Of(Figure figure)
    {
        var text = new StringBuilder();
        text.Append(figure.Title).Append('\n');
        AppendLine(text, figure.Subtitle);
        foreach (Panel panel in figure.Panels)
        {
            AppendLine(text, panel.Title.Length > 0 ? $"— {panel.Title} —" : "");
            text.Append(panel.Heatmap is { } heatmap ? Heatmap(panel, heatmap) : panel.Categories is not null ? Bars(panel) : Lines(panel));
            foreach (ReferenceLine line in panel.References)
            {
                text.Append($"  at {(line.Vertical ? "x" : "y")} = {NumberText.Value(line.Value)}: {line.Label}\n");
            }
        }

        AppendLine(text, figure.Caption);
        return text.ToString().TrimEnd();
    }

    private static void AppendLine(StringBuilder text, string line)
    {
        if (line.Length > 0)
        {
            text.Append(line).Append('\n');
        }
    }

    private static string Lines(Panel panel)
    {
        double[] x = [.. panel.Series.SelectMany(series => series.X).Where(double.IsFinite)];
        string header = $"y: {Describe(panel.Y)}; x: {Describe(panel.X)}{(x.Length == 0 ? "" : $" from {NumberText.Value(x.Min(), panel.X.Percent)} to {NumberText.Value(x.Max(), panel.X.Percent)}")}\n";
        string[][] rows = [["", "", "first", "last", "min", "max", "gaps"], .. panel.Series.Select(series => Row(series, panel))];
        if (panel.Series.All(series => series.Y.All(double.IsFinite)))
        {
            rows = [.. rows.Select(row => row[..^1])];
        }

        return header + TextGrid.Of(rows, leftColumns: 2, indent: "  ");
    }

    private static string[] Row(Series series, Panel panel)
    {
        bool percent = panel.Y.Percent;
        int[] finite = [.. Enumerable.Range(0, series.Y.Count).Where(i => double.IsFinite(series.Y[i]))];
        if (finite.Length == 0)
        {
            return [series.Name, "", "—", "—", "—", "—", $"{series.Y.Count}"];
        }

        int lowest = finite.MinBy(i => series.Y[i]), highest = finite.MaxBy(i => series.Y[i]);
        return
        [
            series.Name,
            series.Mark == Mark.Points ? "" : Spark(series.Y),
            NumberText.Value(series.Y[finite[0]], percent),
            NumberText.Value(series.Y[finite[^1]], percent) + Interval(series, finite[^1], percent),
            $"{NumberText.Value(series.Y[lowest], percent)} @ {NumberText.Value(series.X[lowest], panel.X.Percent)}",
            $"{NumberText.Value(series.Y[highest], percent)} @ {NumberText.Value(series.X[highest], panel.X.Percent)}",
            $"{series.Y.Count - finite.Length}",
        ];
    }

    private static string Bars(Panel panel)
    {
        string header = $"y: {Describe(panel.Y)}{(panel.X.Title.Length > 0 ? $"; x: {panel.X.Title}" : "")}\n";
        IReadOnlyList<string> categories = panel.Categories!;
        string[][] rows =
        [
            ["", .. panel.Series.Select(series => series.Name)],
            .. categories.Take(MostRows).Select((category, i) => (string[])[category, .. panel.Series.Select(series => NumberText.Value(series.Y[i], panel.Y.Percent) + Interval(series, i, panel.Y.Percent))]),
        ];
        string more = categories.Count > MostRows ? $"  … and {categories.Count - MostRows} more\n" : "";
        return header + TextGrid.Of(rows, leftColumns: 1, indent: "  ") + more;
    }

    private static string Heatmap(Panel panel, HeatmapCells heatmap)
    {
        string header = $"colour: {(heatmap.ValueLabel.Length > 0 ? heatmap.ValueLabel : "value")}; rows: {Named(panel.Y, "rows")}; columns: {Named(panel.X, "columns")}\n";
        if (heatmap.Rows.Count <= MostRows && heatmap.Columns.Count <= 12)
        {
            string[][] rows = [["", .. heatmap.Columns], .. heatmap.Rows.Select((row, i) => (string[])[row, .. heatmap.Values[i].Select(value => double.IsFinite(value) ? NumberText.Cell(value, heatmap.Format) : "·")])];
            return header + TextGrid.Of(rows, leftColumns: 1, indent: "  ");
        }

        (double Value, string Where)[] cells = [.. heatmap.Values.SelectMany((row, r) => row.Select((value, c) => (value, $"{heatmap.Rows[r]}, {heatmap.Columns[c]}"))).Where(cell => double.IsFinite(cell.value))];
        return cells.Length == 0
            ? header + "  all cells are empty\n"
            : header + $"  {heatmap.Rows.Count} × {heatmap.Columns.Count} cells; lowest {cells.MinBy(cell => cell.Value).Value.ToString(heatmap.Format)} at {cells.MinBy(cell => cell.Value).Where}; highest {cells.MaxBy(cell => cell.Value).Value.ToString(heatmap.Format)} at {cells.MaxBy(cell => cell.Value).Where}; mean {cells.Average(cell => cell.Value).ToString(heatmap.Format)}\n";
    }

    private static string Interval(Series series, int at, bool percent) =>
        series.Low is { } low && double.IsFinite(low[at]) && double.IsFinite(series.High![at])
            ? $" [{NumberText.Value(low[at], percent)}, {NumberText.Value(series.High[at], percent)}]"
            : "";

    /// <summary>A line in eighths of a letter's height: means of equal stretches.</summary>
    private static string Spark(IReadOnlyList<double> values)
    {
        double[] finite = [.. values.Where(double.IsFinite)];
        double min = finite.Min(), range = finite.Max() - min;
        int width = Math.Min(SparkWidth, values.Count);
        return string.Concat(Enumerable.Range(0, width).Select(i =>
        {
            double[] stretch = [.. values.Skip(i * values.Count / width).Take(((i + 1) * values.Count / width) - (i * values.Count / width)).Where(double.IsFinite)];
            // A mean of equal values may come out below them.
            return stretch.Length == 0 ? ' ' : range == 0 ? Blocks[3] : Blocks[(int)Math.Clamp((stretch.Average() - min) / range * 8, 0, 7)];
        }));
    }

    private static string Describe(Axis axis) => (axis.Title.Length > 0 ? axis.Title : "value") + (axis.Log ? ", logarithmic" : "");

    private static string Named(Axis axis, string otherwise) => axis.Title.Length > 0 ? axis.Title : otherwise;
}
