// One notebook in the summary of a run: what tables, JUnit files, merged summaries and the record of its last pass are made of.

using System.Text;
using System.Text.Json;
using PaperLab.Notebooks.Batch;
using PaperLab.Notebooks.Format;
using PaperLab.Notebooks.Pages;

namespace PaperLab.Cli.Running;

/// <summary>How one notebook ended.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Input">Its file; from the repository's folder where it lies below it.</param>
/// <param name="Status">"passed", another name of a <see cref="RunStatus"/>, or one of <see cref="NotebookReport"/>'s own.</param>
/// <param name="Unchanged">It did not run now: nothing changed since it passed, and everything here is of then.</param>
/// <param name="Preset">Its preset; null for a notebook without.</param>
/// <param name="Output">The executed notebook; null when it did not run.</param>
/// <param name="Page">Its HTML page; null when it did not run.</param>
/// <param name="Started">When it began, UTC; null when it did not run.</param>
/// <param name="Seconds">Wall time, process start and saving included.</param>
/// <param name="PeakMemoryBytes">Peak resident memory of its process.</param>
/// <param name="CellsPassed">How many of its code cells ran and passed.</param>
/// <param name="Cells">Its code cells.</param>
/// <param name="Claims">The claims of its claims table.</param>
/// <param name="Compared">Its claims beside the recorded ones; null where they were not compared.</param>
/// <param name="Error">Why it did not pass.</param>
/// <param name="SaveError">Why the result could not be written, or not all of it.</param>
public sealed record NotebookReport(
    string Name,
    string Input,
    string Status,
    bool Unchanged = false,
    string? Preset = null,
    string? Output = null,
    string? Page = null,
    DateTimeOffset? Started = null,
    double Seconds = 0,
    long PeakMemoryBytes = 0,
    int CellsPassed = 0,
    IReadOnlyList<CellSummary>? Cells = null,
    IReadOnlyList<PageClaim>? Claims = null,
    ClaimsComparison? Compared = null,
    ErrorSummary? Error = null,
    string? SaveError = null)
{
    /// <summary>Status of a file that is no notebook.</summary>
    public const string Unreadable = "unreadable";

    /// <summary>Status of a notebook whose turn never came.</summary>
    public const string NotRun = "not run";

    /// <summary>Status of a notebook that passed with other claims than the recorded ones.</summary>
    public const string ClaimsDiffer = "claims differ";

    /// <summary>Status of a notebook, and of a cell, that passed.</summary>
    public static string Passed { get; } = RunStatuses.NameOf(RunStatus.Passed);

    /// <summary>Its code cells.</summary>
    public IReadOnlyList<CellSummary> Cells { get; init; } = Cells ?? [];

    /// <summary>The claims of its claims table.</summary>
    public IReadOnlyList<PageClaim> Claims { get; init; } = Claims ?? [];

    /// <summary>A notebook that ran.</summary>
    public static NotebookReport Of(NotebookResult result, string? preset)
    {
        IEnumerable<Cell> code = result.Job.Notebook.CodeCells;
        var report = new NotebookReport(
            result.Job.Name,
            Repository.ShortPath(result.Job.InputPath),
            RunStatuses.NameOf(result.Status),
            Unchanged: false,
            preset,
            Repository.ShortPath(result.Job.OutputPath),
            Repository.ShortPath(result.Job.PagePath!),
            result.Started,
            Math.Round(result.Duration.TotalSeconds, 3),
            result.PeakBytes,
            result.Cells.Count(cell => cell.Status == RunStatus.Passed),
            [.. result.Cells.Zip(code, CellSummary.Of)],
            Error: ErrorSummary.Of(result.Error),
            SaveError: result.SaveError);
        try
        {
            return report with { Claims = PageClaims.Of(result.Job.Notebook) };
        }
        catch (JsonException error)
        {
            return report with { Status = RunStatuses.NameOf(RunStatus.Failed), Error = report.Error ?? new ErrorSummary(nameof(JsonException), error.Message, []) };
        }
    }

    /// <summary>The report with its claims compared. Claims that differ make a notebook that passed one that did not; of one that did not pass nobody asks.</summary>
    public NotebookReport ComparedWith(RecordedClaims recorded, double tolerance)
    {
        if (Status != Passed)
        {
            return this;
        }

        ClaimsComparison compared = ClaimsComparison.Of(recorded.Claims, Claims, recorded.Where, tolerance);
        ComparedClaim[] different = [.. compared.Claims.Where(claim => claim.Problem is not null)];
        return different.Length == 0 ? this with { Compared = compared } : this with
        {
            Compared = compared,
            Status = ClaimsDiffer,
            Error = new ErrorSummary(nameof(ClaimsDiffer), $"{different.Length} of {compared.Claims.Count} claims differ from those recorded in {recorded.Where}", [.. different.Select(claim => $"{claim.Claim}: {claim.Problem}")]),
        };
    }
}

/// <summary>One code cell in a summary.</summary>
/// <param name="Number">The In[n] number; 0 for a cell that did not run.</param>
/// <param name="Label">"cell 3" and its first line.</param>
/// <param name="Status">Name of a <see cref="RunStatus"/>.</param>
/// <param name="Seconds">Wall time.</param>
/// <param name="PeakMemoryBytes">Peak resident memory of the notebook's process while the cell ran; of the process so far on systems that do not tell.</param>
/// <param name="Outputs">How many outputs it wrote.</param>
/// <param name="OutputBytes">Their size as they are stored.</param>
/// <param name="Error">The error that it ended in, also where it was expected.</param>
public sealed record CellSummary(int Number, string Label, string Status, double Seconds, long PeakMemoryBytes, int Outputs, long OutputBytes, ErrorSummary? Error = null)
{
    /// <summary>A cell's result, and the cell with what it left.</summary>
    internal static CellSummary Of(CellReport report, Cell cell) => new(
        report.Number,
        report.Label,
        RunStatuses.NameOf(report.Status),
        Math.Round(report.Duration.TotalSeconds, 3),
        report.PeakBytes,
        cell.Outputs.Count,
        cell.Outputs.Sum(output => (long)Encoding.UTF8.GetByteCount(output.ToJson().ToJsonString())),
        ErrorSummary.Of(report.Error));
}

/// <summary>An error in a summary.</summary>
/// <param name="Name">The exception's type, or what the runner calls the case.</param>
/// <param name="Message">Its message.</param>
/// <param name="Traceback">Where it came from, by line.</param>
public sealed record ErrorSummary(string Name, string Message, IReadOnlyList<string> Traceback)
{
    internal static ErrorSummary? Of(ErrorOutput? error) => error is null ? null : new ErrorSummary(error.Name, error.Message, error.Traceback);
}
