// Lets one call at a time through to the sink: a cell's own thread, its tasks and its timers may all write at once.

using PaperLab.Notebooks.Format;

namespace PaperLab.Notebooks.Script;

/// <summary>A sink with a lock around it.</summary>
internal sealed class SerialSink(ICellOutputSink inner) : ICellOutputSink
{
    private readonly Lock _gate = new();

    public void Append(CellOutput output)
    {
        lock (_gate)
        {
            inner.Append(output);
        }
    }

    public void Update(string displayId, MimeBundle data)
    {
        lock (_gate)
        {
            inner.Update(displayId, data);
        }
    }

    public void Clear(bool wait)
    {
        lock (_gate)
        {
            inner.Clear(wait);
        }
    }
}
