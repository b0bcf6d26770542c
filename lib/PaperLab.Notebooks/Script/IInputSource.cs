// The other seam of a running notebook: somebody who can be asked. A batch run has nobody.

namespace PaperLab.Notebooks.Script;

/// <summary>Answers what a running cell asks.</summary>
public interface IInputSource
{
    /// <summary>Asks for one line of text.</summary>
    /// <param name="prompt">What stands beside the field; may be empty.</param>
    /// <param name="hidden">True for a password: what is typed is not to be seen.</param>
    /// <returns>The line without its end. Fails with <see cref="InvalidOperationException"/> where nobody can be asked now, and with
    /// <see cref="OperationCanceledException"/> where the cell is interrupted before there is an answer.</returns>
    Task<string> AskAsync(string prompt, bool hidden);
}
