// Lets one call at a time through to the sink: a cell's own thread, its tasks and its timers may all write at once. An
// interrupted cell that shows something ends here.

using PaperLab.Notebooks.Format;

namespace PaperLab.Notebooks.Script;

/// <summary>A sink with a lock around it, whose calls are never cut off half way.</summary>
internal sealed class SerialSink(ICellOutputSink inner) : ICellOutputSink
{
    // An object and not a Lock: an interrupted thread may be stopped between Lock.EnterScope and the try that would release it.
    private readonly object _gate = new();

    public void Append(CellOutput output) => Whole(() => inner.Append(output));

    public void Update(string displayId, MimeBundle data) => Whole(() => inner.Update(displayId, data));

    public void Clear(bool wait) => Whole(() => inner.Clear(wait));

    // The runtime does not interrupt a finally block: what goes out (a message on a pipe, say) goes out whole or not at all.
    private void Whole(Action call)
    {
        PageThread.Checkpoint();
        try
        {
        }
        finally
        {
            lock (_gate)
            {
                call();
            }
        }
    }
}
