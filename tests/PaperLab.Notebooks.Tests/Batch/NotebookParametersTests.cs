using PaperLab.Notebooks.Batch;
using PaperLab.Notebooks.Format;

namespace PaperLab.Notebooks.Tests.Batch;

public sealed class NotebookParametersTests
{
    private const string Declared = """
        #!time
        var preset = "smoke";
        var steps = 10; int seed = -1;
        double rate = 0.5;
        bool fresh = false;
        int? limit = null;
        var sizes = new[] { 1, 2 };
        string[] names = ["a"];
        const int Fixed = 3;
        var table = new object();
        """;

    [Theory]
    [InlineData("preset", "full", "preset = \"full\";")]
    [InlineData("preset", "say \"hi\"", "preset = \"say \\\"hi\\\"\";")]
    [InlineData("steps", "200", "steps = 200;")]
    [InlineData("seed", "-7", "seed = -7;")]
    [InlineData("rate", "3e-4", "rate = 0.0003;")]
    [InlineData("rate", "2", "rate = 2;")]
    [InlineData("fresh", "true", "fresh = true;")]
    [InlineData("limit", "null", "limit = null;")]
    [InlineData("limit", "5", "limit = 5;")]
    [InlineData("sizes", "[3, 4]", "sizes = [3, 4];")]
    [InlineData("names", "[x, \"y\"]", "names = [\"x\", \"y\"];")]
    [InlineData("names", "[]", "names = [];")]
    public void A_value_becomes_an_assignment_in_a_tagged_cell_after_the_declaring_one(string name, string value, string line)
    {
        Notebook notebook = Page();

        NotebookParameters.Of(notebook).Inject([KeyValuePair.Create(name, value)]);

        Assert.Equal(3, notebook.Cells.Count);
        Assert.True(notebook.Cells[1].HasTag("injected-parameters"));
        Assert.Equal(line, notebook.Cells[1].Source.Split('\n')[^1]);
    }

    [Theory]
    [InlineData("steps", "many", "a whole number")]
    [InlineData("steps", "1.5", "a whole number")]
    [InlineData("steps", "null", "a whole number")]
    [InlineData("rate", "fast", "a number")]
    [InlineData("fresh", "yes", "true or false")]
    [InlineData("sizes", "3", "a list")]
    [InlineData("sizes", "[a]", "a list")]
    [InlineData("stepz", "5", "preset, steps, seed")]
    [InlineData("Fixed", "5", "no parameter")]
    [InlineData("table", "5", "cannot be set from outside")]
    public void A_name_or_a_value_that_does_not_fit_says_what_would(string name, string value, string message)
    {
        Notebook notebook = Page();

        ParameterException error = Assert.Throws<ParameterException>(() => NotebookParameters.Of(notebook).Inject([KeyValuePair.Create(name, value)]));

        Assert.Contains(message, error.Message);
        Assert.Equal(2, notebook.Cells.Count);
    }

    [Fact]
    public void Injecting_again_replaces_the_cell_of_the_last_time()
    {
        Notebook notebook = Page();
        NotebookParameters.Of(notebook).Inject([KeyValuePair.Create("steps", "20")]);

        NotebookParameters.Of(notebook).Inject([KeyValuePair.Create("steps", "30")]);

        Assert.Equal(3, notebook.Cells.Count);
        Assert.Contains("steps = 30;", notebook.Cells[1].Source);
    }

    private static Notebook Page()
    {
        var notebook = new Notebook();
        var parameters = new Cell(CellKind.Code, Declared);
        parameters.AddTag("parameters");
        notebook.Cells.Add(parameters);
        notebook.Cells.Add(new Cell(CellKind.Code, "1 + 1"));
        return notebook;
    }
}
