// C# cells on Roslyn scripting, in .NET Interactive's dialect. Each is compiled on top of the last that ran and declared something:
// the compiler looks for a name through every cell below, so those that declare nothing are left out. What a cell declares is known
// once it is compiled, so the next one can be compiled while it runs.

using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Scripting;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Scripting;

namespace PaperLab.Notebooks.Script;

/// <summary>Compiles and runs C#, and keeps the state between cells.</summary>
internal sealed class CSharpCells(References references)
{
    // The imports of .NET Interactive's C# kernel, no more (System.IO is not among them) and no less: a notebook that
    // compiles here compiles there.
    private static readonly ScriptOptions BaseOptions = ScriptOptions.Default
        .WithReferences(References.Standard)
        .WithImports(
            "System",
            "System.Text",
            "System.Collections",
            "System.Collections.Generic",
            "System.Threading.Tasks",
            "System.Linq",
            "Microsoft.DotNet.Interactive.Kernel")
        .WithLanguageVersion(LanguageVersion.Preview)
        .WithOptimizationLevel(OptimizationLevel.Release)
        .WithEmitDebugInformation(true)
        .WithFileEncoding(Encoding.UTF8);

    private ScriptOptions _options = BaseOptions.WithMetadataResolver(references);
    private ScriptState<object>? _state;
    private Script<object>? _checked;
    private Ahead? _ahead;

    /// <summary>The variables that cells have declared, the latest of each name.</summary>
    public IEnumerable<ScriptVariable> Variables =>
        _state?.Variables.Reverse().DistinctBy(variable => variable.Name).Reverse() ?? [];

    /// <summary>Makes restored packages nameable from the next cell on.</summary>
    public void Add(ImmutableArray<MetadataReference> packages) => _options = _options.AddReferences(packages);

    /// <summary>Compiles <paramref name="code"/> on top of what ran so far.</summary>
    /// <exception cref="CellException">It does not compile.</exception>
    public Script<object> Compile(string code, CellSource source, CancellationToken cancel)
    {
        // Waited for even when it is of no use: the compiler's references are for one compilation at a time.
        _ahead?.Compiled.Wait(cancel);
        Ahead? ahead = Interlocked.Exchange(ref _ahead, null);
        return ahead is not null && ahead.Before == _state?.Script && ahead.Code == code && ahead.Source == source && ahead.Compiled.Result is { } script
            ? script
            : Settled(() => Continue(_state?.Script, code, source), script => Emit(script, cancel), code, source);
    }

    /// <summary>
    /// Begins to compile <paramref name="code"/>, which comes after <paramref name="running"/>, which is about to run.
    /// <see cref="Compile"/> takes the result, unless something else came in between or it has errors, which are looked into when its
    /// turn comes.
    /// </summary>
    public void CompileAhead(Script<object> running, string code, CellSource source)
    {
        Microsoft.CodeAnalysis.Scripting.Script? before = Declares(running) ? running : running.Previous;
        _ahead = new Ahead(before, code, source, Task.Run(() =>
        {
            Script<object> script = Continue(before, code, source);
            return HasErrors(Emit(script, CancellationToken.None)) ? null : script;
        }));
    }

    // Not Script.Compile, which analyses the whole cell a second time for warnings that nobody is shown: a fifth of a small cell's cost.
    private static ImmutableArray<Diagnostic> Emit(Script<object> script, CancellationToken cancel)
    {
        try
        {
            script.CreateDelegate(cancel);
            return [];
        }
        catch (CompilationErrorException error)
        {
            return error.Diagnostics;
        }
    }

    /// <summary>Runs a compiled script. Its exception, if any, is thrown; variables that it assigned before then are kept.</summary>
    /// <returns>The value of the last expression, and whether there is one.</returns>
    public async Task<(bool HasValue, object? Value)> RunAsync(Script<object> script, CancellationToken cancel)
    {
        ScriptState<object> state = _state is null
            ? await script.RunAsync(globals: null, catchException: static _ => true, cancel)
            : await script.RunFromAsync(_state, catchException: static _ => true, cancel);
        if (Declares(script))
        {
            _state = state;
        }

        return state.Exception is { } error ? throw new CellFailure(error) : (state.ReturnValue is not null || HasReturnValue(script), state.ReturnValue);
    }

    /// <summary>Checks <paramref name="code"/> on top of what was checked so far, without running anything.</summary>
    /// <exception cref="CellException">It does not compile.</exception>
    public void Check(string code, CellSource source, CancellationToken cancel)
    {
        _checked = Settled(() => Continue(_checked, code, source), script => script.GetCompilation().GetDiagnostics(cancel), code, source);
    }

    private Script<object> Continue(Microsoft.CodeAnalysis.Scripting.Script? previous, string code, CellSource source)
    {
        ScriptOptions options = _options
            .WithFilePath(source.FilePath)
            .WithSourceResolver(new SourceFileResolver([], source.Folder));
        Script<object> script = previous is null ? CSharpScript.Create<object>(code, options) : previous.ContinueWith<object>(code, options);

        // A cell is too small to be compiled on several threads: waking them takes longer than the work that they share.
        var compilation = (CSharpCompilation)script.GetCompilation();
        CompilationOf(script) = compilation.WithOptions(compilation.Options.WithConcurrentBuild(false));
        return script;
    }

    // Statements alone declare nothing that a later cell can see, unless there is a variable within one: "int.TryParse(s, out var x)".
    // Directives count, for references go from cell to cell.
    private static bool Declares(Script<object> script)
    {
        if (script.GetCompilation().SyntaxTrees.ToArray() is not [SyntaxTree tree])
        {
            return true; // #load
        }

        var root = (CompilationUnitSyntax)tree.GetRoot();
        return root.Usings.Count > 0 || root.Externs.Count > 0 || root.ContainsDirectives || root.Members.Any(member => member is not GlobalStatementSyntax)
            || root.DescendantNodes().Any(node => node is VariableDesignationSyntax);
    }

    // Most cells compile against few references, which is fast; one that does not gets all that can be found.
    private Script<object> Settled(Func<Script<object>> create, Func<Script<object>, ImmutableArray<Diagnostic>> compile, string code, CellSource source)
    {
        Script<object> script = create();
        ImmutableArray<Diagnostic> diagnostics = compile(script);
        while (HasErrors(diagnostics) && references.Unsettle())
        {
            script = create();
            diagnostics = compile(script);
        }

        if (!HasErrors(diagnostics) && references.Settle() is { Count: > 0 } found)
        {
            _options = _options.AddReferences(found);
        }

        ThrowIfFaulty(diagnostics, code, source);
        return script;
    }

    private static bool HasErrors(ImmutableArray<Diagnostic> diagnostics) => diagnostics.Any(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error);

    private static void ThrowIfFaulty(ImmutableArray<Diagnostic> diagnostics, string code, CellSource source)
    {
        List<CellDiagnostic> faults =
        [
            .. diagnostics.Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error)
                .Select(diagnostic => CompilerMessages.Describe(diagnostic, code, source)),
        ];
        if (faults.Count > 0)
        {
            throw new CellException(CellException.Compilation, faults);
        }
    }

    // "var x = 1;" has no value, "x" has, and so has "null"; only this internal method tells them apart.
    [UnsafeAccessor(UnsafeAccessorKind.Method)]
    private static extern bool HasReturnValue(Microsoft.CodeAnalysis.Scripting.Script script);

    // ScriptOptions has no say in concurrency, so the compilation is changed where the script keeps it.
    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_lazyCompilation")]
    private static extern ref Compilation? CompilationOf(Microsoft.CodeAnalysis.Scripting.Script script);

    /// <summary>A cell that is being compiled before its turn; the result is null when it has errors.</summary>
    private sealed record Ahead(Microsoft.CodeAnalysis.Scripting.Script? Before, string Code, CellSource Source, Task<Script<object>?> Compiled);
}

/// <summary>An exception that a cell's own code threw.</summary>
internal sealed class CellFailure(Exception error) : Exception(error.Message, error);
