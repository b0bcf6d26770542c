// One cell as the compiler sees it: a submission, which can name what those before it declare. Microsoft.CodeAnalysis.Scripting wraps the
// same compilation; for a small cell its loader, and its way of finding references, take longer than the compiler does.

using System.Collections.Immutable;
using System.Reflection;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Emit;
using Microsoft.CodeAnalysis.Text;

namespace PaperLab.Notebooks.Script;

/// <summary>C# on top of other C#: compiled once, run once.</summary>
internal sealed class Submission
{
    /// <summary>How cells are parsed.</summary>
    public static readonly CSharpParseOptions Parsing = new(LanguageVersion.Preview, kind: SourceCodeKind.Script);
    private static readonly EmitOptions Emitting = new(debugInformationFormat: DebugInformationFormat.PortablePdb);

    private static int s_count;

    private readonly CSharpCompilation _compilation;

    // The libraries that the compiler was given for it and for what it can name. It hands those of a submission on to the next: given
    // again, they would be kept once more with each cell, and a long session would hold each of them thousands of times.
    private readonly ImmutableHashSet<MetadataReference> _given;
    private Func<object?[], Task<object?>> _entry = static _ => Task.FromResult<object?>(null); // a cell of usings alone has no code

    /// <param name="previous">What it can name; null for nothing.</param>
    /// <param name="code">The text.</param>
    /// <param name="source">Where the text lies.</param>
    /// <param name="references">What it can name of libraries; what it can name of cells has to be bound to the same.</param>
    /// <param name="options">The compiler's.</param>
    public Submission(Submission? previous, string code, CellSource source, ImmutableArray<MetadataReference> references, CSharpCompilationOptions options)
    {
        (Previous, References) = (previous, references);
        Depth = previous is null ? 1 : previous.Depth + 1;
        (_given, ImmutableArray<MetadataReference> unknown) = Give(previous, references);
        int number = Interlocked.Increment(ref s_count);
        _compilation = CSharpCompilation.CreateScriptCompilation(
            $"ℛ*{number}", // no name of a library
            CSharpSyntaxTree.ParseText(SourceText.From(code, Encoding.UTF8), Parsing, source.FilePath),
            unknown,
            options.WithScriptClassName($"Submission#{number}").WithSourceReferenceResolver(new SourceFileResolver([], source.Folder)),
            previous?._compilation,
            returnType: typeof(object));
    }

    private Submission(Submission same, Submission? previous, ImmutableArray<MetadataReference> references)
    {
        (Previous, References, Depth, _entry) = (previous, references, same.Depth, same._entry);
        (_given, ImmutableArray<MetadataReference> unknown) = Give(previous, references);
        _compilation = same._compilation.WithReferences(unknown)
            .WithScriptCompilationInfo(same._compilation.ScriptCompilationInfo!.WithPreviousScriptCompilation(previous?._compilation));
    }

    /// <summary>What it can name.</summary>
    public Submission? Previous { get; }

    /// <summary>What it can name of libraries, apart from what it brings itself.</summary>
    public ImmutableArray<MetadataReference> References { get; private set; }

    /// <summary>How many submissions there are up to it; their objects lie in the states from index 1 on.</summary>
    public int Depth { get; }

    /// <summary>Its text; before it that of the files that it loads. What brings these, and libraries, is left out.</summary>
    public IEnumerable<CompilationUnitSyntax> Texts => _compilation.SyntaxTrees.Select(tree => tree.GetCompilationUnitRoot()).Select(root => root.ReplaceTrivia(
        root.DescendantTrivia().Where(trivia => trivia.Kind() is SyntaxKind.ReferenceDirectiveTrivia or SyntaxKind.LoadDirectiveTrivia), (_, _) => default));

    /// <summary>The names that it declares.</summary>
    public IEnumerable<string> Declared => _compilation.ScriptClass!.GetMembers().Where(member => member.CanBeReferencedByName).Select(member => member.Name);

    /// <summary>The libraries that it names with <c>#r</c>.</summary>
    public ImmutableArray<MetadataReference> DirectiveReferences => [.. _compilation.DirectiveReferences];

    /// <summary>
    /// Whether a later submission may want to name something of it. Statements alone declare nothing, unless there is a variable within
    /// one: "int.TryParse(s, out var x)". Directives count, for references go from submission to submission.
    /// </summary>
    public bool Declares
    {
        get
        {
            if (_compilation.SyntaxTrees is not [var tree])
            {
                return true; // #load
            }

            CompilationUnitSyntax root = tree.GetCompilationUnitRoot();
            return root.Usings.Count > 0 || root.Externs.Count > 0 || root.ContainsDirectives || root.Members.Any(member => member is not GlobalStatementSyntax)
                || root.DescendantNodes().Any(node => node is VariableDesignationSyntax);
        }
    }

    /// <summary>Whether it has a value: "var x = 1;" has none, "x" has, and so has "null".</summary>
    public bool HasValue
    {
        get
        {
            // What a #load brings comes first.
            SyntaxTree tree = _compilation.SyntaxTrees[^1];
            CompilationUnitSyntax root = tree.GetCompilationUnitRoot();
            return root.DescendantNodes(node => node is CompilationUnitSyntax or GlobalStatementSyntax or StatementSyntax).Any(node => node is ReturnStatementSyntax { Expression: not null })
                || (root.Members.LastOrDefault(member => member is GlobalStatementSyntax) is GlobalStatementSyntax { Statement: ExpressionStatementSyntax { SemicolonToken.IsMissing: true } last }
                    && _compilation.GetSemanticModel(tree).GetTypeInfo(last.Expression).ConvertedType?.SpecialType != SpecialType.System_Void);
        }
    }

    /// <summary>
    /// The same, and all that it can name, bound to <paramref name="references"/>. A library that is bound to more references than before is
    /// another library to the compiler, and its types are other types: all cells of a chain have to see the same.
    /// </summary>
    public Submission On(ImmutableArray<MetadataReference> references)
    {
        if (References == references)
        {
            return this;
        }

        var chain = new Stack<Submission>();
        for (Submission? cell = this; cell is not null; cell = cell.Previous)
        {
            chain.Push(cell);
        }

        Submission? bound = null;
        foreach (Submission cell in chain)
        {
            bound = new Submission(cell, bound, references);
        }

        return bound!;
    }

    /// <summary>Says that it, which is the first, has been bound to <paramref name="references"/> already: it found some of them itself.</summary>
    public Submission BoundTo(ImmutableArray<MetadataReference> references)
    {
        References = references;
        return this;
    }

    /// <summary>What the compiler says, without compiling to the end.</summary>
    public ImmutableArray<Diagnostic> Check(CancellationToken cancel) => _compilation.GetDiagnostics(cancel);

    /// <summary>Compiles it, loads the result through <paramref name="load"/> (assembly, symbols) unless there are errors, and returns what the compiler says.</summary>
    public ImmutableArray<Diagnostic> Compile(Func<Stream, Stream, Assembly> load, CancellationToken cancel)
    {
        // What does not parse makes for misleading errors further on.
        ImmutableArray<Diagnostic> syntax = _compilation.GetParseDiagnostics(cancel);
        if (syntax.Any(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error))
        {
            return syntax;
        }

        using var assembly = new MemoryStream();
        using var symbols = new MemoryStream();
        EmitResult result = _compilation.Emit(assembly, symbols, options: Emitting, cancellationToken: cancel);
        if (result.Success)
        {
            assembly.Position = symbols.Position = 0;
            Assembly loaded = load(assembly, symbols);
            if (_compilation.GetEntryPoint(cancel) is { } entry)
            {
                _entry = loaded.GetType(entry.ContainingType.MetadataName, throwOnError: true)!
                    .GetMethod(entry.MetadataName, BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)!.CreateDelegate<Func<object?[], Task<object?>>>();
            }
        }

        return result.Diagnostics;
    }

    /// <summary>Runs it.</summary>
    /// <param name="states">The objects of the submissions before it by their <see cref="Depth"/>; its own is put beside them when it begins.</param>
    /// <returns>Its value.</returns>
    public Task<object?> RunAsync(object?[] states) => _entry(states);

    // All that are given then, and those that are not already.
    private static (ImmutableHashSet<MetadataReference> Given, ImmutableArray<MetadataReference> Unknown) Give(Submission? previous, ImmutableArray<MetadataReference> references)
    {
        ImmutableHashSet<MetadataReference> given = previous?._given ?? [];
        ImmutableArray<MetadataReference> unknown = [.. references.Where(reference => !given.Contains(reference))];
        return (given.Union(unknown), unknown);
    }
}
