// Where the .NET SDK of this machine lies: its reference pack (documentation) and its tools (translated messages).

using System.Runtime.InteropServices;

namespace PaperLab.Text.Sources;

/// <summary>A located .NET SDK.</summary>
/// <param name="Root">The folder that holds <c>dotnet</c>, <c>packs</c> and <c>sdk</c>.</param>
/// <param name="SdkFolder">The newest SDK, for example <c>sdk/10.0.401</c>.</param>
/// <param name="DocumentationFolder">The newest reference pack's folder of XML documentation.</param>
public sealed record SdkLocation(string Root, string SdkFolder, string DocumentationFolder)
{
    /// <summary>Where a portable bundle has those parts of the SDK that made it which are text, under its root.</summary>
    public const string InBundle = "data/sdk";

    private const string ReferencePack = "Microsoft.NETCore.App.Ref";

    /// <summary>The SDK and pack versions, for a run record.</summary>
    public string Description =>
        $".NET SDK {Path.GetFileName(SdkFolder)}, {ReferencePack} {Path.GetFileName(Path.GetDirectoryName(Path.GetDirectoryName(DocumentationFolder)))}";

    /// <summary>The files of XML documentation, by name.</summary>
    public IEnumerable<FileInfo> Documentation() =>
        new DirectoryInfo(DocumentationFolder).EnumerateFiles("*.xml").OrderBy(file => file.Name, StringComparer.Ordinal);

    /// <summary>
    /// The files of messages in a language. The same file name in several folders is the same component for another host: the first is enough.
    /// </summary>
    public IEnumerable<FileInfo> Messages(string language) =>
        new DirectoryInfo(SdkFolder).EnumerateFiles("*.resources.dll", SearchOption.AllDirectories)
            .Where(file => file.Directory!.Name == language)
            .OrderBy(file => file.FullName, StringComparer.Ordinal)
            .DistinctBy(file => file.Name);

    /// <summary>Looks at DOTNET_ROOT, a portable bundle's own texts, the running runtime, PATH and the usual places, in this order.</summary>
    /// <exception cref="DirectoryNotFoundException">No folder holds both an SDK and its reference pack; the message lists where it looked.</exception>
    public static SdkLocation Find()
    {
        string[] candidates = [.. Candidates().Distinct()];
        return candidates.Select(TryRoot).FirstOrDefault(found => found is not null)
            ?? throw new DirectoryNotFoundException(
                $"The corpus is made from the .NET SDK, and no folder with both 'sdk' and 'packs/{ReferencePack}' was found. " +
                $"Looked in: {string.Join(", ", candidates)}. Install the .NET SDK (not only the runtime) or set DOTNET_ROOT to its folder.");
    }

    /// <summary>The SDK under <paramref name="root"/>, or null when the SDK or its reference pack is not there.</summary>
    public static SdkLocation? TryRoot(string root)
    {
        string? sdk = Newest(Path.Combine(root, "sdk"));
        string? pack = Newest(Path.Combine(root, "packs", ReferencePack));
        string? documentation = pack is null ? null : NewestFramework(Path.Combine(pack, "ref"));
        return sdk is null || documentation is null ? null : new SdkLocation(root, sdk, documentation);
    }

    private static IEnumerable<string> Candidates()
    {
        if (Environment.GetEnvironmentVariable("DOTNET_ROOT") is { Length: > 0 } root)
        {
            yield return root;
        }

        if (Checkout.Root is { } bundle)
        {
            yield return Path.Combine(bundle, InBundle);
        }

        // <root>/shared/Microsoft.NETCore.App/<version>/
        yield return Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));

        string executable = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";
        foreach (string folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
        {
            var file = new FileInfo(Path.Combine(folder, executable));
            if (file.Exists)
            {
                yield return Path.GetDirectoryName(file.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? file.FullName)!;
            }
        }

        if (OperatingSystem.IsWindows())
        {
            yield return Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.ProgramFiles), "dotnet");
        }
        else
        {
            yield return "/usr/local/share/dotnet";
            yield return "/usr/share/dotnet";
            yield return "/usr/lib/dotnet";
        }

        yield return Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".dotnet");
    }

    // Versions sort as numbers, and a preview before its release.
    private static string? Newest(string folder) => !Directory.Exists(folder)
        ? null
        : Directory.GetDirectories(folder)
            .Select(path => (Path: path, Parts: Path.GetFileName(path).Split('-', 2)))
            .Where(entry => Version.TryParse(entry.Parts[0], out _))
            .OrderBy(entry => Version.Parse(entry.Parts[0]))
            .ThenBy(entry => entry.Parts.Length == 1)
            .ThenBy(entry => entry.Path, StringComparer.Ordinal)
            .LastOrDefault().Path;

    private static string? NewestFramework(string folder) => !Directory.Exists(folder)
        ? null
        : Directory.GetDirectories(folder, "net*")
            .Where(path => Version.TryParse(Path.GetFileName(path)["net".Length..], out _) && Directory.EnumerateFiles(path, "*.xml").Any())
            .MaxBy(path => Version.Parse(Path.GetFileName(path)["net".Length..]));
}
