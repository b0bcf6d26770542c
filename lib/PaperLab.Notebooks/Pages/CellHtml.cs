// One cell of the page: prose, or code with its outputs, as its tags ask.

using System.Text.Json;
using System.Text.Json.Nodes;
using PaperLab.Notebooks.Format;

namespace PaperLab.Notebooks.Pages;

internal sealed class CellHtml(MarkdownHtml markdown, OutputHtml outputs, bool foldsCode)
{
    private const int LinesBeforeFolding = 60;

    /// <summary>The cell's markup; empty for a cell that is tagged away or holds nothing.</summary>
    public string ToHtml(Cell cell)
    {
        if (cell.HasTag("remove-cell"))
            return "";
        string html = cell.Kind switch
        {
            CellKind.Markdown => Prose(cell),
            CellKind.Raw => Raw(cell),
            _ => Code(cell),
        };
        if (html.Length == 0 || !cell.HasTag("hide-cell"))
            return html;
        return $"<details class=\"hidden-cell\"><summary>Hidden cell</summary>\n{html}</details>\n";
    }

    private string Prose(Cell cell) => string.IsNullOrWhiteSpace(cell.Source) ? ""
        : $"<section class=\"prose\">\n{markdown.Cell(cell.Source, cell.Attachments)}</section>\n";

    /// <summary>A raw cell belongs to some converter; the ones meant for HTML are meant for this page.</summary>
    private string Raw(Cell cell)
    {
        string format = (cell.Metadata["raw_mimetype"] ?? cell.Metadata["format"])?.ToString() ?? "";
        return format switch
        {
            "text/html" => $"<section class=\"markup\">\n{cell.Source}\n</section>\n",
            "text/markdown" => Prose(cell),
            "" when cell.Source.Length > 0 => $"<section><pre class=\"listing\">{Html.Escape(cell.Source)}</pre></section>\n",
            _ => "",
        };
    }

    private string Code(Cell cell)
    {
        string input = cell.HasTag("remove-input") || string.IsNullOrWhiteSpace(cell.Source) ? "" : Input(cell);
        string output = cell.HasTag("remove-output") ? "" : Output(cell);
        if (input.Length + output.Length == 0)
            return "";
        bool failed = cell.Outputs.Any(item => item is ErrorOutput);
        return $"<section class=\"code{(failed ? " failed" : "")}\">\n{input}{output}</section>\n";
    }

    private string Input(Cell cell)
    {
        string source = cell.Source.TrimEnd();
        string code = cell.Language == "csharp" ? CSharpHighlighter.ToHtml(source) : Html.Escape(source);
        string listing = $"<pre class=\"listing\" dir=\"ltr\"><code>{code}</code></pre>\n";
        bool hidden = foldsCode || cell.HasTag("hide-input") || Flag(cell, "source_hidden");
        int lines = source.AsSpan().Count('\n') + 1;
        if (hidden || lines > LinesBeforeFolding)
            listing = $"<details{(hidden ? "" : " open")}><summary>Code, {lines} {(lines == 1 ? "line" : "lines")}</summary>\n{listing}</details>\n";
        return $"<div class=\"input\">{Margin(cell)}\n{listing}</div>\n";
    }

    /// <summary>What stands in the margin beside the code: its number, how long it ran, and that it sets parameters.</summary>
    private static string Margin(Cell cell)
    {
        string role = cell.HasTag("injected-parameters") ? "given parameters" : cell.HasTag("parameters") ? "parameters" : "";
        IEnumerable<string> notes = new[]
        {
            cell.ExecutionCount is { } count ? $"<span class=\"count\">[{count}]</span>" : "",
            RunStamp.DurationOf(cell) is { } time ? $"<span class=\"time\">{Html.Duration(time)}</span>" : "",
            role.Length > 0 ? $"<span class=\"role\">{role}</span>" : "",
        };
        return $"<div class=\"margin\">{string.Concat(notes)}</div>";
    }

    private string Output(Cell cell)
    {
        string html = outputs.ToHtml(cell.Outputs);
        if (html.Length == 0)
            return "";
        bool hidden = cell.HasTag("hide-output") || Flag(cell, "outputs_hidden");
        return hidden ? $"<details class=\"outputs\"><summary>Output</summary>\n{html}</details>\n" : $"<div class=\"outputs\">\n{html}</div>\n";
    }

    private static bool Flag(Cell cell, string name) =>
        cell.Metadata["jupyter"] is JsonObject flags && flags[name]?.GetValueKind() == JsonValueKind.True;
}
