// A notebook in memory: its cells and its metadata, read from and written to .ipynb (nbformat 4.x) or .dib (Polyglot).

using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace PaperLab.Notebooks.Format;

/// <summary>The two file formats.</summary>
public enum NotebookFormat
{
    /// <summary>Jupyter's JSON, nbformat 4.x.</summary>
    Ipynb,

    /// <summary>.NET Interactive's plain text: cells divided by lines such as <c>#!csharp</c>. It holds no outputs.</summary>
    Dib,
}

/// <summary>
/// A notebook. One that is read and written unchanged is byte-identical; a change touches only what was changed.
/// </summary>
public sealed class Notebook
{
    internal const string CSharp = "csharp";
    internal const int MinorVersionWithIds = 5;
    private JsonObject? _metadata;

    internal Notebook(NotebookFormat format, List<Cell> cells, string defaultLanguage, JsonObject? metadata = null)
    {
        (Format, Cells, DefaultLanguage, _metadata) = (format, cells, defaultLanguage, metadata);
    }

    /// <summary>An empty C# notebook of nbformat 4.5.</summary>
    public Notebook()
        : this(NotebookFormat.Ipynb, [], CSharp, IpynbWriter.DefaultMetadata())
    {
    }

    /// <summary>The format it was read from.</summary>
    public NotebookFormat Format { get; }

    /// <summary>Where it was loaded from; null for one parsed from text or made in memory.</summary>
    public string? Path { get; private set; }

    /// <summary>The cells, in order.</summary>
    public IList<Cell> Cells { get; }

    /// <summary>The language of a code cell that names none, as .NET Interactive names it: <c>csharp</c>.</summary>
    public string DefaultLanguage { get; }

    /// <summary>The notebook's metadata; changes to it are saved.</summary>
    public JsonObject Metadata => _metadata ??= Origin?.Root.Required("metadata").Node() as JsonObject ?? [];

    /// <summary>The y of nbformat 4.y.</summary>
    public int MinorVersion { get; internal set; } = MinorVersionWithIds;

    /// <summary>The code cells, in order.</summary>
    public IEnumerable<Cell> CodeCells => Cells.Where(cell => cell.Kind == CellKind.Code);

    internal NotebookOrigin? Origin { get; init; }

    internal DibOrigin? DibOrigin { get; init; }

    internal JsonObject? TouchedMetadata => _metadata;

    /// <summary>Reads a notebook; the file's extension (.ipynb or .dib) names its format.</summary>
    /// <exception cref="NotebookFormatException">The file is not a notebook; the message names line and field.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static Notebook Load(string path)
    {
        NotebookFormat format = FormatOf(path);
        Notebook notebook = Parse(File.ReadAllBytes(path), format, path);
        notebook.Path = System.IO.Path.GetFullPath(path);
        return notebook;
    }

    /// <summary>Reads a notebook from text. <paramref name="name"/> stands for the file in messages.</summary>
    /// <exception cref="NotebookFormatException">The text is not a notebook; the message names line and field.</exception>
    public static Notebook Parse(string text, NotebookFormat format = NotebookFormat.Ipynb, string name = "notebook") =>
        Parse(Utf8.Plain.GetBytes(text), format, name);

    /// <summary>As <see cref="Parse(string, NotebookFormat, string)"/>, from the bytes of a file.</summary>
    public static Notebook Parse(byte[] bytes, NotebookFormat format = NotebookFormat.Ipynb, string name = "notebook") =>
        format == NotebookFormat.Dib ? DibReader.Read(bytes, name) : IpynbReader.Read(bytes, name);

    /// <summary>The format that a path's extension names.</summary>
    /// <exception cref="ArgumentException">It is neither .ipynb nor .dib.</exception>
    public static NotebookFormat FormatOf(string path) => System.IO.Path.GetExtension(path).ToLowerInvariant() switch
    {
        ".ipynb" => NotebookFormat.Ipynb,
        ".dib" => NotebookFormat.Dib,
        var other => throw new ArgumentException($"{path}: the extension is \"{other}\"; a notebook ends in .ipynb or .dib.", nameof(path)),
    };

    /// <summary>The notebook as text of its own format.</summary>
    public string ToText() => ToText(Format);

    /// <summary>The notebook as text of <paramref name="format"/>; .dib drops the outputs.</summary>
    public string ToText(NotebookFormat format) => Utf8.Plain.GetString(ToBytes(format));

    /// <summary>The notebook as the bytes of a file of <paramref name="format"/>.</summary>
    public byte[] ToBytes(NotebookFormat format) => format == NotebookFormat.Dib ? DibWriter.Write(this) : IpynbWriter.Write(this);

    /// <summary>Writes the notebook in the format that the path's extension names: all of it, or nothing when that fails.</summary>
    public void Save(string path) => AtomicFile.Write(path, ToBytes(FormatOf(path)));

    /// <summary>
    /// Gives an id to every cell that has none, an ill-formed one or one that an earlier cell has, and raises nbformat to 4.5, which wants them.
    /// The ids depend on the cells alone, so that the same notebook gets the same ids.
    /// </summary>
    public void EnsureCellIds()
    {
        MinorVersion = Math.Max(MinorVersion, MinorVersionWithIds);
        var wellFormed = Cells.Where(cell => IsWellFormed(cell.Id)).Select(cell => cell.Id!).ToHashSet();
        var taken = new HashSet<string>();
        for (int index = 0; index < Cells.Count; index++)
        {
            Cell cell = Cells[index];
            if (!IsWellFormed(cell.Id) || !taken.Add(cell.Id!))
            {
                cell.Id = FreeId(cell, index, id => wellFormed.Contains(id) || taken.Contains(id));
                taken.Add(cell.Id);
            }
        }
    }

    /// <summary>Takes over what the code cells of <paramref name="executed"/> left, one cell after another; the words between them may differ.</summary>
    public void TakeOutputsOf(Notebook executed)
    {
        foreach ((Cell cell, Cell ran) in CodeCells.Zip(executed.CodeCells))
        {
            cell.ExecutionCount = ran.ExecutionCount;
            cell.Outputs.Clear();
            foreach (CellOutput output in ran.Outputs)
            {
                cell.Outputs.Add(output);
            }
        }
    }

    private static bool IsWellFormed(string? id) =>
        id is { Length: >= 1 and <= 64 } && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');

    private static string FreeId(Cell cell, int index, Func<string, bool> isTaken)
    {
        for (int attempt = 0; ; attempt++)
        {
            byte[] hash = SHA256.HashData(Utf8.Plain.GetBytes($"{index}\n{attempt}\n{cell.Kind}\n{cell.Source}"));
            string id = Convert.ToHexStringLower(hash.AsSpan(0, 4));
            if (!isTaken(id))
            {
                return id;
            }
        }
    }
}
