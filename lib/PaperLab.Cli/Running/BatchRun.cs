// A batch run from the request to the exit code: prepare every notebook before any runs, leave out what passed and has not changed, run the
// others, compare claims, report.

using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using PaperLab.Notebooks.Batch;
using PaperLab.Notebooks.Format;

namespace PaperLab.Cli.Running;

/// <summary>Runs a batch of notebooks.</summary>
public sealed class BatchRun : IDisposable
{
    private readonly BatchRequest _request;
    private readonly NotebookRunner _runner;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<string, NotebookReport> _reports = new();
    private bool _stoppedByUser;

    private BatchRun(BatchRequest request)
    {
        _request = request;
        _runner = new NotebookRunner(new NotebookRunOptions(ThisTool.LaunchOf(NotebookHost.CommandName), request.Timeout, request.CellTimeout));
    }

    /// <summary>Runs what was asked for; returns the exit code.</summary>
    /// <exception cref="UsageException">Something asked for does not exist; nothing ran.</exception>
    /// <exception cref="EnvironmentException">The machine cannot run it.</exception>
    public static async Task<int> RunAsync(BatchRequest request)
    {
        using var run = new BatchRun(request);
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, run.OnSignal);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, run.OnSignal);
        using PosixSignalRegistration hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, run.OnSignal);
        return await run.RunAsync();
    }

    public void Dispose() => _stop.Dispose();

    private async Task<int> RunAsync()
    {
        IReadOnlyList<PreparedNotebook> notebooks = PreparedNotebook.Prepare(_request, out ShardOfRun? shard);
        HashSet<string> forced = Forced(notebooks);
        Dictionary<string, RecordedClaims> recorded = Recorded(notebooks);
        foreach (PreparedNotebook notebook in notebooks.Where(notebook => notebook.Problem is not null))
        {
            Report(new NotebookReport(notebook.Name, Repository.ShortPath(notebook.Path), NotebookReport.Unreadable, Error: new ErrorSummary(nameof(NotebookFormatException), notebook.Problem!, [])));
        }

        List<PendingRun> pending = [.. Pending(notebooks, forced)];
        await RunProgress.ShowAsync([.. pending.Select(run => run.Job)], _request, watcher => RunAllAsync(pending, watcher));
        foreach (PendingRun run in pending.Where(run => !_reports.ContainsKey(run.Job.Name)))
        {
            Report(new NotebookReport(run.Job.Name, Repository.ShortPath(run.Job.InputPath), NotebookReport.NotRun, Preset: run.Preset));
        }

        RunSummary summary = RunSummary.Of(
            _reports.Values.Select(report => recorded.TryGetValue(report.Name, out RecordedClaims? claims) ? report.ComparedWith(claims, _request.Compare!.Tolerance) : report),
            _stoppedByUser,
            shard);
        SummaryView.Print(summary, _request.Json);
        if (_request.JunitPath is string junit)
        {
            JunitReport.Write(junit, summary);
        }

        if (_request.SummaryPath is string path)
        {
            summary.Write(path);
        }

        return summary.ExitCode;
    }

    /// <summary>The paths of the notebooks that --force names.</summary>
    private HashSet<string> Forced(IReadOnlyList<PreparedNotebook> notebooks)
    {
        HashSet<string> asked = [.. notebooks.Select(notebook => notebook.Path)];
        if (_request.Forced is not { Count: > 0 } names)
        {
            return _request.Forced is null ? [] : asked;
        }

        IReadOnlyList<string> forced = NotebookCatalog.Resolve([.. names]);
        return _request.Shard is not null || forced.FirstOrDefault(path => !asked.Contains(path)) is not { } other ? [.. forced]
            : throw new UsageException($"--force {Path.GetFileNameWithoutExtension(other)}: this run does not have it; it has {string.Join(", ", notebooks.Select(notebook => notebook.Name))}.");
    }

    /// <summary>The claims to compare with, by notebook.</summary>
    private Dictionary<string, RecordedClaims> Recorded(IReadOnlyList<PreparedNotebook> notebooks)
    {
        if (_request.Compare is not { } compare)
        {
            return [];
        }

        RunSummary? summary = compare.Against is null ? null : RunSummary.Read(compare.Against);
        return notebooks.Where(notebook => notebook.Job is not null)
            .Select(notebook => (notebook.Name, Claims: RecordedClaims.Of(notebook, summary, compare.Against)))
            .Where(notebook => notebook.Claims is not null)
            .ToDictionary(notebook => notebook.Name, notebook => notebook.Claims!);
    }

    /// <summary>Those that have to run. The others have passed and nothing changed since; they are reported at once.</summary>
    private IEnumerable<PendingRun> Pending(IReadOnlyList<PreparedNotebook> notebooks, HashSet<string> forced)
    {
        TextWriter progress = _request.Json ? Console.Error : Console.Out;
        var look = new RunInputs();
        foreach (PreparedNotebook notebook in notebooks)
        {
            if (notebook.Job is not { } job)
            {
                continue;
            }

            IReadOnlyDictionary<string, string>? inputs = notebook.AlwaysRuns ? null : look.Of(job);
            PassedRun? passed = inputs is null || forced.Contains(notebook.Path) ? null : PassedRun.Find(job);
            string? outdated = passed?.Outdated(job, inputs!);
            if (passed is not null && outdated is null)
            {
                Report(Again(passed, job));
                progress.WriteLine($"{job.Name}: unchanged, passed on {passed.Report.Started:yyyy-MM-dd HH:mm} UTC");
                continue;
            }

            if (outdated is not null)
            {
                progress.WriteLine($"{job.Name}: {outdated}");
            }

            yield return new PendingRun(job, notebook.Preset, inputs);
        }
    }

    private static NotebookReport Again(PassedRun passed, NotebookJob job)
    {
        try
        {
            return passed.Again(job);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw NotWritable(job, error);
        }
    }

    private async Task RunAllAsync(List<PendingRun> pending, IRunWatcher watcher)
    {
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = _request.Jobs };
        await Parallel.ForEachAsync(pending, parallel, async (run, _) =>
        {
            if (_stop.IsCancellationRequested || (_request.FailFast && _reports.Values.Any(report => report.Status != NotebookReport.Passed)))
            {
                return;
            }

            NotebookReport report = await RunOneAsync(run, watcher);
            Report(report);
            if (_request.FailFast && report.Status != NotebookReport.Passed)
            {
                await _stop.CancelAsync();
            }
        });
    }

    private async Task<NotebookReport> RunOneAsync(PendingRun run, IRunWatcher watcher)
    {
        try
        {
            NotebookResult result = await _runner.RunAsync(run.Job, watcher, _stop.Token);
            NotebookReport report = NotebookReport.Of(PageWriter.Write(result), run.Preset);
            if (report.Status == NotebookReport.Passed && run.Inputs is { } before)
            {
                Keep(run.Job, before, report);
            }

            return report;
        }
        catch (HostStartException error)
        {
            throw new EnvironmentException(error.Message);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw NotWritable(run.Job, error);
        }
    }

    private static void Keep(NotebookJob job, IReadOnlyDictionary<string, string> before, NotebookReport report)
    {
        IReadOnlyDictionary<string, string> after = new RunInputs().Of(job);
        IReadOnlyList<string> changed = RunInputs.ChangedMeanwhile(before, after);
        if (changed.Count == 0)
        {
            PassedRun.Keep(job, after, report);
        }
        else
        {
            Console.Error.WriteLine($"paperlab: note: {job.Name} passed and will run again all the same, for this changed while it ran: {RunInputs.Listed(changed)}");
        }
    }

    private static EnvironmentException NotWritable(NotebookJob job, Exception error) => new($"{job.OutputPath} cannot be written: {error.Message}");

    private void Report(NotebookReport report) => _reports[report.Name] = report;

    /// <summary>A notebook that has to run.</summary>
    /// <param name="Job">The run.</param>
    /// <param name="Preset">Its preset.</param>
    /// <param name="Inputs">What its outcome depends on, as it was before it began; null where that is not known.</param>
    private sealed record PendingRun(NotebookJob Job, string? Preset, IReadOnlyDictionary<string, string>? Inputs);

    /// <summary>The first Ctrl-C stops the notebooks and saves them; a second one ends the tool at once.</summary>
    private void OnSignal(PosixSignalContext signal)
    {
        if (_stoppedByUser)
        {
            return; // not cancelled: the signal does what it does by default
        }

        signal.Cancel = true;
        _stoppedByUser = true;
        Console.Error.WriteLine("Stopping; what ran is being saved. Once more to end at once.");
        _stop.Cancel();
    }
}
