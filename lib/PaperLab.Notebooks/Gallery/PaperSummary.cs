// The card of a paper, as PaperLab.Display's PaperCard leaves it in a page's outputs.

using System.Text.RegularExpressions;
using PaperLab.Notebooks.Format;

namespace PaperLab.Notebooks.Gallery;

/// <summary>A paper at a glance.</summary>
/// <param name="Title">The paper's title.</param>
/// <param name="Authors">Its authors, joined by commas.</param>
/// <param name="ArXivId">Its arXiv id, such as <c>2501.13074</c>.</param>
/// <param name="WhatIsNew">What is new in it, in three sentences.</param>
/// <param name="ThisNotebook">What the notebook does about it.</param>
/// <param name="BibTeX">The entry for a bibliography.</param>
public sealed partial record PaperSummary(string Title, string Authors, string ArXivId, string WhatIsNew, string ThisNotebook, string BibTeX)
{
    /// <summary>The paper's address.</summary>
    public string Link => $"https://arxiv.org/abs/{ArXivId}";

    /// <summary>The first card of a notebook; null where it has none.</summary>
    public static PaperSummary? Of(Notebook notebook) =>
        notebook.Cells.SelectMany(cell => cell.Outputs).Select(Of).FirstOrDefault(card => card is not null);

    /// <summary>The card that an output shows; null where it shows something else.</summary>
    public static PaperSummary? Of(CellOutput output) => output.Shown() is { } shown && CardText().Match(shown.PlainText.ReplaceLineEndings("\n")) is { Success: true } card
        ? new PaperSummary(card.Groups["title"].Value, card.Groups["authors"].Value, card.Groups["id"].Value, card.Groups["new"].Value, card.Groups["notebook"].Value, card.Groups["bibtex"].Value)
        : null;

    [GeneratedRegex(@"\A(?<title>.+)\n(?<authors>.+), arXiv:(?<id>[\w./-]+), https://arxiv\.org/abs/\k<id>\nWhat is new: (?<new>.+)\nThis notebook: (?<notebook>.+)\n(?<bibtex>@misc\{[^\0]+\})\s*\z")]
    private static partial Regex CardText();
}
