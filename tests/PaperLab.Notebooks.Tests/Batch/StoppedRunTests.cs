// Runs that are cut short: timeouts, Ctrl-C, SIGTERM.

using System.Diagnostics;
using PaperLab.Notebooks.Format;

namespace PaperLab.Notebooks.Tests.Batch;

public sealed class StoppedRunTests
{
    [Fact]
    public async Task An_endless_loop_is_interrupted_at_the_cell_timeout()
    {
        using var tool = new Tool();

        ToolResult result = await tool.RunFixtureAsync("endless-loop", "--cell-timeout", "6");

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("--cell-timeout", result.Stderr);
        Assert.Equal("before\n", tool.Saved("endless-loop").Cell(1).Text());
        Assert.Equal("CellTimeout", tool.Saved("endless-loop").Cell(2).Error().Name);
        Assert.Contains("It was interrupted", tool.Saved("endless-loop").Cell(2).Error().Message);
    }

    [Fact]
    public async Task A_blocked_native_call_is_ended_with_its_process()
    {
        using var tool = new Tool();

        ToolResult result = await tool.RunFixtureAsync("blocked-native", "--cell-timeout", "6");

        Assert.Equal(1, result.ExitCode);
        Assert.Equal("before\n", tool.Saved("blocked-native").Cell(2).Text());
        Assert.Equal("CellTimeout", tool.Saved("blocked-native").Cell(2).Error().Name);
        Assert.Contains("its process was killed", tool.Saved("blocked-native").Cell(2).Error().Message);
    }

    [Fact]
    public async Task The_whole_notebook_has_a_limit_of_its_own()
    {
        using var tool = new Tool();

        ToolResult result = await tool.RunFixtureAsync("endless-loop", "--timeout", "8", "--cell-timeout", "500");

        Assert.Equal(1, result.ExitCode);
        Assert.Equal("NotebookTimeout", tool.Saved("endless-loop").Cell(2).Error().Name);
    }

    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public async Task A_signal_to_the_tool_stops_the_notebook_and_saves_it(string signal)
    {
        using var tool = new Tool();
        tool.StartFixture("busy");
        int child = int.Parse(await tool.LineAsync("process "));
        await tool.LineAsync("working");

        // A terminal's Ctrl-C reaches the child too: it must leave the decision to the runner.
        int[] targets = signal == "INT" ? [tool.Process.Id, child] : [tool.Process.Id];
        using (Process kill = Process.Start("kill", ["-" + signal, .. targets.Select(id => id.ToString())]))
        {
            await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        ToolResult result = await tool.EndAsync();

        Assert.Equal(130, result.ExitCode);
        Notebook saved = tool.Saved("busy");
        Assert.Equal("working\n", saved.Cell(2).Text());
        Assert.Equal("RunStopped", saved.Cell(2).Error().Name);
    }
}
