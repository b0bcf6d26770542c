// Writes .dib. Cells that were read from a .dib keep their text, dividing line and blank lines included.

using System.Text;
using System.Text.Json.Nodes;

namespace PaperLab.Notebooks.Format;

/// <summary>From a <see cref="Notebook"/> to the bytes of a .dib file; exactly those read when nothing was changed.</summary>
internal static class DibWriter
{
    public static byte[] Write(Notebook notebook)
    {
        DibOrigin? origin = notebook.DibOrigin;
        string newLine = origin?.NewLine ?? "\n";
        var text = new StringBuilder(origin is not null && MetaUnchanged(notebook, origin) ? origin.Opening : Opening(notebook, newLine));
        for (int index = 0; index < notebook.Cells.Count; index++)
        {
            Cell cell = notebook.Cells[index];
            DibCell? read = origin?.Cells.GetValueOrDefault(cell);
            bool divided = read is not null && (index == 0 || read.Head.Contains("#!", StringComparison.Ordinal));
            string divider = $"#!{cell.Language}{newLine}{newLine}";
            string source = read is null ? cell.Source.ReplaceLineEndings(newLine).Trim('\r', '\n') : cell.Source;
            EnsureLineEnd(text, newLine);
            text.Append(divided ? read!.Head : divider).Append(source).Append(read?.Tail ?? newLine + newLine);
        }

        return Utf8.Plain.GetBytes(text.Append(origin?.Closing).ToString());
    }

    // Without a `#!meta` block the notebook has the default metadata.
    private static bool MetaUnchanged(Notebook notebook, DibOrigin origin) =>
        JsonNode.DeepEquals(origin.Meta ?? IpynbWriter.DefaultMetadata()[DibOrigin.MetaKey], notebook.Metadata[DibOrigin.MetaKey]);

    private static string Opening(Notebook notebook, string newLine)
    {
        JsonNode meta = notebook.Metadata[DibOrigin.MetaKey] ?? IpynbWriter.DefaultMetadata()[DibOrigin.MetaKey]!;
        return $"#!meta{newLine}{newLine}{meta.ToJsonString()}{newLine}{newLine}";
    }

    // Only where a cell came in after one that ended the file without a line end.
    private static void EnsureLineEnd(StringBuilder text, string newLine)
    {
        if (text.Length > 0 && text[^1] is not ('\n' or '\ufeff'))
        {
            text.Append(newLine);
        }
    }
}
