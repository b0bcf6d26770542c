// What cells show, repeated on the terminal as lines: text as it is, displays by their plain-text form.

using System.Text;
using PaperLab.Notebooks.Format;

namespace PaperLab.Cli.Running;

/// <summary>Turns one notebook's outputs into lines, at most so many a cell. Not thread-safe: its owner locks.</summary>
internal sealed class OutputEcho(Action<string> writeLine)
{
    private const int LinesPerCell = 200;
    private const int LongestLine = 2000;

    private readonly StringBuilder _line = new();
    private bool _returned;
    private int _written;

    /// <summary>A new cell: its lines are counted anew.</summary>
    public void BeginCell()
    {
        EndLine();
        _written = 0;
    }

    /// <summary>Repeats one output.</summary>
    public void Write(CellOutput output)
    {
        switch (output)
        {
            case StreamOutput stream:
                WriteText(stream.Text);
                break;
            case DisplayOutput display:
                WriteBlock(display.Data.PlainText);
                break;
            case ResultOutput result:
                WriteBlock(result.Data.PlainText);
                break;
        }
    }

    /// <summary>Writes out a line that has not ended yet.</summary>
    public void EndLine()
    {
        if (_line.Length > 0)
        {
            WriteLine(_line.ToString());
            _line.Clear();
        }
    }

    private void WriteBlock(string text)
    {
        EndLine();
        WriteText(text);
        EndLine();
    }

    private void WriteText(string text)
    {
        foreach (char c in text)
        {
            if (_written > LinesPerCell)
            {
                return;
            }

            if (c == '\n')
            {
                WriteLine(_line.ToString());
                _line.Clear();
                _returned = false;
            }
            else if (c == '\r')
            {
                _returned = true;
            }
            else
            {
                Add(c);
            }
        }
    }

    private void Add(char c)
    {
        if (_returned)
        {
            _line.Clear();
            _returned = false;
        }

        // Control characters, such as colour codes, would upset the progress bar.
        if (_line.Length < LongestLine && (!char.IsControl(c) || c == '\t'))
        {
            _line.Append(c);
        }
    }

    private void WriteLine(string line)
    {
        if (_written == LinesPerCell)
        {
            writeLine("… more in the saved notebook …");
        }
        else if (_written < LinesPerCell)
        {
            writeLine(line);
        }

        _written++;
    }
}
