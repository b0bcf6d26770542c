// The files that a restore of NuGet packages came to.

namespace PaperLab.Notebooks.Script;

/// <summary>What packages bring to a page.</summary>
/// <param name="Installed">"Id, version" of each package that was asked for.</param>
/// <param name="CompileAssemblies">Assemblies that cells can name.</param>
/// <param name="RuntimeAssemblies">Assemblies to load, dependencies included.</param>
/// <param name="NativeLibraries">Native libraries for this platform.</param>
internal sealed record RestoredPackages(
    IReadOnlyList<string> Installed,
    IReadOnlyList<string> CompileAssemblies,
    IReadOnlyList<string> RuntimeAssemblies,
    IReadOnlyList<string> NativeLibraries);
