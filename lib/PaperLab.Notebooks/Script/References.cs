// What a notebook can name and what it can load: the framework, the dialect's own types, and every library that a `#r` brings.
// One instance serves the compiler (as its reference resolver) and the runtime (as the load context of the page's libraries).

using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Reflection;
using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.DotNet.Interactive.Formatting;

namespace PaperLab.Notebooks.Script;

/// <summary>Resolves <c>#r</c> and the references of references, and loads what they name.</summary>
internal sealed class References : MetadataReferenceResolver, IDisposable
{
    private static readonly Dictionary<string, string> HostAssemblies = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
        .Split(Path.PathSeparator)
        .GroupBy(path => Path.GetFileNameWithoutExtension(path), StringComparer.OrdinalIgnoreCase)
        .ToDictionary(group => group.Key, group => group.First(), StringComparer.OrdinalIgnoreCase);

    private static readonly string FrameworkFolder = Path.GetDirectoryName(typeof(object).Assembly.Location)!;

    // The compiler's metadata is costly to open and never changes: one copy for all cells (and all sessions of a process).
    private static readonly ConcurrentDictionary<string, PortableExecutableReference> Opened = new();

    private readonly string _folder;
    private readonly PageLoadContext _context = new();

    // Folders that a #r named a dll in, the newest last; dependencies lie beside it.
    private readonly List<string> _folders = [];

    // Assemblies and native libraries of restored packages, by simple name.
    private readonly Dictionary<string, string> _packageAssemblies = new(StringComparer.OrdinalIgnoreCase);

    public References(string folder)
    {
        _folder = folder;
        AssemblyLoadContext.Default.Resolving += Load;
        _context.Resolving += Load;
    }

    /// <summary>What every cell can name without a <c>#r</c>: the framework and the dialect's helpers.</summary>
    public static ImmutableArray<MetadataReference> Standard { get; } =
    [
        .. new[]
        {
            typeof(object), typeof(Enumerable), typeof(Console), typeof(Queue<>), typeof(Uri), typeof(Microsoft.CSharp.RuntimeBinder.Binder),
            typeof(Formatter), typeof(Microsoft.AspNetCore.Html.IHtmlContent), typeof(Microsoft.DotNet.Interactive.Kernel),
        }.Select(type => Open(type.Assembly.Location)),
        Open(Path.Combine(FrameworkFolder, "System.Runtime.dll")),
        Open(Path.Combine(FrameworkFolder, "netstandard.dll")),
    ];

    // Walking the references of references costs more than compiling a small cell, and so do the hundred that it finds. It
    // happens once for each change: when a #r or a package brings something new, and when a cell does not compile without.
    private readonly List<MetadataReference> _found = [];
    private bool _walks;

    public override bool ResolveMissingAssemblies => _walks;

    public void Dispose() => AssemblyLoadContext.Default.Resolving -= Load;

    /// <summary>The next compilation gets the references of references.</summary>
    public void Walk() => _walks = true;

    /// <summary>
    /// Call after a compilation has been bound to its references: whether it got the references of references, and those that were found
    /// for it. The next gets what is named outright alone.
    /// </summary>
    public (bool Walked, IReadOnlyList<MetadataReference> Found) EndWalk()
    {
        (bool Walked, MetadataReference[] Found) walk = (_walks, [.. _found]);
        _found.Clear();
        _walks = false;
        return walk;
    }

    /// <summary>Makes the assemblies and native libraries of restored packages loadable.</summary>
    public ImmutableArray<MetadataReference> Add(RestoredPackages packages)
    {
        _walks = true;
        foreach (string path in packages.RuntimeAssemblies)
        {
            _packageAssemblies.TryAdd(Path.GetFileNameWithoutExtension(path), path);
        }

        _context.AddNativeFolders(packages.NativeLibraries.Select(path => Path.GetDirectoryName(path)!));
        return [.. packages.CompileAssemblies.Select(Open)];
    }

    /// <summary>Loads a compiled cell where the page's libraries are, so that both find each other.</summary>
    public Assembly LoadCell(Stream assembly, Stream symbols) => _context.LoadFromStream(assembly, symbols);

    /// <summary>Resolves the text of a <c>#r</c>.</summary>
    public override ImmutableArray<PortableExecutableReference> ResolveReference(string reference, string? baseFilePath, MetadataReferenceProperties properties)
    {
        if (Find(reference, baseFilePath) is not { } path)
        {
            return [];
        }

        _walks = true;
        string folder = Path.GetDirectoryName(path)!;
        _folders.Remove(folder);
        _folders.Add(folder);
        _context.AddNativeFolders([folder]);
        return [Open(path)];
    }

    /// <summary>Finds what a referenced library needs: in the framework, beside the library, in a restored package.</summary>
    public override PortableExecutableReference? ResolveMissingAssembly(MetadataReference definition, AssemblyIdentity referenceIdentity)
    {
        PortableExecutableReference? found = FindMissing(definition, referenceIdentity);
        if (found is not null)
        {
            _found.Add(found);
        }

        return found;
    }

    private PortableExecutableReference? FindMissing(MetadataReference definition, AssemblyIdentity referenceIdentity)
    {
        string name = referenceIdentity.Name;
        string framework = Path.Combine(FrameworkFolder, name + ".dll");
        if (File.Exists(framework))
        {
            return Open(framework);
        }

        // The engine's own parts (the compiler among them) are no part of a page.
        string? definer = (definition as PortableExecutableReference)?.FilePath;
        if (definer == typeof(References).Assembly.Location)
        {
            return null;
        }

        string? beside = definer is null ? null : Path.Combine(Path.GetDirectoryName(definer)!, name + ".dll");
        return File.Exists(beside) ? Open(beside)
            : _packageAssemblies.TryGetValue(name, out string? package) ? Open(package)
            : FindInFolders(name) is { } path ? Open(path)
            : null;
    }

    public override bool Equals(object? other) => ReferenceEquals(this, other);

    public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);

    private static PortableExecutableReference Open(string path) =>
        Opened.GetOrAdd(path, static path => MetadataReference.CreateFromFile(path));

    // A path from the folder of the file that asks, or the bare name of an assembly of the framework or of the host.
    private string? Find(string reference, string? baseFilePath)
    {
        string folder = Path.GetDirectoryName(baseFilePath) is { Length: > 0 } from ? from : _folder;
        string path = Path.GetFullPath(reference, folder);
        if (File.Exists(path))
        {
            return path;
        }

        bool isName = reference.IndexOfAny(['/', '\\']) < 0;
        string name = reference.EndsWith(".dll", StringComparison.OrdinalIgnoreCase) ? reference[..^4] : reference;
        return isName ? HostAssemblies.GetValueOrDefault(name) ?? FindInFolders(name) : null;
    }

    private string? FindInFolders(string name) =>
        Enumerable.Reverse(_folders).Select(folder => Path.Combine(folder, name + ".dll")).FirstOrDefault(File.Exists);

    // Asked when the default context does not know a name. What it does know (the framework, Formatting, and in the tool's own
    // process everything in lib/out) is never loaded a second time.
    private Assembly? Load(AssemblyLoadContext context, AssemblyName name) =>
        name.Name is null ? null
        : _packageAssemblies.TryGetValue(name.Name, out string? package) ? _context.LoadFromAssemblyPath(package)
        : FindInFolders(name.Name) is { } path ? _context.LoadFromAssemblyPath(path)
        : null;

    /// <summary>Holds the libraries of one page.</summary>
    private sealed class PageLoadContext() : AssemblyLoadContext("page")
    {
        private readonly List<string> _nativeFolders = [];

        public void AddNativeFolders(IEnumerable<string> folders) => _nativeFolders.AddRange(folders.Where(folder => !_nativeFolders.Contains(folder)));

        protected override nint LoadUnmanagedDll(string unmanagedDllName)
        {
            foreach (string path in _nativeFolders.SelectMany(folder => FileNames(unmanagedDllName).Select(file => Path.Combine(folder, file))))
            {
                if (File.Exists(path))
                {
                    return LoadUnmanagedDllFromPath(path);
                }
            }

            return 0;
        }

        private static IEnumerable<string> FileNames(string name) =>
            OperatingSystem.IsWindows() ? [name, name + ".dll"]
            : OperatingSystem.IsMacOS() ? [name, $"lib{name}.dylib", name + ".dylib"]
            : [name, $"lib{name}.so", name + ".so"];
    }
}
