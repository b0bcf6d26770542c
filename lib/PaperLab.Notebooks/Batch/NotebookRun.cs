// What goes into a batch run and what comes out: plain records.

using PaperLab.Notebooks.Format;

namespace PaperLab.Notebooks.Batch;

/// <summary>One notebook to run.</summary>
/// <param name="Notebook">The notebook, read and with its parameters injected. It is filled with outputs as the run goes; the file it came from is never written.</param>
/// <param name="Name">What the run calls it: the file name without extension.</param>
/// <param name="InputPath">Full path of the file it came from; cells run in its folder.</param>
/// <param name="OutputPath">Full path of the executed .ipynb.</param>
/// <param name="PagePath">Full path of the HTML page beside it; null for none.</param>
public sealed record NotebookJob(Notebook Notebook, string Name, string InputPath, string OutputPath, string? PagePath);

/// <summary>How long things may take, and how the notebook's process is started.</summary>
/// <param name="Launch">How to start a notebook's process.</param>
/// <param name="Timeout">For the whole notebook; null for none.</param>
/// <param name="CellTimeout">For each cell; null for none.</param>
public sealed record NotebookRunOptions(HostLaunch Launch, TimeSpan? Timeout = null, TimeSpan? CellTimeout = null);

/// <summary>How a notebook or a cell ended.</summary>
public enum RunStatus
{
    /// <summary>Every cell ran, or the cell did.</summary>
    Passed,

    /// <summary>A cell ended in an error; for a cell tagged raises-exception that counts as passed.</summary>
    Failed,

    /// <summary>A cell or the notebook took longer than it may.</summary>
    TimedOut,

    /// <summary>The notebook's process ended in the middle of a cell.</summary>
    Crashed,

    /// <summary>Somebody stopped the run.</summary>
    Stopped,

    /// <summary>The result could not be written.</summary>
    NotSaved,

    /// <summary>The cell did not run: tagged skip-execution, or after the one that failed.</summary>
    Skipped,
}

/// <summary>Names of <see cref="RunStatus"/> values.</summary>
public static class RunStatuses
{
    /// <summary>"passed", "timed out": as metadata, tables and reports show it.</summary>
    public static string NameOf(RunStatus status) => status switch
    {
        RunStatus.TimedOut => "timed out",
        RunStatus.NotSaved => "not saved",
        _ => status.ToString().ToLowerInvariant(),
    };
}

/// <summary>One code cell's result.</summary>
/// <param name="Number">The In[n] number; 0 for a cell that did not run.</param>
/// <param name="Label">"cell 3" and its first line, for people.</param>
/// <param name="Status">How it ended.</param>
/// <param name="Duration">Wall time.</param>
/// <param name="PeakBytes">Peak resident memory of the notebook's process while it ran; of the process so far where the system does not tell, 0 for a cell that did not run.</param>
/// <param name="Error">The error that ended it, also where it was expected.</param>
public sealed record CellReport(int Number, string Label, RunStatus Status, TimeSpan Duration, long PeakBytes, ErrorOutput? Error);

/// <summary>One notebook's result.</summary>
/// <param name="Job">What ran.</param>
/// <param name="Status">How it ended.</param>
/// <param name="Cells">Its code cells, in order.</param>
/// <param name="Started">When it began.</param>
/// <param name="Duration">Wall time, process start and saving included.</param>
/// <param name="PeakBytes">Peak resident memory of its process.</param>
/// <param name="Error">The error that ended it; null when it passed.</param>
/// <param name="SaveError">Why the result could not be written, or not all of it; null when it was.</param>
public sealed record NotebookResult(
    NotebookJob Job,
    RunStatus Status,
    IReadOnlyList<CellReport> Cells,
    DateTimeOffset Started,
    TimeSpan Duration,
    long PeakBytes,
    ErrorOutput? Error,
    string? SaveError);

/// <summary>Watches a run, for a progress display. Calls come from several threads and must be quick.</summary>
public interface IRunWatcher
{
    /// <summary>A cell starts: its 1-based place among the <paramref name="total"/> cells that run.</summary>
    void CellStarted(NotebookJob job, int number, int total, string label);

    /// <summary>A cell shows something.</summary>
    void OutputArrived(NotebookJob job, CellOutput output);

    /// <summary>A display that was shown before changes in place.</summary>
    void OutputUpdated(NotebookJob job, MimeBundle data);

    /// <summary>A cell is over.</summary>
    void CellEnded(NotebookJob job, CellReport cell);

    /// <summary>The peak memory of the notebook's process so far.</summary>
    void MemorySampled(NotebookJob job, long peakBytes);
}
