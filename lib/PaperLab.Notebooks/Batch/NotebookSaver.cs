// Saves a recording as it grows, off the run's path: a slow or full disk never holds up a cell.

namespace PaperLab.Notebooks.Batch;

/// <summary>Writes a recording to its file when it has changed, at most about once a second. Each write is all or nothing.</summary>
internal sealed class NotebookSaver : IDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    private readonly NotebookRecording _recording;
    private readonly string _path;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;
    private long _savedVersion;

    /// <summary>Saves once, at once, so that a folder that cannot be written is known before anything runs; then keeps saving.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The file or its folder may not be written.</exception>
    public NotebookSaver(NotebookRecording recording, string path)
    {
        (_recording, _path) = (recording, path);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        Save();
        _loop = Task.Run(SaveInBackgroundAsync);
    }

    /// <summary>Saves a last time. Returns why that failed, or null.</summary>
    public async Task<string?> FinishAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        return TrySave();
    }

    public void Dispose()
    {
        _stop.Cancel();
        _stop.Dispose();
    }

    private async Task SaveInBackgroundAsync()
    {
        TimeSpan pause = Period;
        while (!_stop.IsCancellationRequested)
        {
            await Task.Delay(pause, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!_stop.IsCancellationRequested && _recording.Version != _savedVersion)
            {
                // A save that fails now is tried again: the disk may have room by the end. Only the last one counts.
                long start = Environment.TickCount64;
                TrySave();
                pause = TimeSpan.FromMilliseconds(Math.Max(Period.TotalMilliseconds, 10 * (Environment.TickCount64 - start)));
            }
        }
    }

    private string? TrySave()
    {
        try
        {
            Save();
            return null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return error.Message;
        }
    }

    private void Save()
    {
        (byte[] bytes, long version) = _recording.Render();
        Format.AtomicFile.Write(_path, bytes);
        _savedVersion = version;
    }
}
