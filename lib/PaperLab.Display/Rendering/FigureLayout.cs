// Where everything in a figure lies, measured with the picture's own typeface: header, legend, panels, colour bars, caption.
// The live chart takes its margins from here, so both versions have the same shape and nothing ever covers data.

using SkiaSharp;

namespace PaperLab.Display.Rendering;

/// <summary>A word of the legend and where it stands; X and Y are the left end and the middle of its swatch.</summary>
internal sealed record LegendEntry(Series Series, int Index, float X, float Y);

/// <summary>A panel's data rectangle and the tick labels around it.</summary>
internal sealed record PanelLayout
{
    public required SKRect Data { get; init; }

    public required AxisTick[] XTicks { get; init; }

    public required AxisTick[] YTicks { get; init; }

    public required bool ShowXLabels { get; init; }

    public required bool ShowYLabels { get; init; }

    /// <summary>Category labels are turned when they would run into each other.</summary>
    public required bool TurnedXLabels { get; init; }

    /// <summary>Height of the x tick labels below the data rectangle.</summary>
    public required float XLabelHeight { get; init; }

    /// <summary>Width of the y tick labels left of the data rectangle.</summary>
    public required float YLabelWidth { get; init; }

    /// <summary>Whether a heatmap's values fit into its cells and are wanted there.</summary>
    public required bool ShowValues { get; init; }

    /// <summary>Panels with the same colours share the colour bar of the last one in the row.</summary>
    public required bool ShowColorBar { get; init; }
}

internal sealed record FigureLayout
{
    private const float LegendRow = 21;
    private const float SwatchWidth = 22;
    private const float ColorBarWidth = 74;
    private const float Between = 16;
    private const int ShortName = 5;
    private const float TurnedSpacing = 23;
    private const float TurnedAngleSine = 0.6f;
    private const float TurnedAngleCosine = 0.82f;

    public required int Width { get; init; }

    public required int Height { get; init; }

    public required IReadOnlyList<string> TitleLines { get; init; }

    public required IReadOnlyList<string> SubtitleLines { get; init; }

    public required IReadOnlyList<string> CaptionLines { get; init; }

    public required IReadOnlyList<LegendEntry> Legend { get; init; }

    public required IReadOnlyList<PanelLayout> Panels { get; init; }

    /// <summary>The rectangle around all data rectangles.</summary>
    public SKRect Plot => new(
        Panels.Min(panel => panel.Data.Left), Panels.Min(panel => panel.Data.Top),
        Panels.Max(panel => panel.Data.Right), Panels.Max(panel => panel.Data.Bottom));

    public static FigureLayout Of(Figure figure)
    {
        // A browser without Inter sets the live chart in a face that may be a tenth wider.
        float room = (Style.Width - (2 * Style.Edge)) / 1.12f;
        string[] title = Wrap(figure.Title, InterFont.Instance.SemiBold, Style.TitleSize, room);
        string[] subtitle = Wrap(figure.Subtitle, InterFont.Instance.Regular, Style.SubtitleSize, room);
        string[] caption = Wrap(figure.Caption, InterFont.Instance.Regular, Style.CaptionSize, room);
        float y = Style.Edge + (title.Length * LineHeight(Style.TitleSize)) + (subtitle.Length * LineHeight(Style.SubtitleSize)) + 8;
        LegendEntry[] legend = PlaceLegend(figure, y);
        y = legend.Length == 0 ? y : legend[^1].Y + (LegendRow / 2) + 6;
        PanelLayout[] panels = PlacePanels(figure, ref y);
        float bottom = y + (caption.Length == 0 ? 0 : 6 + (caption.Length * LineHeight(Style.CaptionSize))) + Style.Edge - 4;
        return new FigureLayout
        {
            Width = Style.Width,
            Height = (int)Math.Ceiling(bottom),
            TitleLines = title,
            SubtitleLines = subtitle,
            CaptionLines = caption,
            Legend = legend,
            Panels = panels,
        };
    }

    public static float LineHeight(float size) => (float)Math.Round(size * 1.4f);

    public static float TextWidth(string text, SKTypeface typeface, float size)
    {
        using SKFont font = InterFont.Instance.Of(size, typeface == InterFont.Instance.SemiBold);
        return font.MeasureText(text);
    }

    // One legend for the whole figure, above the panels; a single series is named by the title.
    private static LegendEntry[] PlaceLegend(Figure figure, float top)
    {
        Series[] named = [.. figure.Panels.SelectMany(panel => panel.Series).DistinctBy(series => series.Name)];
        if (named.Length < 2)
        {
            return [];
        }

        var entries = new List<LegendEntry>();
        (float x, float y) = (Style.Edge, top + (LegendRow / 2));
        foreach ((int index, Series series) in named.Index())
        {
            float width = SwatchWidth + 7 + TextWidth(series.Name, InterFont.Instance.Regular, Style.LegendSize) + 20;
            if (x + width > Style.Width - Style.Edge && x > Style.Edge)
            {
                (x, y) = (Style.Edge, y + LegendRow);
            }

            entries.Add(new LegendEntry(series, index, x, y));
            x += width;
        }

        return [.. entries];
    }

    private static PanelLayout[] PlacePanels(Figure figure, ref float y)
    {
        int columns = Math.Min(figure.Columns, figure.Panels.Count);
        Side[] sides = [.. figure.Panels.Select((panel, i) => SidesOf(panel, figure, i, columns))];
        float[] left = [.. Enumerable.Range(0, columns).Select(column => sides.Where((_, i) => i % columns == column).Max(side => side.Left))];
        float[] right = [.. Enumerable.Range(0, columns).Select(column => sides.Where((_, i) => i % columns == column).Max(side => side.Right))];
        // Data rectangles are equally wide, so that panels compare.
        float width = (Style.Width - (2 * Style.Edge) - left.Sum() - right.Sum() - (Between * (columns - 1))) / columns;
        var panels = new List<PanelLayout>();
        foreach ((int row, Panel[] line) in figure.Panels.Chunk(columns).Index())
        {
            float top = y + (line.Any(panel => panel.Title.Length > 0) ? LineHeight(Style.PanelTitleSize) + 4 : 4);
            float x = Style.Edge;
            for (int column = 0; column < line.Length; column++)
            {
                int at = (row * columns) + column;
                x += left[column];
                panels.Add(Place(line[column], sides[at], new SKRect(x, top, x + width, top + sides[at].Height)));
                x += width + right[column] + Between;
            }

            y = panels.TakeLast(line.Length).Zip(line).Max(pair => Bottom(pair.First, pair.Second)) + 10;
        }

        return [.. panels];
    }

    private static float Bottom(PanelLayout place, Panel panel) =>
        place.Data.Bottom + place.XLabelHeight + (place.ShowXLabels && panel.X.Title.Length > 0 ? LineHeight(Style.AxisTitleSize) + 4 : 0);

    private static Side SidesOf(Panel panel, Figure figure, int index, int columns)
    {
        bool showX = !figure.ShareAxes || index + columns >= figure.Panels.Count;
        bool showY = !figure.ShareAxes || index % columns == 0 || panel.Heatmap is not null;
        bool showBar = panel.Heatmap is not null && (!figure.ShareAxes || (index + 1) % columns == 0 || index == figure.Panels.Count - 1);
        float height = figure.PanelHeight ?? DefaultHeight([.. figure.Panels.Skip(index / columns * columns).Take(columns)], columns);
        AxisTick[] ticks = panel.Heatmap is { } heatmap
            ? Ticks.Of(heatmap.Rows, (int)(height / 14))
            : Ticks.Of(panel.Y, Math.Max(3, (int)(height / 48)));
        float labels = showY ? Widest(ticks) + 9 : 4;
        float title = showY && panel.Y.Title.Length > 0 ? LineHeight(Style.AxisTitleSize) + 4 : 0;
        float bar = !showBar ? 6 : ColorBarWidth + (panel.Heatmap!.ValueLabel.Length > 0 ? LineHeight(Style.AxisTitleSize) : 0);
        return new Side(Math.Max(labels + title, showX ? TurnedNames(panel, columns) : 0), bar, height, labels, ticks, showX, showY, showBar);
    }

    // Turned names reach out to the left of the first column: room for them, were they turned at this width.
    private static float TurnedNames(Panel panel, int columns)
    {
        IReadOnlyList<string> names = panel.Heatmap?.Columns ?? panel.Categories ?? [];
        float width = (Style.Width / columns) - 120;
        return names.Count == 0 || !NameTicks(names, width).Turned ? 0 : (Widest(Ticks.Of(names, names.Count)) * TurnedAngleCosine) - (width / names.Count / 2) - Style.Edge + 8;
    }

    private static float DefaultHeight(Panel[] line, int columns)
    {
        int rows = line.Max(panel => panel.Heatmap?.Rows.Count ?? 0);
        return rows > 0 ? Math.Clamp(rows * 30, 130, 380) : columns switch { 1 => Style.PanelHeight, 2 => 220, _ => 180 };
    }

    private static PanelLayout Place(Panel panel, Side side, SKRect data)
    {
        IReadOnlyList<string>? names = panel.Heatmap?.Columns ?? panel.Categories;
        (AxisTick[] ticks, bool turned) = names is null
            ? (Ticks.Of(panel.X, Math.Max(3, (int)(data.Width / 85))), false)
            : NameTicks(names, data.Width);
        return new PanelLayout
        {
            Data = data,
            XTicks = ticks,
            YTicks = side.Ticks,
            ShowXLabels = side.ShowX,
            ShowYLabels = side.ShowY,
            TurnedXLabels = turned,
            XLabelHeight = side.ShowX ? 8 + (turned ? (Widest(ticks) * TurnedAngleSine) + 10 : LineHeight(Style.TickSize)) : 6,
            YLabelWidth = side.LabelWidth,
            ShowValues = panel.Heatmap is { ShowValues: true } heatmap && ValuesFit(heatmap, data),
            ShowColorBar = side.ShowBar,
        };
    }

    // Short names, such as numbers, are thinned until they fit; longer ones are turned before any is left out.
    private static (AxisTick[] Ticks, bool Turned) NameTicks(IReadOnlyList<string> names, float width)
    {
        AxisTick[] all = Ticks.Of(names, names.Count);
        float widest = Widest(all) + 7;
        if (widest * names.Count <= width)
        {
            return (all, false);
        }

        return names.Average(name => name.Length) <= ShortName
            ? (Ticks.Of(names, (int)(width / widest)), false)
            : (Ticks.Of(names, (int)(width / TurnedSpacing)), true);
    }

    private static bool ValuesFit(HeatmapCells heatmap, SKRect data) =>
        data.Height / heatmap.Rows.Count >= 14 &&
        heatmap.Values.SelectMany(row => row).Where(double.IsFinite).All(value => TextWidth(NumberText.Cell(value, heatmap.Format), InterFont.Instance.Regular, Style.TickSize) <= (data.Width / heatmap.Columns.Count) - 4);

    // What a panel needs around its data rectangle.
    private sealed record Side(float Left, float Right, float Height, float LabelWidth, AxisTick[] Ticks, bool ShowX, bool ShowY, bool ShowBar);

    private static float Widest(AxisTick[] ticks) =>
        ticks.Length == 0 ? 0 : ticks.Max(tick => TextWidth(tick.Label, InterFont.Instance.Regular, Style.TickSize));

    private static string[] Wrap(string text, SKTypeface typeface, float size, float width)
    {
        var lines = new List<string>();
        string line = "";
        foreach (string word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            string longer = line.Length == 0 ? word : line + " " + word;
            if (line.Length > 0 && TextWidth(longer, typeface, size) > width)
            {
                lines.Add(line);
                longer = word;
            }

            line = longer;
        }

        return line.Length == 0 ? [.. lines] : [.. lines, line];
    }
}
