// paperlab check says what is wrong without running anything; paperlab new makes a notebook that passes it.

using PaperLab.Notebooks.Tests.Batch;

namespace PaperLab.Notebooks.Tests.Cli;

public sealed class CheckAndNewTests
{
    [Fact]
    public async Task A_notebook_in_order_passes()
    {
        using var tool = new Tool();

        ToolResult result = await tool.RunAsync("check", Tool.Fixture("parameters"));

        Assert.Equal(0, result.ExitCode);
        Assert.DoesNotContain("error", result.Stdout);
    }

    [Theory]
    [InlineData("compile-error", "CS0029")]
    [InlineData("unknown-magic", "#!matlab")]
    [InlineData("broken-json", "broken-json.ipynb(6,")]
    [InlineData("plain", "tagged `parameters`")]
    public async Task What_is_wrong_is_named_and_fails_the_check(string fixture, string message)
    {
        using var tool = new Tool();

        ToolResult result = await tool.RunAsync("check", Tool.Fixture(fixture));

        Assert.Equal(1, result.ExitCode);
        Assert.Contains(message, result.Stdout);
    }

    [Fact]
    public async Task Nothing_runs_during_a_check()
    {
        using var tool = new Tool();

        ToolResult result = await tool.RunAsync("check", Tool.Fixture("fail-fast"));

        Assert.Equal(1, result.ExitCode);
        Assert.DoesNotContain("before", result.Stdout.Split('\n'));
    }

    [Fact]
    public async Task A_new_notebook_passes_the_check_runs_and_is_never_overwritten()
    {
        using var tool = new Tool();
        // A repository of its own, whose library folder is the real one.
        string repository = Path.Combine(tool.Scratch, "repository");
        Directory.CreateDirectory(Path.Combine(repository, "lib"));
        File.WriteAllText(Path.Combine(repository, "PaperLab.sln"), "");
        Directory.CreateSymbolicLink(Path.Combine(repository, "lib", "out"), Path.Combine(Tool.Repository, "lib", "out"));

        Task<ToolResult> In(string command)
        {
            tool.Start("bash", ["-c", $"cd '{repository}' && exec '{Tool.Program}' {command}"]);
            return tool.EndAsync();
        }

        Assert.Equal(0, (await In("new attention-sinks")).ExitCode);
        string path = Path.Combine(repository, "notebooks", "attention-sinks.ipynb");
        byte[] made = File.ReadAllBytes(path);
        ToolResult check = await In("check attention-sinks");
        Assert.True(check.ExitCode == 0, check.All);
        ToolResult run = await In("run attention --preset standard -p seed=2");
        Assert.True(run.ExitCode == 0, run.All);
        Assert.True(File.Exists(Path.Combine(repository, "artifacts", "notebooks", "attention-sinks.html")));
        Assert.Equal(2, (await In("new attention-sinks")).ExitCode);
        Assert.Equal(made, File.ReadAllBytes(path));
    }
}
