// C# cells in .NET Interactive's dialect. Each is compiled on top of the last that ran and declared something:
// the compiler looks for a name through every cell below, so those that declare nothing are left out. What a cell declares is known
// once it is compiled, so the next one can be compiled while it runs.

using System.Collections.Immutable;
using System.Reflection;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Scripting;
using Microsoft.CodeAnalysis.Scripting;

namespace PaperLab.Notebooks.Script;

/// <summary>Compiles and runs C#, and keeps the state between cells.</summary>
internal sealed class CSharpCells(References references)
{
    // What the compiler has for scripts and for nothing else is taken from an empty one. The imports are those of .NET Interactive's
    // C# kernel, no more (System.IO is not among them) and no less: a notebook that compiles here compiles there. A cell is too small to
    // be compiled on several threads: waking them takes longer than the work that they share.
    internal static readonly CSharpCompilationOptions BaseOptions = ((CSharpCompilationOptions)CSharpScript.Create("", ScriptOptions.Default).GetCompilation().Options)
        .WithUsings(
            "System",
            "System.Text",
            "System.Collections",
            "System.Collections.Generic",
            "System.Threading.Tasks",
            "System.Linq",
            "Microsoft.DotNet.Interactive.Kernel")
        .WithOptimizationLevel(OptimizationLevel.Release)
        .WithConcurrentBuild(false);

    private readonly CSharpCompilationOptions _options = BaseOptions.WithMetadataReferenceResolver(references);
    private ImmutableArray<MetadataReference> _references = References.Standard;
    private bool _hasWalked; // whether the references of all references are among them
    private Submission? _last;
    private Submission? _checked;
    private object?[] _states = new object?[16];
    private Ahead? _ahead;

    /// <summary>The variables that cells have declared, the latest of each name.</summary>
    public IEnumerable<CellVariable> Variables => _states.OfType<object>()
        .SelectMany(state => state.GetType().GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.DeclaredOnly), (state, variable) => new CellVariable(variable.Name, variable.FieldType, variable.GetValue(state)))
        .Reverse().DistinctBy(variable => variable.Name).Reverse();

    /// <summary>The last cell that ran and declared something; null before the first.</summary>
    public Submission? Last => _last;

    /// <summary>What the next cell can name of libraries.</summary>
    public ImmutableArray<MetadataReference> NamedReferences => _references;

    /// <summary>Makes restored packages nameable from the next cell on.</summary>
    public void Add(ImmutableArray<MetadataReference> packages)
    {
        _references = _references.AddRange(packages);
        _hasWalked = false;
    }

    /// <summary>Compiles <paramref name="code"/> on top of what ran so far.</summary>
    /// <exception cref="CellException">It does not compile.</exception>
    public Submission Compile(string code, CellSource source, CancellationToken cancel)
    {
        // Waited for even when it is of no use: the compiler's references are for one compilation at a time.
        _ahead?.Compiled.Wait(cancel);
        Ahead? ahead = Interlocked.Exchange(ref _ahead, null);
        return ahead is not null && ahead.Before == _last && ahead.Code == code && ahead.Source == source && ahead.Compiled.Result is { } cell
            ? cell
            : Settled(_last, cell => cell.Compile(references.LoadCell, cancel), code, source);
    }

    /// <summary>
    /// Begins to compile <paramref name="code"/>, which comes after <paramref name="running"/>, which is about to run.
    /// <see cref="Compile"/> takes the result, unless something else came in between or it has errors, which are looked into when its
    /// turn comes.
    /// </summary>
    public void CompileAhead(Submission running, string code, CellSource source)
    {
        Submission? before = running.Declares ? running : running.Previous;
        _ahead = new Ahead(before, code, source, Task.Run(() =>
        {
            var cell = new Submission(before, code, source, running.References, _options);
            return HasErrors(cell.Compile(references.LoadCell, CancellationToken.None)) ? null : cell;
        }));
    }

    /// <summary>Runs a compiled cell. Its exception, if any, is thrown; variables that it assigned before then are kept.</summary>
    /// <returns>The value of the last expression, and whether there is one.</returns>
    public async Task<(bool HasValue, object? Value)> RunAsync(Submission cell)
    {
        if (_states.Length <= cell.Depth)
        {
            Array.Resize(ref _states, 2 * _states.Length);
        }

        try
        {
            object? value = await cell.RunAsync(_states);
            return (value is not null || cell.HasValue, value);
        }
        catch (Exception error)
        {
            throw new CellFailure(error);
        }
        finally
        {
            _last = cell.Declares ? cell : cell.Previous;
        }
    }

    /// <summary>Checks <paramref name="code"/> on top of what was checked so far, without running anything.</summary>
    /// <exception cref="CellException">It does not compile.</exception>
    public void Check(string code, CellSource source, CancellationToken cancel) =>
        _checked = Settled(_checked, cell => cell.Check(cancel), code, source);

    // Most cells compile against few references, which is fast; one that does not gets all that can be found. What was found for a
    // cell with errors is forgotten.
    private Submission Settled(Submission? previous, Func<Submission, ImmutableArray<Diagnostic>> compile, string code, CellSource source)
    {
        Submission cell = Continue(previous, code, source, out bool walked);
        ImmutableArray<Diagnostic> diagnostics = compile(cell);
        if (HasErrors(diagnostics) && !walked && !_hasWalked)
        {
            references.Walk();
            cell = Continue(previous, code, source, out walked);
            diagnostics = compile(cell);
        }

        ThrowIfFaulty(diagnostics, code, source);
        _references = cell.References;
        _hasWalked |= walked;
        return cell;
    }

    // A cell that brings libraries is bound to them together with the cells before it.
    private Submission Continue(Submission? previous, string code, CellSource source, out bool walked)
    {
        var cell = new Submission(previous?.On(_references), code, source, _references, _options);
        ImmutableArray<MetadataReference> named = cell.DirectiveReferences; // asking binds it
        (walked, IReadOnlyList<MetadataReference> found) = references.EndWalk();
        ImmutableArray<MetadataReference> all = [.. _references.Union(named).Union(found)];
        if (all.Length == _references.Length)
        {
            return cell;
        }

        if (previous is null)
        {
            return cell.BoundTo(all);
        }

        cell = new Submission(previous.On(all), code, source, all, _options);
        _ = cell.DirectiveReferences;
        references.EndWalk(); // cells before it asked for their libraries once more
        return cell;
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

    /// <summary>A cell that is being compiled before its turn; the result is null when it has errors.</summary>
    private sealed record Ahead(Submission? Before, string Code, CellSource Source, Task<Submission?> Compiled);
}

/// <summary>A variable that a cell has declared.</summary>
internal sealed record CellVariable(string Name, Type Type, object? Value);

/// <summary>An exception that a cell's own code threw.</summary>
internal sealed class CellFailure(Exception error) : Exception(error.Message, error);
