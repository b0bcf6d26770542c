// Everything that shows itself as a piece of HTML with a text form beside it: tables, claims, notes, cards, progress.

namespace PaperLab.Display.Mime;

/// <summary>A value that a notebook shows as HTML, and a terminal as text (<see cref="object.ToString"/>).</summary>
public interface IHtmlView
{
    /// <summary>The HTML fragment: inline styles only, readable on light and dark pages and with styles stripped.</summary>
    string ToHtml();
}

/// <summary>Formatter source of every <see cref="IHtmlView"/>: text/html and text/plain.</summary>
public sealed class HtmlViewFormatterSource
{
    /// <summary>The formatters; hosts look for an instance method.</summary>
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Performance", "CA1822:Mark members as static", Justification = "The convention is an instance method.")]
    public IEnumerable<object> CreateTypeFormatters() =>
    [
        new ConventionFormatter<IHtmlView>(MimeTypes.Html, view => view.ToHtml()),
        new ConventionFormatter<IHtmlView>(MimeTypes.Text, view => view.ToString() ?? ""),
    ];
}
