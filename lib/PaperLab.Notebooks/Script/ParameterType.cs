// The types that a notebook parameter may have: how a declaration names one, how text is read as one, how C# writes one.

using System.Globalization;
using System.Text.Json;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace PaperLab.Notebooks.Script;

/// <summary>A scalar type of C#, a nullable one, or a list of one.</summary>
/// <param name="Element">C# name of the scalar: string, bool, int, long, float, double or decimal.</param>
/// <param name="IsNullable">True for <c>int?</c> and <c>string?</c>.</param>
/// <param name="List">The C# type of a list of such scalars, such as <c>int[]</c> or <c>List&lt;int&gt;</c>; null for a scalar.</param>
internal sealed record ParameterType(string Element, bool IsNullable = false, string? List = null)
{
    private static readonly string[] Scalars = ["string", "bool", "int", "long", "float", "double", "decimal"];
    private static readonly string[] ListTypes = ["List", "IList", "IReadOnlyList", "IEnumerable", "ICollection", "IReadOnlyCollection"];

    /// <summary>As messages name it: "int", "string?", "int[]".</summary>
    public override string ToString() => List ?? (IsNullable ? Element + "?" : Element);

    /// <summary>What a value may look like, for messages.</summary>
    public string Allowed => List is not null ? $"a JSON list such as {(Element == "string" ? "[\"a\", \"b\"]" : Element == "bool" ? "[true, false]" : "[1, 2]")}"
        : Element switch
        {
            "string" => "any text",
            "bool" => "true or false",
            "int" or "long" => $"a whole number that fits {Element}",
            _ => "a number such as 0.5 or 1e-3",
        } + (IsNullable ? ", or null" : "");

    /// <summary>The type of a variable, from its declared type or from its initial value; null for types that are none of these.</summary>
    public static ParameterType? Of(TypeSyntax declared, ExpressionSyntax? initial) =>
        declared is IdentifierNameSyntax { Identifier.Text: "var" } ? OfValue(initial) : OfDeclared(declared);

    /// <summary>The C# expression for <paramref name="text"/> as given on a command line; null when it is no such value.</summary>
    public string? Render(string text)
    {
        if (List is not null)
        {
            return RenderList(text);
        }

        return IsNullable && text == "null" ? "null" : RenderScalar(text);
    }

    private static ParameterType? OfDeclared(TypeSyntax type) => type switch
    {
        PredefinedTypeSyntax scalar when Scalars.Contains(scalar.Keyword.Text) => new(scalar.Keyword.Text),
        NullableTypeSyntax { ElementType: PredefinedTypeSyntax scalar } when Scalars.Contains(scalar.Keyword.Text) => new(scalar.Keyword.Text, IsNullable: true),
        ArrayTypeSyntax { RankSpecifiers: [{ Rank: 1 }], ElementType: var element } when OfDeclared(element) is { List: null, IsNullable: false } scalar =>
            scalar with { List = scalar.Element + "[]" },
        GenericNameSyntax { TypeArgumentList.Arguments: [var element] } list when ListTypes.Contains(list.Identifier.Text) && OfDeclared(element) is { List: null, IsNullable: false } scalar =>
            scalar with { List = $"{list.Identifier.Text}<{scalar.Element}>" },
        _ => null,
    };

    private static ParameterType? OfValue(ExpressionSyntax? value) => value switch
    {
        InterpolatedStringExpressionSyntax => new("string"),
        LiteralExpressionSyntax literal => literal.Token.Value switch
        {
            string => new("string"),
            bool => new("bool"),
            int => new("int"),
            long => new("long"),
            float => new("float"),
            double => new("double"),
            decimal => new("decimal"),
            _ => null,
        },
        PrefixUnaryExpressionSyntax { RawKind: (int)SyntaxKind.UnaryMinusExpression or (int)SyntaxKind.UnaryPlusExpression } signed => OfValue(signed.Operand),
        ParenthesizedExpressionSyntax inner => OfValue(inner.Expression),
        CastExpressionSyntax cast => OfDeclared(cast.Type),
        ArrayCreationExpressionSyntax array => OfDeclared(array.Type),
        ObjectCreationExpressionSyntax made => OfDeclared(made.Type),
        ImplicitArrayCreationExpressionSyntax array => OfItems(array.Initializer.Expressions),
        _ => null,
    };

    // new[] { 1, 2.5 } is a list of double.
    private static ParameterType? OfItems(IEnumerable<ExpressionSyntax> items)
    {
        List<string?> elements = [.. items.Select(item => OfValue(item)?.Element).Distinct()];
        string? element = elements.Count == 1 ? elements[0] : elements.Order().SequenceEqual(["double", "int"]) ? "double" : null;
        return element is null ? null : new ParameterType(element, List: element + "[]");
    }

    private string? RenderScalar(string text)
    {
        const NumberStyles Whole = NumberStyles.AllowLeadingSign;
        const NumberStyles Real = NumberStyles.Float;
        CultureInfo culture = CultureInfo.InvariantCulture;
        return Element switch
        {
            "string" => SymbolDisplay.FormatLiteral(text, quote: true),
            "bool" => text is "true" or "false" ? text : null,
            "int" => int.TryParse(text, Whole, culture, out int i) ? i.ToString(culture) : null,
            "long" => long.TryParse(text, Whole, culture, out long l) ? l.ToString(culture) + "L" : null,
            "decimal" => decimal.TryParse(text, Real, culture, out decimal m) ? m.ToString(culture) + "m" : null,
            "float" => float.TryParse(text, Real, culture, out float f) && float.IsFinite(f) ? f.ToString("R", culture) + "f" : null,
            _ => double.TryParse(text, Real, culture, out double d) && double.IsFinite(d) ? d.ToString("R", culture) + "d" : null,
        };
    }

    private string? RenderList(string text)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(text);
            if (json.RootElement.ValueKind != JsonValueKind.Array)
            {
                return null;
            }

            List<string?> items = [.. json.RootElement.EnumerateArray().Select(RenderItem)];
            string type = List!.EndsWith("[]", StringComparison.Ordinal) ? List : $"List<{Element}>";
            return items.Contains(null) ? null : $"new {type} {{ {string.Join(", ", items)} }}";
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private string? RenderItem(JsonElement item) => item.ValueKind switch
    {
        JsonValueKind.String when Element == "string" => RenderScalar(item.GetString()!),
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False when Element != "string" => RenderScalar(item.GetRawText()),
        _ => null,
    };
}
