// What every page of the gallery has around its content: head, skip link, site navigation, theme switch, foot.

using PaperLab.Notebooks.Pages;

namespace PaperLab.Notebooks.Gallery;

/// <summary>The place of a page in the gallery.</summary>
internal enum Place
{
    Index,
    Paper,
    Claims,
}

internal static class Frame
{
    public const string Style = "assets/gallery.css", Script = "assets/gallery.js", Plotly = "assets/plotly.min.js";

    // A blank icon, so that no browser asks a server for one.
    private const string Head = """
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <meta name="generator" content="PaperLab">
        <link rel="icon" href="data:,">
        """;

    private const string Switch = """
        <button type="button" class="theme" aria-pressed="false" aria-label="Dark theme" title="Dark theme" hidden><svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false"><circle cx="10" cy="10" r="7.25" fill="none" stroke="currentColor" stroke-width="1.5"/><path d="M10 2.75a7.25 7.25 0 0 1 0 14.5z" fill="currentColor"/></svg></button>
        """;

    /// <summary>The whole page.</summary>
    /// <param name="place">Which kind of page it is.</param>
    /// <param name="title">Its title, as text.</param>
    /// <param name="beside">What stands beside the content, such as a table of contents.</param>
    /// <param name="content">The content of its main part.</param>
    /// <param name="live">Whether it has charts for plotly.js.</param>
    public static string Render(Place place, string title, string beside, string content, bool live = false)
    {
        string root = place == Place.Paper ? "../" : "";
        string plotly = live ? $"<script src=\"{root}{Plotly}\" defer></script>\n" : "";
        return $"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            {Head}
            <title>{Html.Escape(title)}</title>
            <link rel="stylesheet" href="{root}{Style}">
            <script src="{root}{Script}"></script>
            {plotly}</head>
            <body class="{place.ToString().ToLowerInvariant()}">
            <a class="skip" href="#content">Skip to the content</a>
            <header class="site">
            <a class="brand" href="{root}index.html">PaperLab</a>
            <nav aria-label="Gallery"><a href="{root}index.html"{Current(place, Place.Index)}>Papers</a><a href="{root}claims.html"{Current(place, Place.Claims)}>Claims</a></nav>
            {Switch}
            </header>
            {beside}<main id="content" tabindex="-1">
            {content}</main>
            <footer class="site"><p>Made from the outputs that the notebooks carry; every number comes from a recorded run. Verdicts are decided by intervals, never by hand.</p></footer>
            </body>
            </html>

            """;
    }

    private static string Current(Place place, Place link) => place == link ? " aria-current=\"page\"" : "";
}
