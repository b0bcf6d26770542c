// Everything that can be wrong with a batch before it starts is found here, so that nothing runs for an hour first.

using PaperLab.Cli.Checking;
using PaperLab.Notebooks.Batch;
using PaperLab.Notebooks.Format;
using PaperLab.Notebooks.Script;

namespace PaperLab.Cli.Running;

/// <summary>A notebook that is ready to run, or the reason why it cannot be.</summary>
/// <param name="Path">Full path of the notebook.</param>
/// <param name="Job">The run; null when there is a problem.</param>
/// <param name="Problem">Why the file is no notebook; null when it is one.</param>
public sealed record PreparedNotebook(string Path, NotebookJob? Job, string? Problem)
{
    /// <summary>Reads every notebook asked for and injects its parameters.</summary>
    /// <exception cref="UsageException">A name, a parameter or the output folder cannot be meant so.</exception>
    public static IReadOnlyList<PreparedNotebook> Prepare(BatchRequest request)
    {
        IReadOnlyList<string> paths = NotebookCatalog.Resolve(request.Notebooks);
        string output = OutputFolder(request);
        IGrouping<string, string>? clash = paths.GroupBy(NameOf, StringComparer.OrdinalIgnoreCase).FirstOrDefault(group => group.Count() > 1);
        if (clash is not null)
        {
            throw new UsageException($"{string.Join(" and ", clash)} would both be saved as {clash.Key}.ipynb; run them one after the other with different --out folders.");
        }

        return [.. paths.Select(path => Prepare(path, output, request))];
    }

    private static PreparedNotebook Prepare(string path, string output, BatchRequest request)
    {
        string name = NameOf(path);
        string result = System.IO.Path.Combine(output, name + ".ipynb");
        if (SameFile(result, path))
        {
            throw new UsageException($"--out {output} is the folder of {name} itself, which is never overwritten; choose another folder.");
        }

        try
        {
            Notebook notebook = Notebook.Load(path);
            notebook.Metadata.Remove(PageStamp.Key); // it speaks of the outputs that this run replaces
            InjectParameters(notebook, name, request);
            return new PreparedNotebook(path, new NotebookJob(notebook, name, path, result, System.IO.Path.ChangeExtension(result, ".html")), null);
        }
        catch (NotebookFormatException error)
        {
            return new PreparedNotebook(path, null, error.Message);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return new PreparedNotebook(path, null, $"{path} cannot be read: {error.Message}");
        }
    }

    private static void InjectParameters(Notebook notebook, string name, BatchRequest request)
    {
        if (request is { Parameters.Count: 0, Preset: null, Device: null, Fresh: false })
        {
            return;
        }

        NotebookParameters declared = NotebookParameters.Of(notebook, name);
        var values = new Dictionary<string, string>(request.Parameters);
        AddWhereDeclared("preset", request.Preset);
        AddWhereDeclared("device", request.Device);
        AddWhereDeclared("fresh", request.Fresh ? "true" : null);
        try
        {
            declared.Inject(notebook, values);
        }
        catch (NotebookParameterException error)
        {
            throw new UsageException(error.Message);
        }

        // Options of the tool, unlike -p, mean "where a notebook knows it": a batch may hold notebooks that do not.
        void AddWhereDeclared(string parameter, string? value)
        {
            if (value is null)
            {
                return;
            }

            if (declared.Declared.Any(declaration => declaration.Name == parameter))
            {
                values.TryAdd(parameter, value);
            }
            else
            {
                Console.Error.WriteLine($"paperlab: note: {name} has no parameter \"{parameter}\"; --{parameter} does not change it.");
            }
        }
    }

    private static string OutputFolder(BatchRequest request) =>
        System.IO.Path.GetFullPath(request.Output ?? System.IO.Path.Combine((Repository.Find()?.Root) ?? Directory.GetCurrentDirectory(), "artifacts", "notebooks"));

    private static bool SameFile(string a, string b)
    {
        StringComparison comparison = OperatingSystem.IsLinux() ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase;
        return RealPath(a).Equals(RealPath(b), comparison);
    }

    private static string RealPath(string path)
    {
        string folder = System.IO.Path.GetDirectoryName(path)!;
        string realFolder = Directory.Exists(folder) ? Directory.ResolveLinkTarget(folder, returnFinalTarget: true)?.FullName ?? folder : folder;
        string real = System.IO.Path.Combine(realFolder, System.IO.Path.GetFileName(path));
        return File.Exists(real) ? File.ResolveLinkTarget(real, returnFinalTarget: true)?.FullName ?? real : real;
    }

    private static string NameOf(string path) => System.IO.Path.GetFileNameWithoutExtension(path);
}
