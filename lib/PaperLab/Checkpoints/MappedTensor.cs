// A tensor whose memory is a piece of a file: nothing is read before it is used, and nothing is held twice.
//
// Each tensor gets a mapping of its own, private to this process (copy-on-write): training in place works, costs the pages that
// it touches, and never reaches the file. The mapping lives as long as any tensor that shares its storage, views included:
// libtorch says when the last one is gone. The file may be renamed or replaced meanwhile, but not shortened in place: reading
// pages that are no longer there ends a process. AtomicFile replaces.

using System.Collections.Concurrent;
using System.IO.MemoryMappedFiles;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using PaperLab.Native;
using static TorchSharp.torch;

namespace PaperLab.Checkpoints;

internal static unsafe class MappedTensor
{
    // from_blob of TorchSharp's native library: data, deleter, sizes, count, element type in memory and wanted, device, index, requires_grad.
    private static readonly delegate* unmanaged[Cdecl]<IntPtr, delegate* unmanaged[Cdecl]<IntPtr, void>, long*, int, sbyte, sbyte, int, int, byte, IntPtr> s_fromBlob =
        (delegate* unmanaged[Cdecl]<IntPtr, delegate* unmanaged[Cdecl]<IntPtr, void>, long*, int, sbyte, sbyte, int, int, byte, IntPtr>)NativeLibrary.GetExport(TorchNatives.Load().TorchSharp, "THSTensor_new");

    private static readonly ConcurrentDictionary<IntPtr, MemoryMappedViewAccessor> s_views = [];

    /// <summary>Mappings in use.</summary>
    public static int Count => s_views.Count;

    /// <summary>The tensor that lies at <paramref name="offset"/> of the file. Not for tensors without elements: there is nothing to map.</summary>
    /// <exception cref="IOException">The system does not map it.</exception>
    public static Tensor Create(MemoryMappedFile file, long offset, long bytes, long[] shape, ScalarType dtype)
    {
        MemoryMappedViewAccessor view = file.CreateViewAccessor(offset, bytes, MemoryMappedFileAccess.CopyOnWrite);
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        var data = (IntPtr)(start + view.PointerOffset);
        s_views[data] = view;
        fixed (long* sizes = shape)
        {
            IntPtr handle = s_fromBlob(data, &Release, sizes, shape.Length, (sbyte)dtype, (sbyte)dtype, 0, -1, 0);
            if (handle == IntPtr.Zero)
            {
                Unmap(data);
                throw new InvalidOperationException($"libtorch makes no tensor of {dtype} [{string.Join(", ", shape)}] on mapped memory.");
            }

            return Tensor.UnsafeCreateTensor(handle);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Release(IntPtr data) => Unmap(data);

    private static void Unmap(IntPtr data)
    {
        if (s_views.TryRemove(data, out MemoryMappedViewAccessor? view))
        {
            view.SafeMemoryMappedViewHandle.ReleasePointer();
            view.Dispose();
        }
    }
}
