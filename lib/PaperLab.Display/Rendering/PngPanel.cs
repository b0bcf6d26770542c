// One panel of the picture.

using ScottPlot;
using ScottPlot.TickGenerators;
using SkiaSharp;

namespace PaperLab.Display.Rendering;

internal static class PngPanel
{
    private const float MarkerRadius = 3.5f;
    private const int MapSteps = 65;

    /// <summary>Draws the panel's axes, data, labels and, for a heatmap, its colour bar.</summary>
    public static void Draw(SKCanvas canvas, Panel panel, PanelLayout place, Figure figure)
    {
        using var plot = new Plot();
        // The canvas is shared by all panels and the header; only they may be drawn over, never cleared.
        plot.RenderManager.ClearCanvasBeforeEachRender = false;
        plot.FigureBackground.Color = Colors.Transparent;
        plot.DataBackground.Color = Colors.Transparent;
        SetAxes(plot, panel, place);
        if (panel.Heatmap is { } heatmap)
        {
            DrawCells(canvas, heatmap, place.Data);
        }

        // ScottPlot draws no ticks on a plot that holds nothing; a heatmap's cells are ours, and a diverged run has no point to draw.
        ScottPlot.Plottables.Marker anchor = plot.Add.Marker(plot.Axes.GetLimits().HorizontalCenter, plot.Axes.GetLimits().VerticalCenter);
        anchor.IsVisible = false;

        string[] names = [.. figure.Panels.SelectMany(other => other.Series).Select(series => series.Name).Distinct()];
        int bars = panel.Series.Count(series => series.Mark == Mark.Bar), bar = 0;
        foreach (Series series in panel.Series)
        {
            int index = Array.IndexOf(names, series.Name);
            if (series.Mark == Mark.Bar)
            {
                AddBars(plot, panel, series, bar++, bars);
            }
            else
            {
                AddLineOrPoints(plot, panel, series, index);
            }
        }

        foreach (ReferenceLine line in panel.References)
        {
            AddReference(plot, panel, line);
        }

        // Everything around the data rectangle is ours; ScottPlot gets a margin wide enough for its tick labels.
        const float Margin = 300;
        plot.Layout.Fixed(new PixelRect(Margin, Margin + place.Data.Width, Margin + place.Data.Height, Margin));
        canvas.Save();
        canvas.Translate(place.Data.Left - Margin, place.Data.Top - Margin);
        plot.Render(canvas, (int)(place.Data.Width + (2 * Margin)), (int)(place.Data.Height + (2 * Margin)));
        canvas.Restore();
        DrawWords(canvas, panel, place);
    }

    public static void DrawMarker(SKCanvas canvas, int index, float x, float y, SKPaint paint)
    {
        var marker = new MarkerStyle(Shape(index), MarkerRadius * 2, new Color(paint.Color.Red, paint.Color.Green, paint.Color.Blue)) { OutlineWidth = 0 };
        using var own = Paint.NewDisposablePaint();
        marker.Render(canvas, new Pixel(x, y), own);
    }

    /// <summary>Shapes differ with colours, so that colour is never the only carrier.</summary>
    private static MarkerShape Shape(int index) => (index % 5) switch
    {
        0 => MarkerShape.FilledCircle,
        1 => MarkerShape.FilledSquare,
        2 => MarkerShape.FilledTriangleUp,
        3 => MarkerShape.FilledDiamond,
        _ => MarkerShape.FilledTriangleDown,
    };

    private static double At(Axis axis, double value) => axis.Log ? Math.Log10(value) : value;

    private static void SetAxes(Plot plot, Panel panel, PanelLayout place)
    {
        bool heatmap = panel.Heatmap is not null;
        double rows = panel.Heatmap?.Rows.Count ?? 0;
        if (heatmap)
        {
            plot.Axes.SetLimits(-0.5, panel.Heatmap!.Columns.Count - 0.5, -0.5, rows - 0.5);
        }
        else
        {
            plot.Axes.SetLimits(At(panel.X, panel.X.Min!.Value), At(panel.X, panel.X.Max!.Value), At(panel.Y, panel.Y.Min!.Value), At(panel.Y, panel.Y.Max!.Value));
        }

        plot.Axes.Bottom.TickGenerator = new NumericManual([.. place.XTicks.Select(tick => new Tick(At(panel.X, tick.Value), place.ShowXLabels ? tick.Label : ""))]);
        plot.Axes.Left.TickGenerator = new NumericManual([.. place.YTicks.Select(tick => new Tick(heatmap ? rows - 1 - tick.Value : At(panel.Y, tick.Value), place.ShowYLabels ? tick.Label : ""))]);
        foreach (IAxis axis in new IAxis[] { plot.Axes.Bottom, plot.Axes.Left })
        {
            axis.TickLabelStyle.FontName = InterFont.Family;
            axis.TickLabelStyle.FontSize = Style.TickSize;
            axis.TickLabelStyle.ForeColor = new Color(Style.SoftInk);
            axis.FrameLineStyle.Color = new Color(Style.AxisLine);
            axis.FrameLineStyle.Width = heatmap ? 0 : 1;
            axis.MajorTickStyle.Length = heatmap || panel.Categories is not null ? 0 : 4;
            axis.MajorTickStyle.Color = new Color(Style.AxisLine);
            axis.MinorTickStyle.Length = 0;
        }

        if (place.TurnedXLabels)
        {
            plot.Axes.Bottom.TickLabelStyle.Rotation = -35;
            plot.Axes.Bottom.TickLabelStyle.Alignment = Alignment.MiddleRight;
            plot.Axes.Bottom.TickLabelStyle.OffsetY = 7;
        }

        plot.Axes.Right.FrameLineStyle.Width = 0;
        plot.Axes.Top.FrameLineStyle.Width = 0;
        plot.Grid.MajorLineColor = new Color(Style.GridLine);
        plot.Grid.MajorLineWidth = heatmap ? 0 : 1;
        plot.Grid.XAxisStyle.IsVisible = panel.Categories is null;
    }

    private static void AddLineOrPoints(Plot plot, Panel panel, Series series, int index)
    {
        var color = new Color(series.Color!);
        bool points = series.Mark != Mark.Line, line = series.Mark != Mark.Points;
        if (series.Low is not null && line)
        {
            AddBand(plot, panel, series, color);
        }

        if (series.Low is not null && !line)
        {
            AddErrorBars(plot, panel, series, series.X, color);
        }

        foreach (int[] run in FiniteRuns(series.Y))
        {
            var scatter = plot.Add.Scatter(
                Array.ConvertAll(run, i => At(panel.X, series.X[i])),
                Array.ConvertAll(run, i => At(panel.Y, series.Y[i])),
                color);
            scatter.LineWidth = line ? Style.LineWidth(panel.Series.Count) : 0;
            scatter.LinePattern = Style.IsDashed(series, index) ? LinePattern.Dashed : LinePattern.Solid;
            scatter.MarkerShape = Shape(index);
            scatter.MarkerSize = points || run.Length == 1 ? MarkerRadius * 2 : 0;
            scatter.MarkerLineWidth = 0;
            scatter.MarkerFillColor = color.WithAlpha(Style.PointOpacity(series.Y.Count));
        }
    }

    private static void AddBand(Plot plot, Panel panel, Series series, Color color)
    {
        // On a logarithmic axis a lower end at or below zero reaches down to the frame.
        double floor = panel.Y.Log ? panel.Y.Min!.Value : double.NegativeInfinity;
        double[] ends = [.. series.Low!.Zip(series.High!, (low, high) => low + high)];
        foreach (int[] run in FiniteRuns(ends))
        {
            var band = plot.Add.FillY(
                Array.ConvertAll(run, i => At(panel.X, series.X[i])),
                Array.ConvertAll(run, i => At(panel.Y, Math.Max(floor, series.Low![i]))),
                Array.ConvertAll(run, i => At(panel.Y, Math.Max(floor, series.High![i]))));
            band.FillColor = color.WithAlpha(Style.BandOpacity);
            band.LineWidth = 0;
            band.MarkerSize = 0;
        }
    }

    private static void AddBars(Plot plot, Panel panel, Series series, int bar, int bars)
    {
        double width = 0.8 / bars;
        double[] positions = [.. series.X.Select(x => x - 0.4 + (width * (bar + 0.5)))];
        var color = new Color(series.Color!);
        double zero = panel.Y.Log ? At(panel.Y, panel.Y.Min!.Value) : 0;
        plot.Add.Bars((Bar[])[.. positions.Zip(series.Y).Where(pair => double.IsFinite(pair.Second)).Select(pair => new Bar
        {
            Position = pair.First,
            Value = At(panel.Y, pair.Second),
            ValueBase = zero,
            Size = width * 0.94,
            FillColor = color,
            LineWidth = 0,
        })]);
        if (series.Low is not null)
        {
            AddErrorBars(plot, panel, series, positions, new Color(Style.Ink));
        }
    }

    private static void AddErrorBars(Plot plot, Panel panel, Series series, IReadOnlyList<double> positions, Color color)
    {
        int[] bounded = [.. Enumerable.Range(0, series.Y.Count).Where(i => double.IsFinite(series.Y[i]) && double.IsFinite(series.Low![i] + series.High![i]))];
        double floor = panel.Y.Log ? panel.Y.Min!.Value : double.NegativeInfinity;
        double[] values = Array.ConvertAll(bounded, i => At(panel.Y, series.Y[i]));
        var errors = new ScottPlot.Plottables.ErrorBar(
            Array.ConvertAll(bounded, i => panel.Categories is null ? At(panel.X, positions[i]) : positions[i]),
            values,
            null,
            null,
            yErrorsNegative: [.. bounded.Select((i, at) => values[at] - At(panel.Y, Math.Max(floor, series.Low![i])))],
            yErrorsPositive: [.. bounded.Select((i, at) => At(panel.Y, series.High![i]) - values[at])]);
        plot.Add.Plottable(errors);
        errors.LineWidth = 1.4f;
        errors.CapSize = 4;
        errors.Color = color;
    }

    private static void AddReference(Plot plot, Panel panel, ReferenceLine line)
    {
        var drawn = line.Vertical
            ? (ScottPlot.Plottables.AxisLine)plot.Add.VerticalLine(At(panel.X, line.Value))
            : plot.Add.HorizontalLine(At(panel.Y, line.Value));
        drawn.LineColor = new Color(Style.SoftInk);
        drawn.LineWidth = 1.3f;
        drawn.LinePattern = LinePattern.Dotted;
    }

    // Cells are drawn without smoothing, so that no seam shows between neighbours.
    private static void DrawCells(SKCanvas canvas, HeatmapCells heatmap, SKRect data)
    {
        float width = data.Width / heatmap.Columns.Count, height = data.Height / heatmap.Rows.Count;
        foreach ((int row, IReadOnlyList<double> values) in heatmap.Values.Index())
        {
            foreach ((int column, double value) in values.Index())
            {
                using var paint = new SKPaint { Color = double.IsFinite(value) ? CellColor(heatmap, value) : SKColor.Parse(Style.EmptyCell), IsAntialias = false };
                canvas.DrawRect(data.Left + (column * width), data.Top + (row * height), width, height, paint);
            }
        }
    }

    private static SKColor CellColor(HeatmapCells heatmap, double value) =>
        ColorAt(Map(heatmap), (value - heatmap.Min!.Value) / (heatmap.Max!.Value - heatmap.Min.Value));

    private static void DrawWords(SKCanvas canvas, Panel panel, PanelLayout place)
    {
        SKRect data = place.Data;
        if (panel.Title.Length > 0)
        {
            PngFigure.DrawText(canvas, panel.Title, data.MidX, data.Top - 8, Style.PanelTitleSize, Style.Ink, SKTextAlign.Center, bold: true);
        }

        if (place.ShowXLabels && panel.X.Title.Length > 0)
        {
            PngFigure.DrawText(canvas, panel.X.Title, data.MidX, data.Bottom + place.XLabelHeight + Style.AxisTitleSize, Style.AxisTitleSize, Style.Ink, SKTextAlign.Center);
        }

        if (place.ShowYLabels && panel.Y.Title.Length > 0)
        {
            DrawTurned(canvas, panel.Y.Title, data.Left - place.YLabelWidth - 6, data.MidY, -90);
        }

        foreach (ReferenceLine line in panel.References.Where(line => line.Label.Length > 0))
        {
            DrawReferenceLabel(canvas, panel, data, line);
        }

        if (panel.Heatmap is null && !panel.Series.Any(series => series.Y.Any(double.IsFinite)))
        {
            PngFigure.DrawText(canvas, "no finite values", data.MidX, data.MidY, Style.AxisTitleSize, Style.SoftInk, SKTextAlign.Center);
        }

        if (panel.Heatmap is { } heatmap)
        {
            if (place.ShowValues)
            {
                DrawCellValues(canvas, heatmap, data);
            }

            if (place.ShowColorBar)
            {
                DrawColorBar(canvas, heatmap, data);
            }
        }
    }

    private static void DrawReferenceLabel(SKCanvas canvas, Panel panel, SKRect data, ReferenceLine line)
    {
        if (line.Vertical)
        {
            float x = data.Left + (data.Width * Share(panel.X, line.Value));
            bool leftOf = x > data.MidX;
            float room = FigureLayout.TextWidth(line.Label, InterFont.Instance.Regular, Style.TickSize) + 10;
            DrawOnVeil(canvas, line.Label, leftOf ? x - room : x + 2, data.Top + 11);
            return;
        }

        float y = data.Bottom - (data.Height * Share(panel.Y, line.Value));
        DrawOnVeil(canvas, line.Label, data.Right - FigureLayout.TextWidth(line.Label, InterFont.Instance.Regular, Style.TickSize) - 8, y - 5);
    }

    // Words over data stand on a light veil, so that they read over a bar as well as over white.
    private static void DrawOnVeil(SKCanvas canvas, string text, float left, float baseline)
    {
        float width = FigureLayout.TextWidth(text, InterFont.Instance.Regular, Style.TickSize);
        using var veil = new SKPaint { Color = SKColor.Parse(Style.Background).WithAlpha(205) };
        canvas.DrawRect(left, baseline - 10.5f, width + 8, 14, veil);
        PngFigure.DrawText(canvas, text, left + 4, baseline, Style.TickSize, Style.SoftInk);
    }

    private static float Share(Axis axis, double value) =>
        (float)((At(axis, value) - At(axis, axis.Min!.Value)) / (At(axis, axis.Max!.Value) - At(axis, axis.Min.Value)));

    private static void DrawCellValues(SKCanvas canvas, HeatmapCells heatmap, SKRect data)
    {
        float width = data.Width / heatmap.Columns.Count, height = data.Height / heatmap.Rows.Count;
        foreach ((int row, IReadOnlyList<double> values) in heatmap.Values.Index())
        {
            foreach ((int column, double value) in values.Index().Where(cell => double.IsFinite(cell.Item)))
            {
                SKColor cell = CellColor(heatmap, value);
                bool dark = ((0.299 * cell.Red) + (0.587 * cell.Green) + (0.114 * cell.Blue)) < 140;
                PngFigure.DrawText(canvas, NumberText.Cell(value, heatmap.Format), data.Left + (width * (column + 0.5f)), data.Top + (height * (row + 0.5f)) + 4, Style.TickSize, dark ? "#FFFFFF" : Style.Ink, SKTextAlign.Center);
            }
        }
    }

    private static void DrawColorBar(SKCanvas canvas, HeatmapCells heatmap, SKRect data)
    {
        const float Width = 13;
        float left = data.Right + 14;
        for (float y = 0; y < data.Height; y += 1)
        {
            using var paint = new SKPaint { Color = ColorAt(Map(heatmap), 1 - (y / data.Height)) };
            canvas.DrawRect(left, data.Top + y, Width, Math.Min(1, data.Height - y), paint);
        }

        var axis = new Axis { Min = heatmap.Min, Max = heatmap.Max, Percent = heatmap.Format.StartsWith('P') };
        foreach (AxisTick tick in Ticks.Of(axis, Math.Max(4, (int)(data.Height / 45))))
        {
            float y = data.Bottom - (data.Height * Share(axis, tick.Value));
            PngFigure.DrawText(canvas, tick.Label, left + Width + 6, y + 4, Style.TickSize, Style.SoftInk);
        }

        if (heatmap.ValueLabel.Length > 0)
        {
            DrawTurned(canvas, heatmap.ValueLabel, left + Width + 52, data.MidY, 90);
        }
    }

    private static void DrawTurned(SKCanvas canvas, string text, float x, float y, float degrees)
    {
        canvas.Save();
        canvas.RotateDegrees(degrees, x, y);
        PngFigure.DrawText(canvas, text, x, y, Style.AxisTitleSize, Style.Ink, SKTextAlign.Center);
        canvas.Restore();
    }

    /// <summary>Stretches of consecutive finite values, as indices: a gap in the data is a gap in the line.</summary>
    private static IEnumerable<int[]> FiniteRuns(IReadOnlyList<double> values)
    {
        int start = -1;
        for (int i = 0; i <= values.Count; i++)
        {
            bool finite = i < values.Count && double.IsFinite(values[i]);
            if (finite && start < 0)
            {
                start = i;
            }
            else if (!finite && start >= 0)
            {
                yield return [.. Enumerable.Range(start, i - start)];
                start = -1;
            }
        }
    }

    public static IReadOnlyList<string> Map(HeatmapCells heatmap) => heatmap.Midpoint is null ? Palette.Sequential : Palette.Diverging;

    /// <summary>The colours that the picture takes from a map: few enough for a palette, too many to see the steps.</summary>
    public static IEnumerable<(byte R, byte G, byte B)> Steps(IReadOnlyList<string> map) =>
        Enumerable.Range(0, MapSteps).Select(step => Palette.At(map, step / (MapSteps - 1.0)));

    private static SKColor ColorAt(IReadOnlyList<string> map, double position)
    {
        (byte red, byte green, byte blue) = Palette.At(map, Math.Round(Math.Clamp(position, 0, 1) * (MapSteps - 1)) / (MapSteps - 1));
        return new SKColor(red, green, blue);
    }
}
