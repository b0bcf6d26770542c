// The door of the private load context: text in, text out. Everything behind it may use Plotly.NET, ScottPlot and SkiaSharp.

using System.Text.Json;

namespace PaperLab.Display.Rendering;

internal static class Renderer
{
    // Device pixels for each CSS pixel, and colours in the palette. Twice the CSS size is crisp on every screen; a busy picture gives
    // up some sharpness, then some smoothness of its edges.
    private static readonly (float Scale, int Colors)[] s_qualities = [(2f, 32), (1.75f, 32), (1.5f, 28), (1.25f, 20), (1f, 16)];

    /// <summary>Renders a drawn figure (JSON); returns the Plotly JSON, the PNG in base64, and its width and height in CSS pixels.</summary>
    /// <param name="figureJson">The figure.</param>
    /// <param name="mostCharacters">How long the Plotly JSON and the base64 PNG may be together; the sharpest picture that fits is taken, or else the least sharp.</param>
    public static string[] Render(string figureJson, int mostCharacters)
    {
        Figure figure = JsonSerializer.Deserialize<Figure>(figureJson, FigureJson.Options)!;
        FigureLayout layout = FigureLayout.Of(figure);
        string plotly = PlotlyFigure.Of(figure, layout);
        return [plotly, Picture(figure, layout, mostCharacters - plotly.Length), layout.Width.ToString(), layout.Height.ToString()];
    }

    private static string Picture(Figure figure, FigureLayout layout, int mostCharacters)
    {
        string picture = "";
        foreach ((float scale, int colors) in s_qualities)
        {
            picture = Convert.ToBase64String(PngFigure.Of(figure, layout, scale, colors));
            if (picture.Length <= mostCharacters)
            {
                break;
            }
        }

        return picture;
    }
}
