// Autocast to bf16: inside, matrix products take bf16 copies of their operands and give bf16, losses are computed in fp32, and parameters
// and their gradients stay fp32 (Micikevicius et al., arXiv 1710.03740, without the loss scale that bf16's range makes needless). TorchSharp does not bind it, and libtorch has it as C++ functions only, so their mangled names are looked up; on
// Windows, whose compiler mangles otherwise, it is not available.

using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace PaperLab.Native;

/// <summary>
/// bf16 autocast on the current thread until disposed of; `default` does nothing. One scope holds one forward pass: bf16 copies of weights
/// live until the outermost scope ends, so inside it no weight may change and no_grad may not be switched. The backward pass belongs
/// outside.
/// </summary>
internal unsafe ref struct Autocast
{
    private static readonly Functions? Exports = Functions.Find(TorchNatives.Load());

    private readonly sbyte _device;
    private readonly byte _wasEnabled;
    private readonly sbyte _formerDtype;
    private bool _open;

    private Autocast(DeviceType device)
    {
        _device = (sbyte)device;
        _wasEnabled = Exports!.IsEnabled(_device);
        _formerDtype = Exports.GetDtype(_device);
        _open = true;
        Exports.SetDtype(_device, (sbyte)ScalarType.BFloat16);
        Exports.SetEnabled(_device, 1);
        Exports.IncrementNesting();
    }

    /// <summary>Whether this libtorch lets autocast be switched from here. Where it does not, stay in fp32.</summary>
    public static bool IsAvailable(DeviceType device) => device is DeviceType.CPU or DeviceType.CUDA && Exports is not null;

    /// <summary>Whether products on this kind of device go through bf16 right now, on this thread.</summary>
    public static bool IsEnabled(DeviceType device) => IsAvailable(device) && Exports!.IsEnabled((sbyte)device) != 0;

    /// <summary>Begins a scope; they nest.</summary>
    /// <exception cref="TorchRuntimeException">Not available: see <see cref="IsAvailable"/>.</exception>
    public static Autocast BFloat16(Device device) => IsAvailable(device.type) ? new Autocast(device.type) : throw new TorchRuntimeException(
        $"bf16 autocast is not available on {device} with this libtorch; it is on cpu and cuda under Linux and macOS. Compute in fp32.");

    public void Dispose()
    {
        if (!_open)
        {
            return;
        }

        _open = false;
        Exports!.SetEnabled(_device, _wasEnabled);
        Exports.SetDtype(_device, _formerDtype);
        if (Exports.DecrementNesting() == 0)
        {
            Exports.ClearCache();
        }
    }

    /// <summary>at::autocast's functions. The state that they change belongs to the calling thread.</summary>
    private sealed class Functions
    {
        public readonly delegate* unmanaged[Cdecl]<sbyte, byte> IsEnabled;
        public readonly delegate* unmanaged[Cdecl]<sbyte, byte, void> SetEnabled;
        public readonly delegate* unmanaged[Cdecl]<sbyte, sbyte> GetDtype;
        public readonly delegate* unmanaged[Cdecl]<sbyte, sbyte, void> SetDtype;
        public readonly delegate* unmanaged[Cdecl]<int> IncrementNesting;
        public readonly delegate* unmanaged[Cdecl]<int> DecrementNesting;
        public readonly delegate* unmanaged[Cdecl]<void> ClearCache;

        private Functions(ReadOnlySpan<IntPtr> exports)
        {
            IsEnabled = (delegate* unmanaged[Cdecl]<sbyte, byte>)exports[0];
            SetEnabled = (delegate* unmanaged[Cdecl]<sbyte, byte, void>)exports[1];
            GetDtype = (delegate* unmanaged[Cdecl]<sbyte, sbyte>)exports[2];
            SetDtype = (delegate* unmanaged[Cdecl]<sbyte, sbyte, void>)exports[3];
            IncrementNesting = (delegate* unmanaged[Cdecl]<int>)exports[4];
            DecrementNesting = (delegate* unmanaged[Cdecl]<int>)exports[5];
            ClearCache = (delegate* unmanaged[Cdecl]<void>)exports[6];
        }

        /// <summary>Null when one of them is missing.</summary>
        public static Functions? Find(LoadedNatives natives)
        {
            string[] names =
            [
                "_ZN2at8autocast19is_autocast_enabledEN3c1010DeviceTypeE",
                "_ZN2at8autocast20set_autocast_enabledEN3c1010DeviceTypeEb",
                "_ZN2at8autocast18get_autocast_dtypeEN3c1010DeviceTypeE",
                "_ZN2at8autocast18set_autocast_dtypeEN3c1010DeviceTypeENS1_10ScalarTypeE",
                "_ZN2at8autocast17increment_nestingEv",
                "_ZN2at8autocast17decrement_nestingEv",
                "_ZN2at8autocast11clear_cacheEv",
            ];
            var exports = new IntPtr[names.Length];
            for (int i = 0; i < names.Length; i++)
            {
                if (!NativeLibrary.TryGetExport(natives.TorchCpu, names[i], out exports[i]))
                {
                    return null;
                }
            }

            return new Functions(exports);
        }
    }
}
