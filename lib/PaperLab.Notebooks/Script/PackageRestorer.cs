// `#r "nuget:…"`: packages are restored by the SDK, the way any project's are (same sources, same cache, same resolution),
// and the answer is kept, so that the second time costs no process.

using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using PaperLab.Notebooks.Format;

namespace PaperLab.Notebooks.Script;

/// <summary>Packages could not be restored; the message says which and why.</summary>
internal sealed class PackageException(string message) : Exception(message);

/// <summary>Restores the packages that one notebook asks for. Each request restores all of them together, so that their versions agree.</summary>
internal sealed class PackageRestorer(string folder)
{
    private readonly SortedDictionary<string, string> _packages = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<string> _sources = [];

    /// <summary>Where answers are kept: PAPERLAB_CACHE, or the user's local application data.</summary>
    public static string CacheFolder => Path.Combine(
        Environment.GetEnvironmentVariable("PAPERLAB_CACHE") is { Length: > 0 } chosen
            ? chosen
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.Create), "paperlab"),
        "packages");

    private static string TargetFramework => $"net{Environment.Version.Major}.{Environment.Version.Minor}";

    // The portable identifier (linux-x64) and not that of one distribution: natives are packed under it.
    private static string RuntimeIdentifier { get; } =
        $"{(OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx" : "linux")}-{System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}";

    /// <summary>Adds a source: a URL, or a folder relative to the notebook's.</summary>
    public void AddSource(string source)
    {
        bool isUrl = Uri.TryCreate(source, UriKind.Absolute, out Uri? uri) && !uri.IsFile;
        string full = isUrl ? source : Path.GetFullPath(source, folder);
        if (!_sources.Contains(full))
        {
            _sources.Add(full);
        }
    }

    /// <summary>Restores <paramref name="request"/> ("Id" or "Id, Version") together with the packages asked for before.</summary>
    /// <exception cref="PackageException">The request is ill formed or cannot be restored.</exception>
    public RestoredPackages Add(string request, CancellationToken cancel)
    {
        string[] words = [.. request.Split(',').Select(word => word.Trim())];
        if (words.Length > 2 || words[0].Length == 0 || words[0].Any(c => !(char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_')))
        {
            throw new PackageException($"#r \"nuget:{request}\" is not a package; write #r \"nuget:Id\" or #r \"nuget:Id, Version\"");
        }

        var wanted = new SortedDictionary<string, string>(_packages, StringComparer.OrdinalIgnoreCase) { [words[0]] = words.Length == 2 ? words[1] : "*" };
        RestoredPackages restored = Restore(wanted, cancel);
        _packages[words[0]] = wanted[words[0]];
        return restored;
    }

    private RestoredPackages Restore(SortedDictionary<string, string> packages, CancellationToken cancel)
    {
        string project = Project(packages).ToString();
        string key = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(project)))[..24];
        string home = Path.Combine(CacheFolder, key);
        string answer = Path.Combine(home, "restored.json");
        if (ReadAnswer(answer) is { } known)
        {
            return known;
        }

        Directory.CreateDirectory(home);
        string projectFile = Path.Combine(home, "packages.csproj");
        AtomicFile.Write(projectFile, Encoding.UTF8.GetBytes(project));
        RunRestore(projectFile, packages, cancel);
        RestoredPackages restored = ReadAssets(Path.Combine(home, "obj", "project.assets.json"), packages.Keys);
        AtomicFile.Write(answer, JsonSerializer.SerializeToUtf8Bytes(restored));
        return restored;
    }

    // The project that stands for the notebook. What lies above the cache folder must not reach into it.
    private XElement Project(SortedDictionary<string, string> packages) => new(
        "Project",
        new XElement(
            "PropertyGroup",
            new XElement("ImportDirectoryBuildProps", "false"),
            new XElement("ImportDirectoryBuildTargets", "false"),
            new XElement("ImportDirectoryPackagesProps", "false"),
            new XElement("TargetFramework", TargetFramework),
            new XElement("RuntimeIdentifier", RuntimeIdentifier),
            new XElement("SelfContained", "false"),
            new XElement("RestoreRootConfigDirectory", folder),
            new XElement("RestoreAdditionalProjectSources", string.Join(';', _sources))),
        new XElement("Import", new XAttribute("Project", "Sdk.props"), new XAttribute("Sdk", "Microsoft.NET.Sdk")),
        new XElement(
            "ItemGroup",
            packages.Select(package => new XElement("PackageReference", new XAttribute("Include", package.Key), new XAttribute("Version", package.Value)))),
        new XElement("Import", new XAttribute("Project", "Sdk.targets"), new XAttribute("Sdk", "Microsoft.NET.Sdk")));

    private static void RunRestore(string project, SortedDictionary<string, string> packages, CancellationToken cancel)
    {
        var start = new ProcessStartInfo(DotNetHost(), ["restore", project, "--nologo", "--verbosity", "quiet", "-maxcpucount:1"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetDirectoryName(project),
        };
        start.Environment["DOTNET_CLI_UI_LANGUAGE"] = "en";
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        using Process process = Process.Start(start)!;
        using CancellationTokenRegistration kill = cancel.Register(() => process.Kill(entireProcessTree: true));
        Task<string> errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
        string output = process.StandardOutput.ReadToEnd() + errors.Result;
        process.WaitForExit();
        cancel.ThrowIfCancellationRequested();
        if (process.ExitCode != 0)
        {
            IEnumerable<string> faults = output.Split('\n').Where(line => line.Contains("error", StringComparison.Ordinal))
                .Select(line => line[line.IndexOf("error", StringComparison.Ordinal)..].Replace($" [{project}]", "").Trim()).Distinct();
            string wanted = string.Join("; ", packages.Select(package => package.Value == "*" ? package.Key : $"{package.Key}, {package.Value}"));
            throw new PackageException($"the packages {wanted} cannot be restored: {string.Join(" | ", faults.DefaultIfEmpty(output.Trim()))}");
        }
    }

    // The host that runs this process, so that the same SDK answers; DOTNET_HOST_PATH is set under the SDK's own tools.
    private static string DotNetHost() =>
        Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } path ? path
        : Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? Environment.ProcessPath!
        : "dotnet";

    private static RestoredPackages ReadAssets(string path, IEnumerable<string> asked)
    {
        JsonNode assets = JsonNode.Parse(File.ReadAllBytes(path))!;
        List<string> roots = [.. assets["packageFolders"]!.AsObject().Select(root => root.Key)];
        JsonObject target = assets["targets"]!.AsObject().First(target => target.Key.EndsWith("/" + RuntimeIdentifier, StringComparison.Ordinal)).Value!.AsObject();
        List<string> installed = [], compile = [], runtime = [], native = [];
        foreach ((string package, JsonNode? files) in target)
        {
            if ((string?)files!["type"] != "package")
            {
                continue;
            }

            string id = package.Split('/')[0];
            if (asked.Contains(id, StringComparer.OrdinalIgnoreCase))
            {
                installed.Add(package.Replace("/", ", "));
            }

            string home = (string)assets["libraries"]![package]!["path"]!;
            compile.AddRange(Files(files["compile"], home, roots));
            runtime.AddRange(Files(files["runtime"], home, roots));
            native.AddRange(Files(files["native"], home, roots));
        }

        return new RestoredPackages(installed, compile, runtime, native);
    }

    private static IEnumerable<string> Files(JsonNode? section, string home, List<string> roots) =>
        (section as JsonObject ?? []).Select(file => file.Key)
            .Where(file => !file.EndsWith("/_._", StringComparison.Ordinal))
            .Select(file => roots.Select(root => Path.Combine(root, home, file)).First(File.Exists));

    private static RestoredPackages? ReadAnswer(string path)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        RestoredPackages? known = JsonSerializer.Deserialize<RestoredPackages>(File.ReadAllBytes(path));
        bool whole = known is not null && known.CompileAssemblies.Concat(known.RuntimeAssemblies).Concat(known.NativeLibraries).All(File.Exists);
        return whole ? known : null;
    }
}
