// The outputs of one cell as they arrive: stream chunks merged, and bounded, so that a cell which prints 100 MB
// costs the runner and the saved notebook about a megabyte.

using PaperLab.Notebooks.Format;

namespace PaperLab.Notebooks.Batch;

/// <summary>How much of a cell's output is kept.</summary>
/// <param name="HeadCharacters">Stream text kept from the start of the cell.</param>
/// <param name="TailCharacters">Stream text kept from its end.</param>
/// <param name="DisplayCharacters">Displays and results together; those past it are counted and left out.</param>
internal sealed record OutputLimits(int HeadCharacters = 512 * 1024, int TailCharacters = 512 * 1024, long DisplayCharacters = 32 * 1024 * 1024);

/// <summary>Collects one cell's outputs in order.</summary>
internal sealed class CellRecorder(OutputLimits limits)
{
    // What a stream output costs beyond its text, so that a million one-letter outputs are bounded too.
    private const int OverheadPerOutput = 128;

    private readonly List<object> _entries = []; // RecordedText with its stream, or a CellOutput that is complete
    private int _headLeft = limits.HeadCharacters;
    private int _tailStart = -1; // index in _entries of the first one past the head
    private long _tailKept;
    private long _leftOutCharacters;
    private long _displayCharacters;
    private int _leftOutDisplays;
    private bool _clearOnNext;

    private sealed class Text(StreamName name)
    {
        public StreamName Name => name;

        public RecordedText Content { get; } = new();
    }

    /// <summary>Appends one output.</summary>
    public void Append(CellOutput output)
    {
        if (_clearOnNext)
        {
            Clear(wait: false);
        }

        switch (output)
        {
            case StreamOutput stream:
                AppendText(stream.Name, stream.Text);
                break;
            case ErrorOutput:
                _entries.Add(output);
                break;
            default:
                AppendDisplay(output);
                break;
        }
    }

    /// <summary>Replaces the data of every display with this id; false when the cell has none.</summary>
    public bool Update(string displayId, MimeBundle data)
    {
        bool found = false;
        for (int i = 0; i < _entries.Count; i++)
        {
            if (_entries[i] is DisplayOutput display && display.DisplayId == displayId)
            {
                found = true;
                long size = _displayCharacters - Size(display.Data) + Size(data);
                if (size <= limits.DisplayCharacters)
                {
                    _displayCharacters = size;
                    _entries[i] = display with { Data = data };
                }
            }
        }

        return found;
    }

    /// <summary>Empties the cell, at once or when the next output arrives.</summary>
    public void Clear(bool wait)
    {
        _clearOnNext = wait;
        if (!wait)
        {
            _entries.Clear();
            (_headLeft, _tailStart, _tailKept, _leftOutCharacters) = (limits.HeadCharacters, -1, 0, 0);
            (_displayCharacters, _leftOutDisplays) = (0, 0);
        }
    }

    /// <summary>The outputs as they stand, with a line where something was left out.</summary>
    public List<CellOutput> ToOutputs()
    {
        var outputs = new List<CellOutput>(_entries.Count + 2);
        for (int i = 0; i < _entries.Count; i++)
        {
            if (i == _tailStart && _leftOutCharacters > 0)
            {
                Add(outputs, new StreamOutput(StreamName.Stderr, $"\n… {Megabytes(_leftOutCharacters)} of text left out here: a cell keeps about the first {Megabytes(limits.HeadCharacters)} and the last {Megabytes(limits.TailCharacters)} …\n"));
            }

            Add(outputs, _entries[i] is Text text ? new StreamOutput(text.Name, text.Content.ToString()) : (CellOutput)_entries[i]);
        }

        if (_leftOutDisplays > 0)
        {
            Add(outputs, new StreamOutput(StreamName.Stderr, $"… {_leftOutDisplays} displays left out: a cell keeps {Megabytes(limits.DisplayCharacters)} of them …\n"));
        }

        return outputs;
    }

    private static void Add(List<CellOutput> outputs, CellOutput output)
    {
        if (output is StreamOutput { Text: "" })
        {
            return;
        }

        if (output is StreamOutput next && outputs.LastOrDefault() is StreamOutput last && last.Name == next.Name)
        {
            outputs[^1] = last with { Text = last.Text + next.Text };
            return;
        }

        outputs.Add(output);
    }

    private void AppendText(StreamName name, ReadOnlySpan<char> text)
    {
        if (_tailStart < 0)
        {
            int fits = Math.Min(text.Length, Math.Max(0, _headLeft));
            _headLeft -= AppendTo(name, text[..fits], from: 0); // a carriage return gives room back
            text = text[fits..];
        }

        if (!text.IsEmpty)
        {
            _tailStart = _tailStart < 0 ? _entries.Count : _tailStart;
            _tailKept += AppendTo(name, text, from: _tailStart);
            TrimTail();
        }
    }

    /// <summary>Appends to the last entry when it is text of this stream and not before <paramref name="from"/>, to a new one otherwise. Returns by how much that grew.</summary>
    private int AppendTo(StreamName name, ReadOnlySpan<char> text, int from)
    {
        int grown = 0;
        if (_entries.Count <= from || _entries[^1] is not Text last || last.Name != name)
        {
            last = new Text(name);
            _entries.Add(last);
            grown = OverheadPerOutput;
        }

        int before = last.Content.Length;
        last.Content.Append(text);
        return grown + last.Content.Length - before;
    }

    /// <summary>Drops the oldest text past the head once twice the limit is there: in large steps, so that each character is moved once or twice.</summary>
    private void TrimTail()
    {
        if (_tailKept <= 2L * limits.TailCharacters)
        {
            return;
        }

        var emptied = new HashSet<object>();
        foreach (Text text in _entries.Skip(_tailStart).OfType<Text>())
        {
            if (_tailKept <= limits.TailCharacters)
            {
                break;
            }

            int dropped = text.Content.DropFirst((int)Math.Min(_tailKept - limits.TailCharacters, text.Content.Length));
            _leftOutCharacters += dropped;
            _tailKept -= dropped;
            if (text.Content.Length == 0)
            {
                _tailKept -= OverheadPerOutput;
                emptied.Add(text);
            }
        }

        _entries.RemoveAll(emptied.Contains);
    }

    private void AppendDisplay(CellOutput output)
    {
        long size = Size(output.Shown()!);
        if (_displayCharacters + size > limits.DisplayCharacters)
        {
            _leftOutDisplays++;
            return;
        }

        _displayCharacters += size;
        _entries.Add(output);
    }

    private static long Size(MimeBundle data)
    {
        long size = OverheadPerOutput;
        foreach ((_, var content) in data.Entries)
        {
            size += content.GetValueKind() == System.Text.Json.JsonValueKind.String ? content.GetValue<string>().Length : content.ToJsonString().Length;
        }

        return size;
    }

    private static string Megabytes(long characters) => characters < 1024 * 1024
        ? $"{characters / 1024.0:0.#} KiB"
        : $"{characters / (1024.0 * 1024):0.0} MiB";
}
