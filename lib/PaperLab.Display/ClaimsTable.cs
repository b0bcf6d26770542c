// The end of every notebook: what the paper claims, what was measured here, and what that says about the claim. For readers as a table,
// for programs that compare or collect claims (PageClaims in PaperLab.Notebooks) as numbers.

using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using PaperLab.Display.Mime;
using PaperLab.Evaluation;

namespace PaperLab.Display;

/// <summary>Claims with their verdicts, as HTML, text, Markdown and JSON.</summary>
[TypeFormatterSource(typeof(ClaimsTableFormatterSource), PreferredMimeTypes = [MimeTypes.Claims, MimeTypes.Html, MimeTypes.Text])]
public sealed class ClaimsTable(IReadOnlyList<Claim> claims) : IHtmlView
{
    private static readonly (string Header, bool Right)[] s_columns =
        [("Claim", false), ("Paper", false), ("Setting here", false), ("Measured [interval]", false), ("Verdict", false)];

    private static readonly JsonSerializerOptions s_json = new() { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The rows.</summary>
    public IReadOnlyList<Claim> Claims { get; } = claims;

    /// <summary>A table of the given claims.</summary>
    public static ClaimsTable Of(params Claim[] claims) => new(claims);

    /// <summary>"2 supported, 1 inconclusive".</summary>
    public string Summary => Claims.Count == 0 ? "no claims" : string.Join(", ", Claims.GroupBy(claim => claim.Verdict).OrderBy(group => group.Key).Select(group => $"{group.Count()} {Words(group.Key)}"));

    /// <summary>The claims with their numbers to seven digits; a bound that there is none of is left out.</summary>
    public string ToJson() => JsonSerializer.Serialize(
        new
        {
            claims = Claims.Select(claim => new
            {
                claim = claim.Statement,
                paper = claim.Paper,
                setting = claim.Setting,
                verdict = Words(claim.Verdict),
                estimate = claim.Measured is { } measured ? SevenDigits(measured.Estimate) : null,
                low = claim.Measured is { } below ? SevenDigits(below.Low) : null,
                high = claim.Measured is { } above ? SevenDigits(above.High) : null,
                observations = claim.Measured?.Observations,
                level = claim.Measured?.Level,
                unit = claim.Measured is null ? null : claim.Unit,
                reason = claim.Reason,
            }),
        },
        s_json);

    /// <inheritdoc/>
    public string ToHtml() => Html.Table($"Claims: {Summary}", s_columns, Claims.Select(claim => (IReadOnlyList<string>)
    [
        Html.Text(claim.Statement),
        Html.Text(claim.Paper),
        Html.Text(claim.Setting),
        claim.Measured is { } measured
            ? $"<span style=\"white-space:nowrap\">{Html.Text(IntervalText.Of(measured))}</span><br/><span style=\"{Html.Soft}\">{Html.Text(Footing(claim, measured))}</span>"
            : $"<span style=\"{Html.Soft}\">{Html.Text(claim.Reason ?? "")}</span>",
        $"<b style=\"color:{Color(claim.Verdict)};white-space:nowrap\">{Symbol(claim.Verdict)} {Words(claim.Verdict)}</b>",
    ]));

    /// <summary>The table as Markdown, for README files.</summary>
    public string ToMarkdown() => Markdown.Table(s_columns, Claims.Select(claim => (IReadOnlyList<string>)
    [
        claim.Statement,
        claim.Paper,
        claim.Setting,
        claim.Measured is { } measured ? $"{IntervalText.Of(measured)} {Footing(claim, measured)}" : claim.Reason ?? "",
        $"{Symbol(claim.Verdict)} {Words(claim.Verdict)}",
    ]));

    /// <summary>One block for each claim; a table this wide would not fit a terminal.</summary>
    public override string ToString()
    {
        var text = new StringBuilder($"Claims: {Summary}\n");
        foreach (Claim claim in Claims)
        {
            text.Append($"{Symbol(claim.Verdict)} {Words(claim.Verdict)}: {claim.Statement}\n");
            text.Append($"    paper: {claim.Paper}\n");
            text.Append(claim.Measured is { } measured
                ? $"    here:  {IntervalText.Of(measured)} {Footing(claim, measured)}\n    from:  {claim.Setting}\n"
                : $"    why:   {claim.Reason}\n");
        }

        return text.ToString().TrimEnd();
    }

    // The digits after these may differ from machine to machine, and the same runs are to give the same page.
    private static double? SevenDigits(double value) => double.IsFinite(value) ? double.Parse(value.ToString("G7")) : null;

    // What the number counts and what it rests on.
    private static string Footing(Claim claim, Interval measured) =>
        string.Join("; ", new[] { claim.Unit, $"{measured.Level * 100:0.#} % interval, n\u00A0=\u00A0{measured.Observations}" }.Where(part => part.Length > 0));

    private static string Symbol(Verdict verdict) => verdict switch
    {
        Verdict.Supported => "✔",
        Verdict.Contradicted => "✘",
        Verdict.Inconclusive => "≈",
        Verdict.NotTestable => "–",
        _ => throw new ArgumentOutOfRangeException(nameof(verdict), verdict, "There is no such verdict."),
    };

    private static string Words(Verdict verdict) => verdict == Verdict.NotTestable ? "not testable here" : verdict.ToString().ToLowerInvariant();

    private static string Color(Verdict verdict) => verdict switch
    {
        Verdict.Supported => Palette.Green,
        Verdict.Contradicted => Palette.Vermillion,
        _ => "#808080",
    };
}

/// <summary>The formatters of <see cref="ClaimsTable"/>.</summary>
public sealed class ClaimsTableFormatterSource
{
    /// <summary>The formatters; hosts look for an instance method.</summary>
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Performance", "CA1822:Mark members as static", Justification = "The convention is an instance method.")]
    public IEnumerable<object> CreateTypeFormatters() =>
    [
        new ConventionFormatter<ClaimsTable>(MimeTypes.Claims, table => table.ToJson()),
        new ConventionFormatter<ClaimsTable>(MimeTypes.Html, table => table.ToHtml()),
        new ConventionFormatter<ClaimsTable>(MimeTypes.Text, table => table.ToString()),
    ];
}
