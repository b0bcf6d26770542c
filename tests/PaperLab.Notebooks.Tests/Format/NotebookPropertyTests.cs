// Properties over random notebooks: whatever the content and the layout, reading and writing is byte-identical, and what
// is set is what is read back.

using System.Text;
using FsCheck;
using FsCheck.Fluent;
using PaperLab.Notebooks.Format;

namespace PaperLab.Notebooks.Tests.Format;

public sealed class NotebookPropertyTests
{
    private static readonly Gen<string> Text =
        Gen.OneOf(Gen.Elements("a", "\n", "\r\n", "\r", "\"", "\\", "é", "🐎", "\u2028", "\u0085", "\t", "\u0001", "#!html", " ", "{", "\u007f"), Gen.Constant("word"))
            .ListOf().Select(string.Concat);

    private static readonly Gen<JsonStyle> Style =
        from indent in Gen.Elements<string?>(null, " ", "  ", "\t", "    ")
        from newLine in Gen.Elements("\n", "\r\n")
        from colon in Gen.Elements(":", ": ")
        from comma in Gen.Elements(",", ", ")
        from escape in Gen.Elements(true, false)
        select new JsonStyle(indent, newLine, colon, indent is null ? comma : ",", escape);

    private static readonly Gen<string> Json =
        from style in Style
        from cells in CellJson.ListOf()
        from minor in Gen.Choose(0, 6)
        select Laid(style, $$"""{"zeta": 1.50, "cells": [{{string.Join(",", cells)}}], "metadata": {"x": -0.0, "y": 1E+2}, "nbformat": 4, "nbformat_minor": {{minor}}}""");

    private static Gen<string> CellJson =>
        from kind in Gen.Elements("code", "markdown", "raw")
        from source in Text
        from asList in Gen.Elements(true, false)
        from output in Text
        select Cell(kind, asList ? $"[{string.Join(",", TextLines.Split(source).Select(Quoted))}]" : Quoted(source), Quoted(output));

    [Fact]
    public void Reading_and_writing_any_notebook_is_byte_identical() =>
        Prop.ForAll(Json.ToArbitrary(), json =>
        {
            byte[] bytes = Encoding.UTF8.GetBytes(json);
            Notebook notebook = Notebook.Parse(bytes);
            foreach (Cell cell in notebook.Cells)
            {
                _ = (cell.Metadata, cell.Outputs.Count, cell.Attachments);
            }

            return bytes.AsSpan().SequenceEqual(notebook.ToBytes(NotebookFormat.Ipynb));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void What_is_set_is_what_is_read_back() =>
        Prop.ForAll(Json.ToArbitrary(), Text.ToArbitrary(), (json, text) =>
        {
            Notebook notebook = Notebook.Parse(json);
            foreach (Cell cell in notebook.Cells)
            {
                cell.Source = text;
                cell.Metadata["note"] = text;
            }

            var added = new Cell(CellKind.Code, text) { ExecutionCount = 3 };
            added.Outputs.Add(new StreamOutput(StreamName.Stdout, text));
            notebook.Cells.Insert(0, added);
            notebook.EnsureCellIds();

            Notebook again = Notebook.Parse(notebook.ToText());
            return again.Cells.All(cell => cell.Source == text)
                && again.Cells.Skip(1).All(cell => (string?)cell.Metadata["note"] == text)
                && again.Cells[0].Outputs.SequenceEqual(added.Outputs)
                && again.Cells.Select(cell => cell.Id).SequenceEqual(notebook.Cells.Select(cell => cell.Id));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_dib_of_any_text_is_byte_identical() =>
        Prop.ForAll(
            Gen.Elements("#!csharp\n", "#!md\r\n", "#!html\n", "\n", "text\n", "\r\n", "#!nothing\n", "#!csharp", "end").ListOf().Select(string.Concat).ToArbitrary(),
            text => Notebook.Parse(text, NotebookFormat.Dib).ToText() == text).QuickCheckThrowOnFailure();

    private static string Cell(string kind, string source, string output) => kind == "code"
        ? $$"""{"cell_type": "code", "execution_count": 1, "metadata": {"a": [1, {"b": null}]}, "outputs": [{"name": "stdout", "output_type": "stream", "text": {{output}}}], "source": {{source}}}"""
        : $$"""{"source": {{source}}, "metadata": {}, "cell_type": "{{kind}}"}""";

    private static string Quoted(string text)
    {
        var json = new StringBuilder();
        JsonStyle.Nbformat.String(json, text);
        return json.ToString();
    }

    // The same JSON laid out in a style, by the writer under test: how it lays out is checked elsewhere, against nbformat.
    private static string Laid(JsonStyle style, string json)
    {
        var text = new StringBuilder();
        style.Write(text, System.Text.Json.Nodes.JsonNode.Parse(json), 0);
        return text.ToString();
    }
}
