// What a cell shows, as messages on the iopub channel. Text is sent as it comes, but not more often than a front end can draw: a server
// stops a kernel that sends a thousand messages a second.

using System.Text;
using System.Text.Json;
using PaperLab.Notebooks.Format;
using PaperLab.Notebooks.Script;

namespace PaperLab.Notebooks.Jupyter;

/// <summary>The outlet of the running cell; after its end, what it left running in the background shows in the same place.</summary>
internal sealed class KernelOutput : ICellOutputSink, IDisposable
{
    private const int MostCharacters = 64 * 1024;
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(25);

    private readonly KernelWire _wire;
    private readonly Timer _timer;
    private readonly object _gate = new(); // not a Lock, which an interrupted thread could leave locked
    private readonly StringBuilder _text = new();
    private StreamName _stream;
    private long _sent;
    private KernelRequest? _request;
    private bool _muted;

    public KernelOutput(KernelWire wire)
    {
        _wire = wire;
        _timer = new Timer(_ =>
        {
            lock (_gate)
            {
                SendText(all: false);
            }
        });
    }

    /// <summary>From here on what is shown belongs to <paramref name="request"/>; with <paramref name="muted"/>, nothing is shown.</summary>
    public void Begin(KernelRequest request, bool muted)
    {
        lock (_gate)
        {
            SendText(all: true);
            (_request, _muted) = (request, muted);
        }
    }

    /// <summary>Shows nothing, until the next <see cref="Begin"/>.</summary>
    public void Mute()
    {
        lock (_gate)
        {
            SendText(all: true);
            _muted = true;
        }
    }

    /// <summary>Sends what is held back.</summary>
    public void Flush()
    {
        lock (_gate)
        {
            SendText(all: true);
        }
    }

    public void Append(CellOutput output)
    {
        lock (_gate)
        {
            if (output is StreamOutput stream)
            {
                AppendText(stream);
                return;
            }

            SendText(all: true);
            switch (output)
            {
                case DisplayOutput display:
                    Publish("display_data", content => WriteDisplay(content, display.Data, display.DisplayId));
                    break;
                case ResultOutput result:
                    Publish("execute_result", content =>
                    {
                        content.WriteNumber("execution_count", result.ExecutionCount ?? 0);
                        WriteData(content, result.Data);
                    });
                    break;
                case ErrorOutput error:
                    Publish("error", content => WriteError(content, error));
                    break;
            }
        }
    }

    public void Update(string displayId, MimeBundle data)
    {
        lock (_gate)
        {
            SendText(all: true);
            Publish("update_display_data", content => WriteDisplay(content, data, displayId));
        }
    }

    public void Clear(bool wait)
    {
        lock (_gate)
        {
            SendText(all: true);
            Publish("clear_output", content => content.WriteBoolean("wait", wait));
        }
    }

    public void Dispose() => _timer.Dispose();

    /// <summary>The properties <c>data</c> and <c>metadata</c>.</summary>
    public static void WriteData(Utf8JsonWriter content, MimeBundle? bundle)
    {
        content.WriteStartObject("data");
        foreach ((string mimeType, var value) in bundle?.Entries ?? [])
        {
            content.WritePropertyName(mimeType);
            value.WriteTo(content);
        }

        content.WriteEndObject();
        content.WriteStartObject("metadata");
        content.WriteEndObject();
    }

    /// <summary>The properties <c>ename</c>, <c>evalue</c> and <c>traceback</c>.</summary>
    public static void WriteError(Utf8JsonWriter content, ErrorOutput error)
    {
        content.WriteString("ename", error.Name);
        content.WriteString("evalue", error.Message);
        content.WriteStartArray("traceback");
        foreach (string line in error.Traceback)
        {
            content.WriteStringValue(line);
        }

        content.WriteEndArray();
    }

    private static void WriteDisplay(Utf8JsonWriter content, MimeBundle data, string? displayId)
    {
        WriteData(content, data);
        content.WriteStartObject("transient");
        if (displayId is not null)
        {
            content.WriteString("display_id", displayId);
        }

        content.WriteEndObject();
    }

    private void AppendText(StreamOutput stream)
    {
        if (_muted)
        {
            return;
        }

        if (stream.Name != _stream)
        {
            SendText(all: true);
            _stream = stream.Name;
        }

        _text.Append(stream.Text);
        long wait = _sent + (long)Period.TotalMilliseconds - Environment.TickCount64;
        if (wait <= 0 || _text.Length >= MostCharacters)
        {
            SendText(all: false);
        }
        else
        {
            _timer.Change(wait, Timeout.Infinite);
        }
    }

    // A character outside the first plane may come in two halves, written one after the other.
    private void SendText(bool all)
    {
        int length = !all && _text.Length > 0 && char.IsHighSurrogate(_text[^1]) ? _text.Length - 1 : _text.Length;
        if (length > 0)
        {
            string text = _text.ToString(0, length);
            _text.Remove(0, length);
            _sent = Environment.TickCount64;
            Publish("stream", content =>
            {
                content.WriteString("name", _stream == StreamName.Stdout ? "stdout" : "stderr");
                content.WriteString("text", text);
            });
        }
    }

    private void Publish(string type, Action<Utf8JsonWriter> content)
    {
        if (!_muted)
        {
            _wire.Publish(type, _request, content);
        }
    }
}
