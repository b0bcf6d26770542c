// How much memory a piece of work needs on a CPU: the peak of the process's resident pages while it runs, above what was resident before.
// The allocator keeps freed blocks (CpuTuning), so it is first told to give them back; then the kernel's peak counter is set anew. Both
// are Linux with glibc; elsewhere nobody tells.

using System.Runtime.InteropServices;

namespace PaperLab.Native;

internal static class ResidentMemory
{
    private const string Peak = "VmHWM:", Now = "VmRSS:";
    private const string StatusFile = "/proc/self/status", ResetFile = "/proc/self/clear_refs";
    private const string ResetPeak = "5"; // see proc_pid_clear_refs(5)

    /// <summary>Runs <paramref name="work"/>, and returns the bytes that it held at most beyond those before it; null where the system does not tell.</summary>
    public static long? PeakOf(Action work)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers(); // of tensors that nobody disposed of
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true); // gives back at once, not bit by bit meanwhile
        bool known = GiveBack() && Reset();
        long before = known ? Read(Now) : 0;
        work();
        return known ? Read(Peak) - before : null;
    }

    private static bool GiveBack()
    {
        if (!OperatingSystem.IsLinux() || !NativeLibrary.TryLoad("libc.so.6", out IntPtr libc) || !NativeLibrary.TryGetExport(libc, "malloc_trim", out IntPtr export))
        {
            return false;
        }

        _ = Marshal.GetDelegateForFunctionPointer<MallocTrim>(export)(0);
        return true;
    }

    private static bool Reset()
    {
        try
        {
            File.WriteAllText(ResetFile, ResetPeak);
            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false; // a kernel or a container without it
        }
    }

    private static long Read(string field) =>
        1024 * long.Parse(File.ReadLines(StatusFile).Single(line => line.StartsWith(field, StringComparison.Ordinal)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1]);

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate int MallocTrim(nuint pad);
}
