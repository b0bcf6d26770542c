// The head of a notebook: which paper, what it claims, what this notebook does about it, and how long that takes.

using System.Text.RegularExpressions;
using PaperLab.Display.Mime;

namespace PaperLab.Display;

/// <summary>A paper at a glance.</summary>
[TypeFormatterSource(typeof(HtmlViewFormatterSource), PreferredMimeTypes = [MimeTypes.Html, MimeTypes.Text])]
public sealed partial class PaperCard : IHtmlView
{
    private readonly string _arXivId = "";

    /// <summary>The paper's title.</summary>
    public required string Title { get; init; }

    /// <summary>Its authors.</summary>
    public required string Authors { get; init; }

    /// <summary>Its arXiv id, for example "2501.13074".</summary>
    /// <exception cref="ArgumentException">The id is not of that form.</exception>
    public required string ArXivId
    {
        get => _arXivId;
        init => _arXivId = ArXivForm().IsMatch(value) ? value : throw new ArgumentException($"\"{value}\" is not an arXiv id; write it as 2501.13074 or 2501.13074v2.", nameof(value));
    }

    /// <summary>The paper's claim in one sentence.</summary>
    public required string Claim { get; init; }

    /// <summary>What this notebook does.</summary>
    public required string Notebook { get; init; }

    /// <summary>Measured time by preset, for example ("smoke", "45 s on 2 cores").</summary>
    public IReadOnlyList<(string Preset, string Time)> Times { get; init; } = [];

    /// <summary>The paper's address.</summary>
    public string Link => $"https://arxiv.org/abs/{ArXivId}";

    /// <inheritdoc/>
    public string ToHtml()
    {
        string times = Times.Count == 0 ? "" : Line("Time", Html.Text(string.Join("; ", Times.Select(time => $"{time.Preset}: {time.Time}"))));
        return $"<div style=\"{Html.Font};max-width:760px;margin:6px 0;padding:10px 16px;border:{Html.Rule};border-radius:8px\">"
            + $"<p style=\"margin:0;font-size:17px;font-weight:600;line-height:1.3\"><b>{Html.Text(Title)}</b></p>"
            + $"<p style=\"margin:2px 0 8px 0;{Html.Soft}\">{Html.Text(Authors)} · <a href=\"{Link}\" style=\"color:inherit\">arXiv:{Html.Text(ArXivId)}</a></p>"
            + Line("Claim", Html.Text(Claim)) + Line("This notebook", Html.Text(Notebook)) + times + "</div>";
    }

    /// <summary>The same as plain lines.</summary>
    public override string ToString() =>
        string.Join('\n', new[] { Title, $"{Authors}, arXiv:{ArXivId}, {Link}", $"Claim: {Claim}", $"This notebook: {Notebook}" }.Concat(Times.Select(time => $"Time, {time.Preset}: {time.Time}")));

    private static string Line(string name, string html) => $"<p style=\"margin:3px 0\"><b>{name}.</b> {html}</p>";

    [GeneratedRegex(@"^\d{4}\.\d{4,5}(v\d+)?$")]
    private static partial Regex ArXivForm();
}
