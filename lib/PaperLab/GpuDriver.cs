// The GPUs of this machine as their driver lists them, through the driver's own library and without libtorch: so that a GPU is seen
// where libtorch has no CUDA, and its absence explained where libtorch has.
//
// CUDA driver API: https://docs.nvidia.com/cuda/cuda-driver-api/group__CUDA__DEVICE.html

using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

namespace PaperLab;

/// <summary>One GPU.</summary>
/// <param name="Name">The maker's name.</param>
/// <param name="MemoryBytes">All of its memory.</param>
/// <param name="Capability">CUDA compute capability, for example 9.0.</param>
public sealed record Gpu(string Name, long MemoryBytes, Version Capability);

/// <summary>NVIDIA's driver and what it drives.</summary>
/// <param name="Version">The driver's version where the system tells it, and the newest CUDA that it serves; empty without a driver.</param>
/// <param name="Gpus">In the order of cuda:0, cuda:1, …</param>
/// <param name="WhyNone">Why there is no GPU; null when there is one.</param>
public sealed unsafe partial record GpuDriver(string Version, IReadOnlyList<Gpu> Gpus, string? WhyNone)
{
    private const int CapabilityMajor = 75, CapabilityMinor = 76;
    private const string KernelFile = "/proc/driver/nvidia/version", WindowsLibrary = "nvcuda.dll";

    /// <summary>Whether NVIDIA's driver is installed, by a file of it: nothing is loaded, and no GPU is woken.</summary>
    public static bool IsInstalled => File.Exists(OperatingSystem.IsWindows() ? Path.Combine(Environment.SystemDirectory, WindowsLibrary) : KernelFile);

    /// <summary>Asks the driver.</summary>
    public static GpuDriver Read()
    {
        string library = OperatingSystem.IsWindows() ? WindowsLibrary : "libcuda.so.1";
        if (!NativeLibrary.TryLoad(library, out IntPtr driver))
        {
            return new GpuDriver("", [], $"no NVIDIA driver here ({library} does not load)");
        }

        var initialize = (delegate* unmanaged[Cdecl]<uint, int>)Export("cuInit");
        var driverVersion = (delegate* unmanaged[Cdecl]<int*, int>)Export("cuDriverGetVersion");
        var deviceCount = (delegate* unmanaged[Cdecl]<int*, int>)Export("cuDeviceGetCount");
        int cuda = 0, count = 0;
        int status = initialize(0);
        driverVersion(&cuda);
        string version = $"{KernelVersion(File.Exists(KernelFile) ? File.ReadAllText(KernelFile) : "")}CUDA {cuda / 1000}.{cuda % 1000 / 10}";
        if (status == 0)
        {
            status = deviceCount(&count);
        }

        return status != 0 ? new GpuDriver(version, [], $"the driver ({version}) does not start: CUDA error {status}{(status == 100 ? ", no device" : "")}")
            : count == 0 ? new GpuDriver(version, [], $"the driver ({version}) lists no GPU; CUDA_VISIBLE_DEVICES may hide it")
            : new GpuDriver(version, [.. Enumerable.Range(0, count).Select(Describe)], null);

        IntPtr Export(string name) => NativeLibrary.GetExport(driver, name);

        Gpu Describe(int ordinal)
        {
            int device, major, minor;
            nuint bytes;
            byte* name = stackalloc byte[256];
            ((delegate* unmanaged[Cdecl]<int*, int, int>)Export("cuDeviceGet"))(&device, ordinal);
            ((delegate* unmanaged[Cdecl]<byte*, int, int, int>)Export("cuDeviceGetName"))(name, 256, device);
            ((delegate* unmanaged[Cdecl]<nuint*, int, int>)Export("cuDeviceTotalMem_v2"))(&bytes, device);
            var attribute = (delegate* unmanaged[Cdecl]<int*, int, int, int>)Export("cuDeviceGetAttribute");
            attribute(&major, CapabilityMajor, device);
            attribute(&minor, CapabilityMinor, device);
            return new Gpu(Marshal.PtrToStringUTF8((IntPtr)name)!, (long)bytes, new Version(major, minor));
        }
    }

    /// <summary>"570.86.15, " from what the driver's kernel module says of itself; empty where it says nothing.</summary>
    internal static string KernelVersion(string text) => DriverVersion().Match(text) is { Success: true } match ? $"{match.Value}, " : "";

    [GeneratedRegex(@"\b\d{3,}\.\d+(\.\d+)?\b")]
    private static partial Regex DriverVersion();
}
