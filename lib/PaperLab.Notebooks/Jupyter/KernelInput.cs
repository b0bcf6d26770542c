// Questions of a running cell to the front end that runs it.

using PaperLab.Notebooks.Script;

namespace PaperLab.Notebooks.Jupyter;

/// <summary>Asks on the stdin channel. One question at a time: a front end shows one field.</summary>
internal sealed class KernelInput(KernelWire wire, Action flush) : IInputSource
{
    private readonly object _gate = new(); // not a Lock, which an interrupted thread could leave locked
    private KernelRequest? _request;
    private bool _allowed;
    private CancellationToken _cancel;
    private TaskCompletionSource<string>? _pending;

    /// <summary>From here on whoever sent <paramref name="request"/> is asked, if that is <paramref name="allowed"/>; <paramref name="cancel"/> ends the waiting.</summary>
    public void Begin(KernelRequest request, bool allowed, CancellationToken cancel)
    {
        lock (_gate)
        {
            (_request, _allowed, _cancel) = (request, allowed, cancel);
        }
    }

    /// <summary>Nobody is asked, until the next <see cref="Begin"/>; a question that is open is withdrawn.</summary>
    public void End()
    {
        lock (_gate)
        {
            _request = null;
            _pending?.TrySetCanceled(CancellationToken.None);
            _pending = null;
        }
    }

    /// <summary>The answer came.</summary>
    public void Answer(string line)
    {
        lock (_gate)
        {
            _pending?.TrySetResult(line);
            _pending = null;
        }
    }

    public Task<string> AskAsync(string prompt, bool hidden)
    {
        PageThread.Checkpoint();
        lock (_gate)
        {
            if (_request is null || !_allowed)
            {
                throw new InvalidOperationException(_request is null
                    ? "Nobody can be asked: the cell that asks has ended."
                    : "Nobody can be asked: the front end that runs this cell does not take questions (allow_stdin is false). Put the value into the cell tagged \"parameters\".");
            }

            if (_pending is not null)
            {
                throw new InvalidOperationException("The cell has asked something else, and there is no answer yet: ask one question at a time.");
            }

            var pending = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
            _pending = pending;
            _cancel.Register(() => pending.TrySetCanceled());
            flush(); // what the cell printed before stands above the field
            wire.Ask(_request, content =>
            {
                content.WriteString("prompt", prompt);
                content.WriteBoolean("password", hidden);
            });
            return pending.Task;
        }
    }
}
