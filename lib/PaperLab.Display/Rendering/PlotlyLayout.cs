// The live chart's layout: margins and domains in the proportions of the picture, words and axes in the same style.

using Plotly.NET;
using SkiaSharp;

namespace PaperLab.Display.Rendering;

internal static class PlotlyLayout
{
    // Words over data stand on a light veil, so that they read over a bar as well as over white.
    private const string Veil = "rgba(255,255,255,0.8)";

    public static Layout Of(Figure figure, FigureLayout place)
    {
        SKRect plot = place.Plot;
        var layout = new Layout();
        layout.SetProperty("height", place.Height);
        layout.SetProperty("autosize", true);
        layout.SetProperty("margin", new { l = Round(plot.Left), r = Round(place.Width - plot.Right), t = Round(plot.Top), b = Round(place.Height - plot.Bottom) });
        layout.SetProperty("font", new { family = Style.WebFonts, size = Style.TickSize, color = Style.SoftInk });
        layout.SetProperty("paper_bgcolor", Style.Background);
        layout.SetProperty("plot_bgcolor", Style.Background);
        layout.SetProperty("hovermode", figure.Panels.Any(panel => panel.Series.Any(series => series.Mark == Mark.Points) || panel.Heatmap is not null) ? "closest" : "x");
        layout.SetProperty("title", Title(figure, place));
        layout.SetProperty("legend", Legend(place));
        if (figure.Panels.Any(panel => panel.Series.Any(series => series.Mark == Mark.Bar)))
        {
            layout.SetProperty("barmode", "group");
            layout.SetProperty("bargap", 0.2);
            layout.SetProperty("bargroupgap", 0.06);
        }

        layout.SetProperty("annotations", Annotations(figure, place).ToArray());
        layout.SetProperty("shapes", Shapes(figure).ToArray());
        foreach ((int index, Panel panel) in figure.Panels.Index())
        {
            SetAxes(layout, panel, place.Panels[index], plot, index == 0 ? "" : $"{index + 1}");
        }

        return layout;
    }

    /// <summary>A colour bar beside its panel.</summary>
    public static object ColorBar(HeatmapCells heatmap, FigureLayout place, int number)
    {
        SKRect plot = place.Plot, data = place.Panels[number - 1].Data;
        return new
        {
            x = Share(data.Right - plot.Left + 12, plot.Width),
            xanchor = "left",
            y = Share(plot.Bottom - data.MidY, plot.Height),
            len = Share(data.Height, plot.Height),
            lenmode = "fraction",
            thickness = 13,
            outlinewidth = 0,
            ypad = 0,
            tickformat = heatmap.Format.StartsWith('P') ? ".0%" : "",
            title = new { text = Escape(heatmap.ValueLabel), side = "right", font = new { size = Style.AxisTitleSize, color = Style.Ink } },
        };
    }

    private static object Title(Figure figure, FigureLayout place)
    {
        string title = string.Join("<br>", place.TitleLines.Select(line => $"<b>{Escape(line)}</b>"));
        string subtitle = string.Concat(place.SubtitleLines.Select(line => $"<br><span style='font-size:{Style.SubtitleSize}px;color:{Style.SoftInk}'>{Escape(line)}</span>"));
        return new { text = title + subtitle, x = 0, xref = "container", xanchor = "left", y = 1, yref = "container", yanchor = "top", pad = new { l = Style.Edge, t = Style.Edge }, font = new { size = Style.TitleSize, color = Style.Ink } };
    }

    private static object Legend(FigureLayout place)
    {
        SKRect plot = place.Plot;
        float gap = place.Panels.Min(panel => panel.Data.Top) - (place.Legend.Count == 0 ? plot.Top : place.Legend[^1].Y + 12);
        return new { orientation = "h", x = Share(Style.Edge - plot.Left, plot.Width), xanchor = "left", y = 1 + Share(Math.Max(2, gap), plot.Height), yanchor = "bottom", font = new { size = Style.LegendSize, color = Style.Ink } };
    }

    private static IEnumerable<object> Annotations(Figure figure, FigureLayout place)
    {
        SKRect plot = place.Plot;
        foreach ((Panel panel, PanelLayout at) in figure.Panels.Zip(place.Panels).Where(pair => pair.First.Title.Length > 0))
        {
            yield return new { text = $"<b>{Escape(panel.Title)}</b>", x = Share(at.Data.MidX - plot.Left, plot.Width), y = Share(plot.Bottom - at.Data.Top + 4, plot.Height), xref = "paper", yref = "paper", xanchor = "center", yanchor = "bottom", showarrow = false, font = new { size = Style.PanelTitleSize, color = Style.Ink } };
        }

        foreach ((int index, Panel panel) in figure.Panels.Index())
        {
            string axis = index == 0 ? "" : $"{index + 1}";
            foreach (ReferenceLine line in panel.References.Where(line => line.Label.Length > 0))
            {
                yield return ReferenceLabel(panel, line, axis);
            }
        }

        if (place.CaptionLines.Count > 0)
        {
            yield return new { text = string.Join("<br>", place.CaptionLines.Select(Escape)), x = Share(Style.Edge - plot.Left, plot.Width), y = -Share(place.Height - plot.Bottom - Style.Edge + 6, plot.Height), xref = "paper", yref = "paper", xanchor = "left", yanchor = "bottom", align = "left", showarrow = false, font = new { size = Style.CaptionSize, color = Style.SoftInk } };
        }
    }

    private static object ReferenceLabel(Panel panel, ReferenceLine line, string axis)
    {
        Axis along = line.Vertical ? panel.X : panel.Y;
        double at = along.Log ? Math.Log10(line.Value) : line.Value;
        double middle = along.Log ? Math.Log10(along.Min!.Value * along.Max!.Value) / 2 : (along.Min!.Value + along.Max!.Value) / 2;
        return line.Vertical
            ? new { text = Escape(line.Label), x = at, y = 1.0, xref = $"x{axis}", yref = $"y{axis} domain", xanchor = at > middle ? "right" : "left", yanchor = "top", showarrow = false, bgcolor = Veil }
            : (object)new { text = Escape(line.Label), x = 1.0, y = at, xref = $"x{axis} domain", yref = $"y{axis}", xanchor = "right", yanchor = "bottom", showarrow = false, bgcolor = Veil };
    }

    private static IEnumerable<object> Shapes(Figure figure)
    {
        foreach ((int index, Panel panel) in figure.Panels.Index())
        {
            string axis = index == 0 ? "" : $"{index + 1}";
            foreach (ReferenceLine line in panel.References)
            {
                var stroke = new { color = Style.SoftInk, width = 1.3, dash = "dot" };
                yield return line.Vertical
                    ? new { type = "line", x0 = line.Value, x1 = line.Value, y0 = 0, y1 = 1, xref = $"x{axis}", yref = $"y{axis} domain", line = stroke }
                    : (object)new { type = "line", x0 = 0, x1 = 1, y0 = line.Value, y1 = line.Value, xref = $"x{axis} domain", yref = $"y{axis}", line = stroke };
            }
        }
    }

    private static void SetAxes(Layout layout, Panel panel, PanelLayout at, SKRect plot, string number)
    {
        bool named = panel.Heatmap is not null || panel.Categories is not null;
        var x = Axis(panel.X, at.ShowXLabels, named);
        x["domain"] = new[] { Share(at.Data.Left - plot.Left, plot.Width), Share(at.Data.Right - plot.Left, plot.Width) };
        x["anchor"] = "y" + number;
        x["showgrid"] = !named;
        var y = Axis(panel.Y, at.ShowYLabels, panel.Heatmap is not null);
        y["domain"] = new[] { Share(plot.Bottom - at.Data.Bottom, plot.Height), Share(plot.Bottom - at.Data.Top, plot.Height) };
        y["anchor"] = "x" + number;
        if (named)
        {
            x["tickangle"] = at.TurnedXLabels ? -35 : 0;
        }

        if (named)
        {
            SetNames(x, (panel.Heatmap?.Columns ?? panel.Categories)!, at.XTicks);
        }

        if (panel.Heatmap is not null)
        {
            y["autorange"] = "reversed";
            y["showgrid"] = false;
            SetNames(y, panel.Heatmap.Rows, at.YTicks);
        }

        layout.SetProperty("xaxis" + number, x);
        layout.SetProperty("yaxis" + number, y);
    }

    // Where names are left out or shortened, the live chart has the picture's ticks.
    private static void SetNames(Dictionary<string, object> axis, IReadOnlyList<string> names, AxisTick[] ticks)
    {
        if (ticks.Length < names.Count || ticks.Zip(names).Any(pair => pair.First.Label != pair.Second))
        {
            axis["tickvals"] = Array.ConvertAll(ticks, tick => names[(int)tick.Value]);
            axis["ticktext"] = Array.ConvertAll(ticks, tick => tick.Label);
        }
    }

    private static Dictionary<string, object> Axis(Axis axis, bool labels, bool named)
    {
        var json = new Dictionary<string, object>
        {
            ["gridcolor"] = Style.GridLine,
            ["linecolor"] = Style.AxisLine,
            ["zeroline"] = false,
            ["title"] = new { text = labels ? Escape(axis.Title) : "", standoff = 8, font = new { size = Style.AxisTitleSize, color = Style.Ink } },
            ["showticklabels"] = labels,
        };
        if (named)
        {
            // Names that look like numbers stay names.
            json["type"] = "category";
            json["ticks"] = "";
            return json;
        }

        json["showline"] = true;
        json["ticks"] = "outside";
        json["tickcolor"] = Style.AxisLine;
        json["ticklen"] = 4;
        json["range"] = axis.Log ? new[] { Math.Log10(axis.Min!.Value), Math.Log10(axis.Max!.Value) } : new[] { axis.Min!.Value, axis.Max!.Value };
        json["hoverformat"] = axis.Percent ? ".3~%" : ".4~g";
        if (axis.Log)
        {
            json["type"] = "log";
            json["exponentformat"] = "power";
            json["dtick"] = Math.Log10(axis.Max!.Value / axis.Min!.Value) < 3 ? "D2" : 1;
        }

        if (axis.Whole && axis.Max!.Value - axis.Min!.Value < 10)
        {
            json["dtick"] = 1;
        }

        if (axis.Percent)
        {
            json["tickformat"] = ".3~%";
        }

        return json;
    }

    private static double Share(float part, float whole) => Math.Round(part / whole, 4);

    private static int Round(float value) => (int)Math.Round(value);

    // Plotly reads a little HTML in its texts; the reader's words are words.
    private static string Escape(string text) => text.Replace("&", "&amp;").Replace("<", "&lt;").Replace(">", "&gt;");
}
