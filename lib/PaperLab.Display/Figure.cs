// A figure: data, axes and words, without a trace of the libraries that draw it. It shows itself in every notebook front end:
// live where plotly.js is present, as a picture of the same data everywhere else, as a summary in a terminal.

using PaperLab.Display.Mime;
using PaperLab.Display.Rendering;

namespace PaperLab.Display;

/// <summary>One chart, or a grid of them. Made by <see cref="Chart"/>; each method returns a changed copy.</summary>
[TypeFormatterSource(typeof(FigureFormatterSource), PreferredMimeTypes = [MimeTypes.Plotly, MimeTypes.Html, MimeTypes.Png, MimeTypes.Text])]
public sealed record Figure
{
    /// <summary>What the figure shows, in a few words.</summary>
    public required string Title { get; init; }

    /// <summary>A line below the title: the finding, or the setting.</summary>
    public string Subtitle { get; init; } = "";

    /// <summary>Small print below the plot: data, seeds, what a band means.</summary>
    public string Caption { get; init; } = "";

    /// <summary>The panels, row by row.</summary>
    public required IReadOnlyList<Panel> Panels { get; init; }

    /// <summary>Panels in a row.</summary>
    public int Columns { get; init; } = 1;

    /// <summary>Gives all panels the same limits, and heatmaps the same colours, so that they compare by eye.</summary>
    public bool ShareAxes { get; init; }

    /// <summary>Height of the plot area of one row of panels, in CSS pixels; null for the default.</summary>
    public int? PanelHeight { get; init; }

    /// <summary>A line below the title.</summary>
    public Figure WithSubtitle(string subtitle) => this with { Subtitle = subtitle };

    /// <summary>Small print below the plot.</summary>
    public Figure WithCaption(string caption) => this with { Caption = caption };

    /// <summary>Height of the plot area of one row of panels, in CSS pixels (120 to 800).</summary>
    public Figure WithPanelHeight(int pixels) =>
        pixels is >= 120 and <= 800
            ? this with { PanelHeight = pixels }
            : throw new ArgumentOutOfRangeException(nameof(pixels), pixels, "A panel's height is 120 to 800 pixels.");

    /// <summary>Label, unit and scale of the x axis of every panel.</summary>
    /// <exception cref="ArgumentException">A logarithmic axis has a value that is not above zero.</exception>
    public Figure XAxis(string label, string unit = "", bool log = false, bool percent = false, double? min = null, double? max = null, bool whole = false) =>
        EachPanel(panel => panel with { X = panel.X with { Label = label, Unit = unit, Log = log, Percent = percent, Whole = whole, Min = min ?? panel.X.Min, Max = max ?? panel.X.Max } });

    /// <summary>Label, unit and scale of the y axis of every panel.</summary>
    /// <exception cref="ArgumentException">A logarithmic axis has a value that is not above zero.</exception>
    public Figure YAxis(string label, string unit = "", bool log = false, bool percent = false, double? min = null, double? max = null) =>
        EachPanel(panel => panel with { Y = panel.Y with { Label = label, Unit = unit, Log = log, Percent = percent, Min = min ?? panel.Y.Min, Max = max ?? panel.Y.Max } });

    /// <summary>A horizontal reference line in every panel.</summary>
    public Figure ReferenceY(double value, string label) => Reference(new ReferenceLine(value, label, Vertical: false));

    /// <summary>A vertical reference line in every panel.</summary>
    public Figure ReferenceX(double value, string label) => Reference(new ReferenceLine(value, label, Vertical: true));

    /// <summary>More series in every panel, for example a fitted line over points.</summary>
    public Figure Add(params IEnumerable<Series> series)
    {
        Series[] more = [.. series];
        return EachPanel(panel => panel with { Series = [.. panel.Series, .. more.Select(Chart.DefaultMark(Mark.Line))] });
    }

    /// <summary>A still picture, upgraded to the live chart by a script where plotly.js is present.</summary>
    public string ToHtml() => FigureBundle.Of(this).Html;

    /// <summary>The picture alone, as PNG bytes.</summary>
    public byte[] ToPng() => Convert.FromBase64String(FigureBundle.Of(this).PngBase64);

    /// <summary>The Plotly figure as JSON: data and layout.</summary>
    public string ToPlotlyJson() => FigureBundle.Of(this).PlotlyJson;

    /// <summary>The summary that a terminal shows: title, axes, and first, last, lowest and highest value of each series.</summary>
    public override string ToString() => FigureText.Of(this);

    private Figure Reference(ReferenceLine line)
    {
        if (!double.IsFinite(line.Value))
        {
            throw new ArgumentException($"The reference line \"{line.Label}\" lies at {line.Value}; it needs a finite value.", nameof(line));
        }

        return EachPanel(panel => panel with { References = [.. panel.References, line] });
    }

    private Figure EachPanel(Func<Panel, Panel> change)
    {
        Panel[] panels = [.. Panels.Select(change)];
        foreach (Panel panel in panels)
        {
            PanelCheck.Require(panel);
        }

        return this with { Panels = panels };
    }
}

/// <summary>Formatter source of <see cref="Figure"/>: the four representations.</summary>
public sealed class FigureFormatterSource
{
    /// <summary>The formatters; hosts look for an instance method.</summary>
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Performance", "CA1822:Mark members as static", Justification = "The convention is an instance method.")]
    public IEnumerable<object> CreateTypeFormatters() =>
    [
        new ConventionFormatter<Figure>(MimeTypes.Plotly, figure => FigureBundle.Of(figure).PlotlyJson),
        new ConventionFormatter<Figure>(MimeTypes.Html, figure => FigureBundle.Of(figure).Html),
        new ConventionFormatter<Figure>(MimeTypes.Png, figure => FigureBundle.Of(figure).PngBase64),
        new ConventionFormatter<Figure>(MimeTypes.Text, figure => figure.ToString()),
    ];
}
