// A .dib file as it was read: every stretch of text belongs to a cell's head, its source or what follows it.

using System.Text.Json.Nodes;

namespace PaperLab.Notebooks.Format;

/// <summary>The text of one cell. <paramref name="Head"/> and <paramref name="Tail"/> are kept verbatim around the source.</summary>
/// <param name="Head">The dividing line, blank lines after it, and empty cells before it.</param>
/// <param name="Source">The source as read, without blank lines around it.</param>
/// <param name="Tail">Line end and blank lines after the source.</param>
internal sealed record DibCell(string Head, string Source, string Tail);

/// <summary>A whole .dib file.</summary>
/// <param name="Opening">Byte order mark and <c>#!meta</c> block.</param>
/// <param name="Meta">What the <c>#!meta</c> block held; null where there is none.</param>
/// <param name="Cells">The cells as read.</param>
/// <param name="Closing">Empty cells after the last one.</param>
/// <param name="NewLine">How its lines end.</param>
internal sealed record DibOrigin(string Opening, JsonObject? Meta, IReadOnlyDictionary<Cell, DibCell> Cells, string Closing, string NewLine)
{
    /// <summary>Where an .ipynb's metadata keeps what a .dib has in its <c>#!meta</c> block.</summary>
    public const string MetaKey = "polyglot_notebook";
}
