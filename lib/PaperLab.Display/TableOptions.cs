// What a caller may say about a table's columns.

namespace PaperLab.Display;

/// <summary>Headers, units and formats of a table made from records. Columns that are not named keep their property's name.</summary>
public sealed class TableOptions
{
    internal Dictionary<string, (string? Header, string Unit, string? Format)> Columns { get; } = [];

    internal HashSet<string> Hidden { get; } = [];

    internal string Title { get; private set; } = "";

    internal int MostRows { get; private set; } = 50;

    /// <summary>A title above the table.</summary>
    public TableOptions Caption(string caption)
    {
        Title = caption;
        return this;
    }

    /// <summary>How one property is shown.</summary>
    /// <param name="property">The property's name.</param>
    /// <param name="header">Words above the column; null makes them from the name.</param>
    /// <param name="unit">Unit in brackets after the header.</param>
    /// <param name="format">A .NET number or date format.</param>
    public TableOptions Column(string property, string? header = null, string unit = "", string? format = null)
    {
        Columns[property] = (header, unit, format);
        return this;
    }

    /// <summary>Leaves properties out.</summary>
    public TableOptions Hide(params string[] properties)
    {
        Hidden.UnionWith(properties);
        return this;
    }

    /// <summary>Shows at most this many rows (50 unless told), and says how many more there are.</summary>
    public TableOptions Rows(int most)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 1);
        MostRows = most;
        return this;
    }
}
