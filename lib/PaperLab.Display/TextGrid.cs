// Rows of words in aligned columns, for terminals.

using System.Globalization;
using System.Text;

namespace PaperLab.Display;

internal static class TextGrid
{
    /// <summary>Aligns the rows: the first <paramref name="leftColumns"/> columns to the left, the others to the right.</summary>
    public static string Of(IReadOnlyList<string[]> rows, int leftColumns, string indent = "")
    {
        int[] widths = [.. Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => Width(row[column])))];
        var text = new StringBuilder();
        foreach (string[] row in rows)
        {
            IEnumerable<string> cells = row.Select((cell, column) => Pad(cell, widths[column], left: column < leftColumns));
            text.Append(indent).Append(string.Join("  ", cells).TrimEnd()).Append('\n');
        }

        return text.ToString();
    }

    public static string Pad(string text, int width, bool left)
    {
        string space = new(' ', Math.Max(0, width - Width(text)));
        return left ? text + space : space + text;
    }

    /// <summary>Letters as a reader counts them, not UTF-16 units.</summary>
    public static int Width(string text) => new StringInfo(text).LengthInTextElements;
}
