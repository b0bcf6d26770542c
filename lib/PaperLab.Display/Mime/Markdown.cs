// Tables for README files.

namespace PaperLab.Display.Mime;

internal static class Markdown
{
    /// <summary>A pipe table; bars and line breaks in cells are kept from breaking it.</summary>
    public static string Table(IReadOnlyList<(string Header, bool Right)> columns, IEnumerable<IReadOnlyList<string>> rows)
    {
        string head = Line(columns.Select(column => column.Header));
        string rule = Line(columns.Select(column => column.Right ? "---:" : "---"));
        return head + rule + string.Concat(rows.Select(Line));
    }

    private static string Line(IEnumerable<string> cells) => $"| {string.Join(" | ", cells.Select(Cell))} |\n";

    private static string Cell(string text) => text.Replace("|", "\\|").ReplaceLineEndings(" ");
}
