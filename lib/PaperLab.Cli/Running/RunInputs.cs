// What the outcome of a notebook depends on, as hashes by name: a notebook that passed need not run again while all of them stay the same.
//
// Its code cells, parameters injected; the engine and .NET; every file that a quoted text in its code names, and for a library the
// libraries beside it; for the pages of this repository also what they read by name alone: data, the runs recorded for the page, and the text
// of the default corpus, which is the SDK's documentation and this repository's C#. What a notebook finds in other ways (a path put
// together from parts, a server) is not known here: a notebook that is given an address always runs, and --force is for the rest.

using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using PaperLab.Notebooks.Batch;
using PaperLab.Text.Sources;

namespace PaperLab.Cli.Running;

/// <summary>Looks at inputs, each once: what changes after a first look is seen by another instance.</summary>
internal sealed partial class RunInputs
{
    /// <summary>Before the name of each recorded run. A notebook makes them itself while it runs.</summary>
    private const string RecordedRuns = "recorded run ";

    // A larger file, such as a model's weights, is known by its size and the time of its last change.
    private const long LargestHashedBytes = 64 << 20;

    private static readonly string[] s_scripts = [".cs", ".csx", ".ipynb", ".dib"];

    private readonly Dictionary<string, string> _files = [];
    private readonly Dictionary<string, IReadOnlyDictionary<string, string>> _libraries = [];
    private readonly Lazy<IReadOnlyDictionary<string, string>> _ofRepository = new(OfRepository);

    /// <summary>Everything that <paramref name="job"/>'s outcome depends on now.</summary>
    public IReadOnlyDictionary<string, string> Of(NotebookJob job)
    {
        var inputs = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["its code"] = HashOf(job.Notebook.CodeCells.SelectMany(cell => new[] { cell.Language, string.Join(' ', cell.Tags), cell.Source })),
            ["the engine"] = typeof(NotebookRunner).Module.ModuleVersionId.ToString(),
            [".NET"] = Environment.Version.ToString(),
        };
        foreach (System.Collections.DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            if (variable.Key is string name && name.StartsWith("PAPERLAB_", StringComparison.Ordinal))
            {
                inputs[name] = HashOf([(string)variable.Value!]);
            }
        }

        bool usesLibrary = false;
        foreach (string path in FilesNamedIn(job.Notebook.CodeCells.Select(cell => cell.Source), Path.GetDirectoryName(job.InputPath)!))
        {
            if (Path.GetExtension(path).Equals(".dll", StringComparison.OrdinalIgnoreCase))
            {
                IReadOnlyDictionary<string, string> beside = LibrariesOf(Path.GetDirectoryName(path)!);
                usesLibrary |= beside.Keys.Any(name => Path.GetFileName(name) == "PaperLab.dll");
                Add(inputs, beside);
            }
            else
            {
                inputs[Repository.ShortPath(path)] = HashOf(path);
            }
        }

        if (usesLibrary)
        {
            Add(inputs, _ofRepository.Value);
            Add(inputs, RunsOf(job.Name));
        }

        return inputs;
    }

    /// <summary>
    /// The inputs of a run that is over: those after it, whose recorded runs it may have made itself; null when anything else changed
    /// while it ran, so that nobody knows what it saw.
    /// </summary>
    public static IReadOnlyDictionary<string, string>? Settled(IReadOnlyDictionary<string, string> before, IReadOnlyDictionary<string, string> after) =>
        Changed(before, after).Any(name => !name.StartsWith(RecordedRuns, StringComparison.Ordinal)) ? null : after;

    /// <summary>Names of what is not the same in both.</summary>
    public static IEnumerable<string> Changed(IReadOnlyDictionary<string, string> before, IReadOnlyDictionary<string, string> now) =>
        before.Keys.Union(now.Keys).Where(name => before.GetValueOrDefault(name) != now.GetValueOrDefault(name)).Order(StringComparer.Ordinal);

    /// <summary>Hash of texts, each with its length, so that the end of one is not the beginning of the next.</summary>
    public static string HashOf(IEnumerable<string> texts) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Concat(texts.Select(text => $"{text.Length}\n{text}")))));

    private string HashOf(string path)
    {
        if (!_files.TryGetValue(path, out string? hash))
        {
            _files[path] = hash = Directory.Exists(path) ? HashOfFolder(path) : HashOfFile(path);
        }

        return hash;
    }

    // A device has no length, and no end.
    private static string HashOfFile(string path)
    {
        try
        {
            return new FileInfo(path) switch
            {
                { Length: 0 } => "empty",
                { Length: > LargestHashedBytes } large => $"{large.Length} {large.LastWriteTimeUtc.Ticks}",
                _ => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))),
            };
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return "not readable";
        }
    }

    private static string HashOfFolder(string path)
    {
        try
        {
            return HashOf(new DirectoryInfo(path).EnumerateFiles().OrderBy(file => file.Name, StringComparer.Ordinal).Select(file => $"{file.Name} {file.Length} {file.LastWriteTimeUtc.Ticks}"));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return "not readable";
        }
    }

    /// <summary>The files and folders that exist under a name that stands in quotes or behind #!import, and those that scripts among them name.</summary>
    private static HashSet<string> FilesNamedIn(IEnumerable<string> sources, string folder)
    {
        var found = new HashSet<string>();
        var unread = new Queue<(string Source, string Folder)>(sources.Select(source => (source, folder)));
        while (unread.TryDequeue(out (string Source, string Folder) next))
        {
            foreach (string name in NamedFile().Matches(next.Source).Select(match => match.Groups[1].Success ? match.Groups[1].Value : match.Groups[2].Value.Trim()))
            {
                string path = Path.GetFullPath(name, next.Folder);
                bool isFile = File.Exists(path);
                if ((isFile || Directory.Exists(path)) && found.Add(path) && isFile && s_scripts.Contains(Path.GetExtension(path).ToLowerInvariant()))
                {
                    unread.Enqueue((File.ReadAllText(path), Path.GetDirectoryName(path)!));
                }
            }
        }

        return found;
    }

    /// <summary>The libraries of a folder: managed ones by the id that the compiler made of their content, natives by their size. The tool itself is none.</summary>
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
        using FileStream file = File.OpenRead(library);
        if (Path.GetExtension(library).Equals(".dll", StringComparison.OrdinalIgnoreCase))
        {
            using var image = new PEReader(file);
            if (image.HasMetadata)
            {
                MetadataReader metadata = image.GetMetadataReader();
                return metadata.GetGuid(metadata.GetModuleDefinition().Mvid).ToString();
            }
        }

        return file.Length.ToString();
    }

    private static Dictionary<string, string> OfRepository()
    {
        var inputs = new Dictionary<string, string>();
        if (Repository.Find() is not { } repository)
        {
            return inputs;
        }

        inputs["the C# of lib and tests, of which the corpus is made"] = HashOf([new CSharpFiles(repository.Root).Fingerprint()]);
        inputs["the .NET SDK, of whose texts the corpus is made"] = SdkDescription();
        string data = Path.Combine(repository.Root, "data");
        string[] others = ["results", "cache"];
        Add(inputs, HashesIn(data, file => !others.Contains(file.Split('/')[0]), "data/"));
        return inputs;
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

    private static Dictionary<string, string> RunsOf(string notebook)
    {
        var inputs = new Dictionary<string, string>();
        if (Repository.Find() is { } repository)
        {
            foreach (string folder in new[] { $"data/results/{notebook}", $"artifacts/runs/{notebook}" })
            {
                Add(inputs, HashesIn(Path.Combine(repository.Root, folder), _ => true, $"{RecordedRuns}{folder}/"));
            }
        }

        return inputs;
    }

    private static Dictionary<string, string> HashesIn(string folder, Func<string, bool> isInput, string prefix) => !Directory.Exists(folder) ? [] :
        Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(folder, path).Replace('\\', '/'))
            .Where(isInput)
            .ToDictionary(name => prefix + name, name => HashOfFile(Path.Combine(folder, name)));

    private static void Add(IDictionary<string, string> inputs, IReadOnlyDictionary<string, string> more)
    {
        foreach ((string name, string hash) in more)
        {
            inputs[name] = hash;
        }
    }

    [GeneratedRegex("""
        "([^"\\\r\n\0]{1,400})"|^\#!import[ \t]+"?([^"\r\n\0]{1,400})
        """, RegexOptions.Multiline | RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex NamedFile();

    [GeneratedRegex(@"\.(dll|dylib|so)$|\.so\.\d+$", RegexOptions.IgnoreCase)]
    private static partial Regex LibraryName();
}
