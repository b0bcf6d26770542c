// paperlab doctor, as a shell runs it.

using PaperLab.Notebooks.Tests.Batch;

namespace PaperLab.Notebooks.Tests.Cli;

public sealed class DoctorCommandTests : IDisposable
{
    private readonly Tool _tool = new();

    public void Dispose() => _tool.Dispose();

    [Fact]
    public async Task A_machine_that_has_everything_is_told_so()
    {
        ToolResult result = await RunAsync();

        Assert.Equal(0, result.ExitCode);
        Assert.Contains("Notebooks can run here.", result.Stdout);
        Assert.Contains("libtorch 2.10", result.Stdout);
    }

    [Fact]
    public async Task A_libtorch_that_is_not_where_it_should_be_is_named_with_the_way_out()
    {
        ToolResult result = await RunAsync([], ("PAPERLAB_LIBTORCH", "/no/such/torch"));

        Assert.Equal(3, result.ExitCode);
        string text = string.Join(' ', result.Stdout.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains("PAPERLAB_LIBTORCH is '/no/such/torch'", text);
        Assert.Contains("1 of 7 checks failed", text);
    }

    [Fact]
    public async Task A_libtorch_that_is_cut_short_is_refused_before_it_ends_the_process()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "ELF libraries are looked at before they are loaded");
        Directory.CreateDirectory(_tool.Scratch);
        string library = Path.Combine(_tool.Scratch, "libtorch_cpu.so");
        File.WriteAllBytes(library, [0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1, .. new byte[34], 0, 0, 1, 0, .. new byte[14], 56, 0, 1, 0, 64, 0, 1, 0]);

        ToolResult result = await RunAsync([], ("PAPERLAB_LIBTORCH", _tool.Scratch), ("COLUMNS", "400"));

        Assert.Equal(3, result.ExitCode);
        string text = string.Join(' ', result.Stdout.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains("libtorch_cpu.so is damaged", text);
        Assert.Contains("pip install torch==2.10.*", text);
    }

    [Fact]
    public async Task A_cache_that_cannot_be_written_is_named()
    {
        ToolResult result = await RunAsync([], ("PAPERLAB_CACHE", "/dev/null/cache"));

        Assert.Equal(3, result.ExitCode);
        Assert.Contains("/dev/null/cache", result.Stdout);
    }

    [Fact]
    public async Task A_device_that_does_not_exist_is_wrong_usage()
    {
        ToolResult result = await RunAsync(["--device", "gpu"]);

        Assert.Equal(2, result.ExitCode);
        Assert.Contains("auto, cpu, cuda or cuda:N", result.Stderr);
    }

    private async Task<ToolResult> RunAsync(string[]? arguments = null, params (string Name, string Value)[] environment)
    {
        _tool.Start(Tool.Program, ["doctor", .. arguments ?? []], environment);
        return await _tool.EndAsync();
    }
}
