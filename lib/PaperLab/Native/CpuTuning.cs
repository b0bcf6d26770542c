// Switches that TorchSharp does not expose and that decide the speed of a CPU run:
//   0. libgomp's threads sleep at a barrier instead of spinning: with another busy process on the machine, spinning makes a step
//      ten times slower, and on an idle one it gains nothing at these sizes;
//   1. glibc's malloc keeps large blocks instead of returning them to the system after every step (16k → 2k page faults a step);
//   2. fp32 matrix products go through oneDNN, about twice as fast as the default on AVX-512 processors.
// Each is looked up once and left alone where it does not exist. The second only *permits* other arithmetic inside, so the
// error of a reference product is measured, and the mode is named by what it does; results are bit-identical within a mode only.

using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace PaperLab.Native;

internal static class CpuTuning
{
    private const int TrimThreshold = -1, TopPad = -2, MmapThreshold = -3;

    // at::Float32Backend::MKLDNN, at::Float32Op::ALL's matmul entry, at::Float32Precision::{IEEE, BF16}.
    private const int OneDnn = 2, MatMul = 3, Ieee = 1, Bf16 = 3;

    // The largest relative error of a 256-term fp32 product is about 1e-6; one rounding to bf16 gives 4e-3.
    private const double Float32Error = 1e-4;

    public static string Allocator { get; private set; } = "default";

    /// <summary>Whether fp32 products go through oneDNN now: it decides which form of attention is faster.</summary>
    public static bool FastProducts { get; private set; }

    /// <summary>Must run before libtorch is loaded. A policy that the user chose stays.</summary>
    public static void SleepAtBarriers()
    {
        // .NET's own environment is a copy; libgomp reads the process's.
        if (OperatingSystem.IsLinux() && NativeLibrary.TryLoad("libc.so.6", out IntPtr libc) && NativeLibrary.TryGetExport(libc, "setenv", out IntPtr export))
        {
            Marshal.GetDelegateForFunctionPointer<SetEnvironment>(export)("OMP_WAIT_POLICY", "passive", 0);
        }
    }

    /// <summary>Keeps freed blocks in the process (glibc only).</summary>
    public static void KeepMemory()
    {
        if (!OperatingSystem.IsLinux() || !NativeLibrary.TryLoad("libc.so.6", out IntPtr libc) || !NativeLibrary.TryGetExport(libc, "mallopt", out IntPtr export))
        {
            return;
        }

        var mallopt = Marshal.GetDelegateForFunctionPointer<Mallopt>(export);
        if (mallopt(MmapThreshold, 1 << 30) + mallopt(TrimThreshold, int.MaxValue) + mallopt(TopPad, 256 << 20) == 3)
        {
            Allocator = "glibc, blocks kept";
        }
    }

    /// <summary>Routes fp32 products through oneDNN, or back; returns the arithmetic that is now in force, in words.</summary>
    public static string UseOneDnn(LoadedNatives natives, bool enable)
    {
        if (!NativeLibrary.TryGetExport(natives.TorchCpu, "_ZN2at13globalContextEv", out IntPtr globalContext) ||
            !NativeLibrary.TryGetExport(natives.TorchCpu, "_ZN2at7Context19setFloat32PrecisionENS_14Float32BackendENS_9Float32OpENS_16Float32PrecisionE", out IntPtr setPrecision))
        {
            return "fp32, libtorch's default";
        }

        IntPtr context = Marshal.GetDelegateForFunctionPointer<GlobalContext>(globalContext)();
        Marshal.GetDelegateForFunctionPointer<SetPrecision>(setPrecision)(context, OneDnn, MatMul, enable ? Bf16 : Ieee);
        FastProducts = enable;
        if (!enable)
        {
            return "fp32, libtorch's default";
        }

        return ReferenceError() < Float32Error ? "fp32, oneDNN" : "fp32 in bf16 parts, oneDNN";
    }

    /// <summary>Largest error of one fp32 product against fp64, relative to the largest entry.</summary>
    private static double ReferenceError()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Tensor a = linspace(-1, 1, 256 * 256, dtype: ScalarType.Float32).view(256, 256).sin();
        Tensor b = linspace(-2, 2, 256 * 256, dtype: ScalarType.Float32).view(256, 256).cos();
        Tensor exact = a.to(ScalarType.Float64).mm(b.to(ScalarType.Float64));
        return ((a.mm(b).to(ScalarType.Float64) - exact).abs().max() / exact.abs().max()).item<double>();
    }

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate int SetEnvironment([MarshalAs(UnmanagedType.LPStr)] string name, [MarshalAs(UnmanagedType.LPStr)] string value, int overwrite);

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate int Mallopt(int parameter, int value);

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate IntPtr GlobalContext();

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate void SetPrecision(IntPtr context, int backend, int operation, int precision);
}
