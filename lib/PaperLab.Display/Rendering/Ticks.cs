// Where axes have ticks and what they say.

namespace PaperLab.Display.Rendering;

internal readonly record struct AxisTick(double Value, string Label);

internal static class Ticks
{
    private const int LongestName = 28;

    private static readonly double[] s_niceSteps = [1, 2, 5, 10];

    /// <summary>Ticks of an axis with settled limits, at most about <paramref name="most"/> of them.</summary>
    public static AxisTick[] Of(Axis axis, int most)
    {
        double min = axis.Min!.Value, max = axis.Max!.Value;
        if (!axis.Log)
        {
            return Linear(min, max, most, axis.Percent, axis.Whole ? 1 : 0);
        }

        AxisTick[] decades = Logarithmic(min, max, [1], axis.Percent);
        if (decades.Length > most)
        {
            int every = (decades.Length + most - 1) / most;
            return [.. decades.Where((_, i) => i % every == 0)];
        }

        AxisTick[] finer = decades.Length >= 4 ? decades : Logarithmic(min, max, [1, 2, 5], axis.Percent);
        return finer.Length >= 3 && finer.Length <= most ? finer
            : decades.Length >= 2 ? decades
            : [.. Linear(min, max, most, axis.Percent).Where(tick => tick.Value > 0)];
    }

    /// <summary>Ticks at categories, thinned to at most <paramref name="most"/> labels.</summary>
    public static AxisTick[] Of(IReadOnlyList<string> categories, int most)
    {
        int every = Math.Max(1, (categories.Count + most - 1) / Math.Max(1, most));
        return [.. categories.Select((label, i) => new AxisTick(i, Shortened(label))).Where((_, i) => i % every == 0)];
    }

    private static string Shortened(string label) => label.Length <= LongestName ? label : label[..(LongestName - 1)] + "…";

    private static AxisTick[] Linear(double min, double max, int most, bool percent, double smallestStep = 0)
    {
        double step = Math.Max(smallestStep, NiceStep((max - min) / Math.Max(1, most)));
        // Integer multiples of the step, so that 0.3 is not 0.30000000000000004.
        long first = (long)Math.Ceiling((min / step) - 1e-9), last = (long)Math.Floor((max / step) + 1e-9);
        return [.. Enumerable.Range(0, (int)(last - first + 1)).Select(i => (first + i) * step).Select(value => new AxisTick(value, NumberText.Tick(value, step, percent)))];
    }

    private static AxisTick[] Logarithmic(double min, double max, double[] mantissas, bool percent)
    {
        int from = (int)Math.Floor(Math.Log10(min)), to = (int)Math.Ceiling(Math.Log10(max));
        return [.. Enumerable.Range(from, to - from + 1)
            .SelectMany(exponent => mantissas.Select(mantissa => mantissa * Math.Pow(10, exponent)))
            .Where(value => value >= min * 0.999999 && value <= max * 1.000001)
            .Select(value => new AxisTick(value, NumberText.LogTick(value, percent)))];
    }

    /// <summary>The smallest of 1, 2, 5 × 10ⁿ that is not below <paramref name="step"/>.</summary>
    private static double NiceStep(double step)
    {
        double power = Math.Pow(10, Math.Floor(Math.Log10(step)));
        return s_niceSteps.First(mantissa => mantissa * power >= step * 0.999999) * power;
    }
}
