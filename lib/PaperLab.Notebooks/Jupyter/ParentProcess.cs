// A kernel whose server is gone would hold its memory, and a GPU, for ever.

using System.Runtime.InteropServices;

namespace PaperLab.Notebooks.Jupyter;

/// <summary>Watches the process that started this one.</summary>
internal sealed partial class ParentProcess : IDisposable
{
    // Jupyter sets it for kernels that are to end with it.
    private const string Variable = "JPY_PARENT_PID";
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    private readonly Timer? _timer;

    /// <summary>Calls <paramref name="ended"/> when the parent has ended, where Jupyter asks for that. (On Windows the server ends its kernels itself.)</summary>
    public ParentProcess(Action ended)
    {
        if (OperatingSystem.IsWindows() || string.IsNullOrEmpty(Environment.GetEnvironmentVariable(Variable)))
        {
            return;
        }

        int parent = ParentId(); // an orphan is given to another process
        _timer = new Timer(
            _ =>
            {
                if (ParentId() != parent)
                {
                    ended();
                }
            },
            null,
            Period,
            Period);
    }

    public void Dispose() => _timer?.Dispose();

    [LibraryImport("libc", EntryPoint = "getppid")]
    private static partial int ParentId();
}
