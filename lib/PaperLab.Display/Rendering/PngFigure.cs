// The picture of a figure: header, legend, colour bars and caption drawn with SkiaSharp, panels with ScottPlot.

using ScottPlot;
using SkiaSharp;

namespace PaperLab.Display.Rendering;

internal static class PngFigure
{
    static PngFigure()
    {
        Fonts.FontResolvers.Insert(0, InterFont.Instance);
        Fonts.Default = InterFont.Family;
    }

    /// <summary>Draws the figure at <paramref name="scale"/> device pixels for each CSS pixel, with <paramref name="edgeColors"/> colours for smoothed edges.</summary>
    public static byte[] Of(Figure figure, FigureLayout layout, float scale, int edgeColors)
    {
        var size = new SKImageInfo((int)(layout.Width * scale), (int)(layout.Height * scale), SKColorType.Bgra8888, SKAlphaType.Opaque);
        using var bitmap = new SKBitmap(size);
        using (var canvas = new SKCanvas(bitmap))
        {
            canvas.Clear(SKColor.Parse(Style.Background));
            canvas.Scale(scale);
            DrawHeader(canvas, layout);
            foreach ((Panel panel, PanelLayout place) in figure.Panels.Zip(layout.Panels))
            {
                PngPanel.Draw(canvas, panel, place, figure);
            }

            DrawCaption(canvas, layout);
        }

        return IndexedPng.Encode(Pixels(bitmap), size.Width, size.Height, ExactColors(figure), edgeColors);
    }

    public static void DrawText(SKCanvas canvas, string text, float x, float baseline, float size, string color, SKTextAlign align = SKTextAlign.Left, bool bold = false)
    {
        using SKFont font = InterFont.Instance.Of(size, bold);
        using var paint = new SKPaint { Color = SKColor.Parse(color), IsAntialias = true };
        canvas.DrawText(text, x, baseline, align, font, paint);
    }

    private static void DrawHeader(SKCanvas canvas, FigureLayout layout)
    {
        float y = Style.Edge;
        foreach (string line in layout.TitleLines)
        {
            DrawText(canvas, line, Style.Edge, y + Style.TitleSize, Style.TitleSize, Style.Ink, bold: true);
            y += FigureLayout.LineHeight(Style.TitleSize);
        }

        foreach (string line in layout.SubtitleLines)
        {
            DrawText(canvas, line, Style.Edge, y + Style.SubtitleSize, Style.SubtitleSize, Style.SoftInk);
            y += FigureLayout.LineHeight(Style.SubtitleSize);
        }

        foreach (LegendEntry entry in layout.Legend)
        {
            DrawSwatch(canvas, entry);
            DrawText(canvas, entry.Series.Name, entry.X + 29, entry.Y + (Style.LegendSize * 0.36f), Style.LegendSize, Style.Ink);
        }
    }

    private static void DrawSwatch(SKCanvas canvas, LegendEntry entry)
    {
        Series series = entry.Series;
        SKColor color = SKColor.Parse(series.Color);
        using var paint = new SKPaint { Color = color, IsAntialias = true, StrokeWidth = Style.LineWidth(1) };
        if (series.Mark == Mark.Bar)
        {
            canvas.DrawRect(entry.X + 8, entry.Y - 6, 12, 12, paint);
            return;
        }

        if (series.Low is not null && series.Mark != Mark.Points)
        {
            using var band = new SKPaint { Color = color.WithAlpha((byte)(255 * Style.BandOpacity)) };
            canvas.DrawRect(entry.X, entry.Y - 6, 22, 12, band);
        }

        if (series.Mark != Mark.Points)
        {
            using SKPathEffect? dash = Style.IsDashed(series, entry.Index) ? SKPathEffect.CreateDash([5, 4], 0) : null;
            paint.PathEffect = dash;
            canvas.DrawLine(entry.X, entry.Y, entry.X + 22, entry.Y, paint);
            paint.PathEffect = null;
        }

        if (series.Mark != Mark.Line)
        {
            PngPanel.DrawMarker(canvas, entry.Index, entry.X + 11, entry.Y, paint);
        }
    }

    private static void DrawCaption(SKCanvas canvas, FigureLayout layout)
    {
        float height = FigureLayout.LineHeight(Style.CaptionSize);
        float y = layout.Height - Style.Edge + 4 - (layout.CaptionLines.Count * height);
        foreach (string line in layout.CaptionLines)
        {
            DrawText(canvas, line, Style.Edge, y + Style.CaptionSize, Style.CaptionSize, Style.SoftInk);
            y += height;
        }
    }

    private static uint[] ExactColors(Figure figure)
    {
        IEnumerable<(byte R, byte G, byte B)> words = new[] { Style.Background, Style.Ink, Style.SoftInk, Style.GridLine, Style.AxisLine }.Select(Palette.Parse);
        IEnumerable<(byte R, byte G, byte B)> series = figure.Panels.SelectMany(panel => panel.Series).Select(item => Palette.Parse(item.Color!));
        IEnumerable<(byte R, byte G, byte B)> maps = figure.Panels.Where(panel => panel.Heatmap is not null).Select(panel => PngPanel.Map(panel.Heatmap!)).Distinct().SelectMany(PngPanel.Steps);
        return [.. words.Concat(series).Concat(maps).Select(color => (uint)((color.R << 16) | (color.G << 8) | color.B))];
    }

    private static uint[] Pixels(SKBitmap bitmap)
    {
        ReadOnlySpan<byte> bytes = bitmap.GetPixelSpan();
        uint[] pixels = new uint[bitmap.Width * bitmap.Height];
        for (int i = 0; i < pixels.Length; i++)
        {
            pixels[i] = (uint)((bytes[(4 * i) + 2] << 16) | (bytes[(4 * i) + 1] << 8) | bytes[4 * i]);
        }

        return pixels;
    }
}
