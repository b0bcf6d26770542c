// The checks that `paperlab check` makes of one notebook.

using System.Text.Json.Nodes;
using PaperLab.Notebooks.Format;
using PaperLab.Notebooks.Script;

namespace PaperLab.Cli.Checking;

/// <summary>One thing that is wrong, or worth a look.</summary>
/// <param name="IsError">False for a warning.</param>
/// <param name="Message">What was found, and what to do.</param>
public sealed record Finding(bool IsError, string Message);

/// <summary>Checks a notebook without running it.</summary>
public static class NotebookCheck
{
    private const int CodeLines = 100;

    // The names of the C# kernel: .NET Interactive's, which the editors look for.
    private const string KernelName = ".net-csharp";

    /// <summary>Everything found in the notebook at <paramref name="path"/>; nothing when it is in order.</summary>
    public static IReadOnlyList<Finding> Run(string path)
    {
        try
        {
            Notebook notebook = Notebook.Load(path);
            return [.. OfContent(notebook, path), .. ReadingRules.Concern(path) ? ReadingRules.OfOutputs(notebook, path) : []];
        }
        catch (Exception error) when (error is NotebookFormatException or IOException or UnauthorizedAccessException)
        {
            return [new Finding(IsError: true, error.Message)];
        }
    }

    /// <summary>Everything found in a notebook but whether its outputs are up to date.</summary>
    /// <param name="notebook">The notebook.</param>
    /// <param name="path">Where it lies; its references are relative to that.</param>
    public static IEnumerable<Finding> OfContent(Notebook notebook, string path) =>
    [
        .. Metadata(notebook),
        .. Ids(notebook),
        .. Parameters(notebook),
        .. Budget(notebook),
        .. ReadingRules.Concern(path) ? ReadingRules.OfContent(notebook) : [],
        .. Compilation(notebook, path),
    ];

    private static IEnumerable<Finding> Metadata(Notebook notebook)
    {
        if (notebook.Format != NotebookFormat.Ipynb)
        {
            yield break;
        }

        string? kernel = Text(notebook.Metadata["kernelspec"], "name");
        if (kernel != KernelName)
        {
            yield return new Finding(IsError: true, $"metadata.kernelspec.name is {Quote(kernel)}; it must be \"{KernelName}\" for Jupyter and .NET Interactive to pick the C# kernel.");
        }

        if (Text(notebook.Metadata["language_info"], "name") is not ("polyglot-notebook" or "C#"))
        {
            yield return new Finding(IsError: true, $"metadata.language_info.name is {Quote(Text(notebook.Metadata["language_info"], "name"))}; VS Code opens \"polyglot-notebook\" with its C# support.");
        }

        if (notebook.Metadata["polyglot_notebook"]?["kernelInfo"] is null)
        {
            yield return new Finding(IsError: false, "metadata.polyglot_notebook.kernelInfo is missing: VS Code will add it when the notebook is saved there.");
        }

        foreach (Cell cell in CodeCells(notebook).Where(cell => cell.Language != "csharp"))
        {
            yield return new Finding(IsError: false, $"cell {cell.Id} is {cell.Language}, not C#: Jupyter's kernel takes every code cell as C#.");
        }
    }

    private static IEnumerable<Finding> Ids(Notebook notebook)
    {
        if (notebook.Format != NotebookFormat.Ipynb)
        {
            yield break;
        }

        int without = notebook.Cells.Count(cell => string.IsNullOrEmpty(cell.Id));
        if (without > 0)
        {
            yield return new Finding(IsError: true, $"{without} of {notebook.Cells.Count} cells have no id; nbformat 4.5 wants one for each (open and save the notebook in VS Code or Jupyter).");
        }

        foreach (string id in notebook.Cells.Select(cell => cell.Id).OfType<string>().GroupBy(id => id).Where(group => group.Count() > 1).Select(group => group.Key))
        {
            yield return new Finding(IsError: true, $"the cell id \"{id}\" occurs more than once; ids must be unique.");
        }
    }

    private static IEnumerable<Finding> Parameters(Notebook notebook)
    {
        int tagged = CodeCells(notebook).Count(cell => cell.HasTag("parameters"));
        if (tagged != 1 && notebook.Format == NotebookFormat.Ipynb)
        {
            yield return new Finding(IsError: true, $"{tagged} cells are tagged `parameters`; there must be one, so that `paperlab run --preset` and -p have a place to go.");
        }
    }

    private static IEnumerable<Finding> Budget(Notebook notebook)
    {
        int lines = CodeCells(notebook).Sum(cell => cell.Source.Split('\n').Count(line => line.Trim() is { Length: > 0 } text && !text.StartsWith("//", StringComparison.Ordinal)));
        if (lines > CodeLines)
        {
            yield return new Finding(IsError: false, $"{lines} lines of code; a notebook reads well up to about {CodeLines}. Code that would be reused belongs in lib/.");
        }
    }

    private static IEnumerable<Finding> Compilation(Notebook notebook, string path)
    {
        IEnumerable<(int, string, string)> cells = CodeCells(notebook).Select((cell, index) => (index + 1, cell.Source, cell.Language));
        return ScriptSession.Check(Path.GetDirectoryName(path)!, cells).Select(diagnostic => new Finding(IsError: true, diagnostic.ToString()));
    }

    private static IEnumerable<Cell> CodeCells(Notebook notebook) => notebook.Cells.Where(cell => cell.Kind == CellKind.Code);

    private static string? Text(JsonNode? node, string name) =>
        node is JsonObject json && json[name] is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    private static string Quote(string? text) => text is null ? "missing" : $"\"{text}\"";
}
