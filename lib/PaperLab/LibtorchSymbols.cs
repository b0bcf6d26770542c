// Whether the libtorch of this machine has what TorchSharp calls.

using PaperLab.Native;

namespace PaperLab;

/// <summary>What TorchSharp's native library imports from libtorch (Linux).</summary>
/// <param name="Folder">Where this libtorch lies.</param>
/// <param name="Imported">How many symbols TorchSharp imports from it.</param>
/// <param name="Missing">Those that it lacks, as C++ writes them, each with the name that the loader looks for behind it.</param>
public sealed record LibtorchSymbols(string Folder, int Imported, IReadOnlyList<string> Missing)
{
    /// <summary>Reads it from the files of the libtorch that this process uses or would use; nothing is loaded.</summary>
    /// <exception cref="PlatformNotSupportedException">This is not Linux.</exception>
    /// <exception cref="TorchRuntimeException">There is no libtorch, it is damaged, or it is older than 2.4.</exception>
    public static LibtorchSymbols Read()
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new PlatformNotSupportedException("Only Linux libraries are read for their symbols.");
        }

        (string folder, _) = TorchNatives.FindFolder();
        (int imported, IReadOnlyList<string> missing) = new LibtorchFolder(folder).Compare(TorchNatives.TorchSharpLibrary());
        return new LibtorchSymbols(folder, imported, [.. missing.Select(name => CppName.Readable(name) is var readable && readable != name ? $"{readable}  [{name}]" : name)]);
    }
}
