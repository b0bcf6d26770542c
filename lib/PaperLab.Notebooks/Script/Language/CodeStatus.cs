// Whether a piece of source can run as it stands, as a console has to know when Enter is pressed. Only its syntax counts: a name
// that does not exist is an error of the running cell.

using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace PaperLab.Notebooks.Script.Language;

/// <summary>How far a cell's source has come.</summary>
public enum CodeState
{
    /// <summary>It can run.</summary>
    Complete,

    /// <summary>More has to follow: a bracket, a string or a statement is open.</summary>
    Incomplete,

    /// <summary>It is wrong, whatever follows.</summary>
    Invalid,
}

/// <summary>Judges source by its syntax.</summary>
/// <param name="State">How far it has come.</param>
/// <param name="Indent">White space to begin the next line with, where more has to follow.</param>
public sealed record CodeStatus(CodeState State, string Indent)
{
    private const string Step = "    ";

    /// <summary>The state of a cell's <paramref name="source"/>.</summary>
    public static CodeStatus Of(string source, string language)
    {
        SyntaxTree tree = CSharpSyntaxTree.ParseText(CellText.OnlyCSharp(source, language), Submission.Parsing);
        if (!SyntaxFactory.IsCompleteSubmission(tree))
        {
            return new CodeStatus(CodeState.Incomplete, IndentAfter(source));
        }

        bool wrong = tree.GetDiagnostics().Any(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error);
        return new CodeStatus(wrong ? CodeState.Invalid : CodeState.Complete, "");
    }

    private static string IndentAfter(string source)
    {
        string last = source.TrimEnd().Split('\n')[^1];
        string indent = last[..(last.Length - last.TrimStart().Length)];
        return last.EndsWith('{') || last.EndsWith('(') || last.EndsWith('[') ? indent + Step : indent;
    }
}
