// Tables of records or of a data frame: HTML, aligned text, Markdown.

using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Data.Analysis;
using PaperLab.Display.Mime;

namespace PaperLab.Display;

/// <summary>A table of text cells with aligned columns.</summary>
[TypeFormatterSource(typeof(HtmlViewFormatterSource), PreferredMimeTypes = [MimeTypes.Html, MimeTypes.Text])]
public sealed partial class Table : IHtmlView
{
    private readonly string _caption;
    private readonly (string Header, bool Right)[] _columns;
    private readonly string[][] _rows;
    private readonly int _left;

    private Table(string caption, (string Header, bool Right)[] columns, string[][] rows, int left)
    {
        (_caption, _columns, _rows, _left) = (caption, columns, rows, left);
    }

    /// <summary>A row for each record, a column for each public property.</summary>
    /// <param name="records">The rows.</param>
    /// <param name="options">Caption, and headers, units and formats by property name.</param>
    /// <exception cref="ArgumentException">The options name a property that the records do not have.</exception>
    public static Table Of<T>(IEnumerable<T> records, Action<TableOptions>? options = null)
    {
        var chosen = new TableOptions();
        options?.Invoke(chosen);
        PropertyInfo[] properties = [.. typeof(T).GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanRead && property.GetIndexParameters().Length == 0)];
        RequireKnown<T>(chosen, properties);
        properties = [.. properties.Where(property => !chosen.Hidden.Contains(property.Name))];
        T[] all = [.. records];
        (string? Header, string Unit, string? Format)[] asked = [.. properties.Select(property => chosen.Columns.GetValueOrDefault(property.Name, (null, "", null)))];
        return new Table(
            chosen.Title,
            [.. properties.Zip(asked, (property, column) => (Header(column.Header ?? Words(property.Name), column.Unit), CellText.IsNumeric(property.PropertyType)))],
            [.. all.Take(chosen.MostRows).Select(record => properties.Zip(asked, (property, column) => CellText.Of(property.GetValue(record), column.Format)).ToArray())],
            Math.Max(0, all.Length - chosen.MostRows));
    }

    /// <summary>A data frame's first rows.</summary>
    public static Table OfDataFrame(DataFrame frame, string caption = "", int mostRows = 50)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(mostRows, 1);
        return new Table(
            caption,
            [.. frame.Columns.Select(column => (column.Name, CellText.IsNumeric(column.DataType)))],
            [.. frame.Rows.Take(mostRows).Select(row => row.Select(value => CellText.Of(value, null)).ToArray())],
            (int)Math.Max(0, frame.Rows.Count - mostRows));
    }

    /// <inheritdoc/>
    public string ToHtml()
    {
        string table = Html.Table(Html.Text(_caption), [.. _columns.Select(column => (Html.Text(column.Header), column.Right))], _rows.Select(row => (IReadOnlyList<string>)Array.ConvertAll(row, Html.Text)));
        return _left == 0 ? table : $"{table}<p style=\"{Html.Font};{Html.Soft};margin:2px 0\">… and {_left:N0} more rows</p>";
    }

    /// <summary>The table as Markdown, for README files.</summary>
    public string ToMarkdown() => Markdown.Table(_columns, _rows);

    /// <summary>The table as aligned text.</summary>
    public override string ToString()
    {
        if (_columns.Length == 0)
        {
            return _caption;
        }

        int[] widths = [.. _columns.Select((column, i) => _rows.Select(row => TextGrid.Width(row[i])).Append(TextGrid.Width(column.Header)).Max())];
        IEnumerable<string[]> lines = [[.. _columns.Select(column => column.Header)], [.. widths.Select(width => new string('─', width))], .. _rows];
        string text = string.Join('\n', lines.Select(line => string.Join("  ", line.Select((cell, i) => TextGrid.Pad(cell, widths[i], left: !_columns[i].Right))).TrimEnd()));
        return (_caption.Length == 0 ? "" : _caption + "\n") + text + (_left == 0 ? "" : $"\n… and {_left:N0} more rows");
    }

    private static void RequireKnown<T>(TableOptions options, PropertyInfo[] properties)
    {
        foreach (string name in options.Columns.Keys.Concat(options.Hidden))
        {
            if (!properties.Any(property => property.Name == name))
            {
                throw new ArgumentException($"The table's options name a property \"{name}\"; {typeof(T).Name} has {string.Join(", ", properties.Select(property => property.Name))}.", nameof(options));
            }
        }
    }

    private static string Header(string words, string unit) => unit.Length == 0 ? words : $"{words} ({unit})";

    // TokensPerSecond reads "tokens per second"; an abbreviation (KLDivergence, "KL divergence") stays one.
    private static string Words(string name) =>
        string.Join(' ', WordBoundary().Split(name).Select(word => word.Length > 1 && word.All(char.IsUpper) ? word : word.ToLowerInvariant()));

    [GeneratedRegex("(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")]
    private static partial Regex WordBoundary();
}
