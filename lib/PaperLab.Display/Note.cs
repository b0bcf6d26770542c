// A short message that stands out on a page.

using PaperLab.Display.Mime;

namespace PaperLab.Display;

/// <summary>A callout: information, a warning, or the word that results were loaded and not computed here.</summary>
[TypeFormatterSource(typeof(HtmlViewFormatterSource), PreferredMimeTypes = [MimeTypes.Html, MimeTypes.Text])]
public sealed class Note : IHtmlView
{
    private readonly string _heading;
    private readonly string _text;
    private readonly string _color;

    private Note(string heading, string text, string color) => (_heading, _text, _color) = (heading, text, color);

    /// <summary>Something worth knowing.</summary>
    public static Note Info(string text, string heading = "Note") => new(heading, text, Palette.Sky);

    /// <summary>Something that changes how results may be read.</summary>
    public static Note Warning(string text, string heading = "Warning") => new(heading, text, Palette.Orange);

    /// <summary>Results below were loaded from recorded runs.</summary>
    /// <param name="text">Which runs, when and on what they were made, and how to make them again.</param>
    public static Note Recorded(string text) => new("Loaded from recorded runs, not computed here", text, Palette.Purple);

    /// <inheritdoc/>
    public string ToHtml() =>
        $"<blockquote style=\"{Html.Font};margin:8px 0;padding:6px 12px;border:none;border-left:4px solid {_color};background:rgba(128,128,128,0.09);max-width:760px;color:inherit\"><b>{Html.Text(_heading)}</b><br/>{Html.Text(_text)}</blockquote>";

    /// <summary>"Warning: …".</summary>
    public override string ToString() => $"{_heading}: {_text}";
}
