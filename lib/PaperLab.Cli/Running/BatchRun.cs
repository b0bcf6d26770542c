// A batch run from the request to the exit code: prepare every notebook before any runs, run them, report.

using System.Runtime.InteropServices;
using PaperLab.Notebooks.Batch;

namespace PaperLab.Cli.Running;

/// <summary>Runs a batch of notebooks.</summary>
public sealed class BatchRun : IDisposable
{
    // Thrown by PaperLab.TorchRuntime when the machine lacks what was asked for; known here by name only.
    private const string EnvironmentErrorName = "TorchRuntimeException";

    private readonly BatchRequest _request;
    private readonly NotebookRunner _runner;
    private readonly CancellationTokenSource _stop = new();
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
        IReadOnlyList<PreparedNotebook> notebooks = PreparedNotebook.Prepare(_request);
        List<NotebookJob> jobs = [.. notebooks.Select(notebook => notebook.Job).OfType<NotebookJob>()];
        BatchSummary summary = new([.. notebooks.Where(notebook => notebook.Problem is not null)]);
        await RunProgress.ShowAsync(jobs, _request, watcher => RunAllAsync(jobs, watcher, summary));
        int exitCode = ExitCodeOf(summary);
        summary.Print(_request.Json, exitCode);
        if (_request.JunitPath is string path)
        {
            JunitReport.Write(path, summary);
        }

        return exitCode;
    }

    private async Task RunAllAsync(List<NotebookJob> jobs, IRunWatcher watcher, BatchSummary summary)
    {
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = _request.Jobs };
        await Parallel.ForEachAsync(jobs, parallel, async (job, _) =>
        {
            if (_stop.IsCancellationRequested || (_request.FailFast && summary.AnyFailed))
            {
                return;
            }

            NotebookResult result = await RunOneAsync(job, watcher);
            summary.Add(result);
            if (_request.FailFast && result.Status != RunStatus.Passed)
            {
                await _stop.CancelAsync();
            }
        });
    }

    private async Task<NotebookResult> RunOneAsync(NotebookJob job, IRunWatcher watcher)
    {
        try
        {
            NotebookResult result = await _runner.RunAsync(job, watcher, _stop.Token);
            return PageWriter.Write(result);
        }
        catch (HostStartException error)
        {
            throw new EnvironmentException(error.Message);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new EnvironmentException($"{job.OutputPath} cannot be written: {error.Message}");
        }
    }

    private int ExitCodeOf(BatchSummary summary)
    {
        if (_stoppedByUser)
        {
            return ExitCode.Stopped;
        }

        NotebookResult[] failed = [.. summary.Results.Where(result => result.Status != RunStatus.Passed && result.Status != RunStatus.Stopped)];
        if (failed.Length == 0 && summary.Problems.Count == 0)
        {
            return ExitCode.Passed;
        }

        bool environmentOnly = summary.Problems.Count == 0 && failed.All(result => result.Error?.Name.Split('.', '+')[^1] == EnvironmentErrorName);
        return environmentOnly ? ExitCode.Environment : ExitCode.Failed;
    }

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
