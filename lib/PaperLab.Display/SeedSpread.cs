// How far the seeds of an arm lie apart, as charts show it. A t interval of few seeds is wider than any figure; of those the range says
// what there is.

using PaperLab.Evaluation;
using PaperLab.Papers;

namespace PaperLab.Display;

internal static class SeedSpread
{
    private const int SeedsForInterval = 5;

    /// <summary>The mean with its t interval, or with the range of fewer than five values.</summary>
    public static Interval Of(IEnumerable<double> values)
    {
        double[] seeds = [.. values];
        return seeds.Length >= SeedsForInterval ? Interval.OfMean(seeds) : new Interval(seeds.Average(), seeds.Min(), seeds.Max(), seeds.Length);
    }

    /// <summary>What a band or a bar is.</summary>
    public static string Caption(ComparisonResult result) => Caption(result.Comparison.Seeds.Count);

    /// <summary>The same by the number of seeds.</summary>
    public static string Caption(int seeds) => seeds >= SeedsForInterval
        ? $"Mean of {seeds} seeds; band or bar: 95 % t interval of the mean."
        : $"Mean of {seeds} seeds; band or bar: their range (too few seeds for an interval).";
}
