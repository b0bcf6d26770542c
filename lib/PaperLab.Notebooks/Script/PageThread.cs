// The one thread that a notebook's cells run on, until one of them is interrupted. Continuations of an await come back to it, so
// that what a library keeps by thread (torch's gradient mode, for one) stays the same from cell to cell.

using System.Collections.Concurrent;
using System.Runtime;

namespace PaperLab.Notebooks.Script;

/// <summary>A thread with a queue, on which work can be interrupted even in a busy loop.</summary>
internal sealed class PageThread : IDisposable
{
    private const int StackBytes = 16 << 20;

    // How long a cancelled cell has to end by itself.
    private static readonly TimeSpan Notice = TimeSpan.FromMilliseconds(100);

    [ThreadStatic]
    private static CancellationToken t_cancel;

    private readonly BlockingCollection<Action> _work = [];
    private readonly Thread _thread;

    public PageThread()
    {
        _thread = new Thread(Loop, StackBytes) { IsBackground = true, Name = "notebook page" };
        _thread.Start();
    }

    /// <summary>Runs <paramref name="function"/> on the thread.</summary>
    public Task<T> Invoke<T>(Func<T> function)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _work.Add(() =>
        {
            try
            {
                done.SetResult(function());
            }
            catch (Exception error)
            {
                done.SetException(error);
            }
        });
        return done.Task;
    }

    /// <summary>Stops taking work; the thread ends when what it runs does.</summary>
    public void Dispose() => _work.CompleteAdding();

    /// <summary>
    /// On the thread itself: runs asynchronous work to its end. A cancelled <paramref name="cancel"/> ends it wherever it is:
    /// waiting in an await, at a <see cref="Checkpoint"/>, or, a moment later, busy in managed code. Only a blocked native call
    /// cannot be ended so. A thread on which work was cancelled is not to be used again.
    /// </summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static T RunToEnd<T>(Func<Task<T>> start, CancellationToken cancel)
    {
        // An abort is the last resort: .NET 10 may die of it or leave a lock of its own taken, depending on where it strikes, and
        // a thread that was aborted in a busy loop cannot be aborted there again.
        using var abort = new CancellationTokenSource();
        using CancellationTokenRegistration notice = cancel.UnsafeRegister(PrepareAbort, abort);
        using var pump = new Pump();
        SynchronizationContext? before = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(pump);
        t_cancel = cancel;
        Task<T>? task = null;
        try
        {
#pragma warning disable SYSLIB0046 // Aborting managed code is what an interrupted cell asks for; the process serves one notebook and may be ended after it.
            ControlledExecution.Run(
                () =>
                {
                    task = start();
                    pump.RunUntil(task, cancel);
                },
                abort.Token);
#pragma warning restore SYSLIB0046
        }
        finally
        {
            t_cancel = default;
            SynchronizationContext.SetSynchronizationContext(before);
        }

        return task!.GetAwaiter().GetResult();
    }

    /// <summary>A place where an interrupted cell ends in good order: throws if the calling thread runs one.</summary>
    /// <exception cref="OperationCanceledException">It does.</exception>
    public static void Checkpoint() => t_cancel.ThrowIfCancellationRequested();

    private static void PrepareAbort(object? abort)
    {
        // The aborted thread makes its own ThreadAbortException, whose message it reads from the runtime's resources under a lock.
        // The first time takes so long that the abort can strike there once more and leave the lock taken.
        Activator.CreateInstance(typeof(ThreadAbortException), nonPublic: true);
        ((CancellationTokenSource)abort!).CancelAfter(Notice);
    }

    private void Loop()
    {
        foreach (Action work in _work.GetConsumingEnumerable())
        {
            work();
        }
    }

    /// <summary>Runs what is posted to it on the thread that pumps.</summary>
    private sealed class Pump : SynchronizationContext, IDisposable
    {
        private readonly BlockingCollection<(SendOrPostCallback Callback, object? State)> _posted = [];

        // An object and not a Lock, which an interrupted thread could leave locked.
        private readonly object _gate = new();
        private bool _closed;

        public override void Post(SendOrPostCallback d, object? state)
        {
            lock (_gate)
            {
                if (!_closed)
                {
                    _posted.Add((d, state));
                    return;
                }
            }

            // Work that outlives its cell goes on in the thread pool.
            ThreadPool.QueueUserWorkItem(_ => d(state));
        }

        public void RunUntil(Task task, CancellationToken cancel)
        {
            task.ContinueWith(_ => Post(static _ => { }, null), TaskScheduler.Default);
            while (!task.IsCompleted)
            {
                (SendOrPostCallback callback, object? state) = _posted.Take(cancel);
                callback(state);
            }
        }

        public void Dispose()
        {
            lock (_gate)
            {
                _closed = true;
            }

            while (_posted.TryTake(out (SendOrPostCallback Callback, object? State) left))
            {
                ThreadPool.QueueUserWorkItem(_ => left.Callback(left.State));
            }
        }
    }
}
