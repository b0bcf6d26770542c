// One run and the same run in two shards, side by side: merged, the shards' summaries are that of the one run.

using System.Text.Json.Nodes;
using System.Xml.Linq;
using PaperLab.Notebooks.Format;
using PaperLab.Notebooks.Tests.Batch;

namespace PaperLab.Notebooks.Tests.Cli;

public sealed class ShardedRunTests(ShardedRunTests.Runs runs) : IClassFixture<ShardedRunTests.Runs>
{
    private static readonly string[] s_measured = ["started", "seconds", "peakMemoryBytes"];

    [Fact]
    public async Task Two_shards_in_two_processes_merge_into_the_summary_of_one_run()
    {
        using var tool = new Tool();
        string merged = Path.Combine(tool.Scratch, "merged.json"), junit = Path.Combine(tool.Scratch, "merged.xml");

        ToolResult result = await tool.RunAsync("merge", runs.Part(2), runs.Part(1), "-o", merged, "--report", $"junit={junit}");

        Assert.Equal(1, result.ExitCode); // one of the notebooks fails
        Assert.Equal(Unmeasured(runs.Whole), Unmeasured(merged));
        Assert.Equal(Cases(runs.WholeJunit), Cases(junit));
        Assert.Contains("exception: failed in cell 2", result.Stderr);
        Assert.All(new[] { 1, 2 }, part => Assert.Equal(2, JsonNode.Parse(File.ReadAllText(runs.Part(part)))!["notebooks"]!.AsArray().Count));
    }

    [Fact]
    public async Task A_missing_shard_is_no_run_that_passed()
    {
        using var tool = new Tool();
        string merged = Path.Combine(tool.Scratch, "merged.json");

        ToolResult result = await tool.RunAsync("merge", runs.Part(2), "-o", merged);

        Assert.Equal(2, result.ExitCode);
        Assert.Contains("the summary of shard 1/2 is missing", result.Stderr);
        Assert.False(File.Exists(merged));
    }

    [Fact]
    public async Task Shards_that_did_not_split_alike_are_refused()
    {
        using var tool = new Tool();
        string altered = Path.Combine(tool.Scratch, "altered.json");
        JsonNode part = JsonNode.Parse(File.ReadAllText(runs.Part(1)))!;
        string dropped = part["notebooks"]![0]!["name"]!.ToString();
        part["notebooks"]!.AsArray().RemoveAt(0);
        File.WriteAllText(altered, part.ToJsonString());

        ToolResult result = await tool.RunAsync("merge", altered, runs.Part(2), "-o", Path.Combine(tool.Scratch, "merged.json"));

        Assert.Equal(2, result.ExitCode);
        Assert.Contains($"no shard has {dropped}: the shards did not split alike", result.Stderr);
    }

    [Fact]
    public async Task A_shard_and_a_whole_run_and_what_is_no_summary_are_refused()
    {
        using var tool = new Tool();
        string merged = Path.Combine(tool.Scratch, "merged.json");

        ToolResult mixed = await tool.RunAsync("merge", runs.Part(1), runs.Whole, "-o", merged);
        ToolResult other = await tool.RunAsync("merge", Tool.Fixture("plain"), "-o", merged);

        Assert.Equal((2, 2), (mixed.ExitCode, other.ExitCode));
        Assert.Contains("one is a shard of a run and the other is a whole run", mixed.Stderr);
        Assert.Contains("plain.ipynb is not the summary of a run", other.Stderr);
    }

    [Fact]
    public void A_summary_tells_of_each_cell_its_time_its_memory_what_it_wrote_and_its_error()
    {
        JsonArray cells = runs.Report("memory")["cells"]!.AsArray();
        Assert.All(cells, cell => Assert.True((double)cell!["seconds"]! > 0 && (long)cell["peakMemoryBytes"]! > 10_000_000));
        Assert.Equal([1, 0, 2], cells.Select(cell => (int)cell!["outputs"]!));
        Assert.True((long)cells[2]!["outputBytes"]! > 2 * 15);

        JsonArray failed = runs.Report("exception")["cells"]!.AsArray();
        Assert.Equal(["passed", "failed", "skipped"], failed.Select(cell => cell!["status"]!.ToString()));
        Assert.Equal("the scale is negative", failed[1]!["error"]!["message"]!.ToString());
    }

    [Fact]
    public void A_cell_after_one_that_needed_much_memory_shows_its_own()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux tells the peak of a part of a process's life.");
        long[] peaks = [.. runs.Report("memory")["cells"]!.AsArray().Select(cell => (long)cell!["peakMemoryBytes"]!)];

        Assert.True(peaks[1] > peaks[2] + 200_000_000, $"{peaks[1]} and {peaks[2]} bytes");
        Assert.True((long)runs.Report("memory")["peakMemoryBytes"]! >= peaks[1]);
    }

    [Fact]
    public void The_lines_of_notebooks_that_run_at_once_do_not_mingle_within_a_cell()
    {
        string[] lines = [.. runs.Printed.Split('\n').Select(line => line.TrimEnd('\r')).Where(line => line.Contains(" | "))];

        Assert.Contains("memory | line 1", lines);
        int first = Array.IndexOf(lines, "memory | line 1");
        Assert.Equal(Enumerable.Range(1, 40).Select(number => $"memory | line {number}"), lines.Skip(first).Take(40));
    }

    private static string Unmeasured(string summary)
    {
        JsonNode json = JsonNode.Parse(File.ReadAllText(summary))!;
        foreach (JsonObject report in json["notebooks"]!.AsArray().OfType<JsonObject>())
        {
            Strip(report);
            foreach (JsonObject cell in report["cells"]!.AsArray().OfType<JsonObject>())
            {
                Strip(cell);
            }
        }

        return json.ToJsonString().Replace("/in-parts/", "/at-once/");

        static void Strip(JsonObject node)
        {
            foreach (string name in s_measured)
            {
                node.Remove(name);
            }
        }
    }

    private static IEnumerable<string> Cases(string junit) =>
        XDocument.Load(junit).Descendants("testcase").Select(test => $"{test.Attribute("classname")!.Value}: {test.Attribute("name")!.Value} {string.Join(' ', test.Elements().Select(element => element.Name))}");

    /// <summary>Four notebooks, run at once and in two shards.</summary>
    public sealed class Runs : IAsyncLifetime
    {
        // A block of memory for the second cell alone, and lines for the third.
        private static readonly string[] s_memory =
        [
            "using System.Runtime.InteropServices;\n\"ready\"",
            "var block = Marshal.AllocHGlobal(300_000_000);\nfor (int at = 0; at < 300_000_000; at += 4096) { Marshal.WriteByte(block, at, 1); }\nMarshal.FreeHGlobal(block);",
            "for (int line = 1; line <= 40; line++) { Console.WriteLine($\"line {line}\"); await Task.Delay(1); }\n40",
        ];

        private readonly Tool _whole = new();
        private readonly Tool _first = new();
        private readonly Tool _second = new();

        /// <summary>The summary of the one run.</summary>
        public string Whole => Path.Combine(_whole.Scratch, "whole.json");

        /// <summary>Its JUnit report.</summary>
        public string WholeJunit => Path.Combine(_whole.Scratch, "whole.xml");

        /// <summary>What it printed.</summary>
        public string Printed { get; private set; } = "";

        /// <summary>The summary of a shard.</summary>
        public string Part(int index) => Path.Combine(_whole.Scratch, $"part-{index}.json");

        /// <summary>A notebook in the summary of the one run.</summary>
        public JsonNode Report(string name) => JsonNode.Parse(File.ReadAllText(Whole))!["notebooks"]!.AsArray().Single(report => report!["name"]!.ToString() == name)!;

        public async ValueTask InitializeAsync()
        {
            string memory = Path.Combine(_whole.Scratch, "memory.ipynb");
            var page = new Notebook();
            foreach (string source in s_memory)
            {
                page.Cells.Add(new Cell(CellKind.Code, source));
            }

            page.Save(memory);
            string[] run = ["run", Tool.Fixture("plain"), memory, Tool.Fixture("exception"), Tool.Fixture("expected-error")];
            string parts = Path.Combine(_whole.Scratch, "in-parts", "out");
            _first.Start(Tool.Program, [.. run, "--out", parts, "--shard", "1/2", "--report", $"json={Part(1)}", "-q"]);
            _second.Start(Tool.Program, [.. run, "--out", parts, "--shard", "2/2", "--report", $"json={Part(2)}", "-q"]);
            await Task.WhenAll(_first.EndAsync(), _second.EndAsync());
            Printed = (await _whole.RunAsync([.. run, "--out", Path.Combine(_whole.Scratch, "at-once", "out"), "--jobs", "2", "--report", $"json={Whole}", "--report", $"junit={WholeJunit}"])).Stdout;
        }

        public ValueTask DisposeAsync()
        {
            _whole.Dispose();
            _first.Dispose();
            _second.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
