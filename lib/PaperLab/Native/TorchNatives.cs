// Finds and loads libtorch and TorchSharp's native library, once per process.
//
// Everything is loaded by full path in dependency order, so that later look-ups match by name whatever the host's search
// path is: a test, the tool, or another program's script host. Where PAPERLAB_LIBTORCH names a folder (the torch/lib of a
// Python install), libtorch comes from there and only TorchSharp's own small library from ours; LibtorchFolder says which will do.

using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using TorchSharp;

namespace PaperLab.Native;

internal static class TorchNatives
{
    public const string LibtorchVariable = "PAPERLAB_LIBTORCH";
    private static readonly Lock Gate = new();
    private static LoadedNatives? s_loaded;

    /// <summary>The loaded natives; the first call loads them.</summary>
    /// <exception cref="TorchRuntimeException">They are not there, or not of the right version.</exception>
    public static LoadedNatives Load()
    {
        lock (Gate)
        {
            return s_loaded ??= LoadFrom(FindFolder());
        }
    }

    // Any first touch of this assembly points TorchSharp's look-ups here, so that a page which calls torch before
    // TorchRuntime.Initialize works too. Nothing is loaded until torch is called.
#pragma warning disable CA2255 // A library that must act before its first caller does is what module initialisers are for.
    [ModuleInitializer]
    internal static void Register() =>
        NativeLibrary.SetDllImportResolver(typeof(torch).Assembly, (name, _, _) => Resolve(name));
#pragma warning restore CA2255

    private static IntPtr Resolve(string name) => name switch
    {
        "LibTorchSharp" => Load().TorchSharp,
        "torch_cpu" => Load().TorchCpu,
        "torch_cuda" => Load().TorchCuda ?? IntPtr.Zero,
        _ => IntPtr.Zero,
    };

    /// <summary>The folder with libtorch, and whether the user named it.</summary>
    /// <exception cref="TorchRuntimeException">There is none.</exception>
    internal static (string Folder, bool IsExternal) FindFolder()
    {
        string torchCpu = FileName("torch_cpu");
        if (Environment.GetEnvironmentVariable(LibtorchVariable) is { Length: > 0 } external)
        {
            return File.Exists(Path.Combine(external, torchCpu)) ? (Path.GetFullPath(external), true) : throw new TorchRuntimeException(
                $"{LibtorchVariable} is '{external}', but there is no {torchCpu} in it. " +
                "Point it at the torch/lib folder of a Python install (python -c \"import torch; print(torch.__path__[0] + '/lib')\"), or unset it.");
        }

        string[] candidates = OwnFolders();
        return candidates.FirstOrDefault(folder => File.Exists(Path.Combine(folder, torchCpu))) is { } own ? (own, false) : throw new TorchRuntimeException(
            $"libtorch was not found: looked for {torchCpu} in {string.Join(" and ", candidates)}. " +
            $"Set {LibtorchVariable} to the torch/lib folder of a Python install (python -c \"import torch; print(torch.__path__[0] + '/lib')\"), " +
            "or, in a clone, build the tool for this platform (dotnet build lib/PaperLab.Cli).");
    }

    private static LoadedNatives LoadFrom((string Folder, bool IsExternal) found)
    {
        var libtorch = new LibtorchFolder(found.Folder);
        IReadOnlyList<string> missing = found.IsExternal && OperatingSystem.IsLinux() ? libtorch.Compare(TorchSharpLibrary()).Missing : [];
        CpuTuning.SleepAtBarriers();
        Version? version = null;
        var loaded = new Dictionary<string, IntPtr>();
        foreach (string name in LibtorchFolder.LoadOrder)
        {
            string path = Path.Combine(found.Folder, FileName(name));
            if (File.Exists(path))
            {
                loaded[name] = LoadRequired(path);
            }

            if (name == "torch_cpu") // before gigabytes of CUDA
            {
                version = VersionOf(loaded[name], found.Folder);
                libtorch.Require(version, missing);
            }
        }

        IntPtr torchSharp = LoadTorchSharp();
        ScalarLifetime.Extend(torchSharp, loaded["torch_cpu"]);
        return new LoadedNatives(found.Folder, found.IsExternal, version!, loaded["torch_cpu"], loaded.TryGetValue("torch_cuda", out IntPtr cuda) ? cuda : null, torchSharp);
    }

    /// <summary>Path of TorchSharp's native library, as it was shipped.</summary>
    /// <exception cref="TorchRuntimeException">It is not there.</exception>
    internal static string TorchSharpLibrary()
    {
        string name = FileName("LibTorchSharp");
        return OwnFolders().Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists) ?? throw new TorchRuntimeException(
            $"TorchSharp's native library was not found: looked for {name} in {string.Join(" and ", OwnFolders())}. Build the tool again (dotnet build lib/PaperLab.Cli).");
    }

    private static IntPtr LoadTorchSharp()
    {
        string path = TorchSharpLibrary();
        if (NativeLibrary.TryLoad(path, out IntPtr handle))
        {
            return handle;
        }

        return LoadRequired(OperatingSystem.IsLinux() && CorrectedCopy(path) is { } corrected ? corrected : path);
    }

    /// <summary>
    /// The corrected copy of <paramref name="path"/>: beside it where that folder can be written, else in the user's cache.
    /// Written aside and renamed, because another process may have the file mapped. Null when there is nothing to correct.
    /// </summary>
    internal static string? CorrectedCopy(string path)
    {
        byte[] original = File.ReadAllBytes(path);
        if (GlibcxxCorrection.Correct(original, path) is not { } corrected)
        {
            return null;
        }

        string name = $"{Path.GetFileNameWithoutExtension(path)}.{Convert.ToHexStringLower(SHA256.HashData(original))[..12]}.so";
        List<string> refused = [];
        foreach (string folder in new[] { Path.GetDirectoryName(path)!, Path.Combine(UserCache.Folder, "native") })
        {
            string target = Path.Combine(folder, name);
            try
            {
                if (!File.Exists(target) || !File.ReadAllBytes(target).AsSpan().SequenceEqual(corrected))
                {
                    AtomicFile.WriteAllBytes(target, corrected);
                }

                return target;
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                refused.Add($"{folder} ({error.Message})");
            }
        }

        throw new TorchRuntimeException(
            $"{path} needs {GlibcxxCorrection.Version}, which this system's libstdc++ lacks, and a corrected copy could not be written to {string.Join(" or ", refused)}. " +
            $"Make one of these folders writable, set {UserCache.Variable} to one that is, or install a libstdc++ from GCC 13 or newer.");
    }

    private static string[] OwnFolders()
    {
        string own = Path.GetDirectoryName(Assembly.GetExecutingAssembly().Location) is { Length: > 0 } folder ? folder : AppContext.BaseDirectory;
        string[] roots = [own, AppContext.BaseDirectory];
        return roots
            .SelectMany(root => new[] { root, Path.Combine(root, "runtimes", RuntimeInformation.RuntimeIdentifier, "native") })
            .Select(root => Path.TrimEndingDirectorySeparator(Path.GetFullPath(root)))
            .Distinct()
            .ToArray();
    }

    private static IntPtr LoadRequired(string path)
    {
        try
        {
            return NativeLibrary.Load(path);
        }
        catch (Exception error) when (error is DllNotFoundException or BadImageFormatException)
        {
            throw new TorchRuntimeException(
                $"{path} is there but does not load: {error.Message.Trim()}. If the message names another library that is installed, put its folder into LD_LIBRARY_PATH.", error);
        }
    }

    private static Version VersionOf(IntPtr torchCpu, string folder)
    {
        if (!NativeLibrary.TryGetExport(torchCpu, LibtorchFolder.VersionFunction, out IntPtr export))
        {
            throw new TorchRuntimeException($"The libtorch in {folder} is older than 2.4; PaperLab needs {LibtorchFolder.Wanted}. Install torch {LibtorchFolder.Wanted} there, or point {LibtorchVariable} elsewhere.");
        }

        ulong packed = Marshal.GetDelegateForFunctionPointer<AbiVersion>(export)();
        return new Version((int)(packed >> 56), (int)(packed >> 48 & 0xff), (int)(packed >> 40 & 0xff));
    }

    internal static string FileName(string name) =>
        OperatingSystem.IsWindows() ? $"{name}.dll" : OperatingSystem.IsMacOS() ? $"lib{name}.dylib" : $"lib{name}.so";

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate ulong AbiVersion();
}

/// <summary>What was loaded and from where; handles stay valid for the life of the process.</summary>
internal sealed record LoadedNatives(string Folder, bool IsExternal, Version Version, IntPtr TorchCpu, IntPtr? TorchCuda, IntPtr TorchSharp);
