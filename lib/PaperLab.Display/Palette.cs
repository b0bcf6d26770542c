// Colours that readers with any common colour vision tell apart.

namespace PaperLab.Display;

/// <summary>The categorical palette of Okabe and Ito (2008), and the colour maps of heatmaps.</summary>
public static class Palette
{
    public const string Blue = "#0072B2";
    public const string Vermillion = "#D55E00";
    public const string Green = "#009E73";
    public const string Purple = "#CC79A7";
    public const string Orange = "#E69F00";
    public const string Sky = "#56B4E9";
    public const string Grey = "#5A5A5A";

    /// <summary>The order in which series take their colours. Yellow is left out: it does not hold on white.</summary>
    public static IReadOnlyList<string> Categories { get; } = [Blue, Vermillion, Green, Purple, Orange, Sky, Grey];

    /// <summary>Sequential: viridis at nine even steps, dark is low.</summary>
    internal static IReadOnlyList<string> Sequential { get; } =
        ["#440154", "#472D7B", "#3B528B", "#2C728E", "#21918C", "#28AE80", "#5EC962", "#ADDC30", "#FDE725"];

    /// <summary>Diverging around a midpoint: blue, near-white, vermillion (ColorBrewer's PuOr reversed in hue order, safe for red–green deficiency).</summary>
    internal static IReadOnlyList<string> Diverging { get; } =
        ["#053061", "#2166AC", "#4393C3", "#92C5DE", "#F7F7F7", "#FDB863", "#E08214", "#B35806", "#7F3B08"];

    /// <summary>The colour at <paramref name="position"/> in [0, 1] of a colour map, linear between its steps.</summary>
    internal static (byte R, byte G, byte B) At(IReadOnlyList<string> map, double position)
    {
        double scaled = Math.Clamp(position, 0, 1) * (map.Count - 1);
        int left = Math.Min((int)scaled, map.Count - 2);
        (byte r0, byte g0, byte b0) = Parse(map[left]);
        (byte r1, byte g1, byte b1) = Parse(map[left + 1]);
        double t = scaled - left;
        return (Mix(r0, r1, t), Mix(g0, g1, t), Mix(b0, b1, t));
    }

    internal static (byte R, byte G, byte B) Parse(string color) =>
        (Convert.ToByte(color[1..3], 16), Convert.ToByte(color[3..5], 16), Convert.ToByte(color[5..7], 16));

    internal static bool IsColor(string text) => text.Length == 7 && text[0] == '#' && text.Skip(1).All(char.IsAsciiHexDigit);

    private static byte Mix(byte a, byte b, double t) => (byte)Math.Round(a + ((b - a) * t));
}
