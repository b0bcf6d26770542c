// The results of a batch, and how they are told: a table for people, one JSON object for programs.

using System.Text.Json;
using System.Text.Json.Serialization;
using PaperLab.Notebooks.Batch;
using Spectre.Console;

namespace PaperLab.Cli.Running;

/// <summary>Collects results; safe from several notebooks at once.</summary>
/// <param name="problems">Notebooks that could not even be read.</param>
public sealed class BatchSummary(IReadOnlyList<PreparedNotebook> problems)
{
    private readonly Lock _gate = new();
    private readonly List<NotebookResult> _results = [];

    /// <summary>Notebooks that could not be read.</summary>
    public IReadOnlyList<PreparedNotebook> Problems => problems;

    /// <summary>The others, by name.</summary>
    public IReadOnlyList<NotebookResult> Results
    {
        get
        {
            lock (_gate)
            {
                return [.. _results.OrderBy(result => result.Job.Name, StringComparer.Ordinal)];
            }
        }
    }

    /// <summary>True once a notebook has failed or could not be read.</summary>
    public bool AnyFailed => problems.Count > 0 || Results.Any(result => result.Status != RunStatus.Passed);

    /// <summary>Adds a result.</summary>
    public void Add(NotebookResult result)
    {
        lock (_gate)
        {
            _results.Add(result);
        }
    }

    /// <summary>Causes of failure to stderr; the table, or JSON, to stdout.</summary>
    public void Print(bool json, int exitCode)
    {
        foreach (PreparedNotebook notebook in problems)
        {
            Console.Error.WriteLine($"paperlab: {notebook.Problem}");
        }

        foreach (NotebookResult result in Results)
        {
            PrintCause(result);
        }

        if (json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(ToReport(exitCode), SummaryJson.Default.BatchReport));
        }
        else
        {
            PrintTable();
        }
    }

    private static void PrintCause(NotebookResult result)
    {
        CellReport? cell = result.Cells.LastOrDefault(cell => cell.Status is not (RunStatus.Passed or RunStatus.Skipped));
        if (result.Error is { } error)
        {
            Console.Error.WriteLine($"paperlab: {result.Job.Name}: {RunStatuses.NameOf(result.Status)} in {cell?.Label}");
            Console.Error.WriteLine($"  {error.Name}: {error.Message.ReplaceLineEndings("\n  ")}");
        }

        if (result.SaveError is string problem)
        {
            Console.Error.WriteLine($"paperlab: {result.Job.OutputPath} could not be saved: {problem} What was saved there before stays as it is.");
        }
    }

    private void PrintTable()
    {
        IAnsiConsole console = Terminal.Create(Console.Out, Console.IsOutputRedirected);
        Table table = new Table().Border(TableBorder.Simple).AddColumns("notebook", "status", "cells", "time", "peak memory", "saved as");
        foreach (NotebookResult result in Results)
        {
            int done = result.Cells.Count(cell => cell.Status == RunStatus.Passed);
            string colour = result.Status == RunStatus.Passed ? "green" : "red";
            table.AddRow(
                Markup.Escape(result.Job.Name),
                $"[{colour}]{RunStatuses.NameOf(result.Status)}[/]",
                $"{done}/{result.Cells.Count}",
                Words.Duration(result.Duration),
                result.PeakBytes > 0 ? Words.Bytes(result.PeakBytes) : "",
                Markup.Escape(Shorter(result.Job.OutputPath)));
        }

        foreach (PreparedNotebook notebook in problems)
        {
            table.AddRow(Markup.Escape(Path.GetFileNameWithoutExtension(notebook.Path)), "[red]unreadable[/]", "", "", "", "");
        }

        console.Write(table);
    }

    /// <summary>Relative to the current folder where the file lies below it.</summary>
    private static string Shorter(string path)
    {
        string relative = Path.GetRelativePath(Directory.GetCurrentDirectory(), path);
        return relative.StartsWith("..", StringComparison.Ordinal) ? path : relative;
    }

    private BatchReport ToReport(int exitCode) => new(
        exitCode,
        [
            .. Results.Select(result => new NotebookReport(
                result.Job.Name,
                result.Job.InputPath,
                RunStatuses.NameOf(result.Status),
                result.Job.OutputPath,
                result.Job.PagePath,
                Math.Round(result.Duration.TotalSeconds, 3),
                result.PeakBytes,
                result.Cells.Count(cell => cell.Status == RunStatus.Passed),
                result.Cells.Count,
                result.Error is { } error ? $"{error.Name}: {error.Message}" : result.SaveError)),
            .. problems.Select(notebook => new NotebookReport(
                Path.GetFileNameWithoutExtension(notebook.Path), notebook.Path, "unreadable", null, null, 0, 0, 0, 0, notebook.Problem)),
        ]);
}

/// <summary>The JSON summary.</summary>
internal sealed record BatchReport(int ExitCode, IReadOnlyList<NotebookReport> Notebooks);

/// <summary>One notebook in the JSON summary; <paramref name="Error"/> is null when it passed.</summary>
internal sealed record NotebookReport(
    string Name,
    string Input,
    string Status,
    string? Output,
    string? Page,
    double Seconds,
    long PeakMemoryBytes,
    int CellsPassed,
    int Cells,
    string? Error);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(BatchReport))]
internal sealed partial class SummaryJson : JsonSerializerContext;
