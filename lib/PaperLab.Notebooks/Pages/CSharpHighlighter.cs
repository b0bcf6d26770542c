// Colours C# when the page is built, from Roslyn's tokens: no script in the page. The classes are few (keyword, type,
// method, string, number, comment, directive); what a name stands for is read off its place in the syntax tree.

using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace PaperLab.Notebooks.Pages;

public static class CSharpHighlighter
{
    private static readonly CSharpParseOptions Script = new(LanguageVersion.Preview, kind: SourceCodeKind.Script);

    /// <summary>The code as HTML: its own characters, escaped, with spans of class <c>k t m s n c d</c> around what is coloured.</summary>
    public static string ToHtml(string code)
    {
        var spans = new List<(int Start, int End, string Class)>();
        string plain = BlankDirectives(code, spans);
        foreach (SyntaxToken token in CSharpSyntaxTree.ParseText(plain, Script).GetRoot().DescendantTokens())
        {
            AddTrivia(token.LeadingTrivia, spans);
            if (Classify(token) is { } name)
                spans.Add((token.Span.Start, token.Span.End, name));
            AddTrivia(token.TrailingTrivia, spans);
        }
        spans.Sort();
        return Write(code, spans);
    }

    /// <summary>
    /// Colours the lines that belong to the notebook dialect (<c>#!magic</c>, <c>#r</c>, <c>#i</c>) and blanks them, so that Roslyn
    /// sees C# only. What follows a magic that changes the language, such as <c>#!html</c>, is left plain.
    /// </summary>
    private static string BlankDirectives(string code, List<(int Start, int End, string Class)> spans)
    {
        var plain = new StringBuilder(code);
        bool csharp = true;
        for (int start = 0; start < code.Length;)
        {
            int newline = code.IndexOf('\n', start);
            int end = newline < 0 ? code.Length : newline;
            string line = code[start..end].Trim();
            bool directive = line.StartsWith("#!", StringComparison.Ordinal) || (csharp && (line.StartsWith("#r ", StringComparison.Ordinal) || line.StartsWith("#i ", StringComparison.Ordinal)));
            if (directive)
                spans.Add((start, end, "d"));
            if (line is "#!markdown" or "#!md" or "#!html" or "#!javascript" or "#!js" or "#!fsharp" or "#!pwsh" or "#!mermaid" or "#!value")
                csharp = false;
            else if (line is "#!csharp" or "#!c#" or "#!C#")
                csharp = true;
            for (int i = start; i < end && (directive || !csharp); i++)
                plain[i] = ' ';
            start = end + 1;
        }
        return plain.ToString();
    }

    private static void AddTrivia(SyntaxTriviaList list, List<(int Start, int End, string Class)> spans)
    {
        foreach (SyntaxTrivia trivia in list)
        {
            string? name = trivia.Kind() switch
            {
                SyntaxKind.SingleLineCommentTrivia or SyntaxKind.MultiLineCommentTrivia or SyntaxKind.DisabledTextTrivia
                    or SyntaxKind.SingleLineDocumentationCommentTrivia or SyntaxKind.MultiLineDocumentationCommentTrivia => "c",
                _ when trivia.IsDirective => "d",
                _ => null,
            };
            if (name is not null)
                spans.Add((trivia.FullSpan.Start, trivia.FullSpan.End, name));
        }
    }

    private static string? Classify(SyntaxToken token)
    {
        if (token.IsKeyword() || SyntaxFacts.IsContextualKeyword(token.Kind()))
            return "k";
        return token.Kind() switch
        {
            SyntaxKind.IdentifierToken => ClassifyName(token),
            SyntaxKind.NumericLiteralToken => "n",
            SyntaxKind.StringLiteralToken or SyntaxKind.CharacterLiteralToken
                or SyntaxKind.SingleLineRawStringLiteralToken or SyntaxKind.MultiLineRawStringLiteralToken
                or SyntaxKind.Utf8StringLiteralToken or SyntaxKind.Utf8SingleLineRawStringLiteralToken or SyntaxKind.Utf8MultiLineRawStringLiteralToken
                or SyntaxKind.InterpolatedStringStartToken or SyntaxKind.InterpolatedVerbatimStringStartToken
                or SyntaxKind.InterpolatedSingleLineRawStringStartToken or SyntaxKind.InterpolatedMultiLineRawStringStartToken
                or SyntaxKind.InterpolatedStringTextToken or SyntaxKind.InterpolatedStringEndToken or SyntaxKind.InterpolatedRawStringEndToken => "s",
            _ => null,
        };
    }

    private static string? ClassifyName(SyntaxToken token) => token.Parent switch
    {
        BaseTypeDeclarationSyntax or DelegateDeclarationSyntax or TypeParameterSyntax or ConstructorDeclarationSyntax => "t",
        MethodDeclarationSyntax or LocalFunctionStatementSyntax => "m",
        SimpleNameSyntax name => ClassifyName(name),
        _ => null,
    };

    private static string? ClassifyName(SimpleNameSyntax name)
    {
        if (name.IsVar || (name is IdentifierNameSyntax { Identifier.Text: "nint" or "nuint" or "dynamic" or "notnull" or "unmanaged" } && IsTypePosition(name)))
            return "k";
        SyntaxNode whole = name.Parent is MemberAccessExpressionSyntax access && access.Name == name ? access
            : name.Parent is MemberBindingExpressionSyntax binding ? binding : name;
        if (whole.Parent is InvocationExpressionSyntax call && call.Expression == whole)
            return name.Identifier.Text == "nameof" ? "k" : "m";
        if (whole == name && (IsTypePosition(name) || StartsMemberAccess(name)))
            return "t";
        return null;
    }

    private static bool IsTypePosition(SimpleNameSyntax name)
    {
        SyntaxNode node = name;
        while (node.Parent is QualifiedNameSyntax or NullableTypeSyntax or ArrayTypeSyntax or RefTypeSyntax or PointerTypeSyntax)
            node = node.Parent;
        return node.Parent switch
        {
            UsingDirectiveSyntax or BaseNamespaceDeclarationSyntax => false,
            VariableDeclarationSyntax declaration => declaration.Type == node,
            ParameterSyntax parameter => parameter.Type == node,
            MethodDeclarationSyntax method => method.ReturnType == node,
            LocalFunctionStatementSyntax function => function.ReturnType == node,
            BasePropertyDeclarationSyntax property => property.Type == node,
            DelegateDeclarationSyntax declaration => declaration.ReturnType == node,
            ForEachStatementSyntax loop => loop.Type == node,
            CastExpressionSyntax cast => cast.Type == node,
            ObjectCreationExpressionSyntax creation => creation.Type == node,
            ArrayCreationExpressionSyntax or TypeOfExpressionSyntax or SizeOfExpressionSyntax or DefaultExpressionSyntax or TypeArgumentListSyntax
                or BaseTypeSyntax or AttributeSyntax or TypeConstraintSyntax or DeclarationPatternSyntax or RecursivePatternSyntax or TypePatternSyntax
                or DeclarationExpressionSyntax or CatchDeclarationSyntax or TupleElementSyntax or StackAllocArrayCreationExpressionSyntax => true,
            BinaryExpressionSyntax binary => binary.IsKind(SyntaxKind.IsExpression) || binary.IsKind(SyntaxKind.AsExpression) ? binary.Right == node : false,
            _ => false,
        };
    }

    /// <summary><c>Console</c> in <c>Console.WriteLine</c>: a capital before a dot is a type far more often than a property.</summary>
    private static bool StartsMemberAccess(SimpleNameSyntax name) =>
        name.Parent is MemberAccessExpressionSyntax access && access.Expression == name && name.Identifier.Text is [>= 'A' and <= 'Z', ..];

    private static string Write(string code, List<(int Start, int End, string Class)> spans)
    {
        var html = new StringBuilder();
        int position = 0;
        foreach ((int start, int end, string name) in spans)
        {
            if (start < position || end <= start)
                continue; // blanked lines inside a string or comment are coloured once
            html.Append(Html.Escape(code[position..start]))
                .Append("<span class=\"").Append(name).Append("\">").Append(Html.Escape(code[start..end])).Append("</span>");
            position = end;
        }
        return html.Append(Html.Escape(code[position..])).ToString();
    }
}
