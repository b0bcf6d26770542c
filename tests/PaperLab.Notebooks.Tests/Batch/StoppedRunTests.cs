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

        ToolResult result = await tool.RunFixtureAsync("endless-loop", "--cell-timeout", "15");

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

        ToolResult result = await tool.RunFixtureAsync("blocked-native", "--cell-timeout", "15");

        Assert.Equal(1, result.ExitCode);
        Assert.Equal("before\n", tool.Saved("blocked-native").Cell(2).Text());
        Assert.Equal("CellTimeout", tool.Saved("blocked-native").Cell(2).Error().Name);
        Assert.Contains("its process was killed", tool.Saved("blocked-native").Cell(2).Error().Message);
    }

    [Fact]
    public async Task The_whole_notebook_has_a_limit_of_its_own()
    {
        using var tool = new Tool();

        ToolResult result = await tool.RunFixtureAsync("endless-loop", "--timeout", "20", "--cell-timeout", "500");

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
        await SignalAsync(signal, signal == "INT" ? [tool.Process.Id, child] : [tool.Process.Id]);
        ToolResult result = await tool.EndAsync();

        Assert.Equal(130, result.ExitCode);
        Notebook saved = tool.Saved("busy");
        Assert.Equal("working\n", saved.Cell(2).Text());
        Assert.Equal("RunStopped", saved.Cell(2).Error().Name);
    }

    [Fact]
    public async Task A_second_signal_ends_the_tool_at_once_and_even_a_blocked_notebook_with_it()
    {
        using var tool = new Tool();
        tool.StartFixture("blocked-native");
        int child = int.Parse(await tool.LineAsync("process "));
        await tool.LineAsync("before");

        await SignalAsync("INT", [tool.Process.Id, child]);
        await Tool.UntilAsync(() => tool.Stderr.Contains("Once more to end at once"));
        await Task.Delay(500, TestContext.Current.CancellationToken); // the child is being interrupted, in vain
        await SignalAsync("INT", [tool.Process.Id, child]);

        Assert.Equal(130, (await tool.EndAsync()).ExitCode);
        await Tool.UntilAsync(() => !Tool.IsAlive(child));
    }

    private static async Task SignalAsync(string signal, IEnumerable<int> processes)
    {
        using Process kill = Process.Start("kill", ["-" + signal, .. processes.Select(id => id.ToString())]);
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
    }
}
