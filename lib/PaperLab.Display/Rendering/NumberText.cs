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

        double size = Math.Max(Math.Abs(value), step);
        (double unit, string suffix) = size switch
        {
            >= 1e9 => (1e9, "B"),
            >= 1e6 => (1e6, "M"),
            >= 1e4 => (1e3, "k"),
            _ => (1, ""),
        };
        if (value == 0)
        {
            return "0";
        }

        int decimals = Math.Clamp((int)Math.Ceiling(-Math.Log10(step / unit) - 1e-9), 0, 15);
        string text = (value / unit).ToString(decimals > 5 ? "G6" : "F" + decimals);
        return text.Replace('-', '−') + suffix;
    }

    /// <summary>A tick label on a logarithmic axis: plain from 0.001 to 10,000, a power of ten beyond.</summary>
    public static string LogTick(double value, bool percent)
    {
        if (percent)
        {
            return (value * 100).ToString("G3") + "%";
        }

        int exponent = (int)Math.Floor(Math.Log10(value) + 1e-9);
        if (exponent is >= -3 and <= 3)
        {
            return value.ToString("0.######");
        }

        double mantissa = Math.Round(value / Math.Pow(10, exponent), 1);
        string power = "10" + Superscript(exponent);
        return mantissa == 1 ? power : $"{mantissa:0.#}×{power}";
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

    private static string Superscript(int exponent) =>
        (exponent < 0 ? "⁻" : "") + string.Concat(Math.Abs(exponent).ToString().Select(digit => s_superscripts[digit - '0']));
}
