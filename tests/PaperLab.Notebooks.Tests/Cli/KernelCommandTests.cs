// paperlab kernel: kernelspecs that appear, are kept and go, in a prefix of their own.

using System.Text.Json.Nodes;
using PaperLab.Notebooks.Tests.Batch;

namespace PaperLab.Notebooks.Tests.Cli;

public sealed class KernelCommandTests : IDisposable
{
    private readonly Tool _tool = new();

    private string Kernels => Path.Combine(_tool.Scratch, "share", "jupyter", "kernels");

    public void Dispose() => _tool.Dispose();

    [Fact]
    public async Task An_installed_kernel_starts_this_tool_and_can_be_removed_again()
    {
        ToolResult installed = await RunAsync("install", "--prefix", _tool.Scratch);
        ToolResult again = await RunAsync("install", "--prefix", _tool.Scratch, "--name", ".net-csharp");
        ToolResult listed = await RunAsync("list", "--prefix", _tool.Scratch);

        Assert.Equal((0, 0, 0), (installed.ExitCode, again.ExitCode, listed.ExitCode));
        JsonNode spec = Spec("paperlab-csharp");
        Assert.Equal([Tool.Program, "jupyter-kernel", "{connection_file}"], spec["argv"]!.AsArray().Select(argument => argument!.GetValue<string>()));
        Assert.Equal(("C#", "message"), (spec["language"]!.GetValue<string>(), spec["interrupt_mode"]!.GetValue<string>()));
        Assert.Equal(".NET (C#)", Spec(".net-csharp")["display_name"]!.GetValue<string>());
        Assert.Contains("C# (PaperLab)", listed.Stdout);

        ToolResult removed = await RunAsync("uninstall", "--prefix", _tool.Scratch);

        Assert.Equal(0, removed.ExitCode);
        Assert.Equal([Path.Combine(Kernels, ".net-csharp")], Directory.GetDirectories(Kernels));
    }

    [Fact]
    public async Task Somebody_elses_kernel_is_replaced_by_force_only_and_never_removed()
    {
        string folder = Path.Combine(Kernels, ".net-csharp");
        Directory.CreateDirectory(folder);
        const string Other = """{"argv": ["dotnet", "interactive"], "display_name": ".NET (C#)", "language": "C#"}""";
        await File.WriteAllTextAsync(Path.Combine(folder, "kernel.json"), Other, TestContext.Current.CancellationToken);

        ToolResult refused = await RunAsync("install", "--prefix", _tool.Scratch, "--name", ".net-csharp");
        ToolResult kept = await RunAsync("uninstall", "--prefix", _tool.Scratch, "--name", ".net-csharp");

        Assert.Equal((2, 2), (refused.ExitCode, kept.ExitCode));
        Assert.Contains("--force", refused.Stderr);
        Assert.Equal(Other, await File.ReadAllTextAsync(Path.Combine(folder, "kernel.json"), TestContext.Current.CancellationToken));

        ToolResult forced = await RunAsync("install", "--prefix", _tool.Scratch, "--name", ".net-csharp", "--force");

        Assert.Equal(0, forced.ExitCode);
        Assert.Equal(Tool.Program, Spec(".net-csharp")["argv"]![0]!.GetValue<string>());
    }

    [Theory]
    [InlineData("there is no folder", "install", "--prefix", "nowhere/at/all")]
    [InlineData("name two places", "install", "--user", "--prefix", ".")]
    [InlineData("is no name for a kernel", "install", "--name", "my kernel")]
    [InlineData("is no name for a kernel", "install", "--name", "..")]
    [InlineData("there is no kernel", "uninstall", "--name", "never-installed")]
    public async Task A_wrong_command_line_is_one_clear_message(string message, params string[] arguments)
    {
        ToolResult result = await RunAsync(arguments);

        Assert.Equal(2, result.ExitCode);
        Assert.Contains(message, result.Stderr);
    }

    private JsonNode Spec(string name) => JsonNode.Parse(File.ReadAllText(Path.Combine(Kernels, name, "kernel.json")))!;

    // The user's own kernels are left alone, whatever goes wrong.
    private async Task<ToolResult> RunAsync(params string[] arguments)
    {
        using var tool = new Tool();
        tool.Start(Tool.Program, ["kernel", .. arguments], ("JUPYTER_DATA_DIR", Path.Combine(_tool.Scratch, "user")));
        return await tool.EndAsync();
    }
}
