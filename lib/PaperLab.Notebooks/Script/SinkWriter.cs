// Console.Out and Console.Error of a running notebook: every write becomes a stream output at once.
// Nothing is held back, so that a process that dies has lost nothing; whoever listens may merge and handle carriage returns.

using System.Text;
using PaperLab.Notebooks.Format;

namespace PaperLab.Notebooks.Script;

/// <summary>A text writer in front of a sink.</summary>
internal sealed class SinkWriter : TextWriter
{
    private readonly ICellOutputSink _sink;
    private readonly StreamName _name;

    public SinkWriter(ICellOutputSink sink, StreamName name)
    {
        (_sink, _name) = (sink, name);
        // The same text on every platform: recorded outputs are compared and kept under version control.
        CoreNewLine = ['\n'];
    }

    public override Encoding Encoding => Encoding.UTF8;

    public override void Write(char value) => Write(value.ToString());

    public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

    public override void Write(ReadOnlySpan<char> buffer) => Write(buffer.ToString());

    public override void Write(string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            _sink.Append(new StreamOutput(_name, value));
        }
    }

    public override void WriteLine() => Write("\n");

    public override void WriteLine(string? value) => Write(value + "\n");

    public override void WriteLine(ReadOnlySpan<char> buffer) => Write(string.Concat(buffer, "\n"));
}
