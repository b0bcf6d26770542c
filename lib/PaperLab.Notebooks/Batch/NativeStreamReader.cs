// The runner's side of a child's stdout or stderr: text goes to the cell that runs, marks say that a cell's text is complete.

using System.Text;

namespace PaperLab.Notebooks.Batch;

/// <summary>Reads one stream to its end on a thread of its own.</summary>
internal sealed class NativeStreamReader
{
    private const int TailCharacters = 16 * 1024;
    private const char MarkEnd = '\u0003';

    private readonly Stream _stream;
    private readonly string _markStart;
    private readonly Action<string> _onText;
    private readonly Thread _thread;
    private readonly Lock _gate = new();
    private readonly StringBuilder _tail = new();
    private readonly StringBuilder _pending = new();
    private TaskCompletionSource? _waiter;
    private int _awaited;
    private int _reached;

    /// <summary>Starts reading.</summary>
    public NativeStreamReader(Stream stream, string syncKey, string name, Action<string> onText)
    {
        (_stream, _markStart, _onText) = (stream, NativeStreams.MarkStart(syncKey), onText);
        _thread = new Thread(Read) { IsBackground = true, Name = name };
        _thread.Start();
    }

    /// <summary>The last few thousand characters of the whole run.</summary>
    public string Tail
    {
        get
        {
            lock (_gate)
            {
                return _tail.ToString();
            }
        }
    }

    /// <summary>Completes when the mark of cell <paramref name="cell"/> was read, or at the stream's end.</summary>
    public Task MarkAsync(int cell)
    {
        lock (_gate)
        {
            if (_reached >= cell)
            {
                return Task.CompletedTask;
            }

            _awaited = cell;
            _waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _waiter.Task;
        }
    }

    /// <summary>Waits for the stream's end; a process that the notebook started may hold it open, so not for ever.</summary>
    public void Join(TimeSpan timeout) => _thread.Join(timeout);

    private void Read()
    {
        var bytes = new byte[64 * 1024];
        var characters = new char[bytes.Length + 1];
        Decoder decoder = Encoding.UTF8.GetDecoder();
        int count;
        while ((count = ReadSome(bytes)) > 0)
        {
            int decoded = decoder.GetChars(bytes, 0, count, characters, 0);
            Split(characters.AsSpan(0, decoded));
        }

        Emit(_pending.ToString());
        Reach(int.MaxValue);
    }

    private int ReadSome(byte[] buffer)
    {
        try
        {
            return _stream.Read(buffer);
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            return 0; // the pipe broke with the process
        }
    }

    /// <summary>Passes text on and takes marks out; what may be the start of a mark waits for the rest of it.</summary>
    private void Split(ReadOnlySpan<char> text)
    {
        if (_pending.Length > 0)
        {
            text = _pending.Append(text).ToString();
            _pending.Clear();
        }

        int start;
        while ((start = text.IndexOf(_markStart[0])) >= 0)
        {
            ReadOnlySpan<char> rest = text[start..];
            bool whole = rest.StartsWith(_markStart);
            if (!whole && !_markStart.AsSpan().StartsWith(rest))
            {
                Emit(text[..(start + 1)].ToString());
                text = text[(start + 1)..];
                continue;
            }

            Emit(text[..start].ToString());
            int end = rest.IndexOf(MarkEnd);
            if (end < 0)
            {
                _pending.Append(rest);
                return;
            }

            Reach(int.Parse(rest[_markStart.Length..end]));
            text = rest[(end + 1)..];
        }

        Emit(text.ToString());
    }

    private void Emit(string text)
    {
        if (text.Length == 0)
        {
            return;
        }

        lock (_gate)
        {
            _tail.Append(text);
            if (_tail.Length > 2 * TailCharacters)
            {
                _tail.Remove(0, _tail.Length - TailCharacters);
            }
        }

        _onText(text);
    }

    private void Reach(int cell)
    {
        lock (_gate)
        {
            _reached = Math.Max(_reached, cell);
            if (_reached >= _awaited)
            {
                _waiter?.TrySetResult();
            }
        }
    }
}
