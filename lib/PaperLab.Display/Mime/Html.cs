// Small pieces of HTML. Inline styles only: front ends drop style sheets, and some drop the styles too, so the markup alone has to
// read well. Colours are mid-tones or translucent greys, which hold on light and dark pages alike.

using System.Net;

namespace PaperLab.Display.Mime;

internal static class Html
{
    public const string Rule = "1px solid rgba(128,128,128,0.35)";
    public const string StrongRule = "1.5px solid rgba(128,128,128,0.75)";
    public const string Soft = "opacity:0.72";
    public const string Font = "font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif;font-size:13px;line-height:1.45";

    /// <summary>The reader's words as HTML text; line breaks stay.</summary>
    public static string Text(string text) => WebUtility.HtmlEncode(text).Replace("\n", "<br/>");

    /// <summary>A table: a caption line, a header row, rows. Cells are HTML already.</summary>
    public static string Table(string caption, IReadOnlyList<(string Header, bool Right)> columns, IEnumerable<IReadOnlyList<string>> rows)
    {
        string head = string.Concat(columns.Select(column => Cell(column.Header.Length > 0 ? "th" : "td", column.Header, column.Right, $"font-weight:600;vertical-align:bottom;border-bottom:{StrongRule}")));
        string body = string.Concat(rows.Select(row => $"<tr style=\"background:none\">{string.Concat(row.Zip(columns, (cell, column) => Cell("td", cell, column.Right, $"vertical-align:top;border-bottom:{Rule}")))}</tr>\n"));
        string above = caption.Length == 0 ? "" : $"<p style=\"margin:0 0 4px 0\"><b>{caption}</b></p>\n";
        return $"<div style=\"{Font};overflow-x:auto;margin:6px 0\">{above}<table style=\"border-collapse:collapse;border:none;color:inherit;font-size:13px;margin:0;font-variant-numeric:tabular-nums\">\n<thead><tr style=\"background:none\">{head}</tr></thead>\n<tbody>\n{body}</tbody></table></div>";
    }

    // Text whose first letter is Arabic or Hebrew reads from the right, its full stop on the left.
    private static string Cell(string tag, string content, bool right, string style)
    {
        bool fromTheRight = content.FirstOrDefault(char.IsLetter) is >= '\u0590' and <= '\u08FF';
        string align = right || fromTheRight ? "right" : "left";
        string scope = tag == "th" ? " scope=\"col\"" : "";
        return $"<{tag}{scope}{(fromTheRight ? " dir=\"rtl\"" : "")} align=\"{align}\" style=\"text-align:{align};padding:4px 14px 4px 0;border:none;{style}\">{content}</{tag}>";
    }
}
