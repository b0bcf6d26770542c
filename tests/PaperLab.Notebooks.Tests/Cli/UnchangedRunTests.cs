// What runs again and what does not: a folder of small notebooks is run once, then each of them is changed in its own way (or not), and
// the folder is run again.

using System.Text.Json.Nodes;
using PaperLab.Notebooks.Format;
using PaperLab.Notebooks.Tests.Batch;

namespace PaperLab.Notebooks.Tests.Cli;

public sealed class UnchangedRunTests(UnchangedRunTests.TwoRuns runs) : IClassFixture<UnchangedRunTests.TwoRuns>
{
    [Fact]
    public void A_notebook_of_which_nothing_changed_does_not_run_and_its_report_is_that_of_its_pass()
    {
        Assert.True(runs.Unchanged("still"));
        Assert.Contains($"still: unchanged, passed on {runs.First("still")["started"]!.ToString()[..10]}", runs.Second.Stderr);
        JsonObject now = runs.Report("still"), then = runs.First("still");
        now["unchanged"] = false;
        Assert.Equal(then.ToJsonString(), now.ToJsonString());
    }

    [Fact]
    public void A_changed_code_cell_makes_exactly_its_own_notebook_run()
    {
        Assert.False(runs.Unchanged("code"));
        Assert.Contains("code: changed since it passed on", runs.Second.Stderr);
        Assert.Contains("code", runs.OutputOf("code"));
        Assert.Equal(["code", "damaged", "deleted", "failing", "file", "forced", "fresh"], runs.Ran.Order());
    }

    [Fact]
    public void Changed_words_are_put_on_the_page_without_a_run()
    {
        Assert.True(runs.Unchanged("words"));
        Assert.Contains("Other words.", File.ReadAllText(runs.PathOf("words.html")));
        Notebook saved = Notebook.Load(runs.PathOf("words.ipynb"));
        Assert.Equal("Other words.", saved.Cells[0].Source);
        Assert.Equal("words\n", saved.Cell(1).Text());
        Assert.Equal("passed", saved.Cell(1).Status());
    }

    [Fact]
    public void A_changed_file_that_the_code_names_makes_its_notebook_run()
    {
        Assert.False(runs.Unchanged("file"));
        Assert.Contains("notebooks/numbers.txt", runs.Second.Stderr);
        Assert.Contains("changed", runs.OutputOf("file"));
    }

    [Fact]
    public void What_failed_what_is_forced_and_what_is_to_begin_anew_runs_again()
    {
        Assert.False(runs.Unchanged("failing"));
        Assert.False(runs.Unchanged("forced"));
        Assert.False(runs.Unchanged("fresh"));
    }

    [Fact]
    public void A_damaged_record_is_named_and_ignored()
    {
        Assert.False(runs.Unchanged("damaged"));
        Assert.Contains("damaged.passed.json, the record of damaged's last pass, is damaged and ignored: its content is not what was written", runs.Second.Stderr);
    }

    [Fact]
    public void A_saved_notebook_that_is_gone_is_made_again()
    {
        Assert.False(runs.Unchanged("deleted"));
        Assert.Contains("artifacts/notebooks/deleted.ipynb is not what its pass on", runs.Second.Stderr);
        Assert.True(File.Exists(runs.PathOf("deleted.ipynb")));
    }

    /// <summary>A repository of small notebooks, run twice.</summary>
    public sealed class TwoRuns : IAsyncLifetime
    {
        private readonly Tool _tool = new();
        private JsonNode? _first;
        private JsonNode? _second;

        internal ToolResult Second { get; private set; } = null!;

        /// <summary>The notebooks that ran the second time.</summary>
        public IEnumerable<string> Ran => _second!["notebooks"]!.AsArray().Where(report => !(bool)report!["unchanged"]!).Select(report => report!["name"]!.ToString());

        private string Root => Path.Combine(_tool.Scratch, "repository");

        public async ValueTask InitializeAsync()
        {
            Directory.CreateDirectory(Path.Combine(Root, "notebooks"));
            File.WriteAllText(Path.Combine(Root, "PaperLab.sln"), "");
            File.WriteAllText(Source("numbers.txt"), "as it was");
            Write("failing", "throw new InvalidOperationException(\"no\");");
            Write("file", "Console.WriteLine(System.IO.File.ReadAllText(\"numbers.txt\"));");
            Write("fresh", "var fresh = true;\nfresh", "parameters");
            foreach (string name in new[] { "code", "damaged", "deleted", "forced", "still", "words" })
            {
                Write(name, $"Console.WriteLine(\"{name}\");");
            }

            _first = JsonNode.Parse((await RunAsync("--jobs", "2")).Stdout);

            Change("code", page => page.Cell(1).Source += " // changed");
            Change("words", page => page.Cells[0].Source = "Other words.");
            File.WriteAllText(Source("numbers.txt"), "changed");
            File.WriteAllText(PathOf("damaged.passed.json"), File.ReadAllText(PathOf("damaged.passed.json")).Replace("\"peakMemoryBytes\": ", "\"peakMemoryBytes\": 1"));
            File.Delete(PathOf("deleted.ipynb"));
            Second = await RunAsync("--jobs", "2", "--force", "forced");
            _second = JsonNode.Parse(Second.Stdout);
        }

        public ValueTask DisposeAsync()
        {
            _tool.Dispose();
            return ValueTask.CompletedTask;
        }

        /// <summary>Where a file of the results lies.</summary>
        public string PathOf(string file) => Path.Combine(Root, "artifacts", "notebooks", file);

        /// <summary>What the second run says of a notebook.</summary>
        public JsonObject Report(string name) => Of(_second!, name);

        /// <summary>What the first run said of it.</summary>
        public JsonObject First(string name) => Of(_first!, name);

        /// <summary>Whether the second run left a notebook alone.</summary>
        public bool Unchanged(string name) => (bool)Report(name)["unchanged"]!;

        /// <summary>The text of the saved notebook's outputs.</summary>
        public string OutputOf(string name) =>
            string.Concat(Notebook.Load(PathOf(name + ".ipynb")).Cell(1).Outputs.Select(output => output is StreamOutput stream ? stream.Text : output.Shown()?.PlainText));

        private static JsonObject Of(JsonNode summary, string name) => (JsonObject)summary["notebooks"]!.AsArray().Single(report => report!["name"]!.ToString() == name)!.DeepClone();

        private string Source(string file) => Path.Combine(Root, "notebooks", file);

        private void Write(string name, string code, params string[] tags)
        {
            var page = new Notebook();
            page.Cells.Add(new Cell(CellKind.Markdown, "Words."));
            page.Cells.Add(new Cell(CellKind.Code, code));
            foreach (string tag in tags)
            {
                page.Cells[1].AddTag(tag);
            }

            page.Save(Source(name + ".ipynb"));
        }

        private void Change(string name, Action<Notebook> change)
        {
            Notebook page = Notebook.Load(Source(name + ".ipynb"));
            change(page);
            page.Save(Source(name + ".ipynb"));
        }

        private Task<ToolResult> RunAsync(params string[] options)
        {
            _tool.Start("bash", ["-c", $"cd '{Root}' && exec '{Tool.Program}' run --json {string.Join(' ', options)}"]);
            return _tool.EndAsync();
        }
    }
}
