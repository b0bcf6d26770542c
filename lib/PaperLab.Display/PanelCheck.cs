// What a panel must satisfy before anything is drawn, with errors that name the series, the place and the value.

namespace PaperLab.Display;

internal static class PanelCheck
{
    public static void Require(Panel panel)
    {
        foreach (Series series in panel.Series)
        {
            RequireSeries(series);
        }

        RequireScale(panel, panel.X, "x", series => series.X);
        RequireScale(panel, panel.Y, "y", series => series.Y);
        if (panel.Categories is { } categories)
        {
            foreach (Series series in panel.Series.Where(series => series.Mark == Mark.Bar && series.Y.Count != categories.Count))
            {
                throw new ArgumentException($"Series \"{series.Name}\" has {series.Y.Count} values for {categories.Count} categories.");
            }
        }

        if (panel.Heatmap is { } heatmap)
        {
            RequireHeatmap(heatmap);
        }
    }

    private static void RequireSeries(Series series)
    {
        if (string.IsNullOrWhiteSpace(series.Name))
        {
            throw new ArgumentException("A series has no name; the legend and the text summary need one.");
        }

        if (series.Y.Count == 0)
        {
            throw new ArgumentException($"Series \"{series.Name}\" is empty.");
        }

        if (series.X.Count != series.Y.Count)
        {
            throw new ArgumentException($"Series \"{series.Name}\" has {series.X.Count} x values and {series.Y.Count} y values; they must be as many.");
        }

        if (series.Low is not null != series.High is not null)
        {
            throw new ArgumentException($"Series \"{series.Name}\" has only one end of its intervals; give both or none.");
        }

        if (series.Low is { } low && series.High is { } high)
        {
            RequireBand(series, low, high);
        }

        if (series.Color is { } color && !Palette.IsColor(color))
        {
            throw new ArgumentException($"Series \"{series.Name}\" asks for the colour \"{color}\"; write it as #rrggbb.");
        }
    }

    private static void RequireBand(Series series, IReadOnlyList<double> low, IReadOnlyList<double> high)
    {
        if (low.Count != series.Y.Count || high.Count != series.Y.Count)
        {
            throw new ArgumentException($"Series \"{series.Name}\" has {series.Y.Count} values, {low.Count} lower and {high.Count} upper ends; they must be as many.");
        }

        for (int i = 0; i < low.Count; i++)
        {
            if (low[i] > high[i])
            {
                throw new ArgumentException($"Series \"{series.Name}\", value {i}: the interval's lower end {low[i]} is above its upper end {high[i]}.");
            }
        }
    }

    private static void RequireScale(Panel panel, Axis axis, string which, Func<Series, IReadOnlyList<double>> values)
    {
        if (axis.Min >= axis.Max)
        {
            throw new ArgumentException($"The {which} axis \"{axis.Label}\" runs from {axis.Min} to {axis.Max}; its lower limit must be below its upper one.");
        }

        if (!axis.Log)
        {
            return;
        }

        if (axis.Min <= 0)
        {
            throw new ArgumentException($"The {which} axis \"{axis.Label}\" is logarithmic and begins at {axis.Min}; it must begin above zero.");
        }

        foreach (Series series in panel.Series)
        {
            IReadOnlyList<double> own = values(series);
            for (int i = 0; i < own.Count; i++)
            {
                if (own[i] <= 0)
                {
                    throw new ArgumentException($"The {which} axis \"{axis.Label}\" is logarithmic, but value {i} of series \"{series.Name}\" is {own[i]}; it must be above zero.");
                }
            }
        }
    }

    private static void RequireHeatmap(HeatmapCells heatmap)
    {
        if (heatmap.Rows.Count == 0 || heatmap.Columns.Count == 0)
        {
            throw new ArgumentException($"A heatmap needs at least one row and one column; there are {heatmap.Rows.Count} and {heatmap.Columns.Count}.");
        }

        if (heatmap.Values.Count != heatmap.Rows.Count)
        {
            throw new ArgumentException($"The heatmap has {heatmap.Values.Count} rows of values and {heatmap.Rows.Count} row labels.");
        }

        // The live chart reads these four too; a custom .NET format would show every digit there.
        if (heatmap.Format is not ['F' or 'G' or 'N' or 'P', .. var digits] || (digits.Length > 0 && !int.TryParse(digits, out _)))
        {
            throw new ArgumentException($"The heatmap's number format is \"{heatmap.Format}\"; allowed are F, G, N and P with a number of digits, as in F2.");
        }

        for (int row = 0; row < heatmap.Values.Count; row++)
        {
            if (heatmap.Values[row].Count != heatmap.Columns.Count)
            {
                throw new ArgumentException($"Row \"{heatmap.Rows[row]}\" of the heatmap has {heatmap.Values[row].Count} values; there are {heatmap.Columns.Count} columns.");
            }
        }
    }
}
