// The one error that reading a notebook can end in: it names the file, the place in it, the field and what was expected.

namespace PaperLab.Notebooks.Format;

/// <summary>A notebook file that cannot be read as what it claims to be.</summary>
public sealed class NotebookFormatException : FormatException
{
    /// <summary>Describes one fault at one place.</summary>
    /// <param name="file">Path of the notebook, or a name for text that came from elsewhere.</param>
    /// <param name="line">1-based line in the file.</param>
    /// <param name="column">1-based byte column in the line.</param>
    /// <param name="field">Path of the field, such as <c>cells[3].source</c>; empty for the file as a whole.</param>
    /// <param name="problem">What was found and what is allowed.</param>
    public NotebookFormatException(string file, int line, int column, string field, string problem)
        : base($"{file}({line},{column}): {(field.Length == 0 ? "" : field + ": ")}{problem}")
    {
        (File, Line, Column, Field, Problem) = (file, line, column, field, problem);
    }

    /// <summary>Path of the notebook.</summary>
    public string File { get; }

    /// <summary>1-based line in the file.</summary>
    public int Line { get; }

    /// <summary>1-based byte column in the line.</summary>
    public int Column { get; }

    /// <summary>Path of the field, such as <c>cells[3].source</c>; empty for the file as a whole.</summary>
    public string Field { get; }

    /// <summary>What was found and what is allowed.</summary>
    public string Problem { get; }
}
