// How a process that runs a notebook ends when whoever started it says so.

using System.Diagnostics;

namespace PaperLab.Notebooks.Batch;

/// <summary>Ends this process.</summary>
internal static class HostExit
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(3);

    /// <summary>An idle process ends in an orderly way; one that is <paramref name="busy"/> or blocked at once.</summary>
    public static void Leave(bool busy)
    {
        if (!busy)
        {
            // What the page registered for the end of the process runs, but cannot keep it alive.
            new Thread(() => Environment.Exit(0)) { IsBackground = true, Name = "exit" }.Start();
            Thread.Sleep(Grace);
        }

        Process.GetCurrentProcess().Kill();
    }
}
