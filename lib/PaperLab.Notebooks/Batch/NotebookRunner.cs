// Runs one notebook in a process of its own, cell by cell, and always leaves a saved notebook behind:
// whatever went wrong is written as an error into the cell that was running.

using System.Diagnostics;
using System.Text.Json.Nodes;
using PaperLab.Notebooks.Format;

namespace PaperLab.Notebooks.Batch;

/// <summary>Runs notebooks as <paramref name="options"/> say.</summary>
public sealed class NotebookRunner(NotebookRunOptions options)
{
    /// <summary>Tag of a cell whose error is part of the page: the run goes on after it.</summary>
    public const string RaisesExceptionTag = "raises-exception";

    /// <summary>Tag of a cell that is left as it is.</summary>
    public const string SkipTag = "skip-execution";

    // How long a cell has to end after it was interrupted, and a process after its pipe was closed.
    private static readonly TimeSpan InterruptGrace = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan ExitGrace = TimeSpan.FromSeconds(5);

    /// <summary>Runs <paramref name="job"/>. Never throws for what the notebook does; <paramref name="stop"/> ends it early, saved.</summary>
    /// <exception cref="HostStartException">The notebook's process cannot be started.</exception>
    /// <exception cref="IOException">The output cannot be written, found out before anything ran.</exception>
    /// <exception cref="UnauthorizedAccessException">The output may not be written, found out before anything ran.</exception>
    public async Task<NotebookResult> RunAsync(NotebookJob job, IRunWatcher watcher, CancellationToken stop)
    {
        var recording = new NotebookRecording(job, watcher, new OutputLimits());
        using HostProcess host = HostProcess.Start(options.Launch, job.InputPath, recording);
        var run = new Run(options, job, watcher, recording, host);
        return await run.RunAsync(stop);
    }

    /// <summary>One run: the state that its steps share.</summary>
    private sealed class Run(NotebookRunOptions options, NotebookJob job, IRunWatcher watcher, NotebookRecording recording, HostProcess host)
    {
        private readonly DateTimeOffset _started = DateTimeOffset.UtcNow;
        private readonly Stopwatch _clock = Stopwatch.StartNew();
        private readonly List<CellReport> _results = [];
        private RunStatus _status = RunStatus.Passed;
        private ErrorOutput? _error;

        public async Task<NotebookResult> RunAsync(CancellationToken stop)
        {
            List<Cell> cells = [.. job.Notebook.Cells.Where(cell => cell.Kind == CellKind.Code)];
            job.Notebook.EnsureCellIds();
            foreach (Cell cell in cells.Where(Runs))
            {
                cell.Outputs.Clear();
                cell.ExecutionCount = null;
            }

            Describe(finished: false);
            using var saver = new NotebookSaver(recording, job.OutputPath);
            using (new Timer(_ => watcher.MemorySampled(job, host.PeakBytes), null, TimeSpan.Zero, TimeSpan.FromMilliseconds(500)))
            {
                await RunCellsAsync(cells, stop);
            }

            await host.StopAsync(ExitGrace);
            watcher.MemorySampled(job, host.PeakBytes);
            Describe(finished: true);
            string? saveError = await saver.FinishAsync();
            _status = saveError is not null && _status == RunStatus.Passed ? RunStatus.NotSaved : _status;
            return new NotebookResult(job, _status, _results, _started, _clock.Elapsed, host.PeakBytes, _error, saveError);
        }

        private static bool Runs(Cell cell) => !cell.HasTag(SkipTag) && !string.IsNullOrWhiteSpace(cell.Source);

        private async Task RunCellsAsync(List<Cell> cells, CancellationToken stop)
        {
            List<Cell> runs = [.. cells.Where(Runs)];
            int number = 0;
            foreach (Cell cell in cells)
            {
                if (_status != RunStatus.Passed || !Runs(cell))
                {
                    _results.Add(new CellReport(0, FirstLine(cell), RunStatus.Skipped, TimeSpan.Zero, 0, null));
                    continue;
                }

                string label = $"cell {++number}: {FirstLine(cell)}";
                watcher.CellStarted(job, number, runs.Count, label);
                CellReport result = await RunCellAsync(cell, number, label, runs.ElementAtOrDefault(number), stop);
                _results.Add(result);
                watcher.CellEnded(job, result);
            }
        }

        private async Task<CellReport> RunCellAsync(Cell cell, int number, string label, Cell? next, CancellationToken stop)
        {
            DateTimeOffset start = DateTimeOffset.UtcNow;
            var clock = Stopwatch.StartNew();
            recording.Begin(cell, number, start);
            var after = next is null ? null : new RunCell(number + 1, next.Language, next.Source);
            RunStatus status = await EndOfCellAsync(new RunCell(number, cell.Language, cell.Source, after), stop);
            ErrorOutput? error = recording.LastError;
            if (status == RunStatus.Failed && cell.HasTag(RaisesExceptionTag))
            {
                status = RunStatus.Passed;
            }

            if (status != RunStatus.Passed)
            {
                (_status, _error) = (status, error);
            }

            recording.End(cell, start, clock.Elapsed, status);
            return new CellReport(number, label, status, clock.Elapsed, host.CellPeakBytes, error);
        }

        /// <summary>Runs the cell and waits for the first of: its end, its process's end, its timeout, the notebook's, a stop.</summary>
        private async Task<RunStatus> EndOfCellAsync(RunCell cell, CancellationToken stop)
        {
            Task<CellEnded?> running = host.RunCellAsync(cell);
            using var limits = CancellationTokenSource.CreateLinkedTokenSource(stop);
            TimeSpan? notebookLeft = options.Timeout - _clock.Elapsed;
            TimeSpan? left = options.CellTimeout < notebookLeft || notebookLeft is null ? options.CellTimeout : notebookLeft;
            if (left is TimeSpan limit)
            {
                limits.CancelAfter(limit > TimeSpan.Zero ? limit : TimeSpan.Zero);
            }

            Task first = await Task.WhenAny(running, Task.Delay(Timeout.Infinite, limits.Token));
            if (first != running)
            {
                return await CutShortAsync(cell, running, stop.IsCancellationRequested, byNotebook: left == notebookLeft);
            }

            return await running is CellEnded ended
                ? ended.Succeeded ? RunStatus.Passed : RunStatus.Failed
                : await CrashedAsync();
        }

        /// <summary>Interrupts the cell, and kills its process when that does not help; then says on the page what happened.</summary>
        private async Task<RunStatus> CutShortAsync(RunCell cell, Task<CellEnded?> running, bool stopped, bool byNotebook)
        {
            host.Interrupt(cell.Number);
            bool obeyed = await Task.WhenAny(running, Task.Delay(InterruptGrace)) == running;
            if (!obeyed)
            {
                host.Kill();
                await running;
            }

            string how = obeyed ? "It was interrupted." : "It did not react to being interrupted (blocked in native code?), so its process was killed.";
            (string name, string what) = (stopped, byNotebook) switch
            {
                (true, _) => ("RunStopped", "The run was stopped while this cell ran."),
                (_, true) => ("NotebookTimeout", $"The notebook took longer than its limit of {Words.Duration(options.Timeout!.Value)} (--timeout)."),
                _ => ("CellTimeout", $"The cell took longer than its limit of {Words.Duration(options.CellTimeout!.Value)} (--cell-timeout)."),
            };
            recording.Append(new ErrorOutput(name, $"{what} {how}", []));
            return stopped ? RunStatus.Stopped : RunStatus.TimedOut;
        }

        private async Task<RunStatus> CrashedAsync()
        {
            int exitCode = await host.Exited;
            string cause = host.ProtocolError is string problem
                ? $"The notebook's process sent something that the runner does not understand, and was ended: {problem}"
                : ExitCause.Describe(exitCode, host.PeakBytes, host.StderrTail);
            IReadOnlyList<string> lastLines = ExitCause.EndOf(host.StderrTail);
            recording.Append(new ErrorOutput("NotebookProcessDied", cause, lastLines.Count == 0 ? [cause] : [cause, "The end of its stderr:", .. lastLines]));
            return RunStatus.Crashed;
        }

        private void Describe(bool finished)
        {
            recording.Describe(new JsonObject
            {
                ["input"] = Path.GetFileName(job.InputPath),
                ["start"] = NotebookRecording.Stamp(_started),
                ["duration"] = Math.Round(_clock.Elapsed.TotalSeconds, 3),
                ["status"] = finished ? RunStatuses.NameOf(_status) : "running",
                ["peak_memory_bytes"] = host.PeakBytes,
            });
        }

        private static string FirstLine(Cell cell) =>
            cell.Source.Split('\n').Select(line => line.Trim()).FirstOrDefault(line => line.Length > 0 && !line.StartsWith('#') && !line.StartsWith("//", StringComparison.Ordinal))
            ?? cell.Source.Trim().Split('\n')[0].Trim();
    }
}
