// Papermill's convention: the cell tagged `parameters` declares parameters with their defaults, and a cell tagged
// `injected-parameters` behind it sets those that a run was given. Everything given is checked before anything runs.

using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using PaperLab.Notebooks.Format;

namespace PaperLab.Notebooks.Script;

/// <summary>A parameter that a notebook declares.</summary>
/// <param name="Name">Name of the variable.</param>
/// <param name="Type">Its C# type as messages name it; null when values of it cannot be given on a command line.</param>
/// <param name="Default">The C# text of its default; empty when it has none.</param>
/// <param name="IsConstant">Whether it is a constant, which code cannot set.</param>
public sealed record NotebookParameter(string Name, string? Type, string Default, bool IsConstant);

/// <summary>A parameter was given that the notebook does not have, or with a value that its type does not allow.</summary>
public sealed class NotebookParameterException(string message) : Exception(message);

/// <summary>The parameters of one notebook.</summary>
public sealed class NotebookParameters
{
    /// <summary>Tag of the cell that declares.</summary>
    public const string Tag = "parameters";

    /// <summary>Tag of the cell that a run puts behind it.</summary>
    public const string InjectedTag = "injected-parameters";

    private readonly string _notebook;
    private readonly int _cell;
    private readonly List<Declaration> _declarations;

    private NotebookParameters(string notebook, int cell, List<Declaration> declarations)
    {
        (_notebook, _cell, _declarations) = (notebook, cell, declarations);
    }

    /// <summary>What the notebook declares, in its order; empty when no cell is tagged <c>parameters</c>.</summary>
    public IReadOnlyList<NotebookParameter> Declared =>
        [.. _declarations.Select(declared => new NotebookParameter(declared.Name, declared.Type?.ToString(), declared.Default, declared.IsConstant))];

    /// <summary>Reads the declarations of the first code cell tagged <c>parameters</c>, without running anything.</summary>
    /// <param name="notebook">The notebook.</param>
    /// <param name="name">What messages call it; its path where it has one.</param>
    public static NotebookParameters Of(Notebook notebook, string? name = null)
    {
        int cell = notebook.Cells.ToList().FindIndex(cell => cell.Kind == CellKind.Code && cell.HasTag(Tag));
        return new NotebookParameters(name ?? notebook.Path ?? "the notebook", cell, cell < 0 ? [] : Declarations(notebook.Cells[cell]));
    }

    /// <summary>The C# source that sets the given parameters.</summary>
    /// <param name="given">Names and values as text: numbers, true, false, null, text as it is, lists in JSON.</param>
    /// <exception cref="NotebookParameterException">A name is unknown or a value is not of its type; the message lists all faults and what is allowed.</exception>
    public string Render(IReadOnlyDictionary<string, string> given)
    {
        if (_cell < 0 && given.Count > 0)
        {
            throw new NotebookParameterException(
                $"{_notebook} takes no parameters ({string.Join(", ", given.Keys)} given): no code cell of it is tagged \"{Tag}\".");
        }

        var lines = new List<string>();
        var faults = new List<string>();
        foreach ((string name, string text) in given)
        {
            Declaration? declared = _declarations.Find(declared => declared.Name == name);
            string? value = declared?.Type?.Render(text);
            if (declared is null)
            {
                faults.Add($"there is no parameter \"{name}\"");
            }
            else if (declared.Type is null)
            {
                faults.Add($"\"{name}\" cannot be given from outside: declare it as string, bool, int, long, float, double, decimal or a list of these");
            }
            else if (value is null)
            {
                faults.Add($"{name} is {declared.Type} and \"{text}\" is not; it takes {declared.Type.Allowed}");
            }
            else
            {
                // An assignment, so that what the parameters cell defined with the variable sees the new value too.
                lines.Add(declared.IsConstant ? $"const {declared.Type} {name} = {value};" : $"{name} = {value};");
            }
        }

        return faults.Count == 0 ? string.Join('\n', lines) : throw new NotebookParameterException($"{_notebook}: {string.Join("; ", faults)}. {Summary()}");
    }

    /// <summary>Puts the cell that sets the given parameters behind the one that declares them; one that an earlier run left there is replaced.</summary>
    /// <exception cref="NotebookParameterException">As for <see cref="Render"/>; the notebook is then unchanged.</exception>
    public void Inject(Notebook notebook, IReadOnlyDictionary<string, string> given)
    {
        string source = Render(given);
        for (int index = notebook.Cells.Count - 1; index >= 0; index--)
        {
            if (notebook.Cells[index].HasTag(InjectedTag))
            {
                notebook.Cells.RemoveAt(index);
            }
        }

        if (given.Count == 0)
        {
            return;
        }

        int parameters = notebook.Cells.ToList().FindIndex(cell => cell.Kind == CellKind.Code && cell.HasTag(Tag));
        var injected = new Cell(CellKind.Code, source);
        injected.AddTag(InjectedTag);
        notebook.Cells.Insert(parameters + 1, injected);
    }

    private string Summary() => "Its parameters: " + string.Join(", ", _declarations.Select(declared =>
        $"{declared.Name} ({declared.Type?.ToString() ?? "not settable"}{(declared.Default.Length > 0 ? ", default " + declared.Default : "")})")) + ".";

    private static List<Declaration> Declarations(Cell cell)
    {
        string code = string.Concat(CellText.Split(cell.Source, cell.Language).OfType<TextPart>().Where(part => part.Language == Notebook.CSharp).Select(part => part.Text));
        var options = new CSharpParseOptions(LanguageVersion.Preview, kind: SourceCodeKind.Script);
        SyntaxNode root = CSharpSyntaxTree.ParseText(code, options).GetRoot();
        return
        [
            .. from field in root.ChildNodes().OfType<FieldDeclarationSyntax>()
               let isConstant = field.Modifiers.Any(SyntaxKind.ConstKeyword)
               from variable in field.Declaration.Variables
               select new Declaration(
                   variable.Identifier.Text,
                   ParameterType.Of(field.Declaration.Type, variable.Initializer?.Value),
                   variable.Initializer?.Value.ToString() ?? "",
                   isConstant),
        ];
    }

    private sealed record Declaration(string Name, ParameterType? Type, string Default, bool IsConstant);
}
