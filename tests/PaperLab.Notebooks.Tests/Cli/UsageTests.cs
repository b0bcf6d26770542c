// Wrong usage: one line that names what was wrong and what is allowed, exit code 2, and nothing runs.

using PaperLab.Notebooks.Tests.Batch;

namespace PaperLab.Notebooks.Tests.Cli;

public sealed class UsageTests
{
    [Theory]
    [InlineData("no notebook \"nothing-like-this\"", "run", "nothing-like-this")]
    [InlineData("does not exist", "run", "nowhere/page.ipynb")]
    [InlineData("unknown preset \"huge\"; allowed: smoke, standard, full", "run", "--preset", "huge")]
    [InlineData("unknown device \"gpu\"; allowed: auto, cpu, cuda, cuda:N", "run", "--device", "gpu")]
    [InlineData("NAME=VALUE", "run", "-p", "steps")]
    [InlineData("given twice", "run", "-p", "steps=1", "-p", "steps=2")]
    [InlineData("--cell-timeout -1", "run", "--cell-timeout", "-1")]
    [InlineData("junit=FILE, json=FILE", "run", "--report", "html=x")]
    [InlineData("unknown shard \"3/2\"; allowed: i/n with i from 1 to n", "run", "--shard", "3/2")]
    [InlineData("--times balances the parts of --shard, which is not given", "run", "--times", "x.json")]
    [InlineData("--tolerance is for --compare or --against", "run", "--tolerance", "0.1")]
    [InlineData("--port is where the gallery is served; give --serve too", "site", "--port", "80")]
    [InlineData("a port is a number from 1 to 65535", "site", "--serve", "--port", "70000")]
    [InlineData("no name for a notebook", "new", "My Paper")]
    public async Task A_wrong_command_line_is_one_clear_message(string message, params string[] arguments)
    {
        using var tool = new Tool();

        ToolResult result = await tool.RunAsync(arguments);

        Assert.Equal(2, result.ExitCode);
        Assert.Contains(message, result.Stderr);
        Assert.Equal("", result.Stdout.Trim());
    }

    [Theory]
    [InlineData("stepz=5", "stepz")]
    [InlineData("steps=many", "steps")]
    public async Task A_bad_parameter_is_found_before_anything_runs(string parameter, string name)
    {
        using var tool = new Tool();

        ToolResult result = await tool.RunFixtureAsync("parameters", "-p", parameter);

        Assert.Equal(2, result.ExitCode);
        Assert.Contains(name, result.Stderr);
        Assert.False(Directory.Exists(tool.Output));
    }

    [Fact]
    public async Task Parameters_presets_and_devices_reach_the_notebook()
    {
        using var tool = new Tool();

        ToolResult result = await tool.RunFixtureAsync("parameters", "-p", "steps=200", "-p", "rate=3e-4", "--preset", "full", "--device", "cpu", "--fresh");

        Assert.Equal(0, result.ExitCode);
        Assert.Equal("full 200 0.0003 cpu a\n", tool.Saved("parameters").Cell(3).Text());
        Assert.True(tool.Saved("parameters").Cell(2).HasTag("injected-parameters"));
    }

    [Fact]
    public async Task A_name_that_may_mean_two_notebooks_lists_both()
    {
        using var tool = new Tool();
        string repository = Path.Combine(tool.Scratch, "repository");
        Directory.CreateDirectory(Path.Combine(repository, "notebooks"));
        File.WriteAllText(Path.Combine(repository, "PaperLab.sln"), "");
        foreach (string name in new[] { "sinks-one", "sinks-two", "other" })
        {
            File.Copy(Tool.Fixture("plain"), Path.Combine(repository, "notebooks", name + ".ipynb"));
        }

        tool.Start("bash", ["-c", $"cd '{repository}' && exec '{Tool.Program}' run sinks"]);
        ToolResult result = await tool.EndAsync();

        Assert.Equal(2, result.ExitCode);
        Assert.Contains("sinks-one, sinks-two", result.Stderr);
        Assert.DoesNotContain("other", result.Stderr);
    }

    [Fact]
    public async Task A_file_that_is_no_notebook_fails_with_its_line()
    {
        using var tool = new Tool();

        ToolResult result = await tool.RunFixtureAsync("broken-json");

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("broken-json.ipynb(6,", result.Stderr);
    }

    [Fact]
    public async Task The_folder_of_the_input_is_refused_as_the_output_folder()
    {
        using var tool = new Tool();

        ToolResult result = await tool.RunAsync("run", Tool.Fixture("plain"), "--out", Tool.Fixtures);

        Assert.Equal(2, result.ExitCode);
        Assert.Contains("never overwritten", result.Stderr);
    }

    [Fact]
    public async Task Help_of_every_command_comes_with_examples_or_exit_codes()
    {
        using var tool = new Tool();

        ToolResult root = await tool.RunAsync("--help");

        Assert.Equal(0, root.ExitCode);
        Assert.Contains("paperlab run autonomy-of-experts", root.Stdout);
        Assert.Contains("130", root.Stdout);
        ToolResult train = await tool.RunAsync("train", "--help"); // without the argument that it needs
        Assert.Equal(0, train.ExitCode);
        Assert.Contains("mpirun -n 4", train.Stdout);
    }
}
