// What has run in this kernel, for the arrow keys and the search of consoles. It lives as long as the process.

using System.Text;
using System.Text.RegularExpressions;

namespace PaperLab.Notebooks.Jupyter;

/// <summary>One cell that ran.</summary>
/// <param name="Line">Its In[n] number.</param>
/// <param name="Source">Its text.</param>
/// <param name="Output">The text of its value; null where it had none.</param>
internal sealed record HistoryEntry(int Line, string Source, string? Output);

/// <summary>The cells that ran, oldest first.</summary>
internal sealed class CellHistory
{
    /// <summary>The number of this process among the sessions that a front end may ask for: there is no other.</summary>
    public const int Session = 1;

    private readonly List<HistoryEntry> _entries = [];

    public void Add(HistoryEntry entry) => _entries.Add(entry);

    /// <summary>The last <paramref name="count"/> cells.</summary>
    public IEnumerable<HistoryEntry> Tail(int count) => _entries.TakeLast(Math.Max(0, count));

    /// <summary>The cells numbered from <paramref name="start"/> up to <paramref name="stop"/>, exclusive; to the end without one. A <paramref name="session"/> of 0 is the present one, and those before it are forgotten.</summary>
    public IEnumerable<HistoryEntry> Range(int session, int start, int? stop) =>
        session is 0 or Session ? _entries.Where(entry => entry.Line >= start && (stop is null || entry.Line < stop)) : [];

    /// <summary>The last <paramref name="count"/> cells that match <paramref name="pattern"/> as a whole, in which * stands for any text and ? for one character.</summary>
    public IEnumerable<HistoryEntry> Search(string pattern, int? count, bool unique)
    {
        Regex whole = Wildcards(pattern);
        IEnumerable<HistoryEntry> found = _entries.Where(entry => whole.IsMatch(entry.Source));
        found = unique ? found.Reverse().DistinctBy(entry => entry.Source).Reverse() : found;
        return count is int most ? found.TakeLast(Math.Max(0, most)) : found;
    }

    private static Regex Wildcards(string pattern)
    {
        var expression = new StringBuilder(@"\A");
        foreach (char character in pattern)
        {
            expression.Append(character switch { '*' => ".*", '?' => ".", _ => Regex.Escape(character.ToString()) });
        }

        return new Regex(expression.Append(@"\z").ToString(), RegexOptions.Singleline | RegexOptions.NonBacktracking);
    }
}
