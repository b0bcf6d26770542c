using PaperLab.Training;

namespace PaperLab.Papers;

/// <summary>How several processes share a list of runs.</summary>
internal static class Turns
{
    /// <summary>The records of runs, in their order: those that the store has, and of the others what is made now.</summary>
    /// <param name="store">Where records lie.</param>
    /// <param name="paper">The notebook that the runs belong to.</param>
    /// <param name="configs">The runs, each after those that it needs.</param>
    /// <param name="needs">The runs that a run goes on from or learns from.</param>
    /// <param name="fresh">Make everything from the start, whatever the store holds.</param>
    /// <param name="note">Told how many were there.</param>
    /// <param name="make">Loads or makes a run.</param>
    public static IReadOnlyList<TRecord> Records<TConfig, TRecord>(
        RunStore store, string paper, IReadOnlyList<TConfig> configs, Func<TConfig, IEnumerable<TConfig>> needs, bool fresh, Action<string>? note, Func<TConfig, TRecord> make)
        where TConfig : class
    {
        int found = fresh ? 0 : configs.Count(config => store.Holds(paper, config));
        var records = new TRecord[configs.Count];
        Take(Enumerable.Range(0, configs.Count), run => InUse(configs[run]), run => records[run] = make(configs[run]));
        Tell(note, found, configs.Count);
        return records;

        // A run that needs one in the making would only wait for it.
        bool InUse(TConfig config) => store.IsInUse(paper, config) || needs(config).Any(InUse);
    }

    /// <summary>Makes every run of a list. What another process makes at the moment comes last, and then is there.</summary>
    /// <param name="runs">The runs, each after those that it needs.</param>
    /// <param name="inUse">Whether another process makes it now.</param>
    /// <param name="make">Makes it, or waits for who does.</param>
    public static void Take<T>(IEnumerable<T> runs, Func<T, bool> inUse, Action<T> make)
    {
        List<T> left = [.. runs];
        while (left.Count > 0)
        {
            int free = left.FindIndex(run => !inUse(run));
            T next = left[Math.Max(0, free)];
            make(next);
            left.Remove(next);
        }
    }

    /// <summary>Says how many runs were loaded, if any, and that <c>fresh</c> trains (or otherwise makes) them again.</summary>
    public static void Tell(Action<string>? note, int found, int all, string again = "trains")
    {
        if (found > 0)
        {
            note?.Invoke($"{found} of {all} runs were loaded from records of earlier runs; fresh = true {again} them again.");
        }
    }
}
