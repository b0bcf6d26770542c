// Walks through the parts of a cell in order: code is compiled and run, other languages are shown, magic commands obeyed.
// The same walk checks a cell: it then compiles, restores and follows imports, but runs and shows nothing.

using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.DotNet.Interactive.Formatting;
using PaperLab.Notebooks.Format;

namespace PaperLab.Notebooks.Script;

/// <summary>Runs or checks the parts of cells.</summary>
/// <param name="folder">The notebook's folder.</param>
/// <param name="show">Shows a bundle below the running cell; null for a check.</param>
internal sealed class CellRunner(string folder, Action<MimeBundle>? show) : IDisposable
{
    private readonly References _references = new(folder);
    private readonly PackageRestorer _packages = new(folder);
    private readonly Stack<string> _importing = new();
    private CSharpCells? _cells;

    /// <summary>The C# of the cells that ran.</summary>
    public CSharpCells Cells => _cells ??= new CSharpCells(_references);

    public void Dispose() => _references.Dispose();

    /// <summary>Runs a cell. It has to be called on the page's thread.</summary>
    /// <param name="place">Where the cell lies.</param>
    /// <param name="source">Its text.</param>
    /// <param name="language">Its language.</param>
    /// <param name="next">The cell that will probably run after it, if its code can be compiled before.</param>
    /// <param name="cancel">Interrupts it.</param>
    /// <returns>The value of the last expression, formatted; null where there is none.</returns>
    /// <exception cref="CellException">The cell's text is at fault.</exception>
    /// <exception cref="CellFailure">The cell's code threw.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public MimeBundle? Run(CellSource place, string source, string language, NextCode? next, CancellationToken cancel)
    {
        var watch = Stopwatch.StartNew();
        bool timed = false;
        MimeBundle? value = null;
        List<CellPart> parts = CellText.Split(source, language);
        foreach (CellPart part in parts)
        {
            Show(value);
            value = null;
            switch (part)
            {
                case TextPart { Language: Notebook.CSharp } code:
                    value = RunCode(code.Text, place, part == parts[^1] ? next : null, cancel);
                    break;
                case TextPart text:
                    ShowText(text, place);
                    break;
                case MagicPart { Name: MagicCommand.Time }:
                    timed = true;
                    break;
                case MagicPart magic:
                    Obey(magic, place, cancel);
                    break;
            }
        }

        if (timed)
        {
            Show(value);
            value = null;
            Show(ValueFormatter.FromText(PlainTextFormatter.MimeType, $"Wall time: {watch.Elapsed.TotalMilliseconds:0.###}ms"));
        }

        return value;
    }

    private MimeBundle? RunCode(string code, CellSource place, NextCode? next, CancellationToken cancel)
    {
        if (show is null)
        {
            Cells.Check(code, place, cancel);
            return null;
        }

        Submission cell = Cells.Compile(code, place, cancel);
        if (next is not null)
        {
            Cells.CompileAhead(cell, next.Code, next.Place);
        }

        (bool hasValue, object? value) = PageThread.RunToEnd(() => Cells.RunAsync(cell), cancel);
        return hasValue ? ValueFormatter.Format(value) : null;
    }

    private void Show(MimeBundle? bundle)
    {
        if (bundle is not null)
        {
            show?.Invoke(bundle);
        }
    }

    private void ShowText(TextPart part, CellSource place) => Show(part.Language switch
    {
        "markdown" => ValueFormatter.FromText("text/markdown", part.Text),
        "html" => ValueFormatter.FromText(HtmlFormatter.MimeType, part.Text),
        "javascript" => ValueFormatter.FromText(HtmlFormatter.MimeType, $"<script type=\"text/javascript\">{part.Text}</script>"),
        _ => throw new CellException(CellException.Directive, place.Name, part.Line, MagicCommand.Unknown("#!" + part.Language)),
    });

    private void Obey(MagicPart magic, CellSource place, CancellationToken cancel)
    {
        switch (magic.Name)
        {
            case CellText.PackageReference:
                AddPackage(magic, place, cancel);
                break;
            case CellText.PackageSource:
                _packages.AddSource(magic.Argument);
                break;
            case MagicCommand.Import:
                Import(magic, place, cancel);
                break;
            case MagicCommand.Who:
                Show(ListOf(Cells.Variables.Select(variable => variable.Name)));
                break;
            case MagicCommand.Whos:
                Show(TableOf(["Variable", "Type", "Value"], Cells.Variables.Select(variable =>
                    new[] { variable.Name, variable.Type.ToDisplayString(PlainTextFormatter.MimeType), variable.Value.ToDisplayString(PlainTextFormatter.MimeType) })));
                break;
            case MagicCommand.About:
                Show(TableOf(["PaperLab notebook engine", ""], About()));
                break;
            case MagicCommand.ListMagic:
                Show(TableOf(["Command", ""], MagicCommand.All.Select(command => new[] { command.Name, command.Description })));
                break;
            default:
                throw new CellException(CellException.Directive, place.Name, magic.Line, MagicCommand.Unknown(magic.Name));
        }
    }

    private void AddPackage(MagicPart magic, CellSource place, CancellationToken cancel)
    {
        try
        {
            RestoredPackages restored = _packages.Add(magic.Argument, cancel);
            Cells.Add(_references.Add(restored));
            Show(ListOf(restored.Installed, "Installed packages"));
        }
        catch (PackageException error)
        {
            throw new CellException(CellException.Package, place.Name, magic.Line, error.Message);
        }
    }

    private void Import(MagicPart magic, CellSource place, CancellationToken cancel)
    {
        string path = Path.GetFullPath(magic.Argument, place.Folder);
        CellException Fault(string message) => new(CellException.Directive, place.Name, magic.Line, message);
        if (magic.Argument.Length == 0 || !File.Exists(path))
        {
            throw Fault($"#!import: there is no file \"{magic.Argument}\" in {place.Folder}");
        }

        if (_importing.Contains(path))
        {
            throw Fault($"#!import: {string.Join(" → ", _importing.Reverse().Append(path).Select(Path.GetFileName))} goes in a circle");
        }

        _importing.Push(path);
        try
        {
            ImportFile(path, Fault, cancel);
        }
        finally
        {
            _importing.Pop();
        }
    }

    private void ImportFile(string path, Func<string, CellException> fault, CancellationToken cancel)
    {
        string name = Path.GetFileName(path);
        string from = Path.GetDirectoryName(path)!;
        switch (Path.GetExtension(path).ToLowerInvariant())
        {
            case ".cs" or ".csx":
                Show(Run(new CellSource(from, name), File.ReadAllText(path), Notebook.CSharp, null, cancel));
                break;
            case ".ipynb" or ".dib":
                ImportNotebook(path, fault, cancel);
                break;
            case var other:
                throw fault($"#!import: \"{other}\" cannot be imported; .ipynb, .dib, .cs and .csx can");
        }
    }

    private void ImportNotebook(string path, Func<string, CellException> fault, CancellationToken cancel)
    {
        Notebook notebook;
        try
        {
            notebook = Notebook.Load(path);
        }
        catch (NotebookFormatException error)
        {
            throw fault($"#!import: {error.Message}");
        }

        for (int index = 0; index < notebook.Cells.Count; index++)
        {
            Cell cell = notebook.Cells[index];
            if (cell.Kind == CellKind.Code)
            {
                var place = new CellSource(Path.GetDirectoryName(path)!, $"{Path.GetFileName(path)} cell {index + 1}");
                Show(Run(place, cell.Source, cell.Language, null, cancel));
            }
        }
    }

    private static IEnumerable<string[]> About() =>
    [
        ["Version", typeof(CellRunner).Assembly.GetName().Version!.ToString(3)],
        ["C# script", $"Roslyn {typeof(CSharpCompilation).Assembly.GetName().Version}"],
        ["Formatting", $"Microsoft.DotNet.Interactive.Formatting {typeof(Formatter).Assembly.GetName().Version}"],
        ["Runtime", RuntimeInformation.FrameworkDescription],
        ["System", $"{RuntimeInformation.OSDescription}, {RuntimeInformation.RuntimeIdentifier}"],
    ];

    private static MimeBundle ListOf(IEnumerable<string> items, string? title = null)
    {
        List<string> list = [.. items];
        string html = $"{(title is null ? "" : $"<div><strong>{title}</strong></div>")}<ul>{string.Concat(list.Select(item => $"<li>{WebUtility.HtmlEncode(item)}</li>"))}</ul>";
        string text = string.Join('\n', title is null ? list : [title + ":", .. list]);
        return Bundle(html, text);
    }

    private static MimeBundle TableOf(string[] head, IEnumerable<string[]> rows)
    {
        List<string[]> all = [.. rows];
        string Row(string tag, string[] cells) => $"<tr>{string.Concat(cells.Select(cell => $"<{tag}>{WebUtility.HtmlEncode(cell)}</{tag}>"))}</tr>";
        string html = $"<table><thead>{Row("th", head)}</thead><tbody>{string.Concat(all.Select(row => Row("td", row)))}</tbody></table>";
        return Bundle(html, string.Join('\n', all.Select(row => string.Join("  ", row))));
    }

    private static MimeBundle Bundle(string html, string text) => new(
    [
        KeyValuePair.Create<string, JsonNode>(HtmlFormatter.MimeType, JsonValue.Create(html)),
        KeyValuePair.Create<string, JsonNode>(PlainTextFormatter.MimeType, JsonValue.Create(text)),
    ]);
}

/// <summary>The code of a cell that has not run yet.</summary>
internal sealed record NextCode(string Code, CellSource Place);
