namespace PaperLab.Papers;

/// <summary>How several processes share a list of runs.</summary>
internal static class Turns
{
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
}
