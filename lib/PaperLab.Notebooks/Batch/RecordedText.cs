// The text of one stream output while it grows: carriage returns keep the last state of a line, as a terminal does.

using System.Text;

namespace PaperLab.Notebooks.Batch;

/// <summary>Text in which a carriage return takes the line back to its start. \r\n is a plain line end.</summary>
internal sealed class RecordedText
{
    private readonly StringBuilder _text = new();
    private int _lineStart;
    private bool _returned;

    /// <summary>Characters kept so far.</summary>
    public int Length => _text.Length;

    /// <summary>Appends text as it came.</summary>
    public void Append(ReadOnlySpan<char> text)
    {
        while (!text.IsEmpty)
        {
            int control = text.IndexOfAny('\r', '\n');
            ReadOnlySpan<char> plain = control < 0 ? text : text[..control];
            if (!plain.IsEmpty)
            {
                ApplyReturn();
                _text.Append(plain);
            }

            if (control < 0)
            {
                return;
            }

            if (text[control] == '\r')
            {
                _returned = true;
            }
            else
            {
                _returned = false;
                _text.Append('\n');
                _lineStart = _text.Length;
            }

            text = text[(control + 1)..];
        }
    }

    /// <summary>Drops the first <paramref name="count"/> characters, and one more rather than half a surrogate pair. Returns how many went.</summary>
    public int DropFirst(int count)
    {
        int dropped = count < _text.Length && char.IsLowSurrogate(_text[count]) ? count + 1 : count;
        _text.Remove(0, dropped);
        _lineStart = Math.Max(0, _lineStart - dropped);
        return dropped;
    }

    public override string ToString() => _text.ToString();

    private void ApplyReturn()
    {
        if (_returned)
        {
            _text.Length = _lineStart;
            _returned = false;
        }
    }
}
