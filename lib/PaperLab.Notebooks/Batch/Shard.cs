// A part of a batch, for machines that share one: each is told which part of how many, and they agree on the parts without talking.
// So the split depends on names, and on times only where every machine is given the same file of them.

using System.Globalization;

namespace PaperLab.Notebooks.Batch;

/// <summary>Part <paramref name="Index"/>, from 1, of <paramref name="Count"/>.</summary>
public sealed record Shard(int Index, int Count)
{
    /// <summary>Reads "2/3"; null when it is no shard.</summary>
    public static Shard? TryParse(string text) =>
        text.Split('/') is [string index, string count]
        && int.TryParse(index, NumberStyles.None, CultureInfo.InvariantCulture, out int i) && int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out int n)
        && i >= 1 && i <= n ? new Shard(i, n) : null;

    /// <summary>
    /// The names of this part, sorted. The longest are given out first, each to the part that has least to do so far; a name without
    /// a time counts as the mean of the others.
    /// </summary>
    /// <param name="names">All of the batch.</param>
    /// <param name="seconds">Known times, by name.</param>
    public IReadOnlyList<string> Of(IReadOnlyCollection<string> names, IReadOnlyDictionary<string, double> seconds)
    {
        double usual = names.Where(seconds.ContainsKey).Select(name => seconds[name]).DefaultIfEmpty(1).Average();
        double SecondsOf(string name) => seconds.GetValueOrDefault(name, usual);
        var load = new double[Count];
        var mine = new List<string>();
        foreach (string name in names.OrderByDescending(SecondsOf).ThenBy(name => name, StringComparer.Ordinal))
        {
            int part = Array.IndexOf(load, load.Min());
            load[part] += SecondsOf(name);
            if (part == Index - 1)
            {
                mine.Add(name);
            }
        }

        return [.. mine.Order(StringComparer.Ordinal)];
    }

    /// <summary>"2/3".</summary>
    public override string ToString() => $"{Index}/{Count}";
}
