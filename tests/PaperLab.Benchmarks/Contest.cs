// Several ways to do the same, timed in turn.

using System.Diagnostics;

namespace PaperLab.Benchmarks;

/// <summary>One way: a name, and what runs one repeat and returns its seconds.</summary>
internal sealed record Way(string Name, Func<double> Repeat)
{
    /// <summary>A way whose repeat is timed from outside, until the device of <paramref name="runtime"/> has computed it.</summary>
    public static Way Timed(string name, TorchRuntime runtime, Action repeat) => new(name, () =>
    {
        long start = Stopwatch.GetTimestamp();
        repeat();
        runtime.Synchronize();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    });
}

/// <summary>Seconds of every repeat of a way, the warm-up left out.</summary>
internal sealed record Times(string Name, double[] Seconds)
{
    public double Median => Quantile(0.5);

    /// <summary>Half the distance between the quartiles, as a share of the median: how unsteady the machine was.</summary>
    public double Spread => (Quantile(0.75) - Quantile(0.25)) / 2 / Median;

    private double Quantile(double q)
    {
        double[] sorted = [.. Seconds.Order()];
        double place = q * (sorted.Length - 1);
        int below = (int)place;
        return sorted[below] + ((place - below) * (sorted[Math.Min(below + 1, sorted.Length - 1)] - sorted[below]));
    }
}

internal static class Contest
{
    /// <summary>Runs every way once to warm up, then <paramref name="rounds"/> times in turn.</summary>
    public static Times[] Run(int rounds, params IReadOnlyList<Way> ways)
    {
        var seconds = ways.Select(_ => new List<double>()).ToArray();
        for (int round = -1; round < rounds; round++)
        {
            for (int i = 0; i < ways.Count; i++)
            {
                double time = ways[i].Repeat();
                if (round >= 0)
                {
                    seconds[i].Add(time);
                }
            }
        }

        return [.. ways.Select((way, i) => new Times(way.Name, [.. seconds[i]]))];
    }

    /// <summary>Median over rounds of b's time / a's time in the same round: above 1, a is faster.</summary>
    public static double Ratio(Times a, Times b)
    {
        double[] ratios = [.. a.Seconds.Zip(b.Seconds, (x, y) => y / x).Order()];
        return ratios.Length % 2 == 1 ? ratios[ratios.Length / 2] : (ratios[(ratios.Length / 2) - 1] + ratios[ratios.Length / 2]) / 2;
    }
}
