// The factory calls a notebook makes: one for each kind of figure.

namespace PaperLab.Display;

/// <summary>Makes figures. Axis labels, subtitle, caption and reference lines follow as calls on the <see cref="Figure"/>.</summary>
public static class Chart
{
    // Beyond this many cells the numbers no longer fit into them.
    private const int MostCellsWithValues = 160;

    /// <summary>Lines, with a confidence band around each series that has intervals.</summary>
    public static Figure Lines(string title, params IEnumerable<Series> series) => Single(title, new Panel { Series = [.. series.Select(DefaultMark(Mark.Line))] });

    /// <summary>Points, with error bars where a series has intervals.</summary>
    public static Figure Scatter(string title, params IEnumerable<Series> series) => Single(title, new Panel { Series = [.. series.Select(DefaultMark(Mark.Points))] });

    /// <summary>Grouped bars from zero, with error bars where a series has intervals.</summary>
    /// <param name="title">What the figure shows.</param>
    /// <param name="categories">Names along x.</param>
    /// <param name="series">One value for each category.</param>
    public static Figure Bars(string title, IEnumerable<string> categories, params IEnumerable<Series> series) =>
        Single(title, new Panel { Categories = [.. categories], Series = [.. series.Select(DefaultMark(Mark.Bar))] });

    /// <summary>A heatmap with the first row on top.</summary>
    /// <param name="title">What the figure shows.</param>
    /// <param name="rows">Row labels, top to bottom.</param>
    /// <param name="columns">Column labels, left to right.</param>
    /// <param name="values">[row, column]; a value that is not finite is an empty cell.</param>
    /// <param name="valueLabel">What the colour measures, with its unit.</param>
    /// <param name="midpoint">Set for a diverging colour map around this value; null for a sequential one.</param>
    /// <param name="format">The .NET number format of values in cells.</param>
    public static Figure Heatmap(string title, IEnumerable<string> rows, IEnumerable<string> columns, double[,] values, string valueLabel = "", double? midpoint = null, string format = "G3")
    {
        string[] columnLabels = [.. columns];
        var cells = new HeatmapCells
        {
            Rows = [.. rows],
            Columns = columnLabels,
            Values = [.. Enumerable.Range(0, values.GetLength(0)).Select(row => Row(values, row))],
            ValueLabel = valueLabel,
            Midpoint = midpoint,
            Format = format,
            ShowValues = values.Length <= MostCellsWithValues && columnLabels.Length <= 16,
        };
        return Single(title, new Panel { Heatmap = cells });
    }

    /// <summary>Small multiples: the panels of several figures in one, row by row, with one legend.</summary>
    /// <param name="title">What the whole figure shows.</param>
    /// <param name="columns">Panels in a row.</param>
    /// <param name="figures">Their titles become panel titles.</param>
    /// <param name="shareAxes">Gives all panels the same limits (and heatmaps the same colours), so that they compare by eye.</param>
    public static Figure Grid(string title, int columns, IEnumerable<Figure> figures, bool shareAxes = true)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        Panel[] panels = [.. figures.SelectMany(figure => figure.Panels.Select(panel => panel with { Title = panel.Title.Length > 0 ? panel.Title : figure.Title }))];
        if (panels.Length == 0)
        {
            throw new ArgumentException($"The grid \"{title}\" has no figures.", nameof(figures));
        }

        return new Figure
        {
            Title = title,
            Columns = Math.Min(columns, panels.Length),
            ShareAxes = shareAxes,
            Panels = panels,
        };
    }

    internal static Func<Series, Series> DefaultMark(Mark mark) => series => series.Mark == Mark.Auto ? series with { Mark = mark } : series;

    private static Figure Single(string title, Panel panel)
    {
        if (panel.Heatmap is null && panel.Series.Count == 0)
        {
            throw new ArgumentException($"The chart \"{title}\" has no series.");
        }

        PanelCheck.Require(panel);
        return new Figure { Title = title, Panels = [panel] };
    }

    private static double[] Row(double[,] values, int row) => [.. Enumerable.Range(0, values.GetLength(1)).Select(column => values[row, column])];
}
