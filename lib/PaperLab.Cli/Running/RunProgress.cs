// Progress of a batch: a live bar per notebook on a terminal, plain lines elsewhere.

using PaperLab.Notebooks.Batch;
using PaperLab.Notebooks.Format;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace PaperLab.Cli.Running;

/// <summary>Shows a batch while it runs.</summary>
internal static class RunProgress
{
    /// <summary>Runs <paramref name="run"/> with the watcher that suits where we write.</summary>
    public static async Task ShowAsync(IReadOnlyList<NotebookJob> jobs, BatchRequest request, Func<IRunWatcher, Task> run)
    {
        // With --json stdout belongs to the summary.
        TextWriter writer = request.Json ? Console.Error : Console.Out;
        bool redirected = request.Json ? Console.IsErrorRedirected : Console.IsOutputRedirected;
        bool prefix = jobs.Count > 1;
        if (!Terminal.IsLive(redirected))
        {
            await run(new PlainProgress(writer, prefix, request.Jobs > 1, request.Quiet));
            return;
        }

        IAnsiConsole console = Terminal.Create(writer, redirected);
        await console.Progress()
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new ElapsedTimeColumn())
            .StartAsync(context => run(new LiveProgress(console, context, prefix, request.Quiet)));
    }
}

/// <summary>
/// A line when a notebook's cell starts and ends, and what it prints. Where several notebooks run at once, all of that comes in one block
/// when the cell ends, so that their lines do not mingle.
/// </summary>
internal sealed class PlainProgress(TextWriter writer, bool prefix, bool blocks, bool quiet) : IRunWatcher
{
    private static readonly TimeSpan UpdatePeriod = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly Dictionary<NotebookJob, OutputEcho> _echoes = [];
    private readonly Dictionary<NotebookJob, StringWriter> _blocks = [];
    private long _lastUpdate;

    public void CellStarted(NotebookJob job, int number, int total, string label)
    {
        lock (_gate)
        {
            EchoOf(job).BeginCell();
            WriterOf(job).WriteLine($"{job.Name} [{number}/{total}] {label}");
        }
    }

    public void OutputArrived(NotebookJob job, CellOutput output)
    {
        if (quiet)
        {
            return;
        }

        lock (_gate)
        {
            EchoOf(job).Write(output);
        }
    }

    public void OutputUpdated(NotebookJob job, MimeBundle data)
    {
        lock (_gate)
        {
            if (!quiet && Environment.TickCount64 - _lastUpdate > UpdatePeriod.TotalMilliseconds)
            {
                _lastUpdate = Environment.TickCount64;
                WriteLine(writer, job, data.LastLine); // of a cell that runs: not to be kept back
            }
        }
    }

    public void CellEnded(NotebookJob job, CellReport cell)
    {
        lock (_gate)
        {
            EchoOf(job).EndLine();
            if (cell.Status != RunStatus.Passed || cell.Duration > TimeSpan.FromSeconds(1))
            {
                WriterOf(job).WriteLine($"{job.Name} cell {cell.Number} {RunStatuses.NameOf(cell.Status)} after {Words.Duration(cell.Duration)}");
            }

            if (_blocks.Remove(job, out StringWriter? block))
            {
                writer.Write(block);
            }
        }
    }

    public void MemorySampled(NotebookJob job, long peakBytes)
    {
    }

    private OutputEcho EchoOf(NotebookJob job)
    {
        if (!_echoes.TryGetValue(job, out OutputEcho? echo))
        {
            _echoes[job] = echo = new OutputEcho(line => WriteLine(WriterOf(job), job, line));
        }

        return echo;
    }

    private TextWriter WriterOf(NotebookJob job)
    {
        if (!blocks)
        {
            return writer;
        }

        if (!_blocks.TryGetValue(job, out StringWriter? block))
        {
            _blocks[job] = block = new StringWriter();
        }

        return block;
    }

    private void WriteLine(TextWriter to, NotebookJob job, string line) => to.WriteLine(prefix ? $"{job.Name} | {line}" : $"  {line}");
}

/// <summary>A bar per notebook: its cells, the one that runs, elapsed time, peak memory; what cells print scrolls above.</summary>
internal sealed class LiveProgress(IAnsiConsole console, ProgressContext context, bool prefix, bool quiet) : IRunWatcher
{
    private const int LabelWidth = 44;

    private readonly Lock _gate = new();
    private readonly Dictionary<NotebookJob, Row> _rows = [];

    private sealed record Row(ProgressTask Task, OutputEcho Echo)
    {
        public string Label { get; set; } = "";

        public long PeakBytes { get; set; }
    }

    public void CellStarted(NotebookJob job, int number, int total, string label)
    {
        lock (_gate)
        {
            Row row = RowOf(job);
            row.Echo.BeginCell();
            row.Task.MaxValue = total;
            row.Task.Value = number - 1;
            row.Label = $"{number}/{total} {label}";
            Describe(job, row);
        }
    }

    public void OutputArrived(NotebookJob job, CellOutput output)
    {
        if (quiet)
        {
            return;
        }

        lock (_gate)
        {
            RowOf(job).Echo.Write(output);
        }
    }

    public void OutputUpdated(NotebookJob job, MimeBundle data)
    {
        lock (_gate)
        {
            Row row = RowOf(job);
            row.Label = data.LastLine;
            Describe(job, row);
        }
    }

    public void CellEnded(NotebookJob job, CellReport cell)
    {
        lock (_gate)
        {
            Row row = RowOf(job);
            row.Echo.EndLine();
            if (cell.Status == RunStatus.Passed)
            {
                row.Task.Increment(1);
            }
            else
            {
                row.Label = $"{RunStatuses.NameOf(cell.Status)} in {cell.Label}";
                Describe(job, row);
                row.Task.StopTask();
            }
        }
    }

    public void MemorySampled(NotebookJob job, long peakBytes)
    {
        lock (_gate)
        {
            Row row = RowOf(job);
            row.PeakBytes = peakBytes;
            Describe(job, row);
        }
    }

    private Row RowOf(NotebookJob job)
    {
        if (!_rows.TryGetValue(job, out Row? row))
        {
            var echo = new OutputEcho(line => WriteLine(prefix ? $"{job.Name} | {line}" : $"  {line}"));
            _rows[job] = row = new Row(context.AddTask(Markup.Escape(job.Name)), echo);
        }

        return row;
    }

    // Row by row: the live region is redrawn after each write, and a line of two rows would leave the old bar in its second.
    private void WriteLine(string line)
    {
        foreach (SegmentLine row in Segment.SplitLines([new Segment(line)], console.Profile.Width))
        {
            console.WriteLine(string.Concat(row.Select(segment => segment.Text)));
        }
    }

    private static void Describe(NotebookJob job, Row row)
    {
        string label = row.Label.Length > LabelWidth ? row.Label[..(LabelWidth - 1)] + "…" : row.Label;
        string memory = row.PeakBytes > 0 ? $" {Words.Bytes(row.PeakBytes)}" : "";
        row.Task.Description = $"[bold]{Markup.Escape(job.Name)}[/] {Markup.Escape(label.PadRight(LabelWidth))}[grey]{memory}[/]";
    }
}
