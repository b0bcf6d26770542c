// How one cell ended.

using PaperLab.Notebooks.Format;

namespace PaperLab.Notebooks.Script;

/// <summary>The end of one cell's run. What it showed went to the sink, its value and its error among it.</summary>
/// <param name="ExecutionCount">The In[n] number: 1 for the first cell that the session ran.</param>
/// <param name="Error">The error that ended the cell; null when it succeeded.</param>
/// <param name="Value">The value of the last expression, formatted; null where there is none.</param>
/// <param name="Duration">Wall time, compilation included.</param>
/// <param name="Interrupted">True when the cell was ended by the cancellation token.</param>
public sealed record CellResult(int ExecutionCount, ErrorOutput? Error, MimeBundle? Value, TimeSpan Duration, bool Interrupted)
{
    /// <summary>True when the cell ran to its end.</summary>
    public bool Succeeded => Error is null;
}
