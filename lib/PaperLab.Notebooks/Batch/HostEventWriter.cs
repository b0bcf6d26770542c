// The child's outlet: what cells show goes to the runner as it happens, so that nothing is lost when the process dies in the next line.

using System.Buffers;
using System.Diagnostics;
using System.Text.Encodings.Web;
using System.Text.Json;
using PaperLab.Notebooks.Format;
using PaperLab.Notebooks.Script;

namespace PaperLab.Notebooks.Batch;

/// <summary>Writes events as lines; safe from any thread.</summary>
internal sealed class HostEventWriter(Stream pipe) : ICellOutputSink
{
    private const int ChunkCharacters = 64 * 1024;
    private const int LargestLine = 24 * 1024 * 1024;

    private readonly Lock _gate = new();
    private readonly ArrayBufferWriter<byte> _line = new(4096);

    public void Append(CellOutput output)
    {
        if (output is StreamOutput { Text.Length: > ChunkCharacters } stream)
        {
            AppendInChunks(stream);
            return;
        }

        if (!TrySend(OutputAppended.Of(output), out int bytes))
        {
            Send(OutputAppended.Of(TooLarge(bytes)));
        }
    }

    public void Update(string displayId, MimeBundle data)
    {
        if (!TrySend(new OutputUpdated(displayId, data), out int bytes))
        {
            Send(OutputAppended.Of(TooLarge(bytes)));
        }
    }

    public void Clear(bool wait) => Send(new OutputCleared(wait));

    /// <summary>Sends one event.</summary>
    public void Send(HostEvent message) => TrySend(message, out _);

    private static StreamOutput TooLarge(int bytes) =>
        new(StreamName.Stderr, $"… a display of {Words.Bytes(bytes)} was left out: the limit is {Words.Bytes(LargestLine)} each …\n");

    private void AppendInChunks(StreamOutput stream)
    {
        int length;
        for (int start = 0; start < stream.Text.Length; start += length)
        {
            length = Math.Min(ChunkCharacters, stream.Text.Length - start);
            if (length > 1 && start + length < stream.Text.Length && char.IsHighSurrogate(stream.Text[start + length - 1]))
            {
                length--;
            }

            Send(OutputAppended.Of(stream with { Text = stream.Text.Substring(start, length) }));
        }
    }

    /// <summary>False, and nothing sent, when the line would be larger than a runner should have to hold.</summary>
    private bool TrySend(HostEvent message, out int bytes)
    {
        lock (_gate)
        {
            _line.ResetWrittenCount();
            using (var writer = new Utf8JsonWriter(_line, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            {
                JsonSerializer.Serialize(writer, message, HostJson.Lines.HostEvent);
            }

            bytes = _line.WrittenCount;
            if (bytes > LargestLine)
            {
                return false;
            }

            _line.Write("\n"u8);
            WriteToRunner();
            return true;
        }
    }

    private void WriteToRunner()
    {
        try
        {
            pipe.Write(_line.WrittenSpan);
        }
        catch (IOException)
        {
            // The runner is gone, and nobody is left to tell.
            Process.GetCurrentProcess().Kill();
        }
    }
}
