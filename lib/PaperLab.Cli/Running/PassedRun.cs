// The record of a notebook's last pass, beside what the run saved: NAME.passed.json beside NAME.ipynb and NAME.html. While nothing
// that the outcome depends on has changed, and what was saved lies there unharmed, the notebook need not run again.

using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using PaperLab.Notebooks.Batch;
using PaperLab.Notebooks.Format;

namespace PaperLab.Cli.Running;

/// <summary>A pass.</summary>
/// <param name="Inputs">What the outcome depended on: <see cref="RunInputs"/>.</param>
/// <param name="Words">Hash of all cells, words included.</param>
/// <param name="Saved">Hash of the executed notebook.</param>
/// <param name="Report">How it went.</param>
/// <param name="Seal">Hash of all the rest, by which a damaged record is known.</param>
internal sealed record PassedRun(IReadOnlyDictionary<string, string> Inputs, string Words, string Saved, NotebookReport Report, string Seal = "")
{
    /// <summary>The record of a notebook's last pass; null where there is none, or none to rely on.</summary>
    public static PassedRun? Find(NotebookJob job)
    {
        string path = PathOf(job);
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            PassedRun passed = JsonSerializer.Deserialize(File.ReadAllBytes(path), SummaryJson.Readable.PassedRun) ?? throw new JsonException("the file holds null");
            return passed.Seal == passed.Sealed().Seal ? passed : throw new JsonException("its content is not what was written");
        }
        catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"paperlab: {path}, the record of {job.Name}'s last pass, is damaged and ignored: {error.Message}");
            return null;
        }
    }

    /// <summary>Keeps the record of a pass. Where that fails the notebook just runs again next time.</summary>
    public static void Keep(NotebookJob job, IReadOnlyDictionary<string, string> inputs, NotebookReport report)
    {
        try
        {
            PassedRun passed = new PassedRun(inputs, WordsOf(job.Notebook), HashOf(job.OutputPath), report).Sealed();
            AtomicFile.WriteAllBytes(PathOf(job), JsonSerializer.SerializeToUtf8Bytes(passed, SummaryJson.Readable.PassedRun));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"paperlab: note: that {job.Name} passed cannot be recorded in {PathOf(job)}: {error.Message}");
        }
    }

    /// <summary>Why this pass says nothing of the notebook as it is; null when it does.</summary>
    public string? Outdated(NotebookJob job, IReadOnlyDictionary<string, string> inputs)
    {
        IReadOnlyList<string> changed = RunInputs.Changed(Inputs, inputs);
        return changed.Count > 0 ? $"changed since it passed on {Report.Started:yyyy-MM-dd}: {RunInputs.Listed(changed)}"
            : !File.Exists(job.OutputPath) || HashOf(job.OutputPath) != Saved ? $"{Repository.ShortPath(job.OutputPath)} is not what its pass on {Report.Started:yyyy-MM-dd} left"
            : null;
    }

    /// <summary>The report of this pass for a notebook that did not run now. Words that changed since are put on its page.</summary>
    /// <exception cref="IOException">The page cannot be written.</exception>
    public NotebookReport Again(NotebookJob job)
    {
        if (Words != WordsOf(job.Notebook) || !File.Exists(job.PagePath))
        {
            Notebook executed = Notebook.Load(job.OutputPath);
            job.Notebook.EnsureCellIds();
            job.Notebook.TakeOutputsOf(executed);
            TakeMissing(job.Notebook.Metadata, executed.Metadata);
            foreach ((Cell cell, Cell ran) in job.Notebook.CodeCells.Zip(executed.CodeCells))
            {
                TakeMissing(cell.Metadata, ran.Metadata);
            }

            job.Notebook.Save(job.OutputPath);
            PageWriter.Save(job);
            Keep(job, Inputs, Report);
        }

        return Report with { Unchanged = true, Input = Repository.ShortPath(job.InputPath) };
    }

    // The times and states that a run leaves in the metadata.
    private static void TakeMissing(JsonObject metadata, JsonObject from)
    {
        foreach ((string key, JsonNode? value) in from.Where(entry => !metadata.ContainsKey(entry.Key)))
        {
            metadata[key] = value?.DeepClone();
        }
    }

    private PassedRun Sealed() => this with { Seal = Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(this with { Seal = "" }, SummaryJson.Readable.PassedRun))) };

    private static string PathOf(NotebookJob job) => Path.ChangeExtension(job.OutputPath, ".passed.json");

    private static string WordsOf(Notebook notebook) => RunInputs.HashOf(notebook.Cells.SelectMany(cell => new[] { cell.Kind.ToString(), cell.Source }));

    private static string HashOf(string path) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)));
}
