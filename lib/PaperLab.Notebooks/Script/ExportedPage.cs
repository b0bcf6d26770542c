// What an exported notebook (PageExport) needs while it runs as a program: parameters from the command line, and a place for what its
// cells show.

using System.Globalization;
using System.Text.Json;
using PaperLab.Notebooks.Format;

namespace PaperLab.Notebooks.Script;

/// <summary>The page of a notebook that runs as a program: text goes to the terminal, pictures also to files.</summary>
public sealed class ExportedPage : IDisposable
{
    // .NET sets it for a program of one file.
    private const string FolderOfProgram = "EntryPointFileDirectoryPath";

    private readonly ScriptSession _session;
    private readonly Sink _sink;
    private readonly IReadOnlyDictionary<string, string> _given;

    private ExportedPage(string name, string program, string notebooks, IReadOnlyDictionary<string, string> given)
    {
        _given = given;
        _sink = new Sink(Console.Out, Console.Error, Path.Combine(program, name + "-output"));
        _session = new ScriptSession(notebooks, _sink);
    }

    /// <summary>Begins the page. From here on relative paths start in the notebook's folder, as they do in the notebook.</summary>
    /// <param name="name">The notebook's name.</param>
    /// <param name="notebooks">The notebook's folder, from the folder of the program.</param>
    /// <param name="arguments">The command line: NAME=VALUE for a parameter.</param>
    /// <param name="parameters">The parameters that may be given.</param>
    public static ExportedPage Begin(string name, string notebooks, string[] arguments, params string[] parameters)
    {
        string program = (string?)AppContext.GetData(FolderOfProgram) ?? AppContext.BaseDirectory;
        var given = new Dictionary<string, string>();
        foreach (string argument in arguments)
        {
            string[] parts = argument.Split('=', 2);
            if (parts.Length < 2 || !parameters.Contains(parts[0]))
            {
                Console.Error.WriteLine($"{name}: \"{argument}\" is no parameter; {(parameters.Length == 0 ? "it takes none" : $"give NAME=VALUE with one of {string.Join(", ", parameters)}")}.");
                Environment.Exit(2);
            }

            given[parts[0]] = parts[1];
        }

        string folder = Path.GetFullPath(notebooks, program);
        Directory.SetCurrentDirectory(folder);
        return new ExportedPage(name, program, folder, given);
    }

    /// <summary>The value of a parameter: as given on the command line, else its default.</summary>
    public T Parameter<T>(string name, T value)
    {
        if (!_given.TryGetValue(name, out string? text))
        {
            return value;
        }

        try
        {
            return typeof(T) == typeof(string) ? (T)(object)text : JsonSerializer.Deserialize<T>(text)!;
        }
        catch (JsonException)
        {
            Console.Error.WriteLine($"{name}={text}: it takes a value of type {typeof(T).Name}.");
            Environment.Exit(2);
            throw;
        }
    }

    /// <summary>A code cell begins.</summary>
    /// <param name="number">Counts the code cells, from 1.</param>
    public void Cell(int number) => _sink.Cell(number);

    /// <summary>Shows the value that a cell ends in.</summary>
    public void Show<T>(Func<T> value) => Show(value());

    /// <summary>A cell that ends in a call without a value shows nothing.</summary>
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Performance", "CA1822:Mark members as static", Justification = "An overload of the one above.")]
    public void Show(Action call) => call();

    /// <summary>As <see cref="Show{T}(Func{T})"/>, of a value that is there already.</summary>
    public void Show(object? value) => _session.Display(value, []);

    /// <summary>Gives the console back.</summary>
    public void Dispose() => _session.Dispose();

    private sealed class Sink(TextWriter output, TextWriter error, string folder) : ICellOutputSink
    {
        private static readonly TimeSpan UpdatePeriod = TimeSpan.FromSeconds(10);

        private readonly Dictionary<string, string> _pictures = [];
        private int _cell;
        private int _count;
        private long _lastUpdate = Environment.TickCount64;

        public void Cell(int number) => (_cell, _count) = (number, 0);

        public void Append(CellOutput shown)
        {
            if (shown is StreamOutput stream)
            {
                (stream.Name == StreamName.Stderr ? error : output).Write(stream.Text);
                return;
            }

            MimeBundle data = shown.Shown()!;
            if (data.PlainText.Length > 0)
            {
                output.WriteLine(data.PlainText);
            }

            if (FileOf(data) is not null)
            {
                string path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"cell-{_cell:00}-{++_count}"));
                Save(path, data);
                if (shown is DisplayOutput { DisplayId: string id })
                {
                    _pictures[id] = path;
                }
            }
        }

        // What is updated is progress, most of the time: a line now and then.
        public void Update(string displayId, MimeBundle data)
        {
            if (_pictures.TryGetValue(displayId, out string? path))
            {
                Save(path, data);
            }

            if (Environment.TickCount64 - _lastUpdate > UpdatePeriod.TotalMilliseconds && data.LastLine.Length > 0)
            {
                _lastUpdate = Environment.TickCount64;
                output.WriteLine(data.LastLine);
            }
        }

        public void Clear(bool wait)
        {
            // A terminal keeps what was written.
        }

        private void Save(string path, MimeBundle data)
        {
            if (FileOf(data) is not ({ } extension, { } bytes))
            {
                return;
            }

            Directory.CreateDirectory(folder);
            AtomicFile.Write(path + extension, bytes);
            output.WriteLine($"→ {Path.GetFileName(folder)}/{Path.GetFileName(path)}{extension}");
        }

        // A picture; of what has neither picture nor text, its HTML.
        private static (string Extension, byte[] Bytes)? FileOf(MimeBundle data) =>
            data["image/png"] is { } png ? (".png", Convert.FromBase64String(png.ToString()))
            : data["image/svg+xml"] is { } svg ? (".svg", Utf8.Plain.GetBytes(svg.ToString()))
            : data.PlainText.Length == 0 && data["text/html"] is { } html ? (".html", Utf8.Plain.GetBytes(html.ToString()))
            : null;
    }
}
