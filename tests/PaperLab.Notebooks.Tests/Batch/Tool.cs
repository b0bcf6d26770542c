// Drives the real tool, as built in lib/out, in a folder of its own, the way a shell does.

using System.Diagnostics;
using System.Text;
using PaperLab.Notebooks.Format;

namespace PaperLab.Notebooks.Tests.Batch;

/// <summary>What one run of the tool left.</summary>
internal sealed record ToolResult(int ExitCode, string Stdout, string Stderr)
{
    public string All => Stdout + Stderr;
}

/// <summary>Starts the tool with a fresh output folder, which goes with it.</summary>
internal sealed class Tool : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("paperlab-run-");
    private readonly StringBuilder _stdout = new();
    private readonly StringBuilder _stderr = new();
    private Process? _process;

    /// <summary>The repository that these tests belong to.</summary>
    public static string Repository { get; } = FindRepository();

    /// <summary>The folder of fixture notebooks, one per kind of failure.</summary>
    public static string Fixtures { get; } = Path.Combine(Repository, "tests", "PaperLab.Notebooks.Tests", "Batch", "Fixtures");

    /// <summary>Where this run's results go.</summary>
    public string Output => Path.Combine(_folder.FullName, "out");

    /// <summary>A folder for whatever else a test needs.</summary>
    public string Scratch => _folder.FullName;

    /// <summary>The started process.</summary>
    public Process Process => _process!;

    public static string Fixture(string name) => Path.Combine(Fixtures, name + ".ipynb");

    /// <summary>Runs a fixture to its end.</summary>
    public Task<ToolResult> RunFixtureAsync(string name, params string[] options) =>
        RunAsync(["run", Fixture(name), "--out", Output, .. options]);

    /// <summary>Runs the tool to its end.</summary>
    public async Task<ToolResult> RunAsync(params string[] arguments)
    {
        Start(Program, arguments);
        return await EndAsync();
    }

    /// <summary>Starts a program with the streams captured.</summary>
    public void Start(string program, IEnumerable<string> arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = Repository,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        _process?.Dispose();
        _stdout.Clear();
        _stderr.Clear();
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Collect(_stdout, line.Data);
        _process.ErrorDataReceived += (_, line) => Collect(_stderr, line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Starts the tool on a fixture without waiting for it.</summary>
    public void StartFixture(string name, params string[] options) => Start(Program, ["run", Fixture(name), "--out", Output, .. options]);

    /// <summary>Waits until the tool ends.</summary>
    public async Task<ToolResult> EndAsync()
    {
        await Process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Limit);
        return new ToolResult(Process.ExitCode, Text(_stdout), Text(_stderr));
    }

    /// <summary>What it wrote to stderr so far.</summary>
    public string Stderr => Text(_stderr);

    /// <summary>Waits until stdout holds a line that starts with <paramref name="start"/>, and returns the rest of it.</summary>
    public async Task<string> LineAsync(string start)
    {
        string? found = null;
        await UntilAsync(() => (found = Text(_stdout).Split('\n').Select(line => line.Trim()).FirstOrDefault(line => line.StartsWith(start, StringComparison.Ordinal))) is not null);
        return found![start.Length..].Trim();
    }

    /// <summary>The notebook as it was saved; it must be valid.</summary>
    public Notebook Saved(string name) => Notebook.Load(Path.Combine(Output, name + ".ipynb"));

    /// <summary>Waits for something that must become true soon.</summary>
    public static async Task UntilAsync(Func<bool> condition)
    {
        for (long end = Environment.TickCount64 + 30_000; !condition(); await Task.Delay(50, TestContext.Current.CancellationToken))
        {
            Assert.True(Environment.TickCount64 < end, "What the test waits for did not happen within 30 s.");
        }
    }

    /// <summary>Whether a process still runs.</summary>
    public static bool IsAlive(int id)
    {
        try
        {
            using Process process = Process.GetProcessById(id);
            return !process.HasExited && !IsZombie(id);
        }
        catch (Exception error) when (error is ArgumentException or IOException)
        {
            return false; // it ended before or while it was looked at
        }
    }

    public void Dispose()
    {
        if (_process is { HasExited: false })
        {
            _process.Kill(entireProcessTree: true);
        }

        _process?.Dispose();
        _folder.Delete(recursive: true);
    }

    /// <summary>The tool's executable.</summary>
    public static string Program { get; } = Path.Combine(Repository, "lib", "out", OperatingSystem.IsWindows() ? "paperlab.exe" : "paperlab");

    private static string FindRepository()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "PaperLab.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new DirectoryNotFoundException("PaperLab.sln is in no folder above the tests.");
    }

    // An orphan that nobody waits for stays in the process table where no init collects it.
    private static bool IsZombie(int id) =>
        File.Exists($"/proc/{id}/stat") && File.ReadAllText($"/proc/{id}/stat").Split(')')[^1].TrimStart().StartsWith('Z');

    private static void Collect(StringBuilder text, string? line)
    {
        lock (text)
        {
            text.AppendLine(line);
        }
    }

    private static string Text(StringBuilder text)
    {
        lock (text)
        {
            return text.ToString();
        }
    }
}

/// <summary>Reads saved notebooks.</summary>
internal static class Saved
{
    /// <summary>The code cell with this 1-based number.</summary>
    public static Cell Cell(this Notebook notebook, int number) => notebook.Cells.Where(cell => cell.Kind == CellKind.Code).ElementAt(number - 1);

    /// <summary>Everything a cell wrote to its streams.</summary>
    public static string Text(this Cell cell) => string.Concat(cell.Outputs.OfType<StreamOutput>().Select(output => output.Text));

    /// <summary>The error in a cell; there must be exactly one.</summary>
    public static ErrorOutput Error(this Cell cell) => Assert.Single(cell.Outputs.OfType<ErrorOutput>());

    /// <summary>The status that the run left in the cell's metadata.</summary>
    public static string? Status(this Cell cell) => cell.Metadata["paperlab"]?["status"]?.ToString();
}
