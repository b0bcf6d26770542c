// An executed notebook as one HTML file that needs nothing else: no network, no server, and no script but plotly.js where
// charts are to be live. Style and chart script are page.css and charts.js beside this file, embedded in the assembly.

using System.Text;
using PaperLab.Notebooks.Format;

namespace PaperLab.Notebooks.Pages;

public static class HtmlPage
{
    /// <summary>page.css.</summary>
    internal static string Style { get; } = Html.Resource(typeof(HtmlPage), "page.css");

    /// <summary>charts.js.</summary>
    internal static string ChartScript { get; } = Html.Resource(typeof(HtmlPage), "charts.js");

    /// <summary>The page of <paramref name="notebook"/>.</summary>
    /// <exception cref="ArgumentException">Live charts are asked for without plotly.js.</exception>
    public static string Render(Notebook notebook, HtmlPageOptions? options = null) => Build(notebook, options ?? new HtmlPageOptions()).Html;

    /// <summary>
    /// Writes the page to <paramref name="path"/>, all of it or nothing; with <see cref="ChartMode.Linked"/> and a chart in the notebook,
    /// plotly.js beside it too, unless it is there already.
    /// </summary>
    /// <exception cref="ArgumentException">Live charts are asked for without plotly.js.</exception>
    /// <exception cref="IOException">The folder cannot be written; what was there is unchanged.</exception>
    public static void Save(Notebook notebook, string path, HtmlPageOptions? options = null)
    {
        options ??= new HtmlPageOptions();
        (string html, bool live) = Build(notebook, options);
        if (live && options.Charts == ChartMode.Linked)
            SaveScript(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, HtmlPageOptions.LinkedScriptName), options.Plotly!);
        AtomicFile.Write(path, Encoding.UTF8.GetBytes(html));
    }

    private static void SaveScript(string path, PlotlyScript plotly)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(plotly.Source);
        if (!File.Exists(path) || new FileInfo(path).Length != bytes.Length || !File.ReadAllBytes(path).AsSpan().SequenceEqual(bytes))
            AtomicFile.Write(path, bytes);
    }

    private static (string Html, bool Live) Build(Notebook notebook, HtmlPageOptions options)
    {
        if (options.Charts != ChartMode.Still && options.Plotly is null)
            throw new ArgumentException($"Charts is {options.Charts}, which needs Plotly: give plotly.js (PlotlyScript.FromAssembly) or choose {ChartMode.Still}.", nameof(options));

        PageBody body = PageBody.Of(notebook, options);
        string html = $"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta name="generator" content="PaperLab">
            <title>{Html.Escape(body.Title)}</title>
            <style>
            {Style}</style>
            {(body.HasLiveChart ? Scripts(options) : "")}</head>
            <body>
            {body.Contents}<main>
            {body.Cells}</main>
            {RunStamp.ToHtml(notebook)}</body>
            </html>

            """;
        return (html, body.HasLiveChart);
    }

    private static string Scripts(HtmlPageOptions options)
    {
        string plotly = options.Charts == ChartMode.Inline
            ? $"<script>{Html.ScriptSource(options.Plotly!.Source)}</script>"
            : $"<script src=\"{HtmlPageOptions.LinkedScriptName}\" defer></script>";
        return $"{plotly}\n<script>\n{ChartScript}</script>\n";
    }
}
