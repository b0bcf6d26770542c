// The look that the live chart and the picture share. Sizes are CSS pixels.

namespace PaperLab.Display.Rendering;

internal static class Style
{
    public const int Width = 760;
    public const int PanelHeight = 300;
    public const int Edge = 14;

    public const string Ink = "#222222";
    public const string SoftInk = "#5F6368";
    public const string GridLine = "#E7E8EA";
    public const string AxisLine = "#9AA0A6";
    public const string Background = "#FFFFFF";
    public const string EmptyCell = "#E0E0E0";

    public const float TitleSize = 17;
    public const float SubtitleSize = 13;
    public const float PanelTitleSize = 13;
    public const float LegendSize = 12.5f;
    public const float AxisTitleSize = 12.5f;
    public const float TickSize = 11.5f;
    public const float CaptionSize = 11.5f;

    public const double BandOpacity = 0.18;
    public const string WebFonts = "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";

    /// <summary>Many lines in one panel are drawn finer.</summary>
    public static float LineWidth(int lines) => lines <= 4 ? 2f : 1.5f;

    /// <summary>Clouds of points show where they are dense.</summary>
    public static double PointOpacity(int points) => points <= 400 ? 1 : 0.7;

    /// <summary>Series past the last colour repeat the colours with a dashed line.</summary>
    public static bool IsDashed(Series series, int index) => series.Dashed || index >= Palette.Categories.Count;
}
