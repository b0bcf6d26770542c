// A parameter with another tensor behind it.

using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace PaperLab.Native;

internal static unsafe class TensorHandles
{
    private static readonly delegate* unmanaged[Cdecl]<IntPtr, IntPtr, int> s_assign =
        (delegate* unmanaged[Cdecl]<IntPtr, IntPtr, int>)NativeLibrary.GetExport(TorchNatives.Load().TorchCpu, "aoti_torch_assign_tensors");

    /// <summary>
    /// Makes <paramref name="target"/> the same tensor as <paramref name="source"/>: its type, device and memory included, whatever it
    /// was before. Whoever holds the object, such as a module its parameter, sees the new one. Nothing is copied.
    /// </summary>
    public static void Assign(Tensor target, Tensor source)
    {
        AtenCall.Check(s_assign(source.Handle, target.Handle), "aoti_torch_assign_tensors");
        GC.KeepAlive(target);
        GC.KeepAlive(source);
    }
}
