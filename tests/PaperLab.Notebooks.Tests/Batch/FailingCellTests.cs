// Cells that fail in managed code: the error is named, what ran before is saved, nothing after it runs.

using PaperLab.Notebooks.Format;

namespace PaperLab.Notebooks.Tests.Batch;

public sealed class FailingCellTests
{
    [Theory]
    [InlineData("compile-error", "CS0029", "CompilationError")]
    [InlineData("exception", "the scale is negative", "InvalidOperationException")]
    [InlineData("unknown-magic", "#!matlab", "")]
    public async Task A_cell_that_fails_is_saved_with_its_error_and_ends_the_notebook(string fixture, string cause, string errorName)
    {
        using var tool = new Tool();

        ToolResult result = await tool.RunFixtureAsync(fixture);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains(cause, result.Stderr);
        Notebook saved = tool.Saved(fixture);
        Assert.Equal("before\n", saved.Cell(1).Text());
        Assert.Contains(cause, saved.Cell(2).Error().Message + string.Join('\n', saved.Cell(2).Error().Traceback));
        Assert.Contains(errorName, saved.Cell(2).Error().Name);
        Assert.Equal("failed", saved.Cell(2).Status());
        Assert.Empty(saved.Cell(3).Outputs);
        Assert.Null(saved.Cell(3).ExecutionCount);
    }

    [Fact]
    public async Task An_expected_error_is_kept_and_the_notebook_passes()
    {
        using var tool = new Tool();

        ToolResult result = await tool.RunFixtureAsync("expected-error");

        Assert.Equal(0, result.ExitCode);
        Notebook saved = tool.Saved("expected-error");
        Assert.Contains("on purpose", saved.Cell(1).Error().Message);
        Assert.Empty(saved.Cell(2).Outputs);
        Assert.Equal("after\n", saved.Cell(3).Text());
    }

    [Fact]
    public async Task A_missing_device_is_the_machines_fault_and_has_its_own_exit_code()
    {
        using var tool = new Tool();

        ToolResult result = await tool.RunFixtureAsync("no-device");

        Assert.Equal(3, result.ExitCode);
        Assert.Contains("no NVIDIA driver was found", result.Stderr);
    }

    [Fact]
    public async Task Running_out_of_managed_memory_is_an_error_of_the_cell()
    {
        using var tool = new Tool();

        tool.Start(Tool.Program, ["run", Tool.Fixture("out-of-memory"), "--out", tool.Output], ("DOTNET_GCHeapHardLimit", "C000000"));
        ToolResult result = await tool.EndAsync();

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("memory", result.Stderr, StringComparison.OrdinalIgnoreCase);
        Notebook saved = tool.Saved("out-of-memory");
        Assert.Equal("before\n", saved.Cell(1).Text());
        Assert.Contains("memory", saved.Cell(2).Error().Name + saved.Cell(2).Error().Message, StringComparison.OrdinalIgnoreCase);
    }
}
