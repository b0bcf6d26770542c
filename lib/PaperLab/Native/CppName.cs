// C++ names as a person writes them. The compilers of Linux mangle argument types into a function's name, and the C++ library, which is
// loaded wherever libtorch is, undoes it.

using System.Runtime.InteropServices;

namespace PaperLab.Native;

internal static unsafe class CppName
{
    /// <summary>"c10::Symbol::fromQualString(…)" for "_ZN3c106Symbol…"; the name itself where it is not mangled, or nobody here can undo it.</summary>
    public static string Readable(string name)
    {
        if (!NativeLibrary.TryLoad("libstdc++.so.6", out IntPtr library) || !NativeLibrary.TryGetExport(library, "__cxa_demangle", out IntPtr export))
        {
            return name;
        }

        IntPtr mangled = Marshal.StringToCoTaskMemUTF8(name);
        int status = 0;
        byte* readable = ((delegate* unmanaged[Cdecl]<IntPtr, byte*, nuint*, int*, byte*>)export)(mangled, null, null, &status);
        Marshal.FreeCoTaskMem(mangled);
        string? text = Marshal.PtrToStringUTF8((IntPtr)readable);
        NativeMemory.Free(readable); // the C library's malloc made it
        return text ?? name;
    }
}
