// Claims as the gallery shows them: a table that a phone sets as a list, counts with a bar, and how a verdict looks. A verdict is told by a
// sign and a word; colour only helps.

using PaperLab.Notebooks.Pages;

namespace PaperLab.Notebooks.Gallery;

internal static class ClaimsHtml
{
    /// <summary>The table of a page's claims.</summary>
    public static string Table(IEnumerable<PageClaim> claims, string caption) =>
        Table(claims.Select(claim => (claim, (Paper: "", Cell: ""))), caption, lastHeader: null);

    /// <summary>The table of claims across papers; the last cell of a row leads to the paper's page.</summary>
    public static string Table(IEnumerable<(PageClaim Claim, (string Paper, string Cell) Page)> claims, string caption, string? lastHeader)
    {
        string[] headers = ["Verdict", "Claim", "Paper", "Measured here", "Setting here", .. lastHeader is null ? Array.Empty<string>() : [lastHeader]];
        // The roles say again what the elements say: browsers forget that a table is one when a style sheet sets it as blocks.
        string head = string.Concat(headers.Select(header => $"<th scope=\"col\" role=\"columnheader\">{header}</th>"));
        string rows = string.Concat(claims.Select(row => Row(row.Claim, row.Page, headers)));
        return $"<table class=\"claims\" role=\"table\">\n<caption>{caption}</caption>\n<thead role=\"rowgroup\"><tr role=\"row\">{head}</tr></thead>\n<tbody role=\"rowgroup\">\n{rows}</tbody>\n</table>\n";
    }

    /// <summary>How many claims have each verdict, as a bar and in words; each word leads to <paramref name="address"/> of its verdict.</summary>
    public static string Counts(IReadOnlyCollection<PageClaim> claims, Func<string, string> address)
    {
        (string Verdict, int Count)[] counts = [.. PageClaim.Verdicts.Select(verdict => (verdict, claims.Count(claim => claim.Verdict == verdict))).Where(part => part.Item2 > 0)];
        if (counts.Length == 0)
        {
            return "<p class=\"note\">No claims are tested yet.</p>\n";
        }

        string bar = string.Concat(counts.Select(part => $"<span class=\"{ClassOf(part.Verdict)}\" style=\"flex-grow:{part.Count}\"></span>"));
        string words = string.Concat(counts.Select(part => $"<li><a class=\"verdict {ClassOf(part.Verdict)}\" href=\"{Html.Escape(address(part.Verdict))}\">{SignOf(part.Verdict)}<b>{part.Count}</b> {part.Verdict}</a></li>"));
        return $"<div class=\"bar\" aria-hidden=\"true\">{bar}</div>\n<ul class=\"counts\" aria-label=\"Claims by verdict\">{words}</ul>\n";
    }

    /// <summary>The name of a verdict in addresses and styles.</summary>
    public static string ClassOf(string verdict) => verdict.StartsWith("not ", StringComparison.Ordinal) ? "untested" : verdict;

    /// <summary>"0.020 [−0.008, 0.048]", with two digits of the interval's half width, as PaperLab.Display's tables have it; empty where nothing was measured.</summary>
    public static string Measured(PageClaim claim)
    {
        if (claim.Estimate is not { } estimate)
        {
            return "";
        }

        double scale = (claim.High - claim.Low) / 2 is > 0 and { } half ? half : Math.Abs(estimate) / 10;
        int decimals = scale > 0 ? Math.Clamp(1 - (int)Math.Floor(Math.Log10(scale)), 0, 9) : 1;
        return claim is { Low: { } low, High: { } high }
            ? $"{Number(estimate, decimals)} [{Number(low, decimals)}, {Number(high, decimals)}]"
            : $"{Number(estimate, decimals)} [no interval]";
    }

    private static string Row(PageClaim claim, (string Paper, string Cell) page, string[] headers)
    {
        string measured = claim.Reason is { } reason ? $"<small>{Html.Escape(reason)}</small>"
            : $"<span class=\"figure\">{Measured(claim)}</span> <small>{Html.Escape(Footing(claim))}</small>";
        string attributes = page.Paper.Length == 0 ? "" : $" data-paper=\"{Html.Escape(page.Paper)}\" data-verdict=\"{ClassOf(claim.Verdict)}\"";
        return $"<tr role=\"row\"{attributes}>"
            + Cell(0, $"<span class=\"verdict {ClassOf(claim.Verdict)}\">{SignOf(claim.Verdict)}{claim.Verdict}</span>")
            + $"<th scope=\"row\" role=\"rowheader\">{Html.Escape(claim.Statement)}</th>"
            + Cell(2, Html.Escape(claim.Paper)) + Cell(3, measured) + Cell(4, Html.Escape(claim.Setting))
            + (headers.Length > 5 ? Cell(5, page.Cell) : "") + "</tr>\n";

        string Cell(int column, string html) => $"<td role=\"cell\" data-label=\"{headers[column]}\">{html}</td>";
    }

    private static string Footing(PageClaim claim) =>
        string.Join("; ", new[] { claim.Unit ?? "", $"{claim.Level * 100:0.#} % interval, n\u00A0=\u00A0{claim.Observations}" }.Where(part => part.Length > 0));

    private static string SignOf(string verdict) => $"<span class=\"sign\" aria-hidden=\"true\">{ClassOf(verdict) switch { "supported" => "✔", "contradicted" => "✘", "inconclusive" => "≈", _ => "–" }}</span>";

    private static string Number(double value, int decimals) => value.ToString($"F{decimals}").Replace('-', '−');
}
