// A folder with a libtorch that PaperLab did not bring: what is in it, and whether TorchSharp can run on it. It is looked at before any
// of it is loaded, since the loader ends the process where a library is cut short, and a function that is missing ends it at the call.
//
// TorchSharp is built for one version of libtorch. Later minor versions keep most of its C++ functions, so one of them serves if it has
// every symbol that TorchSharp's library imports; which it has is read from the files (Linux alone; elsewhere the version must be the one).

using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

namespace PaperLab.Native;

/// <summary>The libtorch in <paramref name="path"/>.</summary>
internal sealed partial class LibtorchFolder(string path)
{
    /// <summary>Libtorch has it since 2.4; it packs major.minor.patch into the top three bytes.</summary>
    public const string VersionFunction = "aoti_torch_abi_version";
    private const int Named = 20;
    private const string WhatToDo = $"Install torch 2.10 there (pip install torch==2.10.*), or point {TorchNatives.LibtorchVariable} at the torch/lib folder of another Python install.";

    /// <summary>The version that TorchSharp is built for.</summary>
    public static Version Wanted { get; } = new(2, 10);

    /// <summary>Libraries in the order in which they are loaded; those of CUDA may be absent.</summary>
    public static IReadOnlyList<string> LoadOrder { get; } = ["c10", "torch_cpu", "c10_cuda", "torch_cuda", "torch"];

    private IEnumerable<string> Present => LoadOrder.Select(name => Path.Combine(path, TorchNatives.FileName(name))).Where(File.Exists);

    /// <summary>
    /// The symbols that <paramref name="torchSharp"/> imports, and those of them that no library here has, in order. Every library here
    /// must be whole and for this processor.
    /// </summary>
    /// <exception cref="TorchRuntimeException">A library is damaged or for another processor, or the whole is older than 2.4.</exception>
    public (int Imported, IReadOnlyList<string> Missing) Compare(string torchSharp)
    {
        foreach (string library in Present)
        {
            Look(library, elf => RequireThisProcessor(library, elf));
        }

        HashSet<string> names = [];
        Look(torchSharp, elf => names = elf.ImportsWithoutVersion());
        int imported = names.Count;
        names.Add(VersionFunction);

        // What is needed lies in the first ones: those of CUDA, which are large, are seldom opened.
        foreach (string library in Present.OrderBy(library => library.Contains("cuda", StringComparison.Ordinal)).TakeWhile(_ => names.Count > 0))
        {
            Look(library, elf => elf.StrikeExports(names));
        }

        return !names.Contains(VersionFunction) ? (imported, [.. names.Order(StringComparer.Ordinal)]) : throw new TorchRuntimeException(
            $"The libtorch in {path} is version {StatedVersion() ?? "unknown, older than 2.4"}; allowed: {Allowed}. {WhatToDo}");
    }

    /// <summary>Whether TorchSharp can run on this version, which has all symbols that it imports but those in <paramref name="missing"/>.</summary>
    /// <exception cref="TorchRuntimeException">It cannot; the message names versions and symbols.</exception>
    public void Require(Version version, IReadOnlyList<string> missing)
    {
        if (version.Major != Wanted.Major || version.Minor < Wanted.Minor || (version.Minor > Wanted.Minor && !OperatingSystem.IsLinux()))
        {
            throw new TorchRuntimeException($"The libtorch in {path} is version {version}; allowed: {Allowed}. {WhatToDo}");
        }

        if (missing.Count > 0)
        {
            string rest = missing.Count > Named ? $"\n  and {missing.Count - Named} more: paperlab doctor --symbols lists all" : "";
            throw new TorchRuntimeException(
                $"The libtorch in {path} is version {version} and lacks {missing.Count} of the symbols that TorchSharp, built for {Wanted}, uses:" +
                $"{string.Concat(missing.Take(Named).Select(name => $"\n  {CppName.Readable(name)}"))}{rest}\n{WhatToDo}");
        }
    }

    private static string Allowed => OperatingSystem.IsLinux() ? $"{Wanted}, or a later 2.x that has every symbol which TorchSharp uses" : $"{Wanted}";

    // As Python's torch, a libtorch archive, or a distribution's link says it.
    private string? StatedVersion()
    {
        string above = Path.Combine(path, ".."), python = Path.Combine(above, "version.py"), archive = Path.Combine(above, "build-version");
        string stated = File.Exists(python) ? File.ReadAllText(python) : File.Exists(archive) ? $"__version__ = '{File.ReadAllText(archive).Trim()}'" : "";
        string library = Path.Combine(path, TorchNatives.FileName("torch_cpu"));
        return VersionLine().Match(stated) is { Success: true } line ? line.Groups[1].Value
            : File.ResolveLinkTarget(library, returnFinalTarget: true)?.Name is { } name && VersionInName().Match(name) is { Success: true } suffix ? suffix.Groups[1].Value
            : null;
    }

    private static void RequireThisProcessor(string library, ElfFile elf)
    {
        int here = RuntimeInformation.ProcessArchitecture switch { Architecture.X64 => 62, Architecture.Arm64 => 183, _ => elf.Machine };
        if (elf.Machine != here)
        {
            throw new TorchRuntimeException($"{library} is for another processor (ELF machine {elf.Machine}; here it is {here}, {RuntimeInformation.ProcessArchitecture}). {WhatToDo}");
        }
    }

    private static void Look(string library, Action<ElfFile> look)
    {
        try
        {
            using var elf = ElfFile.Open(library);
            look(elf);
        }
        catch (InvalidDataException error)
        {
            throw new TorchRuntimeException($"{library} {error.Message}. {WhatToDo}", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new TorchRuntimeException($"{library} cannot be read: {error.Message} {WhatToDo}", error);
        }
    }

    [GeneratedRegex(@"^__version__ = ['""]([^'""]+)", RegexOptions.Multiline)]
    private static partial Regex VersionLine();

    [GeneratedRegex(@"\.so\.(\d[\d.]*)$")]
    private static partial Regex VersionInName();
}
