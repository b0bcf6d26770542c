// The summary of a run for people: the causes of failures, a table of notebooks with the cells that took long, and claims that differ.

using PaperLab.Notebooks.Batch;
using PaperLab.Notebooks.Pages;
using Spectre.Console;

namespace PaperLab.Cli.Running;

/// <summary>Prints summaries.</summary>
internal static class SummaryView
{
    // Of the fifteen or so cells of a page, those below are what a reader of the table looks for; the JSON summary has all.
    private const double ShownFromSeconds = 1;
    private const int LongestLabel = 40;

    /// <summary>Causes of failure to stderr; the table, or JSON, to stdout.</summary>
    public static void Print(RunSummary summary, bool json)
    {
        foreach (NotebookReport notebook in summary.Notebooks)
        {
            PrintCause(notebook);
        }

        if (json)
        {
            Console.Out.WriteLine(summary.ToJson());
            return;
        }

        IAnsiConsole console = Terminal.Create(Console.Out, Console.IsOutputRedirected);
        console.Write(TableOf(summary));
        foreach (NotebookReport notebook in summary.Notebooks)
        {
            PrintClaims(console, notebook);
        }
    }

    private static void PrintCause(NotebookReport notebook)
    {
        if (notebook.Status == NotebookReport.Unreadable)
        {
            Console.Error.WriteLine($"paperlab: {notebook.Error!.Message}");
        }
        else if (notebook.Error is { } error)
        {
            CellSummary? cell = notebook.Cells.LastOrDefault(cell => cell.Status != NotebookReport.Passed && cell.Number > 0);
            Console.Error.WriteLine($"paperlab: {notebook.Name}: {notebook.Status}{(cell is null ? "" : $" in {cell.Label}")}");
            Console.Error.WriteLine($"  {error.Name}: {error.Message.ReplaceLineEndings("\n  ")}");
            if (notebook.Status == NotebookReport.ClaimsDiffer)
            {
                Console.Error.WriteLine("  " + string.Join("\n  ", error.Traceback));
            }
        }

        if (notebook.SaveError is string problem)
        {
            Console.Error.WriteLine($"paperlab: {notebook.Output} could not be saved: {problem} What was saved there before stays as it is.");
        }
    }

    private static Table TableOf(RunSummary summary)
    {
        Table table = new Table().Border(TableBorder.Simple).AddColumns("notebook", "status", "cells", "time", "peak memory", "saved as");
        foreach (NotebookReport notebook in summary.Notebooks)
        {
            AddRow(
                table,
                notebook.Name,
                notebook.Status,
                notebook.Unchanged ? "unchanged" : notebook.Status,
                notebook.Cells.Count > 0 ? $"{notebook.CellsPassed}/{notebook.Cells.Count}" : "",
                notebook.Started is null ? "" : Seconds(notebook.Seconds),
                notebook.PeakMemoryBytes,
                notebook.Output ?? "");
            foreach (CellSummary cell in notebook.Cells.Where(cell => !notebook.Unchanged && cell.Number > 0 && (cell.Seconds >= ShownFromSeconds || cell.Status != NotebookReport.Passed)))
            {
                string label = cell.Label.Length > LongestLabel ? cell.Label[..(LongestLabel - 1)] + "…" : cell.Label;
                AddRow(table, "  " + label, cell.Status, cell.Status, "", Seconds(cell.Seconds), cell.PeakMemoryBytes, "");
            }
        }

        foreach (TableColumn column in table.Columns)
        {
            column.NoWrap();
        }

        return table;
    }

    private static void AddRow(Table table, string name, string status, string shown, string cells, string time, long peakBytes, string savedAs)
    {
        string colour = status == NotebookReport.Passed ? "green" : status == NotebookReport.NotRun ? "yellow" : "red";
        table.AddRow(Markup.Escape(name), $"[{colour}]{shown}[/]", cells, time, peakBytes > 0 ? Words.Bytes(peakBytes) : "", Markup.Escape(savedAs));
    }

    private static void PrintClaims(IAnsiConsole console, NotebookReport notebook)
    {
        if (notebook.Compared is not { } compared)
        {
            return;
        }

        int different = compared.Claims.Count(claim => claim.Problem is not null);
        console.WriteLine($"{notebook.Name}: {(different == 0 ? $"{compared.Claims.Count} claims as recorded" : $"{different} of {compared.Claims.Count} claims differ from those recorded")} in {compared.Against} (tolerance {compared.Tolerance})");
        if (different == 0)
        {
            return;
        }

        Table table = new Table().Border(TableBorder.Simple).AddColumns("claim", "recorded", "here", "");
        foreach (ComparedClaim claim in compared.Claims)
        {
            table.AddRow(Markup.Escape(claim.Claim), Markup.Escape(claim.Recorded ?? "—"), Markup.Escape(claim.Here ?? "—"), claim.Problem is null ? "[green]as recorded[/]" : $"[red]{Markup.Escape(claim.Problem)}[/]");
        }

        console.Write(table);
    }

    private static string Seconds(double seconds) => Words.Duration(TimeSpan.FromSeconds(seconds));
}
