// Reading and writing unchanged is byte-identical, whoever wrote the file; changing one thing changes nothing else.

using System.Text;
using System.Text.Json.Nodes;
using PaperLab.Notebooks.Format;

namespace PaperLab.Notebooks.Tests.Format;

public sealed class RoundTripTests
{
    private static readonly string Fixtures = Path.Combine(AppContext.BaseDirectory, "Format", "Fixtures");

    public static TheoryData<string> Notebooks() =>
        [.. Directory.EnumerateFiles(Fixtures).Where(path => path.EndsWith(".ipynb") || path.EndsWith(".dib")).Select(path => Path.GetFileName(path))];

    [Theory]
    [MemberData(nameof(Notebooks))]
    public void A_notebook_read_and_written_unchanged_is_byte_identical(string name)
    {
        string path = Path.Combine(Fixtures, name);

        Assert.Equal(File.ReadAllBytes(path), Written(Notebook.Load(path)));
    }

    [Theory]
    [MemberData(nameof(Notebooks))]
    public void Looking_at_every_part_changes_nothing(string name)
    {
        string path = Path.Combine(Fixtures, name);
        Notebook notebook = Notebook.Load(path);
        Look(notebook);

        Assert.Equal(File.ReadAllBytes(path), Written(notebook));
    }

    [Theory]
    [MemberData(nameof(Notebooks))]
    public void Changing_a_source_and_changing_it_back_is_byte_identical_after_a_second_reading(string name)
    {
        string path = Path.Combine(Fixtures, name);
        Notebook notebook = Notebook.Load(path);
        string source = notebook.Cells[0].Source;
        notebook.Cells[0].Source = "other \"text\" é\nsecond line";
        Notebook second = Notebook.Parse(Written(notebook), notebook.Format);
        Assert.Equal("other \"text\" é\nsecond line", second.Cells[0].Source);
        second.Cells[0].Source = source;

        Notebook third = Notebook.Parse(Written(second), notebook.Format);
        Assert.Equal(notebook.Cells.Select(cell => cell.Language), third.Cells.Select(cell => cell.Language));
        Assert.Equal(source, third.Cells[0].Source);
        if (name is not ("by-hand.ipynb" or "nbformat.ipynb"))
        {
            Assert.Equal(File.ReadAllBytes(path), Written(second));
        }
    }

    [Fact]
    public void Outputs_and_an_inserted_cell_are_written_as_nbformat_writes_them()
    {
        Notebook notebook = Notebook.Load(Path.Combine(Fixtures, "nbformat.ipynb"));
        RunByHand(notebook);

        Assert.Equal(File.ReadAllText(Path.Combine(Fixtures, "executed.ipynb")), notebook.ToText());
    }

    [Theory]
    [InlineData("indent4-ascii.ipynb")]
    [InlineData("one-line.ipynb")]
    [InlineData("minified.ipynb")]
    [InlineData("tabs.ipynb")]
    [InlineData("crlf.ipynb")]
    [InlineData("bom.ipynb")]
    [InlineData("source-as-string.ipynb")]
    public void Changes_follow_the_style_of_the_file(string name)
    {
        byte[] original = File.ReadAllBytes(Path.Combine(Fixtures, name));
        Notebook notebook = Notebook.Parse(original);
        RunByHand(notebook);
        byte[] changed = Written(notebook);

        Notebook again = Notebook.Parse(changed);
        Assert.Equal(6, again.Cells.Count);
        again.Cells.RemoveAt(2);
        again.Cells[1].Outputs.Clear();
        again.Cells[1].ExecutionCount = null;
        Assert.Equal(Encoding.UTF8.GetString(original), Encoding.UTF8.GetString(Written(again)));
    }

    [Fact]
    public void A_change_in_one_cell_leaves_the_text_of_every_other_cell_alone()
    {
        string path = Path.Combine(Fixtures, "by-hand.ipynb");
        Notebook notebook = Notebook.Load(path);
        notebook.Cells[0].ExecutionCount = 7;

        Assert.Equal(File.ReadAllText(path).Replace("\"execution_count\":null", "\"execution_count\":7"), notebook.ToText());
    }

    [Fact]
    public void A_cell_that_gets_an_id_keeps_the_fields_that_nobody_knows()
    {
        Notebook notebook = Notebook.Parse("""{"cells":[{"cell_type":"raw","future":1.0,"metadata":{},"source":"x"}],"metadata":{},"nbformat":4,"nbformat_minor":4}""");
        notebook.EnsureCellIds();

        Assert.Equal(
            $$$"""{"cells":[{"cell_type":"raw","future":1.0,"id":"{{{notebook.Cells[0].Id}}}","metadata":{},"source":"x"}],"metadata":{},"nbformat":4,"nbformat_minor":5}""",
            notebook.ToText());
    }

    [Fact]
    public void Ids_are_unique_well_formed_and_the_same_every_time()
    {
        static List<string?> Ids()
        {
            var notebook = new Notebook();
            foreach (string? id in new[] { null, "kept", "kept", "not ok!", "", null })
            {
                notebook.Cells.Add(new Cell(CellKind.Code, "same source") { Id = id });
            }

            notebook.EnsureCellIds();
            return [.. notebook.Cells.Select(cell => cell.Id)];
        }

        List<string?> ids = Ids();
        Assert.Equal(ids, Ids());
        Assert.Equal(6, ids.Distinct().Count());
        Assert.Equal("kept", ids[1]);
        Assert.All(ids, id => Assert.Matches("^[a-zA-Z0-9-_]{1,64}$", id!));
    }

    [Fact]
    public void Removing_attachments_removes_the_field()
    {
        Notebook notebook = Notebook.Load(Path.Combine(Fixtures, "nbformat.ipynb"));
        notebook.Cells[0].Attachments = null;

        Assert.DoesNotContain("attachments", notebook.ToText());
        Assert.Null(Notebook.Parse(notebook.ToText()).Cells[0].Attachments);
    }

    [Fact]
    public void A_dib_becomes_an_ipynb_with_the_same_cells_and_back()
    {
        Notebook dib = Notebook.Load(Path.Combine(Fixtures, "polyglot.dib"));
        Notebook ipynb = Notebook.Parse(dib.ToText(NotebookFormat.Ipynb));
        Notebook back = Notebook.Parse(ipynb.ToText(NotebookFormat.Dib), NotebookFormat.Dib);

        Assert.Equal(["# Title\n\ntext", "var x = 1;\n\nx + 1", "something", "#r \"nuget:X\"\n#!time\nx"], dib.Cells.Select(cell => cell.Source));
        Assert.Equal(["markdown", "csharp", "vscode", "csharp"], dib.Cells.Select(cell => cell.Language));
        foreach (Notebook other in new[] { ipynb, back })
        {
            Assert.Equal(dib.Cells.Select(cell => (cell.Kind, cell.Source, cell.Language)), other.Cells.Select(cell => (cell.Kind, cell.Source, cell.Language)));
        }
    }

    [Fact]
    public void A_cell_put_before_the_first_of_a_dib_does_not_merge_with_it()
    {
        Notebook notebook = Notebook.Parse("var a = 1;", NotebookFormat.Dib);
        notebook.Cells.Insert(0, new Cell(CellKind.Markdown, "# first"));
        notebook.Cells.Add(new Cell(CellKind.Code, "last"));

        Notebook again = Notebook.Parse(notebook.ToText(), NotebookFormat.Dib);
        Assert.Equal(["# first", "var a = 1;", "last"], again.Cells.Select(cell => cell.Source));
    }

    [Fact]
    public void A_polyglot_notebook_knows_the_language_of_each_cell()
    {
        Notebook notebook = Notebook.Load(Path.Combine(Fixtures, "vscode-polyglot.ipynb"));

        Assert.Equal(["markdown", "csharp", "fsharp"], notebook.Cells.Select(cell => cell.Language));
    }

    private static byte[] Written(Notebook notebook) => notebook.ToBytes(notebook.Format);

    private static void Look(Notebook notebook)
    {
        Assert.NotNull(notebook.Metadata);
        foreach (Cell cell in notebook.Cells)
        {
            Assert.NotNull(cell.Metadata);
            Assert.NotNull(cell.Tags);
            Assert.All(cell.Outputs, Assert.NotNull);
            _ = cell.Attachments;
        }
    }

    // The counterpart of executed() in generate.py.
    private static void RunByHand(Notebook notebook)
    {
        Cell cell = notebook.Cells[1];
        cell.ExecutionCount = 1;
        cell.Outputs.Add(new StreamOutput(StreamName.Stdout, "one\ntwo"));
        cell.Outputs.Add(new DisplayOutput(
            new MimeBundle(
            [
                KeyValuePair.Create<string, JsonNode>("application/json", new JsonObject { ["a"] = new JsonArray(1, "x") }),
                KeyValuePair.Create<string, JsonNode>("image/png", "AAAA"),
                KeyValuePair.Create<string, JsonNode>("text/html", "<p>\n</p>"),
            ]),
            DisplayId: "not saved"));
        cell.Outputs.Add(new ResultOutput(new MimeBundle([KeyValuePair.Create<string, JsonNode>("text/plain", "é 🐎")]), 1));
        cell.Outputs.Add(new ErrorOutput("E", "boom", ["line 1", "line 2"]));
        var injected = new Cell(CellKind.Code, "seed = 7;\n") { Id = "injected" };
        injected.AddTag("injected-parameters");
        notebook.Cells.Insert(2, injected);
    }
}
