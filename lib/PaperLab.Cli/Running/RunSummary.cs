// The summary of a run as programs read it: every notebook and cell with its time, memory and error. Shards of one run leave one each,
// and merged they are the summary that the whole run would have left.

using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace PaperLab.Cli.Running;

/// <summary>How a run, or a shard of one, ended.</summary>
/// <param name="Format">Version of this layout.</param>
/// <param name="ExitCode">The tool's exit code.</param>
/// <param name="Notebooks">Every notebook of it, by name.</param>
/// <param name="Shard">Which part of a run it is; null for a whole one.</param>
public sealed record RunSummary(int Format, int ExitCode, IReadOnlyList<NotebookReport> Notebooks, ShardOfRun? Shard = null)
{
    private const int CurrentFormat = 1;

    // Thrown by PaperLab.TorchRuntime when the machine lacks what was asked for; known here by name only.
    private const string EnvironmentErrorName = "TorchRuntimeException";

    /// <summary>The summary of these notebooks.</summary>
    /// <param name="notebooks">In any order.</param>
    /// <param name="stopped">Whether the user stopped the run.</param>
    /// <param name="shard">Which part of a run it is.</param>
    public static RunSummary Of(IEnumerable<NotebookReport> notebooks, bool stopped, ShardOfRun? shard = null)
    {
        NotebookReport[] sorted = [.. notebooks.OrderBy(notebook => notebook.Name, StringComparer.Ordinal)];
        return new RunSummary(CurrentFormat, stopped ? Cli.ExitCode.Stopped : ExitCodeOf(sorted), sorted, shard);
    }

    /// <summary>Reads a summary.</summary>
    /// <exception cref="UsageException">There is none in the file.</exception>
    public static RunSummary Read(string path)
    {
        try
        {
            RunSummary summary = JsonSerializer.Deserialize(File.ReadAllBytes(path), SummaryJson.Readable.RunSummary) ?? throw new JsonException("the file holds null");
            return summary.Format == CurrentFormat ? summary
                : throw new UsageException($"{path} is a summary of format {summary.Format}; this version reads {CurrentFormat}: make it again with `paperlab run --report json=FILE`.");
        }
        catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{path} is not the summary of a run (`paperlab run --report json=FILE` writes one): {error.Message}");
        }
    }

    /// <summary>One summary of several: all shards of a run, or runs of different notebooks.</summary>
    /// <exception cref="UsageException">They do not belong together, or a shard is missing.</exception>
    public static RunSummary Merge(IReadOnlyList<(string Path, RunSummary Summary)> parts)
    {
        RequireOneRun(parts);
        NotebookReport[] all = [.. parts.SelectMany(part => part.Summary.Notebooks)];
        if (all.GroupBy(notebook => notebook.Name).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw new UsageException($"{twice.Key} is in more than one of the summaries: {string.Join(", ", parts.Where(part => part.Summary.Notebooks.Any(notebook => notebook.Name == twice.Key)).Select(part => part.Path))}.");
        }

        if (parts[0].Summary.Shard is { } shard && shard.All.Except(all.Select(notebook => notebook.Name)).ToArray() is { Length: > 0 } missing)
        {
            throw new UsageException($"no shard has {string.Join(", ", missing)}: the shards did not split alike. Give each the same notebooks and the same file of --times.");
        }

        return Of(all, parts.Any(part => part.Summary.ExitCode == Cli.ExitCode.Stopped));
    }

    /// <summary>The summary as JSON, indented.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, SummaryJson.Readable.RunSummary);

    /// <summary>Writes the summary, all of it or nothing.</summary>
    /// <exception cref="EnvironmentException">The file cannot be written.</exception>
    public void Write(string path) => ReportFile.Write(path, ToJson() + "\n");

    private static void RequireOneRun(IReadOnlyList<(string Path, RunSummary Summary)> parts)
    {
        ShardOfRun? first = parts[0].Summary.Shard;
        foreach ((string path, RunSummary summary) in parts)
        {
            if (summary.Shard is null != first is null)
            {
                throw new UsageException($"{parts[0].Path} and {path}: one is a shard of a run and the other is a whole run; merge shards with shards.");
            }

            if (summary.Shard is { } shard && (shard.Count != first!.Count || !shard.All.SequenceEqual(first.All)))
            {
                throw new UsageException($"{parts[0].Path} and {path} are shards of different runs: one of {first.Count} of {first.All.Count} notebooks, one of {shard.Count} of {shard.All.Count}, or of other notebooks.");
            }
        }

        if (first is not null && Enumerable.Range(1, first.Count).Except(parts.Select(part => part.Summary.Shard!.Index)).ToArray() is { Length: > 0 } missing)
        {
            throw new UsageException($"the summary of shard {string.Join(", ", missing.Select(index => $"{index}/{first.Count}"))} is missing; without it nobody knows how its notebooks ended.");
        }
    }

    private static int ExitCodeOf(NotebookReport[] notebooks)
    {
        NotebookReport[] failed = [.. notebooks.Where(notebook => notebook.Status != NotebookReport.Passed && notebook.Status != NotebookReport.NotRun)];
        return failed.Length == 0 ? Cli.ExitCode.Passed
            : failed.All(notebook => notebook.Error?.Name.Split('.', '+')[^1] == EnvironmentErrorName) ? Cli.ExitCode.Environment
            : Cli.ExitCode.Failed;
    }
}

/// <summary>Which part of a run a summary is.</summary>
/// <param name="Index">From 1.</param>
/// <param name="Count">How many parts there are.</param>
/// <param name="All">The names of all notebooks of the run, in all parts.</param>
public sealed record ShardOfRun(int Index, int Count, IReadOnlyList<string> All);

/// <summary>Writes what CI collects.</summary>
internal static class ReportFile
{
    /// <summary>Writes the file, all of it or nothing, and its folder.</summary>
    /// <exception cref="EnvironmentException">The file cannot be written.</exception>
    public static void Write(string path, string text)
    {
        try
        {
            AtomicFile.WriteAllText(path, text);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new EnvironmentException($"the report {path} cannot be written: {error.Message}");
        }
    }
}

[JsonSerializable(typeof(RunSummary))]
[JsonSerializable(typeof(PassedRun))]
internal sealed partial class SummaryJson : JsonSerializerContext
{
    /// <summary>The context in use: letters beyond ASCII stand in the file as they are.</summary>
    public static SummaryJson Readable { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        RespectRequiredConstructorParameters = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
