// What `paperlab check` holds a page of the collection to, and how `paperlab stamp` puts a run into it: with a repository made for the
// test, whose library folder is the real one, and a page that reads its runs by name as RunSources tells it.

using System.Text.Json.Nodes;
using PaperLab.Notebooks.Format;
using PaperLab.Notebooks.Tests.Batch;

namespace PaperLab.Notebooks.Tests.Cli;

public sealed class PageTests : IDisposable
{
    private const string Page = "small-paper";
    private const string Run = "00aa-11bb.json";

    private readonly Tool _tool = new();
    private readonly string _repository;

    public PageTests()
    {
        _repository = Path.Combine(_tool.Scratch, "repository");
        Directory.CreateDirectory(Path.Combine(_repository, "lib"));
        Directory.CreateDirectory(Path.Combine(_repository, "notebooks"));
        File.WriteAllText(Path.Combine(_repository, "PaperLab.sln"), "");
        Directory.CreateSymbolicLink(Path.Combine(_repository, "lib", "out"), Path.Combine(Tool.Repository, "lib", "out"));
        File.Copy(Path.Combine(Tool.Repository, "tests", "PaperLab.Notebooks.Tests", "Cli", "Fixtures", "page.ipynb"), PagePath);
    }

    private string PagePath => Path.Combine(_repository, "notebooks", Page + ".ipynb");

    private string Results => Path.Combine(_repository, "data", "results", Page);

    public void Dispose() => _tool.Dispose();

    [Fact]
    public async Task A_page_without_recorded_runs_needs_no_outputs_and_the_check_says_so()
    {
        ToolResult check = await InRepository($"check {Page}");

        Assert.True(check.ExitCode == 0, check.All);
        Assert.Contains("ok (no outputs, for nothing is recorded yet)", check.Stdout);
    }

    [Fact]
    public async Task What_a_page_lacks_is_named_with_its_place_and_fails_the_check()
    {
        Edit(text => text.Replace("new PaperCard", "new object").Replace("## The idea", "## An idea").Replace("1. Change it.", "")
            .Replace("ClaimsTable", "NoTable").Replace("RunTimes", "NoTimes").Replace("RunSources", "NoSources"));

        ToolResult check = await InRepository($"check {Page}");

        Assert.Equal(1, check.ExitCode);
        Assert.Contains("the paper card is missing: a cell above the first section ends in `new PaperCard { … }`", check.Stdout);
        Assert.Contains("the section \"## The idea\" is missing (the equations, and where in lib/ each is computed); the sections are, in this order: What you will see", check.Stdout);
        Assert.Contains("cell 12 (exercises), section \"Exercises\": the section \"## Exercises\" is empty; it holds what a reader can try next", check.Stdout);
        Assert.Contains("section \"Claims\": the section \"## Claims\" has no code cell with ClaimsTable", check.Stdout);
        Assert.Contains("has no code cell with RunTimes", check.Stdout);
        Assert.Contains("no cell says which runs the numbers come from", check.Stdout);
    }

    [Fact]
    public async Task A_folder_of_one_machine_in_a_source_fails_the_check()
    {
        Edit(text => text.Replace("y = f(x)", "y = f(x), in /home/ann/page.cs").Replace("1. Change it.", @"1. See C:\\Users\\ann"));

        ToolResult check = await InRepository($"check {Page}");

        Assert.Equal(1, check.ExitCode);
        Assert.Contains("cell 6 (idea), section \"The idea\": its source names a folder of one machine (/home/ann)", check.Stdout);
        Assert.Contains(@"its source names a folder of one machine (C:\Users)", check.Stdout);
    }

    [Theory]
    [InlineData("https://example.org/home/page and lib/PaperLab/Models/home.cs")]
    [InlineData("a share of 1/tmp, and ~/scratch/x")]
    public async Task Addresses_and_paths_within_the_repository_are_no_machine_paths(string text)
    {
        Edit(page => page.Replace("y = f(x)", text));

        Assert.Equal(0, (await InRepository($"check {Page}")).ExitCode);
    }

    [Fact]
    public async Task Recorded_runs_without_outputs_fail_the_check_with_the_command_that_helps()
    {
        Record(Results);

        ToolResult check = await InRepository($"check {Page}");

        Assert.Equal(1, check.ExitCode);
        Assert.Contains($"it has no outputs, although 1 runs are recorded in data/results/{Page}; run it from the recorded runs and stamp it: paperlab stamp {Page}", check.Stdout);
    }

    [Fact]
    public async Task Outputs_without_a_stamp_fail_the_check()
    {
        Change(page => page.Cell(1).Outputs.Add(new StreamOutput(StreamName.Stdout, "from somewhere\n")));

        ToolResult check = await InRepository($"check {Page}");

        Assert.Equal(1, check.ExitCode);
        Assert.Contains("outputs without a stamp", check.Stdout);
    }

    [Fact]
    public async Task A_stamped_page_has_the_outputs_ships_its_runs_passes_the_check_and_comes_out_the_same_again()
    {
        Record(Path.Combine(_repository, "artifacts", "runs", Page));
        string[] sources = [.. Notebook.Load(PagePath).Cells.Select(cell => cell.Source)];

        ToolResult stamp = await InRepository($"stamp {Page}");

        Assert.True(stamp.ExitCode == 0, stamp.All);
        Assert.True(File.Exists(Path.Combine(Results, Run)));
        Notebook page = Notebook.Load(PagePath);
        Assert.Equal(sources, page.Cells.Select(cell => cell.Source));
        Assert.Contains("measured 42", page.Cells.SelectMany(cell => cell.Outputs).OfType<StreamOutput>().Single().Text);
        Assert.Equal([".NET", "PaperLab", "TorchSharp"], page.Metadata["paperlab_stamp"]!["versions"]!.AsObject().Select(version => version.Key));
        Assert.DoesNotContain("\"duration\"", File.ReadAllText(PagePath));
        ToolResult check = await InRepository($"check {Page}");
        Assert.True(check.ExitCode == 0, check.All);
        Assert.Contains("ok (outputs of 1 recorded runs)", check.Stdout);
        byte[] first = File.ReadAllBytes(PagePath);
        Assert.Equal(0, (await InRepository($"stamp {Page}")).ExitCode);
        Assert.Equal(first, File.ReadAllBytes(PagePath));
    }

    [Fact]
    public async Task A_stamp_is_stale_when_code_outputs_runs_versions_or_preset_are_no_longer_those_it_names()
    {
        Record(Results);
        Assert.Equal(0, (await InRepository($"stamp {Page}")).ExitCode);
        byte[] stamped = File.ReadAllBytes(PagePath);

        await Stale(() => Change(page => page.Cell(3).Source += " // later"), "its code cells have changed");
        await Stale(() => Change(page => page.Cell(3).Outputs.Clear()), "its outputs are not those that were stamped");
        await Stale(() => Change(page => page.Metadata["paperlab_stamp"]!["versions"]!["TorchSharp"] = "0.1.0"), "its outputs were made with TorchSharp 0.1.0; here it is");
        await Stale(() => Change(page => page.Cell(2).Source = page.Cell(2).Source.Replace("standard", "smoke")), "its preset is \"smoke\"");
        await Stale(() => Change(page => page.Metadata["paperlab_stamp"] = JsonValue.Create("good")), "metadata.paperlab_stamp is not a stamp");
        await Stale(() => File.AppendAllText(Path.Combine(Results, Run), " "), $"the recorded run {Run} has changed");
        await Stale(() => File.Delete(Path.Combine(Results, Run)), $"the recorded run {Run} that its outputs come from is not in");

        async Task Stale(Action change, string message)
        {
            File.WriteAllBytes(PagePath, stamped);
            change();
            ToolResult check = await InRepository($"check {Page}");
            Assert.Equal(1, check.ExitCode);
            Assert.Contains(message, check.Stdout);
            Assert.Contains($"paperlab stamp {Page}", check.Stdout + (message.Contains("preset") ? $"paperlab stamp {Page}" : ""));
        }
    }

    [Fact]
    public async Task Words_may_change_under_a_stamp()
    {
        Record(Results);
        Assert.Equal(0, (await InRepository($"stamp {Page}")).ExitCode);

        Change(page => page.Cells[0].Source += "\n\nOne sentence more.");

        Assert.Equal(0, (await InRepository($"check {Page}")).ExitCode);
    }

    [Theory]
    [InlineData("measured 42", "throw new InvalidOperationException(\"no\")", "did not pass")]
    [InlineData("\"standard\"", "\"smoke\"", "its preset is \"smoke\"")]
    [InlineData("made = 0", "made = 1", "1 of 1 runs were made while the page ran")]
    [InlineData("measured 42", "/tmp/measured", "its output names a folder of one machine (/tmp/measured)")]
    [InlineData("measured 42", "'+string.Concat(Enumerable.Repeat('x', 60001))+'", "an output has 60,")]
    [InlineData("00aa-11bb", "00aa-22cc", "neither in artifacts/runs nor in data/results")]
    [InlineData("\"application/vnd.paperlab.runs+json\"", "\"application/vnd.other+json\"", "does not say which")]
    public async Task Nothing_is_written_when_the_run_is_not_worth_committing(string there, string instead, string message)
    {
        Record(Results);
        Edit(text => instead.StartsWith("throw") ? text.Replace("Console.WriteLine(\\\"measured 42\\\");", instead.Replace("\"", "\\\"") + ";")
            : text.Replace(there.Replace("\"", "\\\""), instead.Replace("\"", "\\\"").Replace("'", "\\\"")));
        byte[] before = File.ReadAllBytes(PagePath);

        ToolResult stamp = await InRepository($"stamp {Page}");

        Assert.Equal(1, stamp.ExitCode);
        Assert.Contains(message, stamp.Stderr);
        Assert.Equal(before, File.ReadAllBytes(PagePath));
    }

    [Fact]
    public async Task A_measurement_is_of_no_preset_and_may_be_a_list()
    {
        string folder = Path.Combine(_repository, "artifacts", "runs", Page);
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, Run), "[1, 2]");

        ToolResult stamp = await InRepository($"stamp {Page}");

        Assert.True(stamp.ExitCode == 0, stamp.All);
        Assert.Equal("[1, 2]", File.ReadAllText(Path.Combine(Results, Run)));
    }

    [Theory]
    [InlineData("smoke", "is a run of the preset \"smoke\"")]
    [InlineData("standard", "a recorded run has at most 100,000", 100_000)]
    public async Task A_run_that_may_not_ship_is_refused(string preset, string message, int padding = 0)
    {
        Record(Path.Combine(_repository, "artifacts", "runs", Page), preset, padding);

        ToolResult stamp = await InRepository($"stamp {Page}");

        Assert.Equal(1, stamp.ExitCode);
        Assert.Contains(message, stamp.Stderr);
        Assert.False(Directory.Exists(Results));
    }

    [Fact]
    public async Task Running_a_stamped_page_leaves_it_alone_and_takes_no_stamp_along()
    {
        Record(Results);
        Assert.Equal(0, (await InRepository($"stamp {Page}")).ExitCode);
        byte[] stamped = File.ReadAllBytes(PagePath);

        Assert.Equal(0, (await InRepository($"run {Page}")).ExitCode);

        Assert.Equal(stamped, File.ReadAllBytes(PagePath));
        Assert.Null(Notebook.Load(Path.Combine(_repository, "artifacts", "notebooks", Page + ".ipynb")).Metadata["paperlab_stamp"]);
    }

    [Fact]
    public async Task Recorded_runs_that_the_page_does_not_read_are_a_warning()
    {
        Record(Results);
        Assert.Equal(0, (await InRepository($"stamp {Page}")).ExitCode);
        File.WriteAllText(Path.Combine(Results, "of-an-earlier-page.json"), "{}");

        ToolResult check = await InRepository($"check {Page}");

        Assert.Equal(0, check.ExitCode);
        Assert.Contains("warning: 1 of 2 files in data/results/small-paper are not read by the page (of-an-earlier-page.json)", check.Stdout);
    }

    private static void Record(string folder, string preset = "standard", int padding = 0)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, Run), $$"""{"Preset":"{{preset}}","Padding":"{{new string('x', padding)}}"}""");
    }

    private void Edit(Func<string, string> change)
    {
        string before = File.ReadAllText(PagePath), after = change(before);
        Assert.NotEqual(before, after);
        File.WriteAllText(PagePath, after);
    }

    private void Change(Action<Notebook> change)
    {
        Notebook page = Notebook.Load(PagePath);
        change(page);
        page.Save(PagePath);
    }

    private Task<ToolResult> InRepository(string command)
    {
        _tool.Start("bash", ["-c", $"cd '{_repository}' && exec '{Tool.Program}' {command}"]);
        return _tool.EndAsync();
    }
}
