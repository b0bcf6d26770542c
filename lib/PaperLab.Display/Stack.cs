// Several views as one value: what a cell ends with is shown by every notebook host, while not every host has a function to show more.

using PaperLab.Display.Mime;

namespace PaperLab.Display;

/// <summary>Views, one below the other.</summary>
[TypeFormatterSource(typeof(HtmlViewFormatterSource), PreferredMimeTypes = [MimeTypes.Html, MimeTypes.Text])]
public sealed class Stack : IHtmlView
{
    private readonly IReadOnlyList<IHtmlView> _views;

    private Stack(IReadOnlyList<IHtmlView> views) => _views = views;

    /// <summary>The views, from the top.</summary>
    public static Stack Of(params IReadOnlyList<IHtmlView> views) => new(views);

    /// <inheritdoc/>
    public string ToHtml() => string.Join('\n', _views.Select(view => view.ToHtml()));

    /// <summary>Their texts, an empty line between two.</summary>
    public override string ToString() => string.Join("\n\n", _views.Select(view => view.ToString()?.TrimEnd()));
}
