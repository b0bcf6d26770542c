// Parameters: what is declared, what may be given, and the cell that sets it.

using PaperLab.Notebooks.Format;
using PaperLab.Notebooks.Script;

namespace PaperLab.Notebooks.Tests.Script;

public sealed class NotebookParametersTests
{
    private const string Declarations = """
        // what a run can change
        #!time
        var preset = "smoke";
        int seed = 1;
        long tokens = 1_000;
        var rate = -3e-4;
        bool fast = true;
        string? device = null;
        int? limit = 3;
        var widths = new[] { 64, 128 };
        var rates = new[] { 1, 0.5 };
        List<string> names = ["a"];
        IReadOnlyList<bool> flags = new[] { true };
        const int Fixed = 3;
        var now = DateTime.Now;
        """;

    [Fact]
    public void Names_types_and_defaults_are_read_without_running_anything()
    {
        NotebookParameters parameters = NotebookParameters.Of(WithParameters());

        Assert.Equal(
            [
                "preset string", "seed int", "tokens long", "rate double", "fast bool", "device string?", "limit int?", "widths int[]",
                "rates double[]", "names List<string>", "flags IReadOnlyList<bool>", "Fixed int", "now ",
            ],
            parameters.Declared.Select(declared => $"{declared.Name} {declared.Type}"));
        Assert.Equal("\"smoke\"", parameters.Declared[0].Default);
    }

    [Theory]
    [InlineData("preset", "full", "preset = \"full\";")]
    [InlineData("preset", "a\"b\\c\nd\u2028{e}", "preset = \"a\\\"b\\\\c\\nd\\u2028{e}\";")]
    [InlineData("preset", "null", "preset = \"null\";")]
    [InlineData("preset", "", "preset = \"\";")]
    [InlineData("seed", "-7", "seed = -7;")]
    [InlineData("tokens", "9000000000", "tokens = 9000000000L;")]
    [InlineData("rate", "1e-3", "rate = 0.001d;")]
    [InlineData("rate", "2", "rate = 2d;")]
    [InlineData("fast", "false", "fast = false;")]
    [InlineData("device", "null", "device = null;")]
    [InlineData("device", "cuda:0", "device = \"cuda:0\";")]
    [InlineData("limit", "null", "limit = null;")]
    [InlineData("widths", "[1, 2]", "widths = new int[] { 1, 2 };")]
    [InlineData("rates", "[1, 2.5]", "rates = new double[] { 1d, 2.5d };")]
    [InlineData("names", "[\"x\\\"\", \"y\"]", "names = new List<string> { \"x\\\"\", \"y\" };")]
    [InlineData("flags", "[true,false]", "flags = new List<bool> { true, false };")]
    [InlineData("Fixed", "4", "const int Fixed = 4;")]
    public void A_value_of_the_right_type_becomes_an_assignment(string name, string text, string expected)
    {
        Assert.Equal(expected, NotebookParameters.Of(WithParameters()).Render(Given(name, text)));
    }

    [Theory]
    [InlineData("sed", "1", "there is no parameter \"sed\"")]
    [InlineData("seed", "1.5", "seed is int and \"1.5\" is not; it takes a whole number that fits int")]
    [InlineData("seed", "3000000000", "seed is int")]
    [InlineData("seed", "null", "seed is int")]
    [InlineData("rate", "fast", "it takes a number such as 0.5 or 1e-3")]
    [InlineData("rate", "NaN", "rate is double")]
    [InlineData("fast", "yes", "it takes true or false")]
    [InlineData("limit", "x", "a whole number that fits int, or null")]
    [InlineData("widths", "1,2", "it takes a JSON list such as [1, 2]")]
    [InlineData("widths", "[1, 2.5]", "widths is int[]")]
    [InlineData("names", "[1]", "it takes a JSON list such as [\"a\", \"b\"]")]
    [InlineData("now", "today", "\"now\" cannot be given from outside")]
    public void Anything_else_is_an_error_that_lists_what_is_allowed(string name, string text, string problem)
    {
        NotebookParameterException error = Assert.Throws<NotebookParameterException>(
            () => NotebookParameters.Of(WithParameters(), "aoe.ipynb").Render(Given(name, text)));

        Assert.StartsWith("aoe.ipynb: ", error.Message);
        Assert.Contains(problem, error.Message);
        Assert.Contains("Its parameters: preset (string, default \"smoke\"), seed (int, default 1)", error.Message);
    }

    [Fact]
    public void All_faults_are_told_at_once()
    {
        var given = new Dictionary<string, string> { ["a"] = "1", ["seed"] = "x" };

        NotebookParameterException error = Assert.Throws<NotebookParameterException>(() => NotebookParameters.Of(WithParameters()).Render(given));

        Assert.Contains("there is no parameter \"a\"; seed is int", error.Message);
    }

    [Fact]
    public void A_notebook_without_a_parameters_cell_takes_none()
    {
        var notebook = new Notebook();

        Assert.Equal("", NotebookParameters.Of(notebook).Render(new Dictionary<string, string>()));
        Assert.Contains("no code cell of it is tagged \"parameters\"", Assert.Throws<NotebookParameterException>(
            () => NotebookParameters.Of(notebook).Render(Given("seed", "1"))).Message);
    }

    [Fact]
    public void The_injected_cell_follows_the_parameters_and_replaces_an_earlier_one()
    {
        Notebook notebook = WithParameters();
        NotebookParameters.Of(notebook).Inject(notebook, Given("seed", "2"));
        NotebookParameters.Of(notebook).Inject(notebook, Given("seed", "3"));

        Assert.Equal(["# title", Declarations, "seed = 3;", "seed"], notebook.Cells.Select(cell => cell.Source));
        Assert.Equal([NotebookParameters.InjectedTag], notebook.Cells[2].Tags);

        NotebookParameters.Of(notebook).Inject(notebook, new Dictionary<string, string>());
        Assert.Equal(3, notebook.Cells.Count);
    }

    private static Dictionary<string, string> Given(string name, string text) => new() { [name] = text };

    private static Notebook WithParameters()
    {
        var notebook = new Notebook();
        notebook.Cells.Add(new Cell(CellKind.Markdown, "# title"));
        notebook.Cells.Add(new Cell(CellKind.Code, Declarations));
        notebook.Cells[1].AddTag(NotebookParameters.Tag);
        notebook.Cells.Add(new Cell(CellKind.Code, "seed"));
        return notebook;
    }
}
