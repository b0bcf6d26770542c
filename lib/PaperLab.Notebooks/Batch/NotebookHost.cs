// The child's side: one process per notebook, so that a crash, a leak or an endless loop in a notebook ends that process only.
// Commands arrive on one inherited pipe, events leave on another. What native code writes to stdout and stderr goes to the
// runner by those streams themselves, so that the last words of a dying process arrive too.

using System.Collections.Concurrent;
using System.IO.Pipes;
using System.Runtime.InteropServices;
using System.Text.Json;
using PaperLab.Notebooks.Script;

namespace PaperLab.Notebooks.Batch;

/// <summary>Runs cells for a runner in another process.</summary>
public sealed class NotebookHost : IDisposable
{
    /// <summary>The hidden command under which the tool starts itself as a notebook's process.</summary>
    public const string CommandName = "notebook-host";

    private readonly BlockingCollection<RunCell> _cells = [];
    private readonly AnonymousPipeClientStream _commands;
    private readonly HostEventWriter _events;
    private readonly NativeStreams _native;
    private readonly string _notebookPath;
    private readonly Lock _gate = new();
    private CancellationTokenSource? _interrupt;
    private int _running;

    private NotebookHost(string commandPipe, string eventPipe, string notebookPath, string syncKey)
    {
        _commands = new AnonymousPipeClientStream(PipeDirection.In, commandPipe);
        var events = new AnonymousPipeClientStream(PipeDirection.Out, eventPipe);
        NativeStreams.KeepFromChildren(_commands.SafePipeHandle);
        NativeStreams.KeepFromChildren(events.SafePipeHandle);
        _events = new HostEventWriter(events);
        _native = new NativeStreams(syncKey);
        _notebookPath = notebookPath;
    }

    /// <summary>The arguments after the command name, as <see cref="Run"/> takes them.</summary>
    internal static IEnumerable<string> Arguments(string commandPipe, string eventPipe, string notebookPath, string syncKey) =>
        [commandPipe, eventPipe, notebookPath, syncKey];

    /// <summary>Serves until the runner closes the command pipe; returns the process's exit code.</summary>
    public static int Run(IReadOnlyList<string> arguments)
    {
        if (arguments is not [string commandPipe, string eventPipe, string notebookPath, string syncKey])
        {
            Console.Error.WriteLine($"{CommandName} is started by `paperlab run`, with two pipes; it is of no use by hand.");
            return 2;
        }

        _ = ScriptSession.WarmUp();

        // A terminal sends Ctrl-C to every process of the group; the runner alone decides what happens then.
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => context.Cancel = true);
        using PosixSignalRegistration hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => context.Cancel = true);
        using var host = new NotebookHost(commandPipe, eventPipe, notebookPath, syncKey);
        new Thread(host.ReadCommands) { IsBackground = true, Name = "commands" }.Start();
        host.RunCells();
        return 0;
    }

    /// <summary>Lets go of the pipes.</summary>
    public void Dispose()
    {
        _commands.Dispose();
        _cells.Dispose();
    }

    private void RunCells()
    {
        using var session = new ScriptSession(Path.GetDirectoryName(_notebookPath)!, _events);
        foreach (RunCell cell in _cells.GetConsumingEnumerable())
        {
            using var interrupt = new CancellationTokenSource();
            lock (_gate)
            {
                (_running, _interrupt) = (cell.Number, interrupt);
            }

            (int, string, string)? next = cell.Next is { } after ? (after.Number, after.Source, after.Language) : null;
            CellResult result = session.RunAsync(cell.Source, cell.Number, cell.Language, next, cancel: interrupt.Token).GetAwaiter().GetResult();
            lock (_gate)
            {
                (_running, _interrupt) = (0, null);
            }

            _native.FlushAndMark(cell.Number);
            _events.Send(new CellEnded(cell.Number, result.Succeeded));
        }
    }

    private void ReadCommands()
    {
        using var lines = new StreamReader(_commands);
        while (lines.ReadLine() is string line)
        {
            switch (JsonSerializer.Deserialize(line, HostJson.Lines.HostCommand))
            {
                case RunCell cell:
                    _cells.Add(cell);
                    break;
                case InterruptCell interrupt:
                    Interrupt(interrupt.Number);
                    break;
            }
        }

        Exit();
    }

    private void Interrupt(int cell)
    {
        lock (_gate)
        {
            if (_running == cell)
            {
                _interrupt?.Cancel();
            }
        }
    }

    /// <summary>The runner closed the pipe or is gone.</summary>
    private void Exit()
    {
        bool busy;
        lock (_gate)
        {
            busy = _running != 0 || _cells.Count > 0;
        }

        HostExit.Leave(busy);
    }
}
