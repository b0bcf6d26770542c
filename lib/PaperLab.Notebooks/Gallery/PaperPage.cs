// A notebook as a page of the gallery: the paper's card with what to do about it, the cells with their code folded away, live charts, and
// the claims in the gallery's own table. Pictures become files, so that the page itself stays small.

using PaperLab.Notebooks.Format;
using PaperLab.Notebooks.Pages;

namespace PaperLab.Notebooks.Gallery;

/// <summary>A page, and what the other pages say of it.</summary>
/// <param name="Paper">What it was made from.</param>
/// <param name="Summary">The paper's card; null where the notebook has none.</param>
/// <param name="Title">The notebook's title.</param>
/// <param name="Claims">Its claims.</param>
/// <param name="Markup">The page.</param>
/// <param name="Pictures">Its pictures by their path in the gallery.</param>
/// <param name="Thumbnail">The path of its first chart's picture, and what that shows; null where there is none.</param>
internal sealed record PaperPage(
    GalleryPaper Paper,
    PaperSummary? Summary,
    string Title,
    IReadOnlyList<PageClaim> Claims,
    string Markup,
    IReadOnlyDictionary<string, byte[]> Pictures,
    (string Path, string Alt)? Thumbnail)
{
    private const string PlotlyMimeType = "application/vnd.plotly.v1+json", PngMimeType = "image/png";

    /// <summary>The page's path in the gallery.</summary>
    public string Path => $"papers/{Paper.Name}.html";

    /// <summary>The path of the notebook, for download.</summary>
    public string NotebookPath => NotebookPathOf(Paper);

    /// <summary>Makes the page.</summary>
    /// <param name="paper">The paper.</param>
    /// <param name="plotly">plotly.js, which the gallery's pages share.</param>
    /// <param name="warn">Told about what could not be shown as meant.</param>
    public static PaperPage Of(GalleryPaper paper, PlotlyScript plotly, Action<string> warn)
    {
        PaperSummary? summary = PaperSummary.Of(paper.Notebook);
        IReadOnlyList<PageClaim> claims = PageClaims.Of(paper.Notebook);
        var pictures = new PictureFiles(paper.Name);
        string panel = Panel(paper, summary, claims);
        bool placed = false;
        PageBody body = PageBody.Of(paper.Notebook, new HtmlPageOptions
        {
            Charts = ChartMode.Linked,
            Plotly = plotly,
            FoldsCode = true,
            Instead = output =>
            {
                if (summary is not null && !placed && PaperSummary.Of(output) == summary)
                {
                    placed = true;
                    return panel;
                }

                return PageClaims.Of(output) is { Count: > 0 } shown ? ClaimsHtml.Table(shown, "Claims of the paper, and what was measured here") : null;
            },
            AddressOfPicture = (type, base64) => "../" + pictures.PathOf(type, base64),
            Warn = message => warn($"{paper.Name}, {message}"),
        });
        MimeBundle? chart = paper.Notebook.Cells.SelectMany(cell => cell.Outputs).Select(output => output.Shown()).FirstOrDefault(shown => shown?[PlotlyMimeType] is not null && shown[PngMimeType] is not null);
        return new PaperPage(
            paper,
            summary,
            body.Title,
            claims,
            Frame.Render(Place.Paper, $"{body.Title} · PaperLab", body.Contents, (placed ? "" : panel) + body.Cells, body.HasLiveChart),
            pictures.Files,
            chart is null ? null : (pictures.PathOf(PngMimeType, chart[PngMimeType]!.ToString()), chart.PlainText.Split('\n')[0].Trim()));
    }

    /// <summary>What the runs of a paper took, in words.</summary>
    public static string TimeText(TrainingTime time) =>
        $"{time.Runs:N0} recorded {(time.Runs == 1 ? "run" : "runs")} at the preset {time.Preset} on {time.Device}, {time.Threads} {(time.Threads == 1 ? "thread" : "threads")}: {Html.Duration(time.Total)} of training";

    private static string NotebookPathOf(GalleryPaper paper) =>
        $"notebooks/{paper.Name}.{(paper.Notebook.Format == NotebookFormat.Dib ? "dib" : "ipynb")}";

    private static string Panel(GalleryPaper paper, PaperSummary? summary, IReadOnlyList<PageClaim> claims)
    {
        string card = summary is null ? "" : $"""
            <p class="title">{Html.Escape(summary.Title)}</p>
            <p class="cite">{Html.Escape(summary.Authors)} · <a href="{Html.Escape(summary.Link)}">arXiv:{Html.Escape(summary.ArXivId)}</a></p>
            <p>{Html.Escape(summary.WhatIsNew)}</p>
            <p><b>This notebook.</b> {Html.Escape(summary.ThisNotebook)}</p>

            """;
        string cite = summary is null ? "" : $"""
            <details><summary>Cite the paper</summary>
            <pre class="listing copied" tabindex="0" aria-label="BibTeX">{Html.Escape(summary.BibTeX)}</pre>
            </details>

            """;
        string times = string.Concat(paper.Times.Select(time => $"<p class=\"cost\">{Html.Escape(TimeText(time))}</p>\n"));
        return $"""
            <section class="paper" aria-label="The paper">
            {card}{ClaimsHtml.Counts(claims, _ => "#claims")}{times}<p class="actions"><a class="button" href="../{Html.Escape(NotebookPathOf(paper))}" download>Download the notebook</a></p>
            <details><summary>Run it</summary>
            <pre class="listing copied" tabindex="0" aria-label="Commands">{Html.Escape(Commands(paper))}</pre>
            </details>
            {cite}</section>

            """;
    }

    // In a checkout; each line can be run as it stands.
    private static string Commands(GalleryPaper paper)
    {
        TrainingTime? longest = paper.Times.MaxBy(time => time.Total);
        (string Command, string What)[] lines =
        [
            ("dotnet build lib/PaperLab.Cli", "once"),
            ($"lib/out/paperlab run {paper.Name}", "from the recorded runs, in seconds"),
            ($"lib/out/paperlab run {paper.Name} --preset smoke", "trains live, in about a minute"),
            ($"lib/out/paperlab run {paper.Name} --fresh", longest is null ? "trains everything anew" : $"trains everything anew: {Html.Duration(longest.Total)} on {longest.Device}, {longest.Threads} {(longest.Threads == 1 ? "thread" : "threads")}"),
        ];
        int width = lines.Max(line => line.Command.Length) + 3;
        return string.Join('\n', lines.Select(line => $"{line.Command.PadRight(width)}# {line.What}"));
    }

    /// <summary>The pictures of a page as files: the same picture is one file.</summary>
    private sealed class PictureFiles(string name)
    {
        private readonly Dictionary<string, byte[]> _files = [];
        private readonly Dictionary<string, string> _paths = [];

        public IReadOnlyDictionary<string, byte[]> Files => _files;

        public string PathOf(string mimeType, string base64)
        {
            if (!_paths.TryGetValue(base64, out string? path))
            {
                string extension = mimeType switch { "image/svg+xml" => "svg", "image/jpeg" => "jpg", _ => mimeType["image/".Length..] };
                path = _paths[base64] = $"images/{name}-{_paths.Count + 1}.{extension}";
                _files[path] = Convert.FromBase64String(base64);
            }

            return path;
        }
    }
}
