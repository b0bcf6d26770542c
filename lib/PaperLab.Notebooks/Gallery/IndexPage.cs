// The gallery's first page: every paper with what is new in it, how its claims fared, and what its runs took.

using PaperLab.Notebooks.Pages;

namespace PaperLab.Notebooks.Gallery;

internal static class IndexPage
{
    public const string Path = "index.html";

    public static string Render(IReadOnlyList<PaperPage> papers)
    {
        PageClaim[] claims = [.. papers.SelectMany(paper => paper.Claims)];
        string cards = string.Concat(papers.Select(Card));
        return Frame.Render(Place.Index, "PaperLab: language-model papers, run", "", $"""
            <section class="lead">
            <h1>Language-model papers, run</h1>
            <p>Each page explains a paper’s idea, builds it, trains it beside its baseline, and ends with a table: what the paper claims, what was measured here, and the verdict that the interval decided. What does not hold is shown like what does.</p>
            <p><b>{papers.Count}</b> {(papers.Count == 1 ? "paper" : "papers")}, <b>{claims.Length}</b> <a href="{ClaimsPage.Path}">claims</a></p>
            {ClaimsHtml.Counts(claims, verdict => ClaimsPage.AddressOf(paper: "", verdict))}</section>
            {cards}
            """);
    }

    private static string Card(PaperPage paper)
    {
        string picture = paper.Thumbnail is not { } thumbnail ? ""
            : $"<a class=\"thumbnail\" href=\"{Html.Escape(paper.Path)}\" tabindex=\"-1\" aria-hidden=\"true\"><img src=\"{Html.Escape(thumbnail.Path)}\" alt=\"{Html.Escape(thumbnail.Alt)}\" width=\"760\" height=\"465\" loading=\"lazy\"></a>\n";
        string summary = paper.Summary is not { } card ? "" : $"""
            <p class="cite">{Html.Escape(card.Title)} · {Html.Escape(card.Authors)} · <a href="{Html.Escape(card.Link)}">arXiv:{Html.Escape(card.ArXivId)}</a></p>
            <p>{Html.Escape(card.WhatIsNew)}</p>

            """;
        string times = string.Concat(paper.Paper.Times.Select(time => $"<p class=\"cost\">{Html.Escape(PaperPage.TimeText(time))}</p>\n"));
        return $"""
            <article class="card">
            <div>
            <h2><a href="{Html.Escape(paper.Path)}">{Html.Escape(paper.Title)}</a></h2>
            {summary}{ClaimsHtml.Counts(paper.Claims, verdict => ClaimsPage.AddressOf(paper.Paper.Name, verdict))}{times}</div>
            {picture}</article>

            """;
    }
}
