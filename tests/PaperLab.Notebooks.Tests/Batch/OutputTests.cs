// What a run saves: its form, its bounds, and what happens when it cannot be saved.

using PaperLab.Notebooks.Format;

namespace PaperLab.Notebooks.Tests.Batch;

public sealed class OutputTests
{
    [Fact]
    public async Task A_notebook_runs_and_is_saved_with_outputs_counts_and_times_while_the_input_stays_as_it_is()
    {
        using var tool = new Tool();
        byte[] input = File.ReadAllBytes(Tool.Fixture("plain"));

        ToolResult result = await tool.RunFixtureAsync("plain");

        Assert.Equal(0, result.ExitCode);
        Assert.Equal(input, File.ReadAllBytes(Tool.Fixture("plain")));
        Notebook saved = tool.Saved("plain");
        Assert.Equal("before\n", saved.Cell(1).Text());
        ResultOutput value = Assert.IsType<ResultOutput>(Assert.Single(saved.Cell(2).Outputs));
        Assert.Equal("42", value.Data.PlainText);
        Assert.Equal(2, value.ExecutionCount);
        Assert.Equal(
            [new StreamOutput(StreamName.Stdout, "100%\n"), new StreamOutput(StreamName.Stderr, "a warning\n")],
            saved.Cell(3).Outputs);
        Assert.Equal(".net-csharp", saved.Metadata["kernelspec"]!["name"]!.ToString());
        Assert.True(saved.Cell(1).Metadata["paperlab"]!["duration"]!.GetValue<double>() > 0);
        Assert.Equal(["plain.html", "plain.ipynb", "plain.passed.json"], Directory.EnumerateFiles(tool.Output).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task Native_text_goes_to_the_cell_that_wrote_it()
    {
        using var tool = new Tool();

        await tool.RunFixtureAsync("native-text");

        Notebook saved = tool.Saved("native-text");
        Assert.Equal("buffered in the first cell\n", saved.Cell(2).Text());
        Assert.Contains(new StreamOutput(StreamName.Stdout, "buffered in the second\n"), saved.Cell(3).Outputs);
        Assert.Contains(new StreamOutput(StreamName.Stderr, "to stderr\n"), saved.Cell(3).Outputs);
    }

    [Fact]
    public async Task A_hundred_megabytes_of_output_are_kept_as_their_beginning_and_end()
    {
        using var tool = new Tool();

        ToolResult result = await tool.RunFixtureAsync("flood", "--quiet");

        Assert.Equal(0, result.ExitCode);
        Cell cell = tool.Saved("flood").Cell(2);
        Assert.InRange(cell.Text().Length, 1_000_000, 2_000_000);
        Assert.Contains("MiB of text left out here", cell.Text());
        Assert.EndsWith("the end\n", cell.Text());
        Assert.InRange(new FileInfo(Path.Combine(tool.Output, "flood.ipynb")).Length, 1_000_000, 3_000_000);
    }

    [Fact]
    public async Task A_disk_that_fills_up_keeps_what_was_saved_before_and_is_one_clear_line()
    {
        using var tool = new Tool();

        // Files larger than 200 KiB fail to be written, as on a full disk; .NET itself must not need a large file then.
        string script = $"trap '' XFSZ; ulimit -f 200; exec '{Tool.Program}' run '{Tool.Fixture("large-output")}' --out '{tool.Output}'";
        tool.Start("bash", ["-c", script], ("DOTNET_EnableWriteXorExecute", "0"));
        ToolResult result = await tool.EndAsync();

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("large-output.ipynb could not be saved", result.Stderr);
        Assert.Equal("before\n", tool.Saved("large-output").Cell(1).Text());
        Assert.Equal(["large-output.ipynb"], Directory.EnumerateFiles(tool.Output).Select(Path.GetFileName));
    }

    [Fact]
    public async Task An_output_folder_that_cannot_be_made_is_found_out_before_anything_runs()
    {
        using var tool = new Tool();
        string file = Path.Combine(tool.Scratch, "file");
        File.WriteAllText(file, "in the way");

        ToolResult result = await tool.RunAsync("run", Tool.Fixture("plain"), "--out", Path.Combine(file, "folder"));

        Assert.Equal(3, result.ExitCode);
        Assert.Contains(file, Assert.Single(result.Stderr.Trim().Split('\n')));
        Assert.DoesNotContain("before", result.Stdout);
        Assert.Equal("in the way", File.ReadAllText(file));
    }
}
