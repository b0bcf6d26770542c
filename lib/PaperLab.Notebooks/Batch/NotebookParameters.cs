// Parameters, by papermill's convention: the cell tagged `parameters` declares them with their defaults, and a cell tagged
// `injected-parameters` after it sets those that a run was given. What a value may be follows from its default.

using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using PaperLab.Notebooks.Format;

namespace PaperLab.Notebooks.Batch;

/// <summary>A parameter that a notebook does not have, or a value that it cannot take.</summary>
public sealed class ParameterException(string message) : Exception(message);

/// <summary>The parameters that a notebook declares.</summary>
public sealed class NotebookParameters
{
    /// <summary>Tag of the cell that declares parameters.</summary>
    public const string DeclaringTag = "parameters";

    /// <summary>Tag of the cell that sets them.</summary>
    public const string InjectedTag = "injected-parameters";

    private readonly Notebook _notebook;
    private readonly Cell? _cell;
    private readonly Dictionary<string, Kind> _kinds = [];

    private NotebookParameters(Notebook notebook)
    {
        _notebook = notebook;
        _cell = notebook.Cells.FirstOrDefault(cell => cell.Kind == CellKind.Code && cell.HasTag(DeclaringTag));
        foreach (VariableDeclarationSyntax declaration in Declarations(_cell?.Source ?? ""))
        {
            foreach (VariableDeclaratorSyntax variable in declaration.Variables)
            {
                _kinds[variable.Identifier.Text] = KindOf(declaration.Type, variable.Initializer?.Value);
            }
        }
    }

    private enum Base
    {
        Text,
        Integer,
        Number,
        Boolean,
        Other,
    }

    private readonly record struct Kind(Base Element, bool IsList, bool IsNullable)
    {
        public override string ToString()
        {
            string element = Element switch
            {
                Base.Text => "text",
                Base.Integer => "a whole number",
                Base.Number => "a number",
                Base.Boolean => "true or false",
                _ => "of a type that cannot be set from outside",
            };
            return (IsList ? $"a list [a, b, …], each element {element}" : element) + (IsNullable ? ", or null" : "");
        }
    }

    /// <summary>The parameters' names.</summary>
    public IReadOnlyCollection<string> Names => _kinds.Keys;

    /// <summary>Reads what <paramref name="notebook"/> declares; nothing where no cell is tagged.</summary>
    public static NotebookParameters Of(Notebook notebook) => new(notebook);

    /// <summary>Puts the cell that sets <paramref name="values"/> after the declaring one, in place of an earlier such cell.</summary>
    /// <exception cref="ParameterException">A name is not declared, or a value does not fit; the notebook is then unchanged.</exception>
    public void Inject(IReadOnlyCollection<KeyValuePair<string, string>> values)
    {
        List<string> lines = [.. values.Select(value => $"{value.Key} = {Literal(value.Key, value.Value)};")];
        foreach (Cell old in _notebook.Cells.Where(cell => cell.HasTag(InjectedTag)).ToList())
        {
            _notebook.Cells.Remove(old);
        }

        if (lines.Count > 0)
        {
            var cell = new Cell(CellKind.Code, string.Join('\n', lines.Prepend("// Set by this run.")));
            cell.AddTag(InjectedTag);
            _notebook.Cells.Insert(_notebook.Cells.IndexOf(_cell!) + 1, cell);
        }
    }

    private static IEnumerable<VariableDeclarationSyntax> Declarations(string source)
    {
        // Magic commands are no C#; a parameters cell may hold some all the same.
        string code = string.Join('\n', source.Split('\n').Select(line => line.TrimStart().StartsWith("#!", StringComparison.Ordinal) ? "" : line));
        SyntaxTree tree = CSharpSyntaxTree.ParseText(code, new CSharpParseOptions(kind: SourceCodeKind.Script));
        return tree.GetRoot().ChildNodes().OfType<FieldDeclarationSyntax>()
            .Where(field => !field.Modifiers.Any(SyntaxKind.ConstKeyword))
            .Select(field => field.Declaration);
    }

    private static Kind KindOf(TypeSyntax type, ExpressionSyntax? value)
    {
        bool nullable = type is NullableTypeSyntax;
        TypeSyntax bare = type is NullableTypeSyntax { ElementType: var inner } ? inner : type;
        return bare switch
        {
            ArrayTypeSyntax array => new Kind(BaseOf(array.ElementType), IsList: true, nullable),
            _ when bare.IsVar => KindOf(value),
            _ => new Kind(BaseOf(bare), IsList: false, nullable),
        };
    }

    private static Kind KindOf(ExpressionSyntax? value) => value switch
    {
        LiteralExpressionSyntax literal => new Kind(BaseOf(literal.Token.Value), IsList: false, IsNullable: false),
        PrefixUnaryExpressionSyntax { Operand: LiteralExpressionSyntax literal } => new Kind(BaseOf(literal.Token.Value), IsList: false, IsNullable: false),
        ImplicitArrayCreationExpressionSyntax array => new Kind(array.Initializer.Expressions.Select(KindOf).FirstOrDefault(new Kind(Base.Other, false, false)).Element, IsList: true, IsNullable: false),
        ArrayCreationExpressionSyntax array => new Kind(BaseOf(array.Type.ElementType), IsList: true, IsNullable: false),
        _ => new Kind(Base.Other, IsList: false, IsNullable: false),
    };

    private static Base BaseOf(object? literal) => literal switch
    {
        string => Base.Text,
        int or long or uint or ulong => Base.Integer,
        double or float or decimal => Base.Number,
        bool => Base.Boolean,
        _ => Base.Other,
    };

    private static Base BaseOf(TypeSyntax type) => type.ToString() switch
    {
        "string" or "string?" => Base.Text,
        "int" or "long" or "uint" or "ulong" or "short" or "byte" => Base.Integer,
        "double" or "float" or "decimal" => Base.Number,
        "bool" => Base.Boolean,
        _ => Base.Other,
    };

    /// <summary>The value as C#.</summary>
    private string Literal(string name, string value)
    {
        if (!_kinds.TryGetValue(name, out Kind kind))
        {
            string known = _kinds.Count == 0
                ? $"it has no cell tagged `{DeclaringTag}` that declares any"
                : $"it has {string.Join(", ", _kinds.Keys)}";
            throw new ParameterException($"there is no parameter \"{name}\"; {known}.");
        }

        string? literal = kind switch
        {
            { IsNullable: true } when value == "null" => "null",
            { IsList: true } => ListLiteral(kind.Element, value),
            _ => ElementLiteral(kind.Element, value),
        };
        return literal ?? throw new ParameterException($"parameter {name} cannot be \"{value}\": it is {kind}.");
    }

    private static string? ListLiteral(Base element, string value)
    {
        if (!value.StartsWith('[') || !value.EndsWith(']'))
        {
            return null;
        }

        string inner = value[1..^1].Trim();
        string?[] elements = inner.Length == 0 ? [] : [.. inner.Split(',').Select(part => ElementLiteral(element, Unquote(part.Trim())))];
        return elements.Contains(null) ? null : $"[{string.Join(", ", elements)}]";
    }

    private static string Unquote(string text) => text.Length >= 2 && text[0] == '"' && text[^1] == '"' ? text[1..^1] : text;

    private static string? ElementLiteral(Base kind, string value)
    {
        const NumberStyles Float = NumberStyles.Float;
        return kind switch
        {
            Base.Text => SymbolDisplay.FormatLiteral(value, quote: true),
            Base.Integer when long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number) => number.ToString(CultureInfo.InvariantCulture),
            Base.Number when double.TryParse(value, Float, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number) => number.ToString("R", CultureInfo.InvariantCulture),
            Base.Boolean when value is "true" or "false" => value,
            _ => null,
        };
    }
}
