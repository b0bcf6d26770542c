// The PyTorch side of a benchmark: a Python process that stays alive and runs one repeat whenever it is asked to, so that both
// sides take turns and a machine whose speed drifts slows both.

using System.Diagnostics;
using System.Globalization;

namespace PaperLab.Benchmarks;

/// <summary>A peer's process. One line in, mostly "go", one line out, mostly the seconds of a repeat; one empty line ends it.</summary>
internal sealed class Peer : IDisposable
{
    private static readonly string[] Candidates = ["python3", "/usr/bin/python3", "python"];
    private static readonly Lazy<string?> Python = new(() => Candidates.FirstOrDefault(HasTorch));
    private readonly Process _process;

    private Peer(Process process) => _process = process;

    /// <summary>Whether a Python with torch is here.</summary>
    public static bool IsPresent => Python.Value is not null;

    /// <summary>The version of its torch.</summary>
    public static string Version => Ask(Python.Value!, "import torch; print(torch.__version__)")?.Trim() ?? "unknown";

    /// <summary>Starts peers/<paramref name="script"/> on the threads and the device of <paramref name="runtime"/>; null where there is no Python with torch.</summary>
    public static Peer? Start(string script, TorchRuntime runtime, params string[] arguments)
    {
        if (Python.Value is not { } python)
        {
            return null;
        }

        string path = Path.Combine(AppContext.BaseDirectory, "peers", script), threads = runtime.Threads.ToString(CultureInfo.InvariantCulture);
        var start = new ProcessStartInfo(python, [path, "--threads", threads, "--device", runtime.Device.ToString(), .. arguments]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.Environment["OMP_NUM_THREADS"] = threads;
        start.Environment["OMP_WAIT_POLICY"] = "passive"; // as on this side: threads that spin at a barrier lose to any other process
        return new Peer(Process.Start(start) ?? throw new InvalidOperationException($"{python} does not start."));
    }

    /// <summary>Seconds of one repeat.</summary>
    public double Go() => double.Parse(Ask("go"), CultureInfo.InvariantCulture);

    /// <summary>Sends a line and returns the line that comes back.</summary>
    public string Ask(string line)
    {
        _process.StandardInput.WriteLine(line);
        _process.StandardInput.Flush();
        return _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("The peer ended before it answered; its reason stands above.");
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        if (!_process.WaitForExit(5000))
        {
            _process.Kill();
        }

        _process.Dispose();
    }

    private static bool HasTorch(string python) => Ask(python, "import torch") is not null;

    private static string? Ask(string python, string code)
    {
        try
        {
            using Process? process = Process.Start(new ProcessStartInfo(python, ["-c", code]) { RedirectStandardOutput = true, RedirectStandardError = true });
            if (process is null)
            {
                return null;
            }

            Task<string> error = process.StandardError.ReadToEndAsync();
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? output : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null; // no such program
        }
    }
}
