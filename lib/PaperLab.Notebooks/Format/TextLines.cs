// Multi-line text as nbformat stores it: a list of lines, each with its line end, split wherever Python's str.splitlines splits.

using System.Buffers;
using System.Text.Json.Nodes;

namespace PaperLab.Notebooks.Format;

/// <summary>Splitting text into the lines that nbformat would write.</summary>
internal static class TextLines
{
    private static readonly SearchValues<char> LineEnds = SearchValues.Create("\n\r\v\f\u001c\u001d\u001e\u0085\u2028\u2029");

    /// <summary>The lines of <paramref name="text"/> with their ends; none for an empty text.</summary>
    public static IEnumerable<string> Split(string text)
    {
        int start = 0;
        while (start < text.Length)
        {
            int offset = text.AsSpan(start).IndexOfAny(LineEnds);
            int end = offset < 0 ? text.Length : start + offset + 1;
            if (end < text.Length && text[end - 1] == '\r' && text[end] == '\n')
            {
                end++;
            }

            yield return text[start..end];
            start = end;
        }
    }

    /// <summary>The lines as a JSON list.</summary>
    public static JsonArray ToJson(string text) => new([.. Split(text).Select(line => (JsonNode)line)]);
}
