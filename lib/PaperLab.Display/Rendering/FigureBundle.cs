// The representations of one figure, made together once and only when a host asks for more than text.

using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace PaperLab.Display.Rendering;

/// <summary>The Plotly figure, the picture and the HTML of one figure.</summary>
internal sealed class FigureBundle
{
    // 60 KB for a chart with its text and markup; a grid of charts is several.
    private const int MostCharacters = 59_000;
    private const int MoreForEachPanel = 25_000;

    private static readonly double[] s_details = [1, 0.75, 0.5, 0.35, 0.2];

    private static readonly ConditionalWeakTable<Figure, FigureBundle> s_bundles = [];

    private FigureBundle(Figure figure)
    {
        (string drawn, RenderedFigure rendered) = Rendered(figure);
        (PlotlyJson, PngBase64) = (rendered.PlotlyJson, rendered.PngBase64);
        // The name follows from the content: the same data give the same bytes, run after run.
        string name = "pl-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(drawn)))[..12];
        Html = FigureHtml.Of(name, figure.ToString(), rendered);
    }

    public string PlotlyJson { get; }

    public string PngBase64 { get; }

    public string Html { get; }

    // The JSON and the picture are each in the output twice. A figure too busy for its room is drawn from fewer points, and says so.
    private static (string Drawn, RenderedFigure Rendered) Rendered(Figure figure)
    {
        int most = (MostCharacters + (MoreForEachPanel * (figure.Panels.Count - 1))) / 2;
        string drawn = "";
        RenderedFigure? rendered = null;
        foreach (double detail in s_details)
        {
            drawn = JsonSerializer.Serialize(DrawnFigure.Of(figure, detail), FigureJson.Options);
            rendered = IsolatedRenderer.Render(drawn, most);
            if (Renderer.JsonCost(rendered.PlotlyJson) + rendered.PngBase64.Length <= most)
            {
                break;
            }
        }

        return (drawn, rendered!);
    }

    public static FigureBundle Of(Figure figure) => s_bundles.GetValue(figure, key => new FigureBundle(key));
}

/// <summary>What the renderer returns.</summary>
internal sealed record RenderedFigure(string PlotlyJson, string PngBase64, int Width, int Height);
