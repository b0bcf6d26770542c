// The executed notebook while it grows: outputs go to their cells, and a saver writes the whole about once a second,
// so that even a runner that is killed leaves a valid notebook.

using System.Text.Json.Nodes;
using PaperLab.Notebooks.Format;

namespace PaperLab.Notebooks.Batch;

/// <summary>Records a run into a notebook. Safe from any thread.</summary>
internal sealed class NotebookRecording(NotebookJob job, IRunWatcher watcher, OutputLimits limits) : IHostWatcher
{
    /// <summary>The metadata key, of cells and of the notebook, under which the run leaves its times and states.</summary>
    public const string MetadataKey = "paperlab";

    private readonly Lock _gate = new();
    private readonly Dictionary<Cell, CellRecorder> _recorders = [];
    private readonly HashSet<Cell> _changed = [];
    private readonly Dictionary<string, HashSet<Cell>> _displays = [];
    private Cell? _current;

    /// <summary>Counts changes, so that a saver knows whether there is anything new.</summary>
    public long Version { get; private set; }

    /// <summary>The error that the running cell, or the last one, ended in.</summary>
    public ErrorOutput? LastError { get; private set; }

    /// <summary>Makes a cell the one that outputs go to.</summary>
    public void Begin(Cell cell, int number, DateTimeOffset start)
    {
        lock (_gate)
        {
            LastError = null;
            _current = cell;
            _recorders[cell] = new CellRecorder(limits);
            cell.ExecutionCount = number;
            cell.Metadata[MetadataKey] = new JsonObject { ["start"] = Stamp(start), ["status"] = "running" };
            Changed(cell);
        }
    }

    /// <summary>Writes down how the current cell ended.</summary>
    public void End(Cell cell, DateTimeOffset start, TimeSpan duration, RunStatus status)
    {
        lock (_gate)
        {
            cell.Metadata[MetadataKey] = new JsonObject
            {
                ["start"] = Stamp(start),
                ["duration"] = Math.Round(duration.TotalSeconds, 6),
                ["status"] = RunStatuses.NameOf(status),
            };
            Changed(cell);
        }
    }

    /// <summary>Writes something about the run as a whole into the notebook's metadata.</summary>
    public void Describe(JsonObject run)
    {
        lock (_gate)
        {
            job.Notebook.Metadata[MetadataKey] = run;
            Version++;
        }
    }

    /// <summary>Appends an output to the current cell.</summary>
    public void Append(CellOutput output)
    {
        lock (_gate)
        {
            if (_current is not Cell cell)
            {
                return; // native code that writes before the first cell: there is no place for it on the page
            }

            LastError = output as ErrorOutput ?? LastError;
            _recorders[cell].Append(output);
            if (output is DisplayOutput { DisplayId: string id })
            {
                if (!_displays.TryGetValue(id, out HashSet<Cell>? cells))
                {
                    _displays[id] = cells = [];
                }

                cells.Add(cell);
            }

            Changed(cell);
        }

        watcher.OutputArrived(job, output);
    }

    public void OnEvent(HostEvent message)
    {
        switch (message)
        {
            case OutputAppended { Error.Name: "Interrupted" }:
                break; // the runner asked for it, and writes down why
            case OutputAppended appended:
                Append(appended.Output is ResultOutput result ? result with { ExecutionCount = _current?.ExecutionCount } : appended.Output);
                break;
            case OutputUpdated updated:
                Update(updated);
                break;
            case OutputCleared cleared:
                Clear(cleared.Wait);
                break;
        }
    }

    public void OnNativeText(StreamName stream, string text) => Append(new StreamOutput(stream, text));

    /// <summary>The notebook as it stands, as the bytes of an .ipynb file, with the version that they are of.</summary>
    public (byte[] Bytes, long Version) Render()
    {
        lock (_gate)
        {
            foreach (Cell cell in _changed)
            {
                cell.Outputs.Clear();
                foreach (CellOutput output in _recorders[cell].ToOutputs())
                {
                    cell.Outputs.Add(output);
                }
            }

            _changed.Clear();
            return (job.Notebook.ToBytes(NotebookFormat.Ipynb), Version);
        }
    }

    /// <summary>A time as metadata shows it: UTC, ISO 8601.</summary>
    public static string Stamp(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ");

    private void Update(OutputUpdated updated)
    {
        lock (_gate)
        {
            foreach (Cell cell in _displays.GetValueOrDefault(updated.DisplayId) ?? [])
            {
                _recorders[cell].Update(updated.DisplayId, updated.Data);
                Changed(cell);
            }
        }

        watcher.OutputUpdated(job, updated.Data);
    }

    private void Clear(bool wait)
    {
        lock (_gate)
        {
            if (_current is Cell cell)
            {
                _recorders[cell].Clear(wait);
                Changed(cell);
            }
        }
    }

    private void Changed(Cell cell)
    {
        _changed.Add(cell);
        Version++;
    }
}
