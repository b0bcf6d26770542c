// The compiler's errors in the words of a notebook: cell and line, and the way round where C# script lacks what C# has.

using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;

namespace PaperLab.Notebooks.Script;

/// <summary>Describes diagnostics.</summary>
internal static partial class CompilerMessages
{
    /// <summary>One diagnostic as the page shows it. <paramref name="code"/> is the source it was compiled from.</summary>
    public static CellDiagnostic Describe(Diagnostic diagnostic, string code, CellSource source)
    {
        FileLinePositionSpan span = diagnostic.Location.GetMappedLineSpan();
        string place = span.Path is null or "" || span.Path == source.FilePath ? source.Name : Path.GetRelativePath(source.Folder, span.Path);
        int line = span.StartLinePosition.Line;
        string[] lines = code.Split('\n');
        string text = place == source.Name && line < lines.Length ? lines[line] : "";
        string message = $"{diagnostic.Id}: {diagnostic.GetMessage()}";
        string? hint = Hint(diagnostic, text, source);
        return new CellDiagnostic(place, line + 1, span.StartLinePosition.Character + 1, hint is null ? message : $"{message} ({hint})");
    }

    private static string? Hint(Diagnostic diagnostic, string line, CellSource source) => diagnostic.Id switch
    {
        _ when UsingDeclaration().IsMatch(line) =>
            "C# script has no using declaration at the top level of a cell: write `using (var x = …) { … }`, or move it into a method",
        "CS7021" => "C# script has no namespaces: declare the types without one, or move them into a library and `#r` it",
        "CS8345" or "CS8175" or "CS4012" =>
            "top-level variables of a cell are fields, and a field cannot be a span: use it inside a method or a `{ … }` block",
        "CS1109" => "in a cell, declare extension methods at the top level, outside any class",
        "CS0006" => $"paths start from {source.Folder}; if this is a library of this repository, build it first with `dotnet build`",
        "CS0246" or "CS0103" when MissingIo(diagnostic) => "a notebook has no `using System.IO;` unless it says so",
        _ => null,
    };

    private static bool MissingIo(Diagnostic diagnostic) =>
        IoName().IsMatch(diagnostic.GetMessage());

    [GeneratedRegex(@"^\s*(await\s+)?using\s+(var|[A-Za-z_][\w.<>,?\[\] ]*)\s+\w+\s*=")]
    private static partial Regex UsingDeclaration();

    [GeneratedRegex(@"'(File|Path|Directory|Stream|StreamReader|StreamWriter|FileInfo|DirectoryInfo|FileStream|MemoryStream|StringReader|StringWriter|TextReader|TextWriter|IOException)'")]
    private static partial Regex IoName();
}
