using PaperLab.Notebooks.Format;
using PaperLab.Notebooks.Script;

namespace PaperLab.Notebooks.Tests.Script;

/// <summary>Keeps what a session shows; updates replace the display they name, as a page would.</summary>
internal sealed class RecordingSink : ICellOutputSink
{
    private readonly List<CellOutput> _outputs = [];

    public IReadOnlyList<CellOutput> Outputs
    {
        get
        {
            lock (_outputs)
            {
                return [.. _outputs];
            }
        }
    }

    public string Stdout => Text(StreamName.Stdout);

    public string Stderr => Text(StreamName.Stderr);

    public IEnumerable<DisplayOutput> Displays => Outputs.OfType<DisplayOutput>();

    public void Append(CellOutput output)
    {
        lock (_outputs)
        {
            _outputs.Add(output);
        }
    }

    public void Update(string displayId, MimeBundle data)
    {
        lock (_outputs)
        {
            int index = _outputs.FindIndex(output => output is DisplayOutput display && display.DisplayId == displayId);
            _outputs[index] = new DisplayOutput(data, displayId);
        }
    }

    public void Clear(bool wait)
    {
        lock (_outputs)
        {
            _outputs.Clear();
        }
    }

    private string Text(StreamName name) =>
        string.Concat(Outputs.OfType<StreamOutput>().Where(output => output.Name == name).Select(output => output.Text));
}
