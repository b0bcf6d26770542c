// The process's own stdout and stderr, below .NET: flushed after each cell, and marked, so that the runner knows whose text it read.

using System.Runtime.InteropServices;
using System.Text;

namespace PaperLab.Notebooks.Batch;

/// <summary>The child's file descriptors 1 and 2.</summary>
internal sealed partial class NativeStreams(string syncKey)
{
    private readonly Stream _out = Console.OpenStandardOutput();
    private readonly Stream _error = Console.OpenStandardError();

    /// <summary>The bytes that end cell <paramref name="cell"/>'s text: a control character, the run's own key, the cell's number.</summary>
    public static string Mark(string syncKey, int cell) => $"{MarkStart(syncKey)}{cell}\u0003";

    /// <summary>What every mark of a run starts with.</summary>
    public static string MarkStart(string syncKey) => $"\u0002{syncKey}:";

    /// <summary>Writes out what C code has buffered, then the mark of this cell, on both streams.</summary>
    public void FlushAndMark(int cell)
    {
        _ = OperatingSystem.IsWindows() ? FlushWindows(IntPtr.Zero) : FlushUnix(IntPtr.Zero);
        byte[] mark = Encoding.ASCII.GetBytes(Mark(syncKey, cell));
        Write(_out, mark);
        Write(_error, mark);
    }

    /// <summary>Keeps a pipe out of the processes that a notebook starts: one that outlives the notebook would hold it open.</summary>
    public static void KeepFromChildren(SafeHandle handle)
    {
        // ioctl rather than fcntl: its request takes no variadic argument, which macOS on ARM passes differently.
        bool done = OperatingSystem.IsWindows()
            ? SetHandleInformation(handle, mask: 1, flags: 0)
            : CloseOnExec(handle, OperatingSystem.IsMacOS() ? 0x20006601u : 0x5451u) == 0;
        if (!done)
        {
            throw new IOException($"The pipe to the runner could not be kept from child processes (error {Marshal.GetLastPInvokeError()}).");
        }
    }

    private static void Write(Stream stream, byte[] mark)
    {
        try
        {
            stream.Write(mark);
        }
        catch (IOException)
        {
            // The page closed its own stdout or stderr: the runner stops waiting for the mark after a moment.
        }
    }

    [LibraryImport("libc", EntryPoint = "fflush")]
    private static partial int FlushUnix(IntPtr stream);

    [LibraryImport("ucrtbase", EntryPoint = "fflush")]
    private static partial int FlushWindows(IntPtr stream);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int CloseOnExec(SafeHandle descriptor, nuint request);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool SetHandleInformation(SafeHandle handle, uint mask, uint flags);
}
