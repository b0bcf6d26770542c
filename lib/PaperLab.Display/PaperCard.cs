// The head of a notebook: which paper, what is new in it, what this notebook does about it, and how to cite it.

using System.Text.RegularExpressions;
using PaperLab.Display.Mime;

namespace PaperLab.Display;

/// <summary>A paper at a glance.</summary>
[TypeFormatterSource(typeof(HtmlViewFormatterSource), PreferredMimeTypes = [MimeTypes.Html, MimeTypes.Text])]
public sealed partial class PaperCard : IHtmlView
{
    private const int Sentences = 3;

    /// <summary>The paper's title.</summary>
    public required string Title { get; init; }

    /// <summary>Its authors, as "A. Lv" or "Ang Lv".</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public required IReadOnlyList<string> Authors
    {
        get;
        init => field = value.Count > 0 ? value : throw new ArgumentException("A paper has authors; write each as \"A. Lv\".", nameof(value));
    }

    /// <summary>Its arXiv id, for example "2501.13074".</summary>
    /// <exception cref="ArgumentException">The id is not of that form.</exception>
    public required string ArXivId
    {
        get;
        init => field = ArXivForm().IsMatch(value) ? value : throw new ArgumentException($"\"{value}\" is not an arXiv id; write it as 2501.13074 or 2501.13074v2.", nameof(value));
    }

    /// <summary>What is new in the paper, in three sentences.</summary>
    /// <exception cref="ArgumentException">There are fewer or more.</exception>
    public required IReadOnlyList<string> WhatIsNew
    {
        get;
        init => field = value.Count == Sentences ? value : throw new ArgumentException($"What is new is told in {Sentences} sentences, one string each; there are {value.Count}.", nameof(value));
    }

    /// <summary>What this notebook does.</summary>
    public required string Notebook { get; init; }

    /// <summary>The paper's address.</summary>
    public string Link => $"https://arxiv.org/abs/{ArXivId}";

    /// <summary>The entry for a bibliography. The key is first author, year and first word of the title.</summary>
    public string BibTeX
    {
        get
        {
            string year = $"20{ArXivId[..2]}";
            string key = Letters().Replace(Authors[0].Split(' ')[^1] + year + Title.Split(' ')[0].Split('-')[0], "").ToLowerInvariant();
            return $$"""
                @misc{{{key}},
                  title         = {{{Title}}},
                  author        = {{{string.Join(" and ", Authors)}}},
                  year          = {{{year}}},
                  eprint        = {{{ArXivId}}},
                  archivePrefix = {arXiv},
                  url           = {{{Link}}}
                }
                """;
        }
    }

    /// <inheritdoc/>
    public string ToHtml() =>
        $"<div style=\"{Html.Font};max-width:760px;margin:6px 0;padding:10px 16px;border:{Html.Rule};border-radius:8px\">"
            + $"<p style=\"margin:0;font-size:17px;font-weight:600;line-height:1.3\"><b>{Html.Text(Title)}</b></p>"
            + $"<p style=\"margin:2px 0 8px 0;{Html.Soft}\">{Html.Text(string.Join(", ", Authors))} · <a href=\"{Link}\" style=\"color:inherit\">arXiv:{Html.Text(ArXivId)}</a></p>"
            + Line("What is new", Html.Text(string.Join(" ", WhatIsNew))) + Line("This notebook", Html.Text(Notebook))
            + $"<details style=\"margin:6px 0 0 0\"><summary style=\"cursor:pointer\">BibTeX</summary><pre style=\"margin:4px 0 0 0;overflow-x:auto;font-size:12px\">{Html.Text(BibTeX)}</pre></details></div>";

    /// <summary>The same as plain lines.</summary>
    public override string ToString() => string.Join(
        '\n', Title, $"{string.Join(", ", Authors)}, arXiv:{ArXivId}, {Link}", $"What is new: {string.Join(" ", WhatIsNew)}", $"This notebook: {Notebook}", BibTeX);

    private static string Line(string name, string html) => $"<p style=\"margin:3px 0\"><b>{name}.</b> {html}</p>";

    [GeneratedRegex(@"^\d{4}\.\d{4,5}(v\d+)?$")]
    private static partial Regex ArXivForm();

    [GeneratedRegex("[^A-Za-z0-9]")]
    private static partial Regex Letters();
}
