// How numbers read on axes, in cells and in summaries.

namespace PaperLab.Display.Rendering;

internal static class NumberText
{
    private static readonly string[] s_superscripts = ["⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"];

    /// <summary>A tick label that tells ticks <paramref name="step"/> apart: 0.25, 1500, 20k, 3M; as a percentage where asked.</summary>
    public static string Tick(double value, double step, bool percent)
    {
        if (percent)
        {
            return (value * 100).ToString("0.##########") + "%";
        }

        if (value == 0)
        {
            return "0";
        }

        double size = Math.Max(Math.Abs(value), step);
        if (size >= 1e15 || step < 1e-5)
        {
            return Scientific(value);
        }

        (double unit, string suffix) = size switch
        {
            >= 1e12 => (1e12, "T"),
            >= 1e9 => (1e9, "B"),
            >= 1e6 => (1e6, "M"),
            >= 1e4 => (1e3, "k"),
            _ => (1, ""),
        };
        int decimals = Math.Clamp((int)Math.Ceiling(-Math.Log10(step / unit) - 1e-9), 0, 15);
        return (value / unit).ToString("F" + decimals).Replace('-', '−') + suffix;
    }

    /// <summary>A tick label on a logarithmic axis: plain from 0.001 to 10,000, a power of ten beyond.</summary>
    public static string LogTick(double value, bool percent)
    {
        if (percent)
        {
            return (value * 100).ToString("G3") + "%";
        }

        return value is >= 0.00099 and < 10_000 ? value.ToString("0.######") : Scientific(value);
    }

    /// <summary>A value in a summary or hover text: four significant digits.</summary>
    public static string Value(double value, bool percent = false)
    {
        if (!double.IsFinite(value))
        {
            return "not finite";
        }

        if (percent)
        {
            return (value * 100).ToString("G4") + "%";
        }

        double size = Math.Abs(value);
        return size >= 1e4 && size < 1e15 ? value.ToString("#,0") : value.ToString("G4");
    }

    /// <summary>A value in a cell, by a .NET number format; percentages without a space before the sign.</summary>
    public static string Cell(double value, string format) => value.ToString(format).Replace(" %", "%").Replace('-', '−');

    private static string Scientific(double value)
    {
        int exponent = (int)Math.Floor(Math.Log10(Math.Abs(value)) + 1e-9);
        string mantissa = (value / Math.Pow(10, exponent)).ToString("0.##").Replace('-', '−');
        string power = "10" + Superscript(exponent);
        return mantissa == "1" ? power : $"{mantissa}×{power}";
    }

    private static string Superscript(int exponent) =>
        (exponent < 0 ? "⁻" : "") + string.Concat(Math.Abs(exponent).ToString().Select(digit => s_superscripts[digit - '0']));
}
