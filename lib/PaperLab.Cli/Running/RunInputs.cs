// What the outcome of a notebook depends on, as hashes by name: a notebook that passed need not run again while all of them stay the same.
//
// Its code cells, parameters injected; the engine, .NET, the machine, and the settings of libtorch; every file, folder and environment
// variable that a quoted text in its code names, and for a library the libraries beside it. A notebook with PaperLab among those also reads
// by name alone: data, fetched and not; recorded runs; the text of the default corpus, which is the SDK's documentation and this repository's
// C#. What a notebook finds in other ways (a path put together from parts, a server) is not known here: a notebook that is given an
// address always runs, and --force is for the rest.

using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using PaperLab.Notebooks.Batch;
using PaperLab.Text.Data;
using PaperLab.Text.Sources;

namespace PaperLab.Cli.Running;

/// <summary>Looks at inputs, each once: what changes after a first look is seen by another instance.</summary>
internal sealed partial class RunInputs
{
    /// <summary>Before the name of each recorded run. A notebook makes them itself while it runs.</summary>
    private const string RecordedRuns = "recorded run ";

    private const string NotReadable = "not readable";

    // A larger file, such as a model's weights, is known by its size and the time of its last change.
    private const long LargestHashedBytes = 64 << 20;

    private static readonly string[] s_scripts = [".cs", ".csx", ".ipynb", ".dib"];

    private static readonly string[] s_records = ["data/results", "artifacts/runs"];

    // Begin the names of variables that PaperLab, libtorch, and the libraries under it read.
    private static readonly string[] s_settings = ["PAPERLAB_", "OMP_", "MKL_", "DNNL_", "ONEDNN_", "ATEN_", "TORCH_", "CUDA_"];

    private static readonly EnumerationOptions s_everything = new() { RecurseSubdirectories = true, MaxRecursionDepth = 16, AttributesToSkip = FileAttributes.None };

    private readonly Dictionary<string, string> _files = [];
    private readonly Dictionary<string, IReadOnlyDictionary<string, string>> _libraries = [];
    private readonly Dictionary<string, IReadOnlyDictionary<string, string>> _repositories = [];

    /// <summary>Everything that <paramref name="job"/>'s outcome depends on now.</summary>
    public IReadOnlyDictionary<string, string> Of(NotebookJob job)
    {
        string folder = Path.GetDirectoryName(job.InputPath)!;
        var inputs = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["its code"] = HashOf(job.Notebook.CodeCells.SelectMany(cell => new[] { cell.Language, string.Join(' ', cell.Tags), cell.Source })),
            ["the engine"] = typeof(NotebookRunner).Module.ModuleVersionId.ToString(),
            [".NET"] = Environment.Version.ToString(),
            ["the machine"] = $"{RuntimeInformation.RuntimeIdentifier}, {Environment.ProcessorCount} processors, {(GpuDriver.IsInstalled ? "a GPU" : "no GPU")}",
        };
        Named named = NamedIn(job.Notebook.CodeCells.Select(cell => cell.Source), folder);
        foreach (System.Collections.DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            if (variable.Key is string name && (s_settings.Any(start => name.StartsWith(start, StringComparison.Ordinal)) || named.Texts.Contains(name)))
            {
                inputs[$"the variable {name}"] = HashOf([(string)variable.Value!]);
            }
        }

        bool usesPaperLab = false;
        foreach (string path in named.Paths)
        {
            if (Path.GetExtension(path).Equals(".dll", StringComparison.OrdinalIgnoreCase))
            {
                IReadOnlyDictionary<string, string> beside = LibrariesOf(Path.GetDirectoryName(path)!);
                usesPaperLab |= beside.Keys.Any(name => Path.GetFileName(name) == "PaperLab.dll");
                Add(inputs, beside);
            }
            else
            {
                inputs[Repository.ShortPath(path)] = HashOf(path, isAround: Path.GetRelativePath(path, folder).Split(Path.DirectorySeparatorChar)[0] != "..");
            }
        }

        if (usesPaperLab)
        {
            AddWhatPaperLabReads(inputs, job.Name, folder, named.Texts);
        }

        return inputs;
    }

    /// <summary>Names of what changed while a notebook ran, so that nobody knows what it saw. Recorded runs that are new are its own.</summary>
    public static IReadOnlyList<string> ChangedMeanwhile(IReadOnlyDictionary<string, string> before, IReadOnlyDictionary<string, string> after) =>
        [.. Changed(before, after).Where(name => before.ContainsKey(name) || !name.StartsWith(RecordedRuns, StringComparison.Ordinal))];

    /// <summary>Names of what is not the same in both.</summary>
    public static IReadOnlyList<string> Changed(IReadOnlyDictionary<string, string> before, IReadOnlyDictionary<string, string> now) =>
        [.. before.Keys.Union(now.Keys).Where(name => before.GetValueOrDefault(name) != now.GetValueOrDefault(name)).Order(StringComparer.Ordinal)];

    /// <summary>The first of many names, for a message.</summary>
    public static string Listed(IReadOnlyList<string> names) => string.Join(", ", names.Take(3)) + (names.Count > 3 ? $" and {names.Count - 3} more" : "");

    /// <summary>Hash of texts, each with its length, so that the end of one is not the beginning of the next.</summary>
    public static string HashOf(IEnumerable<string> texts) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Concat(texts.Select(text => $"{text.Length}\n{text}")))));

    /// <param name="path">A file or a folder.</param>
    /// <param name="isAround">Whether the notebook itself lies below it: such a folder is known by its own files only, not by all below.</param>
    private string HashOf(string path, bool isAround)
    {
        if (!_files.TryGetValue(path, out string? hash))
        {
            _files[path] = hash = Directory.Exists(path) ? HashOfFolder(path, isAround) : HashOfFile(path);
        }

        return hash;
    }

    // A device has no length, and no end.
    private static string HashOfFile(string path)
    {
        try
        {
            return (File.ResolveLinkTarget(path, returnFinalTarget: true) ?? new FileInfo(path)) switch
            {
                FileInfo { Length: 0 } => "empty",
                FileInfo { Length: > LargestHashedBytes } large => $"{large.Length} {large.LastWriteTimeUtc.Ticks}",
                _ => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))),
            };
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return NotReadable;
        }
    }

    private static string HashOfFolder(string path, bool isAround)
    {
        try
        {
            return HashOf(new DirectoryInfo(path).EnumerateFiles("*", isAround ? new EnumerationOptions() : s_everything)
                .OrderBy(file => file.FullName, StringComparer.Ordinal).Select(file => $"{file.FullName} {file.Length} {file.LastWriteTimeUtc.Ticks}"));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return NotReadable;
        }
    }

    /// <summary>What stands in quotes or behind #!import, in the code and in scripts that it names.</summary>
    /// <param name="Texts">All of it.</param>
    /// <param name="Paths">The files and folders that exist under such a name.</param>
    private sealed record Named(HashSet<string> Texts, HashSet<string> Paths);

    private Named NamedIn(IEnumerable<string> sources, string folder)
    {
        var found = new Named([], []);
        var unread = new Queue<(string Source, string Folder)>(sources.Select(source => (source, folder)));
        while (unread.TryDequeue(out (string Source, string Folder) next))
        {
            // In a notebook that another names, quotes have backslashes before them.
            foreach (string name in NamedText().Matches(next.Source).Select(match => match.Groups[1].Success ? match.Groups[1].Value.Replace(@"\\", @"\").TrimEnd('\\') : match.Groups[2].Value.Trim()))
            {
                found.Texts.Add(name);
                string path = Path.GetFullPath(name, next.Folder);
                bool isFile = File.Exists(path);
                if ((isFile || Directory.Exists(path)) && found.Paths.Add(path) && isFile && s_scripts.Contains(Path.GetExtension(path).ToLowerInvariant()) && HashOf(path, isAround: false) != NotReadable)
                {
                    unread.Enqueue((File.ReadAllText(path), Path.GetDirectoryName(path)!));
                }
            }
        }

        return found;
    }

    /// <summary>The libraries of a folder: managed ones by the id that the compiler made of their content. The tool itself is none.</summary>
    private IReadOnlyDictionary<string, string> LibrariesOf(string folder)
    {
        if (!_libraries.TryGetValue(folder, out IReadOnlyDictionary<string, string>? found))
        {
            _libraries[folder] = found = Directory.EnumerateFiles(folder)
                .Where(path => LibraryName().IsMatch(path) && Path.GetFileName(path) != "PaperLab.Cli.dll")
                .ToDictionary(Repository.ShortPath, VersionOf);
        }

        return found;
    }

    private static string VersionOf(string library)
    {
        try
        {
            using var image = new PEReader(File.OpenRead(library));
            if (image.HasMetadata)
            {
                MetadataReader metadata = image.GetMetadataReader();
                return metadata.GetGuid(metadata.GetModuleDefinition().Mvid).ToString();
            }
        }
        catch (Exception error) when (error is BadImageFormatException or IOException or UnauthorizedAccessException)
        {
            // A native one, or a damaged one: its content tells.
        }

        return HashOfFile(library);
    }

    private void AddWhatPaperLabReads(SortedDictionary<string, string> inputs, string notebook, string folder, HashSet<string> texts)
    {
        if (Environment.GetEnvironmentVariable("PAPERLAB_LIBTORCH") is { Length: > 0 } libtorch && Directory.Exists(libtorch))
        {
            Add(inputs, LibrariesOf(Path.GetFullPath(libtorch)));
        }

        foreach (DataSet set in DataSet.All)
        {
            if (DataStore.Default.PathOf(set) is var path && File.Exists(path))
            {
                inputs[$"the fetched data {set.Name}"] = HashOf(path, isAround: false);
            }
        }

        // As the notebook's own process looks for it: from its folder up, then from the tool's.
        if ((Checkout.RootAbove(folder) ?? Checkout.RootAbove(AppContext.BaseDirectory)) is { } root)
        {
            if (!_repositories.TryGetValue(root, out IReadOnlyDictionary<string, string>? repository))
            {
                _repositories[root] = repository = OfRepository(root);
            }

            Add(inputs, repository);
            Add(inputs, RunsOf(root, notebook, texts));
        }
    }

    private static Dictionary<string, string> OfRepository(string root)
    {
        string data = Path.Combine(root, "data");
        string[] others = [Path.Combine(data, "results"), Path.Combine(data, "cache")];
        return new(HashesIn(data, "", path => !others.Any(other => path.StartsWith(other + Path.DirectorySeparatorChar, StringComparison.Ordinal))))
        {
            ["the C# of lib and tests, of which the corpus is made"] = HashOf([new CSharpFiles(root).Fingerprint()]),
            ["the .NET SDK, of whose texts the corpus is made"] = SdkDescription(),
        };
    }

    private static string SdkDescription()
    {
        try
        {
            return SdkLocation.Find().Description;
        }
        catch (DirectoryNotFoundException)
        {
            return "none";
        }
    }

    /// <summary>The runs recorded for the papers that a notebook names, by its own name or in quotes; where none is recorded under its own, all.</summary>
    private static IEnumerable<KeyValuePair<string, string>> RunsOf(string root, string notebook, HashSet<string> texts)
    {
        string[] papers = [.. s_records.Select(folder => Path.Combine(root, folder)).Where(Directory.Exists).SelectMany(Directory.GetDirectories)];
        bool isKnown = papers.Any(paper => Path.GetFileName(paper) == notebook);
        return papers.Where(paper => !isKnown || Path.GetFileName(paper) == notebook || texts.Contains(Path.GetFileName(paper)))
            .SelectMany(paper => HashesIn(paper, RecordedRuns, _ => true));
    }

    private static IEnumerable<KeyValuePair<string, string>> HashesIn(string folder, string prefix, Func<string, bool> isInput) => !Directory.Exists(folder) ? [] :
        Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Where(isInput).Select(path => KeyValuePair.Create(prefix + Repository.ShortPath(path), HashOfFile(path)));

    private static void Add(SortedDictionary<string, string> inputs, IEnumerable<KeyValuePair<string, string>> more)
    {
        foreach ((string name, string hash) in more)
        {
            inputs[name] = hash;
        }
    }

    // Between any two quotes of a line, also where the second of them begins a text: which of them do is not for a pattern to tell.
    [GeneratedRegex("""
        "(?=([^"\r\n\0]{1,400})")|^\#!import[ \t]+"?([^"\r\n\0]{1,400})
        """, RegexOptions.Multiline | RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex NamedText();

    // Not the copy of a native that PaperLab corrects when it first loads it, named by the hash of the one it is made of.
    [GeneratedRegex(@"(?<!\.[0-9a-f]{12})\.(dll|dylib|so)$|\.so\.\d+$", RegexOptions.IgnoreCase)]
    private static partial Regex LibraryName();
}
