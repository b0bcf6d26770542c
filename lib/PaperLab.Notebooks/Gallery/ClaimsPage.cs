// Every claim of every paper in one table. A script adds the filters; without it the table is all there is, and enough.

using PaperLab.Notebooks.Pages;

namespace PaperLab.Notebooks.Gallery;

internal static class ClaimsPage
{
    public const string Path = "claims.html";

    /// <summary>The page with its filters set; an empty name lets all pass.</summary>
    public static string AddressOf(string paper, string verdict) =>
        $"{Path}?{string.Join('&', new[] { paper.Length == 0 ? "" : $"paper={Uri.EscapeDataString(paper)}", $"verdict={ClaimsHtml.ClassOf(verdict)}" }.Where(part => part.Length > 0))}";

    public static string Render(IReadOnlyList<PaperPage> papers)
    {
        (PageClaim Claim, (string Paper, string Cell) Page)[] rows =
            [.. papers.SelectMany(paper => paper.Claims.Select(claim => (claim, (paper.Paper.Name, $"<a href=\"{Html.Escape(paper.Path)}#claims\">{Html.Escape(paper.Title)}</a>"))))];
        string ofPapers = string.Concat(papers.Where(paper => paper.Claims.Count > 0).Select(paper => Option(paper.Paper.Name, paper.Title)));
        string ofVerdicts = string.Concat(PageClaim.Verdicts.Select(verdict => Option(ClaimsHtml.ClassOf(verdict), verdict)));
        return Frame.Render(Place.Claims, "Claims · PaperLab", "", $"""
            <h1>Claims</h1>
            <p class="intro">What the papers claim, what was measured here, and what that says. One rule decides: the interval of the measured difference lies on the paper’s side of zero (supported), on the other side (contradicted), or holds zero (inconclusive).</p>
            {ClaimsHtml.Counts([.. rows.Select(row => row.Claim)], verdict => AddressOf("", verdict))}<form class="filters" role="search" aria-label="Claims" hidden>
            <label>Paper <select name="paper"><option value="">All papers</option>{ofPapers}</select></label>
            <label>Verdict <select name="verdict"><option value="">All verdicts</option>{ofVerdicts}</select></label>
            <label>Words <input type="search" name="words" autocomplete="off" placeholder="balance loss"></label>
            <button type="reset">Show all</button>
            <output aria-live="polite">{rows.Length} of {rows.Length} claims</output>
            </form>
            {ClaimsHtml.Table(rows, "Claims across papers", "Page")}
            """);
    }

    private static string Option(string value, string text) => $"<option value=\"{Html.Escape(value)}\">{Html.Escape(text)}</option>";
}
