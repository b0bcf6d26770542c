// How an interval estimate reads: as many decimals as its width justifies, and never fewer.

using PaperLab.Evaluation;

namespace PaperLab.Display;

internal static class IntervalText
{
    /// <summary>"−0.0121 [−0.0190, −0.0052]"; "0.3 [one observation]" where there is no bound.</summary>
    public static string Of(Interval interval, string? format = null)
    {
        format ??= "F" + Decimals(interval);
        string estimate = Number(interval.Estimate, format);
        return double.IsFinite(interval.Low) && double.IsFinite(interval.High)
            ? $"{estimate} [{Number(interval.Low, format)}, {Number(interval.High, format)}]"
            : $"{estimate} [no interval: {interval.Observations} observation{(interval.Observations == 1 ? "" : "s")}]";
    }

    // Two significant digits of the half width; of the estimate itself where there is no width.
    private static int Decimals(Interval interval)
    {
        double half = (interval.High - interval.Low) / 2;
        double scale = double.IsFinite(half) && half > 0 ? half : Math.Abs(interval.Estimate) / 10;
        return scale > 0 ? Math.Clamp(1 - (int)Math.Floor(Math.Log10(scale)), 0, 9) : 1;
    }

    private static string Number(double value, string format)
    {
        string text = value.ToString(format);
        return text.StartsWith('-') ? "−" + text[1..] : text;
    }
}
