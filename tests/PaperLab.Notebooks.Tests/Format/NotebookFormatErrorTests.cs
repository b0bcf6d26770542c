// One test per kind of broken notebook: the message names line, field, what was found and what is allowed.

using System.Text;
using PaperLab.Notebooks.Format;

namespace PaperLab.Notebooks.Tests.Format;

public sealed class NotebookFormatErrorTests
{
    [Theory]
    [InlineData("", 1, "", "not valid JSON")]
    [InlineData("{\n \"cells\": [\n", 3, "", "not valid JSON")]
    [InlineData("{\"cells\": [],}", 1, "", "not valid JSON")]
    [InlineData("{} x", 1, "", "not valid JSON")]
    [InlineData("[]", 1, "", "holds a list; a notebook is a JSON object")]
    [InlineData("{\n\"nbformat\": 3}", 2, "nbformat", "this is 3; PaperLab reads nbformat 4")]
    [InlineData("{\"nbformat\": 5}", 1, "nbformat", "this is 5")]
    [InlineData("{\"nbformat\": \"4\"}", 1, "nbformat", "this is a string; it must be a whole number")]
    [InlineData("{\"nbformat\": 4.5}", 1, "nbformat", "this is the number 4.5; it must be a whole number")]
    [InlineData("{\"nbformat\": 4}", 1, "", "the field \"nbformat_minor\" is missing")]
    [InlineData("{\"nbformat\": 4, \"nbformat\": 4}", 1, "nbformat", "there twice")]
    [InlineData("{\"nbformat\": 4, \"nbformat_minor\": 5, \"metadata\": 1, \"cells\": []}", 1, "metadata", "it must be an object")]
    [InlineData("{\"nbformat\": 4, \"nbformat_minor\": 5, \"metadata\": {}, \"cells\": {}}", 1, "cells", "this is an object; it must be a list")]
    public void A_file_that_is_no_notebook_is_an_error_with_line_and_field(string text, int line, string field, string problem)
    {
        NotebookFormatException error = Assert.Throws<NotebookFormatException>(() => Notebook.Parse(text, name: "a.ipynb"));

        Assert.Equal((line, field), (error.Line, error.Field));
        Assert.StartsWith($"a.ipynb({line},", error.Message);
        Assert.Contains(problem, error.Problem);
    }

    [Theory]
    [InlineData("{}", "cells[1]", "the field \"cell_type\" is missing")]
    [InlineData("7", "cells[1]", "this is the number 7; it must be an object")]
    [InlineData("{\"cell_type\": \"heading\"}", "cells[1].cell_type", "this is \"heading\"; it must be \"code\", \"markdown\" or \"raw\"")]
    [InlineData("{\"cell_type\": \"raw\", \"metadata\": {}}", "cells[1]", "the field \"source\" is missing")]
    [InlineData("{\"cell_type\": \"raw\", \"metadata\": {}, \"source\": null}", "cells[1].source", "this is null; it must be a string or a list of strings")]
    [InlineData("{\"cell_type\": \"raw\", \"metadata\": {}, \"source\": [\"a\", true]}", "cells[1].source[1]", "this is a boolean; it must be a string")]
    [InlineData("{\"cell_type\": \"raw\", \"metadata\": {}, \"source\": \"\\ud83d\"}", "cells[1].source", "not valid Unicode")]
    [InlineData("{\"cell_type\": \"raw\", \"metadata\": {\"tags\": \"x\"}, \"source\": \"\"}", "cells[1].metadata.tags", "this is a string; it must be a list")]
    [InlineData("{\"cell_type\": \"code\", \"metadata\": {}, \"source\": \"\"}", "cells[1]", "the field \"execution_count\" is missing")]
    [InlineData("{\"cell_type\": \"code\", \"metadata\": {}, \"source\": \"\", \"execution_count\": \"1\", \"outputs\": []}", "cells[1].execution_count", "whole number")]
    [InlineData("{\"cell_type\": \"code\", \"metadata\": {}, \"source\": \"\", \"execution_count\": null, \"outputs\": [{\"output_type\": \"pyout\"}]}", "cells[1].outputs[0].output_type", "\"execute_result\"")]
    [InlineData("{\"cell_type\": \"code\", \"metadata\": {}, \"source\": \"\", \"execution_count\": null, \"outputs\": [{\"output_type\": \"stream\", \"name\": \"x\"}]}", "cells[1].outputs[0].name", "it must be \"stdout\" or \"stderr\"")]
    [InlineData("{\"cell_type\": \"code\", \"metadata\": {}, \"source\": \"\", \"execution_count\": null, \"outputs\": [{\"output_type\": \"display_data\", \"metadata\": {}, \"data\": {\"text/plain\": {}}}]}", "cells[1].outputs[0].data.text/plain", "a string or a list of strings")]
    public void A_cell_that_is_no_cell_is_an_error_with_line_and_field(string cell, string field, string problem)
    {
        string text = "{\"nbformat\": 4,\n\"nbformat_minor\": 5,\n\"metadata\": {},\n\"cells\": [\n{\"cell_type\": \"raw\", \"metadata\": {}, \"source\": \"\"},\n" + cell + "]}";

        NotebookFormatException error = Assert.Throws<NotebookFormatException>(() => Notebook.Parse(text));

        Assert.Equal((6, field), (error.Line, error.Field));
        Assert.Contains(problem, error.Problem);
    }

    [Fact]
    public void Bytes_that_are_not_text_are_an_error_with_their_place()
    {
        byte[] bytes = [.. Encoding.UTF8.GetBytes("{\n \"a\": \"é"), 0xFF, .. Encoding.UTF8.GetBytes("\"}")];

        NotebookFormatException error = Assert.Throws<NotebookFormatException>(() => Notebook.Parse(bytes));

        Assert.Equal((2, 10), (error.Line, error.Column));
        Assert.Contains("0xFF is not UTF-8", error.Message);
    }

    [Fact]
    public void A_broken_meta_block_is_an_error_with_its_line()
    {
        NotebookFormatException error = Assert.Throws<NotebookFormatException>(() => Notebook.Parse("#!meta\n\n{\n \"a\": }\n#!csharp\nx", NotebookFormat.Dib));

        Assert.Equal((4, "#!meta"), (error.Line, error.Field));
    }

    [Fact]
    public void Another_extension_is_refused_with_those_that_are_allowed()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => Notebook.Load("notes.txt"));

        Assert.Contains("\".txt\"; a notebook ends in .ipynb or .dib", error.Message);
    }
}
