// The runner's side of a notebook's process: start it, run cells in it, watch it live and die.

using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.IO.Pipes;
using System.Text;
using System.Text.Json;
using PaperLab.Notebooks.Format;

namespace PaperLab.Notebooks.Batch;

/// <summary>How to start this tool again as a notebook's process: a program and the arguments that come before the host's own.</summary>
public sealed record HostLaunch(string Program, IReadOnlyList<string> Arguments);

/// <summary>What a notebook's process shows, in order. Calls come from several threads.</summary>
internal interface IHostWatcher
{
    /// <summary>An event of the protocol other than a cell's end.</summary>
    void OnEvent(HostEvent message);

    /// <summary>Text that native code wrote.</summary>
    void OnNativeText(StreamName stream, string text);
}

/// <summary>One child process. Dispose ends it.</summary>
internal sealed class HostProcess : IDisposable
{
    // A page that closed its stdout never sends the mark; a process that it started may hold the streams open.
    private static readonly TimeSpan StreamGrace = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan MemoryPeriod = TimeSpan.FromMilliseconds(200);

    /// <summary>
    /// To be set to <see cref="Off"/> for a process that runs a notebook: it runs many small pieces of new code, and each would have its
    /// pages switched from writable to executable.
    /// </summary>
    public const string WriteXorExecute = "DOTNET_EnableWriteXorExecute", Off = "0";

    // Pipe ends meant for one child must not be inherited by another that starts at the same moment.
    private static readonly Lock StartGate = new();

    private readonly Process _process;
    private readonly AnonymousPipeServerStream _commands;
    private readonly AnonymousPipeServerStream _events;
    private readonly NativeStreamReader _stdout;
    private readonly NativeStreamReader _stderr;
    private readonly IHostWatcher _watcher;
    private readonly Thread _eventReader;
    private readonly Timer _memoryTimer;
    private readonly Lock _gate = new();
    private readonly Lock _memoryGate = new();
    private TaskCompletionSource<CellEnded?>? _running;
    private bool _exited;
    private long _peakBytes;
    private long _cellPeakBytes;

    private HostProcess(Process process, AnonymousPipeServerStream commands, AnonymousPipeServerStream events, string syncKey, IHostWatcher watcher)
    {
        (_process, _commands, _events, _watcher) = (process, commands, events, watcher);
        process.StandardInput.Close(); // there is nobody to type: a page that reads the console sees its end
        _stdout = new NativeStreamReader(process.StandardOutput.BaseStream, syncKey, "notebook stdout", text => watcher.OnNativeText(StreamName.Stdout, text));
        _stderr = new NativeStreamReader(process.StandardError.BaseStream, syncKey, "notebook stderr", text => watcher.OnNativeText(StreamName.Stderr, text));
        _eventReader = new Thread(ReadEvents) { IsBackground = true, Name = "notebook events" };
        _eventReader.Start();
        _memoryTimer = new Timer(_ => SampleMemory(), null, MemoryPeriod, MemoryPeriod);
        Exited = WatchExitAsync();
    }

    /// <summary>Completes with the exit code, once everything that the process wrote has been read.</summary>
    public Task<int> Exited { get; }

    /// <summary>Process id, for messages and tests.</summary>
    public int Id => _process.Id;

    /// <summary>Peak resident memory seen so far, in bytes.</summary>
    public long PeakBytes => Interlocked.Read(ref _peakBytes);

    /// <summary>Peak resident memory since the running cell began, in bytes; of the process so far where the system does not tell.</summary>
    public long CellPeakBytes
    {
        get
        {
            SampleMemory();
            return Interlocked.Read(ref _cellPeakBytes);
        }
    }

    /// <summary>The end of what the process wrote to stderr.</summary>
    public string StderrTail => _stderr.Tail;

    /// <summary>What the process did that this protocol does not know; null when it kept to it.</summary>
    public string? ProtocolError { get; private set; }

    /// <summary>Starts a process for the notebook at <paramref name="notebookPath"/>, in the notebook's folder.</summary>
    /// <exception cref="HostStartException">The process cannot be started.</exception>
    public static HostProcess Start(HostLaunch launch, string notebookPath, IHostWatcher watcher)
    {
        string syncKey = $"sync-{Guid.NewGuid():N}";
        lock (StartGate)
        {
            var commands = new AnonymousPipeServerStream(PipeDirection.Out, HandleInheritability.Inheritable);
            var events = new AnonymousPipeServerStream(PipeDirection.In, HandleInheritability.Inheritable);
            IEnumerable<string> arguments =
            [
                .. launch.Arguments,
                .. NotebookHost.Arguments(commands.GetClientHandleAsString(), events.GetClientHandleAsString(), notebookPath, syncKey),
            ];
            var start = new ProcessStartInfo(launch.Program, arguments)
            {
                WorkingDirectory = Path.GetDirectoryName(notebookPath)!,
                UseShellExecute = false,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            start.Environment.TryAdd(WriteXorExecute, Off); // what the user has set stays
            try
            {
                return new HostProcess(Process.Start(start)!, commands, events, syncKey, watcher);
            }
            catch (Win32Exception error)
            {
                commands.Dispose();
                events.Dispose();
                throw new HostStartException($"The process for {notebookPath} could not be started ({launch.Program}): {error.Message}", error);
            }
            finally
            {
                commands.DisposeLocalCopyOfClientHandle();
                events.DisposeLocalCopyOfClientHandle();
            }
        }
    }

    /// <summary>Runs one cell; null when the process ended before the cell did.</summary>
    public async Task<CellEnded?> RunCellAsync(RunCell cell)
    {
        ResetCellPeak();
        Task<CellEnded?> ended = Begin();
        Task marks = Task.WhenAll(_stdout.MarkAsync(cell.Number), _stderr.MarkAsync(cell.Number));
        Send(cell);
        CellEnded? result = await ended;
        if (!marks.IsCompleted)
        {
            await Task.WhenAny(marks, Task.Delay(StreamGrace));
        }

        return result;
    }

    /// <summary>Asks the child to end cell <paramref name="number"/>.</summary>
    public void Interrupt(int number) => Send(new InterruptCell(number));

    /// <summary>Ends the process, and what it started, at once.</summary>
    public void Kill()
    {
        try
        {
            _process.Kill(entireProcessTree: true);
        }
        catch (Exception error) when (error is InvalidOperationException or Win32Exception or AggregateException)
        {
            // It ended in the same moment, or some process below it did; either way Exited tells.
        }
    }

    /// <summary>Closes the command pipe, which tells the child to end, and waits until it has; a child that does not is killed.</summary>
    public async Task StopAsync(TimeSpan grace)
    {
        SampleMemory();
        _commands.Dispose();
        if (await Task.WhenAny(Exited, Task.Delay(grace)) != Exited)
        {
            Kill();
            await Exited;
        }
    }

    public void Dispose()
    {
        Kill();
        _memoryTimer.Dispose();
        _commands.Dispose();
        _events.Dispose();
        _process.Dispose();
    }

    private Task<CellEnded?> Begin()
    {
        lock (_gate)
        {
            _running = new TaskCompletionSource<CellEnded?>(TaskCreationOptions.RunContinuationsAsynchronously);
            if (_exited)
            {
                _running.SetResult(null);
            }

            return _running.Task;
        }
    }

    private void Send(HostCommand command)
    {
        byte[] line = [.. JsonSerializer.SerializeToUtf8Bytes(command, HostJson.Lines.HostCommand), (byte)'\n'];
        try
        {
            _commands.Write(line);
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            // The child is gone; Exited tells why.
        }
    }

    private void ReadEvents()
    {
        using var lines = new StreamReader(_events, Encoding.UTF8);
        try
        {
            while (lines.ReadLine() is string line)
            {
                HostEvent message = JsonSerializer.Deserialize(line, HostJson.Lines.HostEvent)!;
                if (message is CellEnded ended)
                {
                    _running?.TrySetResult(ended);
                }
                else
                {
                    _watcher.OnEvent(message);
                }
            }
        }
        catch (Exception error) when (error is JsonException or InvalidDataException)
        {
            ProtocolError = error.Message;
            Kill();
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            // The pipe broke with the process.
        }
    }

    private async Task<int> WatchExitAsync()
    {
        await _process.WaitForExitAsync();
        _eventReader.Join(StreamGrace);
        _stdout.Join(StreamGrace);
        _stderr.Join(StreamGrace);
        lock (_gate)
        {
            _exited = true;
            _running?.TrySetResult(null);
        }

        return _process.ExitCode;
    }

    private void SampleMemory()
    {
        lock (_memoryGate)
        {
            try
            {
                _cellPeakBytes = Math.Max(_cellPeakBytes, OperatingSystem.IsLinux() ? LinuxPeakBytes() : PeakBytesOfProcess());
                _peakBytes = Math.Max(_peakBytes, _cellPeakBytes);
            }
            catch (Exception error) when (error is InvalidOperationException or Win32Exception or IOException)
            {
                // It has ended: the last sample stands.
            }
        }
    }

    /// <summary>Sets the kernel's peak counter of the process anew, so that a small cell after a large one does not show its peak.</summary>
    private void ResetCellPeak()
    {
        SampleMemory();
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        lock (_memoryGate)
        {
            try
            {
                File.WriteAllText($"/proc/{_process.Id}/clear_refs", "5"); // see proc_pid_clear_refs(5)
                _cellPeakBytes = 0;
            }
            catch (Exception error) when (error is InvalidOperationException or IOException or UnauthorizedAccessException)
            {
                // It has ended, or a kernel or a container without it.
            }
        }
    }

    // Process reads the state of every thread to learn this; for many small cells that was a tenth of the runner's work.
    private long LinuxPeakBytes()
    {
        const string Field = "VmHWM:";
        string? line = File.ReadLines($"/proc/{_process.Id}/status").FirstOrDefault(line => line.StartsWith(Field, StringComparison.Ordinal));
        return line is null ? 0 : 1024 * long.Parse(line.AsSpan(Field.Length, line.Length - Field.Length - " kB".Length), CultureInfo.InvariantCulture);
    }

    private long PeakBytesOfProcess()
    {
        _process.Refresh();
        return Math.Max(_process.PeakWorkingSet64, _process.WorkingSet64); // macOS knows only the second
    }
}

/// <summary>A notebook's process could not be started: the machine's fault, not the notebook's.</summary>
public sealed class HostStartException(string message, Exception cause) : Exception(message, cause);
