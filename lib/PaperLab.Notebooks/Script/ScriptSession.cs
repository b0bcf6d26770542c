// A running notebook: cells go in one after another, what they show comes out through the sink.

using System.Diagnostics;
using Microsoft.DotNet.Interactive;
using Microsoft.DotNet.Interactive.Formatting;
using PaperLab.Notebooks.Format;
using PaperLab.Notebooks.Script.Language;

namespace PaperLab.Notebooks.Script;

/// <summary>
/// Runs the cells of one notebook, with state across cells, in the dialect of .NET Interactive's C# kernel.
/// Console, formatters and the display helpers belong to the process, so a process has one session at a time.
/// </summary>
public sealed class ScriptSession : IDisposable
{
    /// <summary>Key of the AppContext data through which a library shows and replaces objects without a reference to the engine.</summary>
    public const string DisplayHook = "PaperLab.Notebooks.Display";

    // Not all copies of the tool do: a bundle, which has to be small, leaves them out.
    private static readonly bool HasLanguageServices = File.Exists(Path.Combine(AppContext.BaseDirectory, "Microsoft.CodeAnalysis.CSharp.Features.dll"));

    private static ScriptSession? s_current;

    private readonly string _folder;
    private readonly SerialSink _sink;
    private readonly IInputSource? _input;
    private readonly CellRunner _runner;
    private readonly Lazy<LanguageService>? _language;
    private readonly SemaphoreSlim _turn = new(1);
    private readonly TextWriter _consoleOut = Console.Out;
    private readonly TextWriter _consoleError = Console.Error;
    private readonly TextReader? _consoleIn;
    private PageThread _thread = new();
    private int _executionCount;
    private int _displayCount;

    /// <summary>Begins a session. From here on the process's Console writes to <paramref name="sink"/>.</summary>
    /// <param name="folder">The notebook's folder: relative paths of <c>#r</c>, <c>#load</c> and <c>#!import</c> start there.</param>
    /// <param name="sink">Receives what cells show.</param>
    /// <param name="input">Answers what cells ask, Console.ReadLine among it; null where nobody is there to answer.</param>
    /// <exception cref="InvalidOperationException">Another session of this process has not been disposed of.</exception>
    public ScriptSession(string folder, ICellOutputSink sink, IInputSource? input = null)
    {
        if (Interlocked.CompareExchange(ref s_current, this, null) is not null)
        {
            throw new InvalidOperationException("This process already runs a notebook: dispose of its session first, or start another process.");
        }

        _folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        _sink = new SerialSink(sink);
        _input = input;
        _runner = new CellRunner(_folder, bundle => Show(bundle, isText: false));
        _language = HasLanguageServices ? new Lazy<LanguageService>(() => new LanguageService(_runner.Cells)) : null;
        Console.SetOut(new SinkWriter(_sink, StreamName.Stdout));
        Console.SetError(new SinkWriter(_sink, StreamName.Stderr));
        if (input is not null)
        {
            _consoleIn = Console.In;
            Console.SetIn(new InputReader(input));
        }

        AppContext.SetData(DisplayHook, (Func<object, Action<object>>)(value => Display(value, []).Update));
    }

    /// <summary>The number of the last cell that ran; 0 before the first.</summary>
    public int ExecutionCount => _executionCount;

    /// <summary>The session of this process.</summary>
    internal static ScriptSession Current =>
        s_current ?? throw new InvalidOperationException("Nothing can be displayed: no notebook is running in this process.");

    /// <summary>
    /// Loads the formatter on a background thread, so that the first value does not wait for it. Call it as early as possible.
    /// The compiler is left to the first cell: compiling something else beside it costs that cell more than it saves
    /// (start to first value on 2 busy cores: nothing 0.69 s, formatter 0.68 s, formatter and compiler 0.85 s).
    /// </summary>
    public static Task WarmUp() => Task.Run(() => ValueFormatter.Format(0));

    /// <summary>
    /// Compiles a notebook's cells one after another without running or showing anything; packages are restored, imports followed.
    /// A cell with errors counts as empty for those after it.
    /// </summary>
    /// <param name="folder">The notebook's folder.</param>
    /// <param name="cells">The code cells: number, source and language as <see cref="RunAsync"/> takes them.</param>
    /// <param name="cancel">Ends the check.</param>
    /// <returns>Every error found; none when the notebook compiles.</returns>
    public static IReadOnlyList<CellDiagnostic> Check(
        string folder, IEnumerable<(int Number, string Source, string Language)> cells, CancellationToken cancel = default)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        using var runner = new CellRunner(full, show: null);
        var found = new List<CellDiagnostic>();
        foreach ((int number, string source, string language) in cells)
        {
            try
            {
                runner.Run(new CellSource(full, $"cell {number}"), source, language, null, cancel);
            }
            catch (CellException error)
            {
                found.AddRange(error.Diagnostics);
            }
        }

        return found;
    }

    /// <summary>
    /// Runs one cell to its end. Errors of the cell are in the result and have gone to the sink; they are not thrown.
    /// Cancelling interrupts managed code wherever it is; a blocked native call ends only with the process.
    /// </summary>
    /// <param name="source">The cell's text.</param>
    /// <param name="number">What messages call the cell: <c>cell 3</c>.</param>
    /// <param name="language">The cell's language as <see cref="Cell.Language"/> has it.</param>
    /// <param name="next">The cell that will probably run after it: it is compiled meanwhile.</param>
    /// <param name="counts">False for code that is no cell of the notebook, and so takes no In[n] number.</param>
    /// <param name="cancel">Interrupts the cell.</param>
    public async Task<CellResult> RunAsync(
        string source, int number, string language = Notebook.CSharp, (int Number, string Source, string Language)? next = null, bool counts = true, CancellationToken cancel = default)
    {
        await _turn.WaitAsync(CancellationToken.None);
        try
        {
            _executionCount += counts ? 1 : 0;
            return await _thread.Invoke(() => Run(PlaceOf(number), source, language, next, cancel));
        }
        finally
        {
            if (cancel.IsCancellationRequested)
            {
                _thread.Dispose();
                _thread = new PageThread();
            }

            _turn.Release();
        }
    }

    /// <summary>What could stand at <paramref name="position"/> of a cell's <paramref name="source"/>, given the cells that ran; nothing in a bundle. Waits for a running cell.</summary>
    public Task<CompletionResult> CompleteAsync(string source, int position) =>
        WithLanguageAsync(language => language.CompleteAsync(source, position), new CompletionResult(position, position, []));

    /// <summary>What stands at <paramref name="position"/> of a cell's <paramref name="source"/>, with its documentation; null when that is nothing, and in a bundle. Waits for a running cell.</summary>
    public Task<MimeBundle?> DescribeAsync(string source, int position) => WithLanguageAsync(language => language.DescribeAsync(source, position), null);

    /// <summary>Gives Console back and lets another session begin.</summary>
    public void Dispose()
    {
        Console.SetOut(_consoleOut);
        Console.SetError(_consoleError);
        if (_consoleIn is not null)
        {
            Console.SetIn(_consoleIn);
        }

        AppContext.SetData(DisplayHook, null);
        _thread.Dispose();
        _runner.Dispose();
        Formatter.ResetToDefault();
        Interlocked.CompareExchange(ref s_current, null, this);
    }

    internal void Clear(bool wait) => _sink.Clear(wait);

    internal Task<string> AskAsync(string prompt, bool hidden) => _input?.AskAsync(prompt, hidden) ?? throw new NotSupportedException(
        $"The notebook asks for input (\"{prompt}\"), and nobody is there to answer. Put the value into the cell tagged \"parameters\", or read an environment variable.");

    internal DisplayedValue Display(object? value, IReadOnlyCollection<string> mimeTypes) =>
        Show(ValueFormatter.Format(value, mimeTypes ?? []), isText: false);

    internal DisplayedValue DisplayAs(string value, string mimeType)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(mimeType);
        return Show(ValueFormatter.FromText(mimeType, value ?? ""), isText: true);
    }

    private DisplayedValue Show(MimeBundle bundle, bool isText)
    {
        string id = $"display-{Interlocked.Increment(ref _displayCount)}";
        _sink.Append(new DisplayOutput(bundle, id));
        return new DisplayedValue(_sink, id, [.. bundle.Entries.Select(entry => entry.Key)], isText);
    }

    private async Task<T> WithLanguageAsync<T>(Func<LanguageService, Task<T>> ask, T without)
    {
        await _turn.WaitAsync();
        try
        {
            return _language is null ? without : await ask(_language.Value);
        }
        finally
        {
            _turn.Release();
        }
    }

    private CellSource PlaceOf(int number) => new(_folder, $"cell {number}");

    private CellResult Run(CellSource place, string source, string language, (int Number, string Source, string Language)? next, CancellationToken cancel)
    {
        int count = _executionCount;
        var watch = Stopwatch.StartNew();
        try
        {
            NextCode? code = next is { } cell && CellText.CodeOf(cell.Source, cell.Language) is { } text ? new NextCode(text, PlaceOf(cell.Number)) : null;
            MimeBundle? value = _runner.Run(place, source, language, code, cancel);
            if (value is not null)
            {
                _sink.Append(new ResultOutput(value, count));
            }

            return new CellResult(count, null, value, watch.Elapsed, Interrupted: false);
        }
        catch (Exception error)
        {
            bool interrupted = cancel.IsCancellationRequested && error is OperationCanceledException or CellFailure { InnerException: OperationCanceledException };
            ErrorOutput output = Describe(error, interrupted, place);
            _sink.Append(output);
            return new CellResult(count, output, null, watch.Elapsed, interrupted);
        }
    }

    private ErrorOutput Describe(Exception error, bool interrupted, CellSource place) => error switch
    {
        _ when interrupted => new ErrorOutput("Interrupted", $"{place.Name} was interrupted.", [$"{place.Name} was interrupted."]),
        CellException found => found.ToOutput(),
        CellFailure failure => Traceback.Of(failure.InnerException!, _folder),
        _ => Traceback.Of(error, _folder),
    };
}
