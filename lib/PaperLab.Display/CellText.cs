// How values of any type read in a table's cell.

using PaperLab.Display.Rendering;
using PaperLab.Evaluation;

namespace PaperLab.Display;

internal static class CellText
{
    private static readonly HashSet<Type> s_numeric =
    [
        typeof(byte), typeof(sbyte), typeof(short), typeof(ushort), typeof(int), typeof(uint), typeof(long), typeof(ulong),
        typeof(float), typeof(double), typeof(decimal), typeof(Half), typeof(TimeSpan), typeof(Interval),
    ];

    public static bool IsNumeric(Type type) => s_numeric.Contains(Nullable.GetUnderlyingType(type) ?? type);

    public static string Of(object? value, string? format) => value switch
    {
        null => "—",
        Interval interval => IntervalText.Of(interval, format),
        TimeSpan time when format is null => Duration(time),
        IFormattable number when format is not null => Minus(number.ToString(format, null)),
        double number => Minus(NumberText.Value(number)),
        float number => Minus(NumberText.Value(number)),
        bool yes => yes ? "yes" : "no",
        IFormattable number when s_numeric.Contains(number.GetType()) => Minus(number.ToString("#,0.######", null)),
        _ => value.ToString() ?? "",
    };

    /// <summary>0:42, 12:05, 3:00:10.</summary>
    public static string Duration(TimeSpan time)
    {
        var seconds = TimeSpan.FromSeconds(Math.Max(0, Math.Round(time.TotalSeconds)));
        return seconds.TotalHours >= 1 ? $"{(int)seconds.TotalHours}:{seconds.Minutes:00}:{seconds.Seconds:00}" : $"{seconds.Minutes}:{seconds.Seconds:00}";
    }

    private static string Minus(string text) => text.StartsWith('-') ? "−" + text[1..] : text;
}
