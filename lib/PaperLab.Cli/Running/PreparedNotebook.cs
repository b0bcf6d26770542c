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
    /// <summary>Its name.</summary>
    public string Name { get; } = NameOf(Path);

    /// <summary>The preset that it is to run at; null for a notebook without.</summary>
    public string? Preset { get; private init; }

    /// <summary>The preset that its own parameters cell names; null for a notebook without.</summary>
    public string? DefaultPreset { get; private init; }

    /// <summary>Whether it is asked to do what no earlier pass can stand for: to begin anew, or to ask a server.</summary>
    public bool AlwaysRuns { get; private init; }

    /// <summary>Reads every notebook asked for and injects its parameters. Of a shard, only those that are its part.</summary>
    /// <param name="request">What was asked for.</param>
    /// <param name="shard">What the shard is a part of; null where there is none.</param>
    /// <exception cref="UsageException">A name, a parameter or the output folder cannot be meant so.</exception>
    public static IReadOnlyList<PreparedNotebook> Prepare(BatchRequest request, out ShardOfRun? shard)
    {
        IReadOnlyList<string> paths = NotebookCatalog.Resolve(request.Notebooks);
        string output = OutputFolder(request);
        IGrouping<string, string>? clash = paths.GroupBy(NameOf, StringComparer.OrdinalIgnoreCase).FirstOrDefault(group => group.Count() > 1);
        if (clash is not null)
        {
            throw new UsageException($"{string.Join(" and ", clash)} would both be saved as {clash.Key}.ipynb; run them one after the other with different --out folders.");
        }

        shard = null;
        if (request.Shard is { } part)
        {
            string[] names = [.. paths.Select(NameOf).Order(StringComparer.Ordinal)];
            shard = new ShardOfRun(part.Index, part.Count, names);
            IReadOnlyList<string> mine = part.Of(names, TimesIn(request.TimesPath));
            paths = [.. mine.Select(name => paths.Single(path => NameOf(path) == name))];
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
            NotebookParameters declared = NotebookParameters.Of(notebook, name);
            IReadOnlyDictionary<string, string> given = InjectParameters(notebook, declared, name, request);
            Dictionary<string, string> defaults = declared.Declared.ToDictionary(parameter => parameter.Name, parameter => parameter.Default.Trim('"'));
            Dictionary<string, string> values = defaults.ToDictionary(parameter => parameter.Key, parameter => given.GetValueOrDefault(parameter.Key, parameter.Value));
            return new PreparedNotebook(path, new NotebookJob(notebook, name, path, result, System.IO.Path.ChangeExtension(result, ".html")), null)
            {
                Preset = values.GetValueOrDefault("preset"),
                DefaultPreset = defaults.GetValueOrDefault("preset"),
                AlwaysRuns = values.GetValueOrDefault("fresh") == "true"
                    || values.Values.Any(value => value.StartsWith("http://", StringComparison.OrdinalIgnoreCase) || value.StartsWith("https://", StringComparison.OrdinalIgnoreCase)),
            };
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

    /// <summary>Sets what was given, and returns it.</summary>
    private static Dictionary<string, string> InjectParameters(Notebook notebook, NotebookParameters declared, string name, BatchRequest request)
    {
        var values = new Dictionary<string, string>(request.Parameters);
        if (request is { Parameters.Count: 0, Preset: null, Device: null, Fresh: false })
        {
            return values;
        }

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

        return values;

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

    // A first run has no times yet, and CI asks with the same words as ever.
    private static Dictionary<string, double> TimesIn(string? path)
    {
        if (path is null || File.Exists(path))
        {
            return path is null ? [] : RunSummary.Read(path).Notebooks.Where(notebook => notebook.Seconds > 0).ToDictionary(notebook => notebook.Name, notebook => notebook.Seconds);
        }

        Console.Error.WriteLine($"paperlab: note: there is no {path} yet, so all notebooks count as equally long.");
        return [];
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
