// An error that the engine itself finds in a cell: it does not compile, or it asks for something that does not exist.

using PaperLab.Notebooks.Format;

namespace PaperLab.Notebooks.Script;

/// <summary>One fault in the text of a cell.</summary>
/// <param name="Place">Where: <c>cell 3</c>, or the name of an imported file.</param>
/// <param name="Line">1-based line there.</param>
/// <param name="Column">1-based column there.</param>
/// <param name="Message">What is wrong and, where the engine knows one, the way round.</param>
public sealed record CellDiagnostic(string Place, int Line, int Column, string Message)
{
    /// <summary>"cell 3, line 2: …".</summary>
    public override string ToString() => $"{Place}, line {Line}: {Message}";
}

/// <summary>Ends a cell with the faults found in it.</summary>
internal sealed class CellException(string name, IReadOnlyList<CellDiagnostic> diagnostics)
    : Exception(string.Join(Environment.NewLine, diagnostics))
{
    public const string Compilation = "CompilationError";
    public const string Directive = "DirectiveError";
    public const string Package = "PackageError";

    public CellException(string name, string place, int line, string message)
        : this(name, [new CellDiagnostic(place, line, 1, message)])
    {
    }

    public IReadOnlyList<CellDiagnostic> Diagnostics => diagnostics;

    public ErrorOutput ToOutput() => new(name, diagnostics[0].ToString(), [.. diagnostics.Select(diagnostic => diagnostic.ToString())]);
}
