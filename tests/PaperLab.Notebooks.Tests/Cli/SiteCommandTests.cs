// `paperlab site` as a shell runs it.

using System.Net;
using System.Net.Sockets;
using PaperLab.Notebooks.Format;
using PaperLab.Notebooks.Tests.Batch;

namespace PaperLab.Notebooks.Tests.Cli;

public sealed class SiteCommandTests : IDisposable
{
    private readonly Tool _tool = new();

    public void Dispose() => _tool.Dispose();

    [Fact]
    public async Task A_named_notebook_becomes_a_gallery_that_is_served_until_it_is_stopped()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "there is no SIGINT to send");
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        int port = ((IPEndPoint)probe.LocalEndpoint).Port;
        probe.Stop();
        string page = Path.Combine(_tool.Scratch, "my-page.ipynb");
        var notebook = new Notebook();
        notebook.Cells.Add(new Cell(CellKind.Markdown, "# Mine"));
        notebook.Save(page);

        _tool.Start(Tool.Program, ["site", page, "-o", _tool.Output, "--serve", "--port", $"{port}"]);
        string address = await _tool.LineAsync("Serving it at");

        using var client = new HttpClient();
        Assert.StartsWith($"http://127.0.0.1:{port}/,", address);
        Assert.Contains("papers/my-page.html", await client.GetStringAsync($"http://127.0.0.1:{port}/"));
        Assert.Contains("my-page has no outputs", _tool.Stderr);
        using (var interrupt = System.Diagnostics.Process.Start("kill", ["-INT", $"{_tool.Process.Id}"]))
        {
            await interrupt.WaitForExitAsync();
        }

        Assert.Equal(0, (await _tool.EndAsync()).ExitCode);
    }

    [Fact]
    public async Task A_folder_that_is_no_gallery_is_refused_with_exit_code_2()
    {
        Directory.CreateDirectory(_tool.Output);
        File.WriteAllText(Path.Combine(_tool.Output, "thesis.tex"), "");

        ToolResult result = await _tool.RunAsync("site", Tool.Fixture("plain"), "-o", _tool.Output);

        Assert.Equal(2, result.ExitCode);
        Assert.Contains("thesis.tex", result.Stderr);
    }
}
