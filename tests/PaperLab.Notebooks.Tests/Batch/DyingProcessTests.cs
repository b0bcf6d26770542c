// Notebooks whose process dies: by itself, by native code, by somebody's kill. The runner outlives it and says why.

using System.Diagnostics;
using PaperLab.Notebooks.Format;

namespace PaperLab.Notebooks.Tests.Batch;

public sealed class DyingProcessTests
{
    [Theory]
    [InlineData("fail-fast", 2, "the invariant is broken")]
    [InlineData("native-abort", 3, "SIGABRT")]
    [InlineData("bad-matmul", 3, "SIGABRT")]
    [InlineData("stack-overflow", 2, "Stack overflow")]
    [InlineData("exit", 2, "exit code 0")]
    public async Task A_process_that_dies_leaves_a_saved_notebook_that_names_the_cause(string fixture, int cell, string cause)
    {
        using var tool = new Tool();

        ToolResult result = await tool.RunFixtureAsync(fixture);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains(cause, result.Stderr);
        Notebook saved = tool.Saved(fixture);
        Assert.Contains("before\n", saved.Cell(1).Text() + saved.Cell(2).Text());
        Assert.Equal("NotebookProcessDied", saved.Cell(cell).Error().Name);
        Assert.Contains(cause, saved.Cell(cell).Error().Message);
        Assert.Equal("crashed", saved.Cell(cell).Status());
    }

    [Fact]
    public async Task Text_printed_in_the_line_before_a_crash_is_not_lost()
    {
        using var tool = new Tool();

        await tool.RunFixtureAsync("native-abort");

        Assert.Contains("native text\n", tool.Saved("native-abort").Cell(2).Text());
        Assert.Contains("last words\n", tool.Saved("native-abort").Cell(3).Text());
    }

    [Fact]
    public async Task A_process_killed_from_outside_is_told_from_a_crash()
    {
        using var tool = new Tool();
        tool.StartFixture("sleeper");
        int child = int.Parse(await tool.LineAsync("process "));
        await tool.LineAsync("asleep");

        Process.GetProcessById(child).Kill();
        ToolResult result = await tool.EndAsync();

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("killed by signal 9", result.Stderr);
        Assert.Contains("out-of-memory killer", result.Stderr);
        Assert.Equal("asleep\n", tool.Saved("sleeper").Cell(2).Text());
    }

    [Theory]
    [InlineData("sleeper")]
    [InlineData("busy")]
    public async Task When_the_runner_is_killed_the_notebook_on_disk_is_valid_and_the_child_ends(string fixture)
    {
        using var tool = new Tool();
        tool.StartFixture(fixture);
        int child = int.Parse(await tool.LineAsync("process "));
        await Tool.UntilAsync(() => tool.Saved(fixture).Cell(2).Status() == "running");

        tool.Process.Kill(); // kill -9, the runner alone

        await Tool.UntilAsync(() => !Tool.IsAlive(child));
        Assert.Contains($"process {child}", tool.Saved(fixture).Cell(1).Text());
        Assert.Equal("running", tool.Saved(fixture).Metadata["paperlab"]!["status"]!.ToString());
    }
}
