// What the notebook says of its own run, in metadata that a runner may have left: the time of each cell and the stamp
// in the footer. Everything here is optional; what is missing is not shown.

using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using PaperLab.Notebooks.Format;

namespace PaperLab.Notebooks.Pages;

internal static class RunStamp
{
    private const string Key = "paperlab";

    /// <summary>How long the cell ran: from the runner's own metadata, else from the times that Jupyter records.</summary>
    public static TimeSpan? DurationOf(Cell cell)
    {
        if (cell.Metadata[Key] is JsonObject own && own.FirstOrDefault(entry => IsDuration(entry.Key)).Value is { } value)
            return Seconds(value);
        if (cell.Metadata["execution"] is not JsonObject times)
            return null;
        return Time(times["iopub.execute_input"]) is { } start && Time(times["shell.execute_reply"]) is { } end && end >= start ? end - start : null;
    }

    /// <summary>The footer: every entry of the notebook's stamp, named as a reader would name it.</summary>
    public static string ToHtml(Notebook notebook)
    {
        if (notebook.Metadata[Key] is not JsonObject { Count: > 0 } stamp)
            return "";
        IEnumerable<string> entries = stamp
            .Select(entry => (entry.Key, Text: Value(entry.Key, entry.Value)))
            .Where(entry => entry.Text.Length > 0)
            .Select(entry => $"<div><dt>{Html.Escape(Label(entry.Key))}</dt><dd>{Html.Escape(entry.Text)}</dd></div>");
        return $"<footer><dl>\n{string.Join('\n', entries)}\n</dl></footer>\n";
    }

    private static string Value(string key, JsonNode? value) => value switch
    {
        null => "",
        JsonObject parts => string.Join(", ", parts.Select(part => $"{Label(part.Key).ToLowerInvariant()} {Value(part.Key, part.Value)}")),
        JsonArray items => string.Join(", ", items.Select(item => Value(key, item))),
        _ when IsDuration(key) && Seconds(value) is { } duration => Html.Duration(duration),
        _ when IsBytes(key) && Html.Number(value) is { } bytes => Size(bytes),
        _ when Time(value) is { } time => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture),
        _ => value.ToString(),
    };

    /// <summary>elapsedSeconds and elapsed_seconds both read "Elapsed".</summary>
    private static string Label(string key)
    {
        var words = new StringBuilder();
        foreach (char c in key)
        {
            if (c is '_' or '-' or '.' or ' ')
                words.Append(' ');
            else if (char.IsUpper(c) && words.Length > 0 && char.IsLower(words[^1]))
                words.Append(' ').Append(char.ToLowerInvariant(c));
            else
                words.Append(c);
        }
        string label = words.ToString().Trim();
        foreach (string unit in new[] { " seconds", " bytes" })
            label = label.EndsWith(unit, StringComparison.OrdinalIgnoreCase) ? label[..^unit.Length] : label;
        return label.Length == 0 ? key : char.ToUpperInvariant(label[0]) + label[1..];
    }

    private static bool IsDuration(string key) =>
        key.EndsWith("seconds", StringComparison.OrdinalIgnoreCase) || key.EndsWith("duration", StringComparison.OrdinalIgnoreCase) || key is "elapsed";

    private static bool IsBytes(string key) => key.EndsWith("bytes", StringComparison.OrdinalIgnoreCase);

    private static string Size(double bytes) => bytes switch
    {
        >= 1e9 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.0} GB"),
        >= 1e6 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0} MB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e3:0} kB"),
    };

    private static TimeSpan? Seconds(JsonNode value) =>
        Html.Number(value) is >= 0 and < 1e9 and { } seconds ? TimeSpan.FromSeconds(seconds) : null;

    /// <summary>A time with its date; a bare number or a word is none.</summary>
    private static DateTimeOffset? Time(JsonNode? value) =>
        value is JsonValue text && text.TryGetValue(out string? iso) && iso.Contains('T')
        && DateTimeOffset.TryParse(iso, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time) ? time : null;
}
