// A notebook as one C# file that `dotnet run FILE.cs` executes without any notebook front end: a file-based app of .NET 10. Words become
// comments, cells follow one another in one method, types stand behind it, #r becomes #:project or #:package, and what cells show is
// handed to ExportedPage. The usings of cells stand in a namespace, so that they come before the standard ones, as they do in cells.

using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using PaperLab.Notebooks.Format;

namespace PaperLab.Notebooks.Script;

/// <summary>The notebook does something that a C# program cannot: the message names the cell, and what to do.</summary>
public sealed class PageExportException(string message) : Exception(message);

/// <summary>Exports one notebook.</summary>
public sealed partial class PageExport
{
    private const string Page = "exportedPage";

    // As the cells are compiled; and no ahead-of-time compilation, which would take reflection away from formatters and JSON.
    private static readonly string[] s_properties = ["TargetFramework=net10.0", "ImplicitUsings=disable", "Nullable=disable", "PublishAot=false", "InvariantGlobalization=true", "NoWarn=CS1998"];

    private readonly Notebook _notebook;
    private readonly string _notebookPath;
    private readonly string _folder;
    private readonly Func<string, string?> _projectOf;
    private readonly List<string> _projects = [];
    private readonly List<string> _packages = [];
    private readonly List<string> _sources = [];
    private readonly List<string> _usings = [];
    private readonly StringBuilder _body = new();
    private readonly StringBuilder _types = new();
    private readonly Dictionary<string, int> _declared = [];

    private PageExport(Notebook notebook, string notebookPath, string folder, Func<string, string?> projectOf)
    {
        (_notebook, _notebookPath, _folder, _projectOf) = (notebook, Path.GetFullPath(notebookPath), Path.GetFullPath(folder), projectOf);
    }

    /// <summary>The program.</summary>
    /// <param name="notebook">The notebook, parameters injected.</param>
    /// <param name="notebookPath">Where it lies: its relative paths start there.</param>
    /// <param name="folder">The folder that the program will lie in.</param>
    /// <param name="engine">The project of this engine, which shows what cells show.</param>
    /// <param name="setUp">Statements that come first.</param>
    /// <param name="projectOf">The project that a library which a cell references is built from; null where there is none.</param>
    /// <exception cref="PageExportException">A cell does what a program cannot.</exception>
    public static string ToProgram(Notebook notebook, string notebookPath, string folder, string engine, string setUp, Func<string, string?> projectOf)
    {
        var export = new PageExport(notebook, notebookPath, folder, projectOf);
        export._projects.Add(engine);
        export._body.Append(setUp);
        export.AddCells();
        export.AddPins();
        return export.Text();
    }

    private string Text()
    {
        string name = Path.GetFileNameWithoutExtension(_notebookPath);
        NotebookParameter[] parameters = SettableParameters();
        string example = parameters.FirstOrDefault() is { } first ? $"//   dotnet run {name}.cs -- {first.Name}=VALUE{(parameters.Length > 1 ? $"     (or {string.Join(", ", parameters.Skip(1).Select(parameter => parameter.Name))})" : "")}\n" : "";
        string properties = Lines(s_properties.Concat(_sources.Count == 0 ? [] : [$"RestoreAdditionalProjectSources={string.Join(';', _sources)}"]).Select(property => $"#:property {property}"));
        return $$"""
            // {{name}}: the notebook of this name as a program, made by `paperlab export`. Run it with
            //   dotnet run {{name}}.cs
            {{example}}// Text goes to the terminal, charts also as pictures to the folder {{name}}-output beside this file.
            {{properties}}{{Lines(_projects.Select(project => $"#:project {Relative(project)}"))}}{{Lines(_packages.Select(package => $"#:package {package}"))}}
            using System;
            using System.Collections;
            using System.Collections.Generic;
            using System.Linq;
            using System.Text;
            using System.Threading.Tasks;
            using PaperLab.Notebooks.Script;
            using static Microsoft.DotNet.Interactive.Kernel;

            namespace Exported;

            {{Lines(_usings)}}
            internal static class Program
            {
            internal static async Task Main(string[] args)
            {
            using var {{Page}} = ExportedPage.Begin({{Quote(name)}}, {{Quote(Relative(Path.GetDirectoryName(_notebookPath)!))}}, args{{string.Concat(parameters.Select(parameter => $", {Quote(parameter.Name)}"))}});
            {{_body.ToString().TrimEnd()}}
            }
            }
            {{_types}}
            """;
    }

    private static string Lines(IEnumerable<string> lines) => string.Concat(lines.Select(line => line + "\n"));

    private NotebookParameter[] SettableParameters() => [.. NotebookParameters.Of(_notebook).Declared.Where(parameter => parameter.Type is not null && !parameter.IsConstant)];

    private void AddCells()
    {
        int last = _notebook.Cells.ToList().FindLastIndex(cell => cell.Kind == CellKind.Code && (cell.HasTag(NotebookParameters.Tag) || cell.HasTag(NotebookParameters.InjectedTag)));
        int number = 0;
        foreach ((int index, Cell cell) in _notebook.Cells.Index())
        {
            if (cell.Kind != CellKind.Code)
            {
                _body.Append('\n').Append(string.Concat(cell.Source.Trim().Split('\n').Select(line => $"// {line}".TrimEnd() + "\n")));
                continue;
            }

            number++;
            AddCode(cell, number);
            if (index == last)
            {
                _body.Append(string.Concat(SettableParameters().Select(parameter => $"{parameter.Name} = {Page}.Parameter({Quote(parameter.Name)}, {parameter.Name});\n")));
            }
        }
    }

    private void AddCode(Cell cell, int number)
    {
        _body.Append($"\n{Page}.Cell({number});\n");
        foreach (CellPart part in CellText.Split(cell.Source, cell.Language))
        {
            switch (part)
            {
                case MagicPart { Name: CellText.PackageReference } package:
                    string[] parts = package.Argument.Split(',', StringSplitOptions.TrimEntries);
                    AddOnce(_packages, $"{parts[0]}@{parts.ElementAtOrDefault(1) ?? "*"}");
                    break;
                case MagicPart { Name: CellText.PackageSource } source:
                    AddOnce(_sources, source.Argument);
                    break;
                case MagicPart magic:
                    throw Fault(number, $"{magic.Name} is a command of notebooks; take it out, or put what it does into C#");
                case TextPart { Language: Notebook.CSharp } code:
                    AddMembers(code.Text.TrimStart('\n'), number);
                    break;
                case TextPart text:
                    throw Fault(number, $"it holds {text.Language}; a program is C# alone");
            }
        }
    }

    private void AddMembers(string code, int number)
    {
        CompilationUnitSyntax root = CSharpSyntaxTree.ParseText(WithoutReferences(code, number), Submission.Parsing).GetCompilationUnitRoot();
        foreach (UsingDirectiveSyntax directive in root.Usings)
        {
            AddOnce(_usings, directive.WithoutTrivia().NormalizeWhitespace().ToString());
        }

        foreach (MemberDeclarationSyntax member in root.Members)
        {
            switch (member)
            {
                case GlobalStatementSyntax { Statement: ExpressionStatementSyntax { SemicolonToken.IsMissing: true } value }:
                    AddValue(value);
                    break;
                case GlobalStatementSyntax:
                    Add(member);
                    break;
                case FieldDeclarationSyntax field:
                    foreach (VariableDeclaratorSyntax variable in field.Declaration.Variables)
                    {
                        Declare(variable.Identifier.Text, number);
                    }

                    Add(field.WithModifiers(LocalModifiers(field.Modifiers)).WithLeadingTrivia(field.GetLeadingTrivia()));
                    break;
                case MethodDeclarationSyntax method:
                    Declare(method.Identifier.Text, number);
                    Add(method.WithModifiers(LocalModifiers(method.Modifiers)).WithLeadingTrivia(method.GetLeadingTrivia()));
                    break;
                case BaseTypeDeclarationSyntax or DelegateDeclarationSyntax:
                    _types.Append('\n').Append(member.ToFullString().Trim('\n', ' ')).Append('\n');
                    break;
                default:
                    throw Fault(number, $"`{member.ToString().Split('\n')[0]}` can stand in a cell but not in a program; use a variable, a method or a type");
            }
        }
    }

    // Of a call that gives nothing back there is nothing to show: the overloads of Show tell it from others, which needs a lambda.
    private void AddValue(ExpressionStatementSyntax value)
    {
        bool awaits = value.Expression.DescendantNodesAndSelf(node => node is not AnonymousFunctionExpressionSyntax).OfType<AwaitExpressionSyntax>().Any();
        string leading = string.Concat(value.GetLeadingTrivia().Select(trivia => trivia.ToFullString())).Trim('\n', ' ');
        _body.Append(leading.Length == 0 ? "" : leading + "\n").Append($"{Page}.Show({(awaits ? "" : "() => ")}{value.Expression.WithoutTrivia()});\n");
    }

    private void Add(MemberDeclarationSyntax member) => _body.Append(member.ToFullString().Trim('\n')).Append('\n');

    // A cell may declare again what an earlier one did, and means another variable from there on.
    private void Declare(string name, int number)
    {
        if (!_declared.TryAdd(name, number))
        {
            throw Fault(number, $"it declares {name}, and so does cell {_declared[name]}; a program has one of each name: give this one another, or assign to the first");
        }
    }

    private string WithoutReferences(string code, int number) => Reference().Replace(code, match =>
    {
        if (match.Groups["directive"].Value == "load")
        {
            throw Fault(number, $"it loads {match.Groups["path"].Value}; put that code into the cell, or into a library");
        }

        string path = Path.GetFullPath(match.Groups["path"].Value, Path.GetDirectoryName(_notebookPath)!);
        AddOnce(_projects, _projectOf(path) ?? throw Fault(number, $"it references {match.Groups["path"].Value}, and no project here builds that; a program names libraries by project or package"));
        return "";
    });

    // A project may say which versions it wants of packages that come with its packages. That does not travel with a reference to it.
    private void AddPins()
    {
        foreach (string locks in _projects.Select(project => Path.Combine(Path.GetDirectoryName(project)!, "packages.lock.json")).Where(File.Exists))
        {
            IEnumerable<KeyValuePair<string, JsonNode?>> dependencies = JsonNode.Parse(File.ReadAllText(locks))!["dependencies"]!.AsObject().SelectMany(framework => framework.Value!.AsObject());
            foreach ((string id, JsonNode? dependency) in dependencies.Where(dependency => dependency.Value!["type"]!.ToString() == "CentralTransitive"))
            {
                if (!_packages.Any(package => package.StartsWith(id + "@", StringComparison.OrdinalIgnoreCase)))
                {
                    _packages.Add($"{id}@{dependency!["resolved"]}");
                }
            }
        }
    }

    private string Relative(string path) => Path.GetRelativePath(_folder, path).Replace('\\', '/');

    private static SyntaxTokenList LocalModifiers(SyntaxTokenList modifiers) =>
        SyntaxFactory.TokenList(modifiers.Where(modifier => modifier.Kind() is SyntaxKind.ConstKeyword or SyntaxKind.AsyncKeyword or SyntaxKind.UnsafeKeyword));

    private static string Quote(string text) => SymbolDisplay.FormatLiteral(text, quote: true);

    private static void AddOnce(List<string> list, string item)
    {
        if (!list.Contains(item))
        {
            list.Add(item);
        }
    }

    private static PageExportException Fault(int number, string problem) => new($"code cell {number} cannot be part of a program: {problem}.");

    [GeneratedRegex("""^[ \t]*#[ \t]*(?<directive>r|load)[ \t]+"(?<path>[^"]*)"[^\n]*\n?""", RegexOptions.Multiline)]
    private static partial Regex Reference();
}
