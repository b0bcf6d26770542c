// The stamp of a committed page: what its outputs were made from. It lies in the notebook's metadata, and says with hashes which
// code ran, what it left, which recorded runs it read and with which versions, so that a page whose outputs are out of date is known
// for it without running anything.

using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using PaperLab.Notebooks.Format;

namespace PaperLab.Cli.Checking;

/// <summary>What the outputs of a page come from.</summary>
/// <param name="Code">Hash of the code cells.</param>
/// <param name="Outputs">Hash of what they left.</param>
/// <param name="Runs">Hash of every recorded run that they read, by the name of its file.</param>
/// <param name="Versions">Of PaperLab, TorchSharp and .NET.</param>
public sealed record PageStamp(string Code, string Outputs, IReadOnlyDictionary<string, string> Runs, IReadOnlyDictionary<string, string> Versions)
{
    /// <summary>The field of the notebook's metadata that holds the stamp.</summary>
    public const string Key = "paperlab_stamp";

    // What PaperLab.Display's RunSources shows beside its text.
    private const string RunsMimeType = "application/vnd.paperlab.runs+json";

    private static readonly JsonSerializerOptions s_json = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    /// <summary>The versions of this tool; of .NET without the patch, which a machine updates by itself.</summary>
    public static IReadOnlyDictionary<string, string> VersionsHere { get; } = new SortedDictionary<string, string>(StringComparer.Ordinal)
    {
        [".NET"] = Environment.Version.ToString(2),
        ["PaperLab"] = VersionOf(typeof(TorchRuntime).Assembly),
        ["TorchSharp"] = VersionOf(typeof(TorchSharp.torch).Assembly),
    };

    /// <summary>The stamp in a notebook's metadata; null where there is none.</summary>
    /// <exception cref="JsonException">What is there is no stamp.</exception>
    public static PageStamp? Read(Notebook notebook) => notebook.Metadata[Key] is not { } json ? null
        : json.Deserialize<PageStamp>(s_json) is { Code: not null, Outputs: not null, Runs: not null, Versions: not null } stamp ? stamp
        : throw new JsonException("a field is missing");

    /// <summary>The stamp of a page as it stands, made from these runs.</summary>
    /// <param name="page">The page, read from its file.</param>
    /// <param name="runs">The file of each run, by its path in the folder of results.</param>
    public static PageStamp Of(Notebook page, IReadOnlyDictionary<string, string> runs) => new(
        CodeHash(page),
        OutputsHash(page),
        new SortedDictionary<string, string>(runs.ToDictionary(run => run.Key, run => HashOf(run.Value)), StringComparer.Ordinal),
        VersionsHere);

    /// <summary>Puts the stamp into a notebook's metadata.</summary>
    public void WriteTo(Notebook notebook) => notebook.Metadata[Key] = JsonSerializer.SerializeToNode(this, s_json);

    /// <summary>Why the stamp does not fit the page and the recorded runs; nothing when it does.</summary>
    /// <param name="page">The page.</param>
    /// <param name="results">The folder of the page's recorded runs.</param>
    public IEnumerable<string> Faults(Notebook page, string results)
    {
        if (Code != CodeHash(page))
        {
            yield return "its code cells have changed since its outputs were made";
        }

        if (Outputs != OutputsHash(page))
        {
            yield return "its outputs are not those that were stamped (an editor ran and saved it?)";
        }

        foreach ((string name, string hash) in Runs)
        {
            string path = Path.Combine(results, name);
            if (!File.Exists(path))
            {
                yield return $"the recorded run {name} that its outputs come from is not in {Path.GetFileName(results)}'s results";
            }
            else if (HashOf(path) != hash)
            {
                yield return $"the recorded run {name} has changed since its outputs were made";
            }
        }

        foreach ((string what, string version) in VersionsHere)
        {
            if (Versions.GetValueOrDefault(what) is var stamped && stamped != version)
            {
                yield return $"its outputs were made with {what} {stamped ?? "(not named)"}; here it is {version}";
            }
        }
    }

    /// <summary>The names of the recorded runs that the page says it read, and how many it made itself; null when no cell says so.</summary>
    public static (IReadOnlyList<string> Runs, int Made)? SourcesOf(Notebook page)
    {
        JsonNode[] found = [.. page.Cells.SelectMany(cell => cell.Outputs).Select(output => output.Shown()?[RunsMimeType]).OfType<JsonNode>()];
        return found.Length == 0 ? null
            : ([.. found.SelectMany(node => node["runs"]!.AsArray()).Select(name => name!.GetValue<string>()).Distinct().Order(StringComparer.Ordinal)], found.Sum(node => node["made"]!.GetValue<int>()));
    }

    private static string CodeHash(Notebook page) => HashOf(page, cell => $"{cell.Language}\n{cell.Source.ReplaceLineEndings("\n")}\n");

    private static string OutputsHash(Notebook page) => HashOf(page, cell => string.Concat(cell.Outputs.Select(output => output.ToJson().ToJsonString() + "\n")));

    // Each part with its length before it, so that what ends one cell cannot begin the next.
    private static string HashOf(Notebook page, Func<Cell, string> part)
    {
        var text = new StringBuilder();
        foreach (string piece in page.Cells.Where(cell => cell.Kind == CellKind.Code).Select(part))
        {
            text.Append(piece.Length).Append('\n').Append(piece);
        }

        return Short(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }

    private static string HashOf(string path) => Short(SHA256.HashData(File.ReadAllBytes(path)));

    private static string Short(byte[] hash) => Convert.ToHexStringLower(hash)[..16];

    private static string VersionOf(Assembly assembly) => assembly.GetName().Version!.ToString(3);
}
