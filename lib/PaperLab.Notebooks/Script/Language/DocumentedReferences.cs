// References as an editor wants them: the same libraries that cells are compiled against, each with its documentation. The framework's
// lies in the SDK's reference pack, whose assemblies stand in for those that run; and all of it can be named, so that what a `using`
// of the same cell brings is found too.

using System.Collections.Concurrent;
using Microsoft.CodeAnalysis;

namespace PaperLab.Notebooks.Script.Language;

/// <summary>Opens references with documentation.</summary>
internal static class DocumentedReferences
{
    private static readonly string RuntimeFolder = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
    private static readonly ConcurrentDictionary<string, MetadataReference> Opened = new();
    private static readonly Lazy<IReadOnlyList<MetadataReference>> Framework = new(() =>
        [.. Directory.EnumerateFiles(ReferencePack() ?? RuntimeFolder, "*.dll").Where(IsManaged).Order(StringComparer.Ordinal).Select(Open)]);

    /// <summary>The whole framework, and what else <paramref name="references"/> name.</summary>
    public static IEnumerable<MetadataReference> Of(IEnumerable<MetadataReference> references) =>
    [
        .. Framework.Value,
        .. references.OfType<PortableExecutableReference>().Select(reference => reference.FilePath!).Distinct()
            .Where(path => Path.GetDirectoryName(path) != RuntimeFolder).Select(Open),
    ];

    private static MetadataReference Open(string path) => Opened.GetOrAdd(path, static path =>
    {
        string documentation = Path.ChangeExtension(path, ".xml");
        return MetadataReference.CreateFromFile(path, documentation: File.Exists(documentation) ? XmlDocumentationProvider.CreateFromFile(documentation) : null);
    });

    // dotnet/shared/Microsoft.NETCore.App/10.0.1 → dotnet/packs/Microsoft.NETCore.App.Ref/10.0.*/ref/net10.0; an installation
    // without the SDK has none.
    private static string? ReferencePack()
    {
        string packs = Path.GetFullPath(Path.Combine(RuntimeFolder, "..", "..", "..", "packs", "Microsoft.NETCore.App.Ref"));
        string framework = $"net{Environment.Version.Major}.{Environment.Version.Minor}";
        return !Directory.Exists(packs) ? null
            : Directory.EnumerateDirectories(packs).Order(StringComparer.Ordinal).Select(pack => Path.Combine(pack, "ref", framework)).LastOrDefault(Directory.Exists);
    }

    // The runtime's folder holds native libraries too.
    private static bool IsManaged(string path)
    {
        using FileStream file = File.OpenRead(path);
        using var image = new System.Reflection.PortableExecutable.PEReader(file);
        return image.HasMetadata;
    }
}
