// The one seam between running code and whoever watches it: the batch runner's child, a Jupyter kernel, a test.

using PaperLab.Notebooks.Format;

namespace PaperLab.Notebooks.Script;

/// <summary>Receives what a running cell shows, in order. Calls may come from any thread, one at a time.</summary>
public interface ICellOutputSink
{
    /// <summary>Text, a display, a result or an error to append to the cell that runs now.</summary>
    void Append(CellOutput output);

    /// <summary>Replaces every earlier display that carries <paramref name="displayId"/>, in whichever cell it is.</summary>
    void Update(string displayId, MimeBundle data);

    /// <summary>Empties the running cell's outputs; with <paramref name="wait"/>, only when the next output arrives.</summary>
    void Clear(bool wait);
}
