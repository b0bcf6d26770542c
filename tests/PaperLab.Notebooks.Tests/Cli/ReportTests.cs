// The reports of a batch: JSON on stdout, JUnit in a file.

using System.Text.Json;
using System.Xml.Linq;
using PaperLab.Notebooks.Tests.Batch;

namespace PaperLab.Notebooks.Tests.Cli;

public sealed class ReportTests
{
    [Fact]
    public async Task Json_is_all_there_is_on_stdout_and_JUnit_counts_every_cell()
    {
        using var tool = new Tool();
        string junit = Path.Combine(tool.Scratch, "report", "junit.xml");

        ToolResult result = await tool.RunAsync(
            "run", Tool.Fixture("plain"), Tool.Fixture("exception"), Tool.Fixture("broken-json"), "--out", tool.Output, "--jobs", "2", "--json", "--report", $"junit={junit}");

        Assert.Equal(1, result.ExitCode);
        using JsonDocument json = JsonDocument.Parse(result.Stdout);
        Assert.Equal(1, json.RootElement.GetProperty("exitCode").GetInt32());
        Assert.Equal(
            ["broken-json unreadable", "exception failed", "plain passed"],
            json.RootElement.GetProperty("notebooks").EnumerateArray().Select(notebook => $"{notebook.GetProperty("name")} {notebook.GetProperty("status")}"));

        XElement suites = XDocument.Load(junit).Root!;
        Assert.Equal("7", suites.Attribute("tests")!.Value);
        Assert.Equal("1", suites.Attribute("failures")!.Value);
        Assert.Equal("1", suites.Attribute("errors")!.Value);
        XElement failed = suites.Elements("testsuite").Single(suite => suite.Attribute("name")!.Value == "exception");
        Assert.Contains("the scale is negative", failed.Descendants("failure").Single().Attribute("message")!.Value);
        Assert.Single(failed.Descendants("skipped"));
    }

    [Fact]
    public async Task The_first_failure_stops_the_rest_when_asked()
    {
        using var tool = new Tool();

        ToolResult result = await tool.RunAsync("run", Tool.Fixture("exception"), Tool.Fixture("plain"), "--out", tool.Output, "--fail-fast", "--json");

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("\"status\": \"not run\"", result.Stdout);
        Assert.False(File.Exists(Path.Combine(tool.Output, "plain.ipynb")));
    }
}
