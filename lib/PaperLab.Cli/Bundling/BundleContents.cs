// What a portable bundle holds: this clone as it is built, in its own shape, with the .NET runtime beside the tool, and without libtorch.
//
//   README.md, notebooks/, data/, environment/     as git has them
//   lib/**.cs, tests/**.cs                         the sources: they are the corpus's "code"
//   lib/out/                                       the tool, the libraries, the runtime (all of it: cells may use whatever .NET has)
//   data/sdk/                                      of the .NET SDK, the texts that the papers' corpora are made of
//   paperlab, REVISION                             a link to the tool; the commit

using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using PaperLab.Text.Sources;

namespace PaperLab.Cli.Bundling;

/// <summary>One file of a bundle.</summary>
/// <param name="Path">Where it lies in the bundle, with slashes.</param>
/// <param name="Read">Its bytes.</param>
/// <param name="IsProgram">Whether it may be executed.</param>
internal sealed record BundleFile(string Path, Func<byte[]> Read, bool IsProgram = false);

/// <summary>Collects the files of a bundle.</summary>
/// <param name="root">The clone.</param>
/// <param name="tool">The folder of the built tool.</param>
/// <param name="benchmarks">The folder of the built benchmarks.</param>
/// <param name="runtimePack">The folder of the package with .NET's runtime for this platform.</param>
/// <param name="sdk">Where the texts come from.</param>
internal sealed class BundleContents(string root, string tool, string benchmarks, string runtimePack, SdkLocation sdk)
{
    /// <summary>The platform of the bundle.</summary>
    public const string Platform = "linux-x64";

    /// <summary>Languages whose messages some preset of a paper trains on: of thirteen, to keep the bundle small.</summary>
    public static IReadOnlyList<string> Languages { get; } = ["de", "es", "fr", "ja", "ko", "ru", "zh-Hans"];

    /// <summary>What git is asked for.</summary>
    public static IReadOnlyList<string> Tracked { get; } = ["README.md", "PaperLab.sln", ".github/LICENSE", ".github/CITATION.cff", "notebooks", "data", "environment", "lib/*.cs", "tests/*.cs"];

    private const string Out = "lib/out/";

    // For debuggers and tracers, and collectors that the default one makes needless.
    private static readonly string[] s_forDebugging = ["libmscordaccore.so", "libmscordbi.so", "libcoreclrtraceptprovider.so", "libclrgc.so", "libclrgcexp.so", "createdump"];

    // Of the Jupyter kernel, what completes and describes C#, a tenth of the archive; and what its messaging library brings and does not use.
    private static readonly string[] s_forEditors =
    [
        "Microsoft.CodeAnalysis.Features.dll", "Microsoft.CodeAnalysis.CSharp.Features.dll", "Microsoft.CodeAnalysis.Workspaces.dll", "Microsoft.CodeAnalysis.CSharp.Workspaces.dll",
        "Microsoft.CodeAnalysis.Elfie.dll", "Microsoft.DiaSymReader.dll", "Humanizer.dll", "System.ServiceModel.Primitives.dll",
    ];

    private static readonly string[] s_programs = ["paperlab", "PaperLab.Cli", "PaperLab.Benchmarks"], s_partsOfProgram = ["", ".dll", ".runtimeconfig.json"];

    private static readonly string[] s_licences = ["LICENSE.TXT", "THIRD-PARTY-NOTICES.TXT"];

    /// <summary>All files.</summary>
    /// <param name="tracked">What git has of <see cref="Tracked"/>, relative to the clone.</param>
    public IEnumerable<BundleFile> Files(IEnumerable<string> tracked)
    {
        IEnumerable<BundleFile> all =
        [
            .. tracked.Select(path => new BundleFile(path, () => File.ReadAllBytes(Path.Combine(root, path)))),
            new BundleFile(Checkout.RevisionFile, () => Encoding.ASCII.GetBytes(Checkout.Revision() + "\n")),
            .. Texts(),
            .. Tool(),
            .. Benchmarks(),
            .. Runtime(), // last: where the tool brings a newer version of one of its libraries, that one stays
        ];

        // Files of a kind beside each other, for the packer.
        return all.DistinctBy(file => file.Path).OrderBy(file => Path.GetExtension(file.Path), StringComparer.Ordinal).ThenBy(file => file.Path, StringComparer.Ordinal);
    }

    private IEnumerable<BundleFile> Tool()
    {
        HashSet<string> libtorch = NativesOfLibtorch();
        return Directory.EnumerateFiles(tool)
            .Where(path => Path.GetExtension(path) is not (".xml" or ".pdb" or ".dbg") && !path.EndsWith(".deps.json", StringComparison.Ordinal))
            .Where(path => !libtorch.Contains(Path.GetFileName(path)) && !IsCorrectedCopy(path) && !s_forEditors.Contains(Path.GetFileName(path)))
            .Select(BesideTheTool);
    }

    private IEnumerable<BundleFile> Benchmarks() =>
    [
        .. s_partsOfProgram.Select(part => BesideTheTool(Path.Combine(benchmarks, "PaperLab.Benchmarks" + part))),
        .. Directory.EnumerateFiles(Path.Combine(benchmarks, "peers")).Select(path => new BundleFile($"{Out}peers/{Path.GetFileName(path)}", () => File.ReadAllBytes(path))),
    ];

    private IEnumerable<BundleFile> Runtime()
    {
        string platform = Path.Combine(runtimePack, "runtimes", Platform);
        IEnumerable<string> files = Directory.EnumerateFiles(platform, "*.*", SearchOption.AllDirectories)
            .Where(path => Path.GetExtension(path) is ".dll" or ".so" && !s_forDebugging.Contains(Path.GetFileName(path)));
        return
        [
            .. files.Select(BesideTheTool),
            .. s_licences.Select(name => new BundleFile($"{Out}dotnet-{name}", () => File.ReadAllBytes(Path.Combine(runtimePack, name)))),
        ];
    }

    // As an SDK has them, so that they are found, and named, as an SDK's: the same corpus, and the records that ship are its records.
    private IEnumerable<BundleFile> Texts() => sdk.Documentation().Concat(Languages.SelectMany(sdk.Messages)).Select(file =>
        new BundleFile($"{SdkLocation.InBundle}/{Path.GetRelativePath(sdk.Root, file.FullName).Replace('\\', '/')}", () => File.ReadAllBytes(file.FullName)));

    private BundleFile BesideTheTool(string path) => new(
        Out + Path.GetFileName(path),
        IsRuntimeConfig(path) ? () => SelfContained(path) : () => IntermediateLanguage.Only(File.ReadAllBytes(path)),
        s_programs.Contains(Path.GetFileName(path)));

    private static bool IsRuntimeConfig(string path) => path.EndsWith(".runtimeconfig.json", StringComparison.Ordinal);

    /// <summary>The program's settings, saying that its runtime lies beside it.</summary>
    private byte[] SelfContained(string path)
    {
        JsonNode config = JsonNode.Parse(File.ReadAllBytes(path))!;
        JsonObject options = config["runtimeOptions"]!.AsObject();
        JsonNode framework = options["framework"]!.DeepClone();
        options.Remove("framework");
        framework["version"] = Path.GetFileName(runtimePack);
        options["includedFrameworks"] = new JsonArray(framework);
        return JsonSerializer.SerializeToUtf8Bytes(config);
    }

    // As the build's list of packages has them.
    private HashSet<string> NativesOfLibtorch()
    {
        string list = Path.Combine(tool, "PaperLab.Cli.deps.json");
        IEnumerable<JsonNode?> packages = JsonNode.Parse(File.ReadAllBytes(list))!["targets"]!.AsObject()
            .SelectMany(target => target.Value!.AsObject())
            .Where(package => package.Key.StartsWith("libtorch-", StringComparison.Ordinal))
            .Select(package => package.Value);
        return [.. packages.SelectMany(package => (package!["native"]?.AsObject() ?? []).Select(file => Path.GetFileName(file.Key)))];
    }

    // libLibTorchSharp.0123456789ab.so: made where a system's C++ library is old, and made again there.
    private static bool IsCorrectedCopy(string path) => Path.GetFileName(path) != "libLibTorchSharp.so" && Path.GetFileName(path).StartsWith("libLibTorchSharp.", StringComparison.Ordinal);
}
