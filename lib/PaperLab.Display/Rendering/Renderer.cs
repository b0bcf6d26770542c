// The door of the private load context: text in, text out. Everything behind it may use Plotly.NET, ScottPlot and SkiaSharp.

using System.Text.Json;

namespace PaperLab.Display.Rendering;

internal static class Renderer
{
    // A line break and the usual indent of a value in a saved notebook.
    private const int Indent = 11;

    // Device pixels for each CSS pixel, and colours for smoothed edges. Twice the CSS size is crisp on every screen; a busy picture
    // gives up sharpness.
    private static readonly (float Scale, int EdgeColors)[] s_qualities = [(2f, 24), (1.75f, 24), (1.5f, 16), (1.25f, 16), (1f, 8)];

    /// <summary>Renders a drawn figure (JSON); returns the Plotly JSON, the PNG in base64, and its width and height in CSS pixels.</summary>
    /// <param name="figureJson">The figure.</param>
    /// <param name="mostCharacters">How long the Plotly JSON (see <see cref="JsonCost"/>) and the base64 PNG may be together; the sharpest picture that fits is taken, or else the least sharp.</param>
    public static string[] Render(string figureJson, int mostCharacters)
    {
        Figure figure = JsonSerializer.Deserialize<Figure>(figureJson, FigureJson.Options)!;
        FigureLayout layout = FigureLayout.Of(figure);
        string plotly = PlotlyFigure.Of(figure, layout);
        return [plotly, Picture(figure, layout, mostCharacters - JsonCost(plotly)), layout.Width.ToString(), layout.Height.ToString()];
    }

    /// <summary>Half of what the Plotly JSON costs in a saved notebook: once on a line in the HTML, once with a line and an indent for each value.</summary>
    public static int JsonCost(string plotlyJson) => plotlyJson.Length + (plotlyJson.AsSpan().Count(',') * Indent / 2);

    private static string Picture(Figure figure, FigureLayout layout, int mostCharacters)
    {
        string picture = "";
        float drawn = 0;
        foreach ((float scale, int edgeColors) in s_qualities)
        {
            // What a picture costs is its edges, and they grow with the scale: a quality that is bound to be too large is not tried.
            bool hopeless = drawn > 0 && picture.Length * scale / drawn > mostCharacters * 1.15;
            if (hopeless && scale > s_qualities[^1].Scale)
            {
                continue;
            }

            (picture, drawn) = (Convert.ToBase64String(PngFigure.Of(figure, layout, scale, edgeColors)), scale);
            if (picture.Length <= mostCharacters)
            {
                break;
            }
        }

        return picture;
    }
}
