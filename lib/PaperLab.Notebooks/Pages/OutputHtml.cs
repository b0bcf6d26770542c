// The outputs of a code cell: for each the richest form a page can show, escaped unless it is markup that the notebook
// made on purpose (text/html is trusted, as everywhere in the Jupyter world).

using System.Buffers.Binary;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using PaperLab.Notebooks.Format;

namespace PaperLab.Notebooks.Pages;

internal sealed partial class OutputHtml(MarkdownHtml markdown, HtmlPageOptions options, Action<string> warn)
{
    private const string Plotly = "application/vnd.plotly.v1+json";
    private const int LinesBeforeScrolling = 40;
    private const int TraceLinesShown = 12;
    private const int MaxAltLength = 300;

    private static readonly string[] Pictures = ["image/png", "image/jpeg", "image/gif", "image/webp"];

    private static readonly string[] Dimensions = ["width", "height"];

    private static readonly JsonSerializerOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>True once a chart was written that plotly.js can bring to life.</summary>
    public bool HasLiveChart { get; private set; }

    /// <summary>The outputs in order; text that one stream wrote in pieces is put together first, so that a progress line overwrites itself.</summary>
    public string ToHtml(IEnumerable<CellOutput> outputs) => string.Concat(Merge(outputs).Select(ToHtml));

    private static List<CellOutput> Merge(IEnumerable<CellOutput> outputs)
    {
        var merged = new List<CellOutput>();
        foreach (CellOutput output in outputs)
        {
            if (output is StreamOutput next && merged.LastOrDefault() is StreamOutput last && last.Name == next.Name)
                merged[^1] = last with { Text = last.Text + next.Text };
            else
                merged.Add(output);
        }
        return merged;
    }

    private string ToHtml(CellOutput output) => output switch
    {
        _ when options.Instead(output) is { } html => html,
        StreamOutput { Name: StreamName.Stdout } stream => Text(stream.Text, "stdout"),
        StreamOutput stream => Text(stream.Text, "stderr"),
        DisplayOutput display => Block("display", Show(display.Data, display.Metadata)),
        ResultOutput result => Block("result", Show(result.Data, result.Metadata)),
        ErrorOutput error => Block("error", Error(error)),
        _ => throw new ArgumentException($"{output.GetType()} is not an output kind of nbformat 4.", nameof(output)),
    };

    private static string Block(string kind, string html) => $"<div class=\"output {kind}\">{html}</div>\n";

    // ---- Displays ---------------------------------------------------------------------------------------------------

    private string Show(MimeBundle data, JsonObject? metadata)
    {
        if (data[Plotly] is { } figure && (options.Charts != ChartMode.Still || HasStillPicture(data)))
            return Chart(figure, data, metadata);
        if (data["text/html"] is { } html)
            return Markup(html.ToString());
        if (StillPicture(data, metadata) is { } picture)
            return $"<figure>{picture}</figure>";
        if (data["text/markdown"] is { } source)
            return $"<div class=\"prose\">{markdown.Output(source.ToString())}</div>";
        if (data["text/latex"] is { } latex)
            return $"<div class=\"equation\">{Latex(latex.ToString())}</div>";
        if (data["application/json"] is { } json)
            return PlainText(json.ToJsonString(Indented));
        if (data["text/plain"] is { } plain)
            return PlainText(plain.ToString());
        return data.Entries.Count == 0 ? "" : $"<p class=\"note\">An output of type {Html.Escape(string.Join(", ", data.Entries.Select(entry => entry.Key)))}, which a page cannot show.</p>";
    }

    private string Markup(string html)
    {
        foreach (string address in Html.ExternalResources(html))
            warn($"an output's HTML loads {address} from the network; it will be missing where there is none");
        return $"<div class=\"markup\">{html}</div>";
    }

    private static bool HasStillPicture(MimeBundle data) => data["image/svg+xml"] is not null || Pictures.Any(type => data[type] is not null);

    /// <summary>A picture element for the first picture of the bundle. SVG goes in as a picture too: its scripts and ids stay in there.</summary>
    private string? StillPicture(MimeBundle data, JsonObject? metadata)
    {
        string alt = Html.Escape(AltText(data.PlainText));
        foreach (string type in Pictures)
        {
            if (data[type] is { } base64)
                return $"<img src=\"{options.AddressOfPicture(type, base64.ToString())}\" alt=\"{alt}\"{SizeOf(type, base64.ToString(), metadata)}>";
        }
        return data["image/svg+xml"] is { } svg
            ? $"<img src=\"{Html.DataUri("image/svg+xml", Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(svg.ToString())))}\" alt=\"{alt}\"{Size(metadata?["image/svg+xml"] ?? metadata)}>"
            : null;
    }

    private static string AltText(string plain)
    {
        string text = string.Join(' ', Words(plain).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return text.Length == 0 ? "An output of this cell, as a picture" : text.Length <= MaxAltLength ? text : text[..MaxAltLength] + "…";
    }

    /// <summary>A summary's first lines; what is set in columns, which nobody wants read out, begins with a line that is indented.</summary>
    private static string Words(string plain) => string.Join('\n', plain.Split('\n').TakeWhile((line, index) => index == 0 || !line.StartsWith("  ", StringComparison.Ordinal)));

    /// <summary>A page that knows a picture's size before the picture is there does not jump when it comes.</summary>
    private static string SizeOf(string type, string base64, JsonObject? metadata) =>
        Size(metadata?[type] ?? metadata) is { Length: > 0 } given ? given : type == "image/png" ? PngSize(base64) : "";

    /// <summary>A PNG tells its width and height in bytes 16 to 23.</summary>
    private static string PngSize(string base64)
    {
        Span<byte> head = stackalloc byte[24];
        return base64.Length > 32 && Convert.TryFromBase64Chars(base64.AsSpan(0, 32), head, out int read) && read == head.Length
            ? $" width=\"{BinaryPrimitives.ReadUInt32BigEndian(head[16..])}\" height=\"{BinaryPrimitives.ReadUInt32BigEndian(head[20..])}\"" : "";
    }

    private static string Size(JsonNode? metadata) => string.Concat(Dimensions.Select(name =>
        metadata is JsonObject sizes && Html.Number(sizes[name]) is { } pixels ? $" {name}=\"{pixels:0}\"" : ""));

    /// <summary>A chart is its picture; where plotly.js is on the page, a script puts the live chart in the picture's place.</summary>
    private string Chart(JsonNode figure, MimeBundle data, JsonObject? metadata)
    {
        string still = StillPicture(data, metadata) ?? PlainText(data.PlainText);
        string values = Values(data.PlainText);
        if (options.Charts == ChartMode.Still)
            return $"<figure class=\"chart\">{still}</figure>{values}";
        HasLiveChart = true;
        return $"<figure class=\"chart\"><div class=\"still\">{still}</div><script type=\"application/json\">{Html.ScriptJson(figure.ToJsonString(Compact))}</script></figure>{values}";
    }

    /// <summary>What the chart shows in numbers, for who cannot see it or wants them; nothing where the picture's description has it all.</summary>
    private string Values(string plain) => Words(plain).Length == plain.Length ? ""
        : $"<details class=\"values\"><summary>Values</summary>{PlainText(plain)}</details>";

    private string Latex(string latex)
    {
        Match match = Dollars().Match(latex.Trim());
        return Equation.ToHtml(match.Success ? match.Groups["tex"].Value : latex, display: true, warn);
    }

    // ---- Text -------------------------------------------------------------------------------------------------------

    private string Text(string text, string kind) => text.Length == 0 ? "" : Block(kind, PlainText(text));

    private string PlainText(string text)
    {
        string shown = Shorten(text);
        return Pre(TerminalText.ToHtml(shown), shown);
    }

    /// <summary>Long text scrolls in a frame of its own, which the keyboard can reach.</summary>
    private static string Pre(string html, string text)
    {
        bool scrolls = text.AsSpan().Count('\n') > LinesBeforeScrolling;
        return scrolls ? $"<pre class=\"scroll\" tabindex=\"0\">{html}</pre>" : $"<pre>{html}</pre>";
    }

    private string Shorten(string text)
    {
        if (text.Length <= options.MaxOutputCharacters)
            return text;
        int half = options.MaxOutputCharacters / 2;
        int missing = text.Length - 2 * half;
        warn($"an output of {text.Length:N0} characters is cut in the middle; the notebook has all of it");
        return $"{text[..half]}\n\e[2;3m… {missing:N0} characters left out of this page; the notebook has them …\e[0m\n{text[^half..]}";
    }

    private string Error(ErrorOutput error)
    {
        string[] message = TerminalText.ToHtml(error.Message.TrimEnd()).Split('\n', 2);
        string title = $"<p class=\"what\"><strong>{Html.Escape(error.Name)}</strong> {message[0]}</p>"
            + (message.Length > 1 ? $"<pre class=\"message\">{message[1]}</pre>" : "");
        string[] lines = [.. error.Traceback.SelectMany(line => line.TrimEnd().Split('\n'))];
        lines = [.. lines.SkipWhile(line => IsSaid(line, error))];
        if (lines.Length == 0)
            return title;
        string shown = Trace(lines.Take(TraceLinesShown));
        return lines.Length <= TraceLinesShown ? title + shown
            : $"{title}{shown}<details><summary>{lines.Length - TraceLinesShown} more lines</summary>{Trace(lines.Skip(TraceLinesShown))}</details>";
    }

    private string Trace(IEnumerable<string> lines) => $"<pre>{TerminalText.ToHtml(Shorten(string.Join('\n', lines)))}</pre>";

    /// <summary>Traces often open with the error's name and message, which stand above already.</summary>
    private static bool IsSaid(string line, ErrorOutput error)
    {
        string plain = Escapes().Replace(line, "").Trim();
        return plain.Length == 0 || plain == error.Name || error.Message.Contains(plain, StringComparison.Ordinal)
            || (plain.StartsWith(error.Name, StringComparison.Ordinal) && error.Message.Contains(plain[error.Name.Length..].TrimStart(':', ' '), StringComparison.Ordinal));
    }

    [GeneratedRegex(@"^(?<d>\$\$?)(?<tex>[^$]+)\k<d>$", RegexOptions.Singleline)]
    private static partial Regex Dollars();

    [GeneratedRegex("\e\\[[0-9;:]*[A-Za-z]")]
    private static partial Regex Escapes();
}
