// TorchSharp's Scalars live a little longer than TorchSharp lets them.
//
// TorchSharp 0.107 reads a Scalar's handle and calls libtorch with nothing that keeps the Scalar alive. When another thread collects
// garbage in that moment, the finalizer frees the number that libtorch is about to read, and a + b (whose hidden factor 1 is such a
// Scalar), x * 2 or x.clamp_min(0) fails with "Expected false to be true … Scalar.h", about one call in 5,000 beside a thread that
// collects without pause, one in millions otherwise. Whoever writes a + b cannot prevent it.
//
// The finalizer ends in THSTorch_dispose_scalar. Its first bytes become a jump to Dispose below, which frees a Scalar seconds later, when
// no call can still be reading it. Only where that is known to fit, on Linux x64 and with the code that this version has; elsewhere, and
// where the system forbids it, everything stays as TorchSharp has it.

using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PaperLab.Native;

internal static unsafe class ScalarLifetime
{
    private const int Read = 1, Write = 2, Execute = 4;
    private static readonly TimeSpan Extension = TimeSpan.FromSeconds(2);
    private static readonly ConcurrentQueue<(long Since, IntPtr Scalar)> Waiting = new();
    private static delegate* unmanaged[Cdecl]<IntPtr, void> s_free;

    /// <summary>Whether Scalars are kept.</summary>
    public static bool IsExtended => s_free is not null;

    /// <summary>Scalars that wait for their end.</summary>
    public static int Count => Waiting.Count;

    /// <summary>To be called when TorchSharp's native library is loaded, before anything calls it.</summary>
    public static void Extend(IntPtr torchSharp, IntPtr torchCpu)
    {
        // test rdi, rdi; je; mov eax, [rdi]: a null check, and then the kind of number that the Scalar holds.
        ReadOnlySpan<byte> known = [0x48, 0x85, 0xff, 0x74, 0x2d, 0x8b, 0x07];
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64
            || !NativeLibrary.TryGetExport(torchSharp, "THSTorch_dispose_scalar", out IntPtr dispose)
            || !NativeLibrary.TryGetExport(torchCpu, "_ZdlPv", out IntPtr free) // operator delete
            || !NativeLibrary.TryLoad("libc.so.6", out IntPtr libc) || !NativeLibrary.TryGetExport(libc, "mprotect", out IntPtr mprotect)
            || !new ReadOnlySpan<byte>((void*)dispose, known.Length).SequenceEqual(known))
        {
            return;
        }

        // mov rax, address; jmp rax
        Span<byte> jump = [0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xe0];
        BitConverter.TryWriteBytes(jump[2..], (long)(delegate* unmanaged[Cdecl]<IntPtr, void>)&Dispose);
        var protect = (delegate* unmanaged[Cdecl]<nint, nint, int, int>)mprotect;
        nint page = dispose & ~(Environment.SystemPageSize - 1), length = dispose + jump.Length - page;
        if (protect(page, length, Read | Write | Execute) == 0)
        {
            s_free = (delegate* unmanaged[Cdecl]<IntPtr, void>)free;
            jump.CopyTo(new Span<byte>((void*)dispose, jump.Length));
            protect(page, length, Read | Execute);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Dispose(IntPtr scalar)
    {
        if (scalar != IntPtr.Zero)
        {
            Waiting.Enqueue((Stopwatch.GetTimestamp(), scalar));
        }

        while (Waiting.TryPeek(out (long Since, IntPtr) oldest) && Stopwatch.GetElapsedTime(oldest.Since) > Extension && Waiting.TryDequeue(out (long, IntPtr Scalar) due))
        {
            s_free(due.Scalar);
        }
    }
}
