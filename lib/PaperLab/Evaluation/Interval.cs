// Interval estimates for paired seeds (Student t) and for items (bootstrap).
// One rule for the whole project: 95 % two-sided; t over seeds when there are at least five, bootstrap over items for accuracies.

using MathNet.Numerics.Distributions;
using MathNet.Numerics.Statistics;

namespace PaperLab.Evaluation;

/// <summary>A point estimate with a two-sided confidence interval.</summary>
/// <param name="Estimate">The mean (or the statistic) itself, in the metric's unit.</param>
/// <param name="Low">Lower bound; −∞ when there are too few observations to bound it.</param>
/// <param name="High">Upper bound; +∞ when there are too few observations to bound it.</param>
/// <param name="Observations">How many seeds or items stand behind it.</param>
/// <param name="Level">Coverage, 0.95 throughout the project.</param>
public sealed record Interval(double Estimate, double Low, double High, int Observations, double Level = Interval.DefaultLevel)
{
    /// <summary>The project's confidence level.</summary>
    public const double DefaultLevel = 0.95;

    /// <summary>True when zero lies strictly outside the interval.</summary>
    public bool ExcludesZero => Low > 0 || High < 0;

    /// <summary>Student t interval of the mean: mean ± t(1−α/2, n−1)·s/√n. One observation gives an unbounded interval.</summary>
    public static Interval OfMean(IReadOnlyList<double> values, double level = DefaultLevel)
    {
        ArgumentOutOfRangeException.ThrowIfZero(values.Count, nameof(values));
        RequireFinite(values);
        double mean = values.Average();
        if (values.Count == 1)
        {
            return new Interval(mean, double.NegativeInfinity, double.PositiveInfinity, 1, level);
        }

        double standardError = values.StandardDeviation() / Math.Sqrt(values.Count);
        double half = StudentT.InvCDF(0, 1, values.Count - 1, (1 + level) / 2) * standardError;
        return new Interval(mean, mean - half, mean + half, values.Count, level);
    }

    /// <summary>Interval of the mean paired difference treatment − baseline: the same seed (data order) on both sides of a pair.</summary>
    /// <exception cref="ArgumentException">The two lists differ in length.</exception>
    public static Interval OfPairedDifference(IReadOnlyList<double> treatment, IReadOnlyList<double> baseline, double level = DefaultLevel) =>
        OfMean(Differences(treatment, baseline), level);

    /// <summary>Percentile bootstrap of the mean over items (resampled with replacement).</summary>
    public static Interval OfBootstrap(IReadOnlyList<double> items, int seed, int resamples = 10_000, double level = DefaultLevel)
    {
        ArgumentOutOfRangeException.ThrowIfZero(items.Count, nameof(items));
        RequireFinite(items);
        var random = new SplitMix64((ulong)seed);
        var means = new double[resamples];
        for (int resample = 0; resample < resamples; resample++)
        {
            double sum = 0;
            for (int draw = 0; draw < items.Count; draw++)
            {
                sum += items[random.Next(items.Count)];
            }

            means[resample] = sum / items.Count;
        }

        return OfResampled(items.Average(), means, items.Count, level);
    }

    /// <summary>
    /// Percentile bootstrap of a mean over items that come in groups, such as the items of each seed: groups are resampled, then the items of
    /// each. Items of one group are not independent, so the groups are what is counted as observations.
    /// </summary>
    /// <param name="groups">One or more, each with one item or more.</param>
    /// <param name="seed">Of the resampling.</param>
    /// <param name="resamples">How many.</param>
    /// <param name="level">Coverage.</param>
    public static Interval OfNestedBootstrap(IReadOnlyList<IReadOnlyList<double>> groups, int seed, int resamples = 10_000, double level = DefaultLevel)
    {
        ArgumentOutOfRangeException.ThrowIfZero(groups.Count, nameof(groups));
        var random = new SplitMix64((ulong)seed);
        double[][] items = [.. groups.Select(group => group.ToArray())];
        foreach (double[] group in items)
        {
            ArgumentOutOfRangeException.ThrowIfZero(group.Length, nameof(groups));
            RequireFinite(group);
        }

        var means = new double[resamples];
        for (int resample = 0; resample < resamples; resample++)
        {
            double sum = 0;
            for (int draw = 0; draw < items.Length; draw++)
            {
                double[] group = items[random.Next(items.Length)];
                double ofGroup = 0;
                for (int item = 0; item < group.Length; item++)
                {
                    ofGroup += group[random.Next(group.Length)];
                }

                sum += ofGroup / group.Length;
            }

            means[resample] = sum / items.Length;
        }

        return OfResampled(items.Average(group => group.Average()), means, items.Length, level);
    }

    /// <summary>Paired bootstrap of the mean difference over items.</summary>
    public static Interval OfPairedBootstrap(IReadOnlyList<double> treatment, IReadOnlyList<double> baseline, int seed, int resamples = 10_000, double level = DefaultLevel) =>
        OfBootstrap(Differences(treatment, baseline), seed, resamples, level);

    /// <summary>"0.012 [-0.004, 0.028]", or "0.012 [one seed]" where there is no bound.</summary>
    public override string ToString() => ToString("0.000");

    /// <summary>As <see cref="ToString()"/> with a number format of the caller's choice.</summary>
    public string ToString(string format) => Observations == 1
        ? $"{Estimate.ToString(format)} [one observation]"
        : $"{Estimate.ToString(format)} [{Low.ToString(format)}, {High.ToString(format)}]";

    private static Interval OfResampled(double estimate, double[] means, int observations, double level)
    {
        Array.Sort(means);
        return new Interval(estimate, SortedArrayStatistics.Quantile(means, (1 - level) / 2), SortedArrayStatistics.Quantile(means, (1 + level) / 2), observations, level);
    }

    private static double[] Differences(IReadOnlyList<double> treatment, IReadOnlyList<double> baseline)
    {
        if (treatment.Count != baseline.Count)
        {
            throw new ArgumentException($"A paired difference needs as many treatment values as baseline values; there are {treatment.Count} and {baseline.Count}.", nameof(baseline));
        }

        return treatment.Zip(baseline, (t, b) => t - b).ToArray();
    }

    private static void RequireFinite(IReadOnlyList<double> values)
    {
        for (int i = 0; i < values.Count; i++)
        {
            if (!double.IsFinite(values[i]))
            {
                throw new ArgumentException($"Observation {i} is {values[i]}; an interval needs finite values, so a run that diverged has to be reported, not averaged.", nameof(values));
            }
        }
    }
}
