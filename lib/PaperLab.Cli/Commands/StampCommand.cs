// paperlab stamp: runs a page from its recorded runs and keeps its outputs in the page itself, with a stamp that says what they come from.

using System.CommandLine;
using PaperLab.Cli.Checking;
using PaperLab.Cli.Running;
using PaperLab.Notebooks.Format;

namespace PaperLab.Cli.Commands;

/// <summary>The <c>stamp</c> command.</summary>
public static class StampCommand
{
    /// <summary>The command's name.</summary>
    public const string Name = "stamp";

    private const string Help = """
        Runs a page of notebooks/ as it stands, at its own preset, which must be standard. When every cell passed, every number came
        from recorded runs, and `paperlab check` would find nothing wrong, it
          - copies the runs that are still in artifacts/runs to data/results/NAME,
          - writes the outputs into notebooks/NAME.ipynb, with a stamp: hashes of the code cells, of the outputs and of these runs, and
            the versions. Sources and other metadata stay as they are, and no time of day gets in: the same runs give the same bytes.
        Otherwise nothing is written, and it says why.

          paperlab run NAME --preset standard     makes what is not recorded yet; stopped, it goes on where it was
          paperlab stamp NAME                     seconds

        """;

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var name = new Argument<string>("notebook") { Description = "Name, start of a name, or path of a page in notebooks/." };
        var command = new Command(Name, "Commits a page's outputs into it: runs it from its recorded runs, and stamps what they come from.") { name };
        CommandLine.AddHelp(command, $"{Help}\n{ExitCode.Help}");
        command.SetAction(async (parsed, _) => await RunAsync(NotebookCatalog.Resolve([parsed.GetRequiredValue(name)])[0]));
        return command;
    }

    private static async Task<int> RunAsync(string path)
    {
        string name = Path.GetFileNameWithoutExtension(path);
        byte[] source = Read(path);
        if (Refusal(Notebook.Parse(source, name: path), path) is { } reason)
        {
            return Refuse(name, reason);
        }

        string aside = Path.Combine(RootOf(path), "artifacts", "stamp");
        int exitCode = await BatchRun.RunAsync(new BatchRequest { Notebooks = [path], Forced = [], Output = aside, Quiet = true });
        if (exitCode != ExitCode.Passed)
        {
            Console.Error.WriteLine($"paperlab: {name} did not pass; {path} stays as it is.");
            return exitCode;
        }

        Notebook executed = Notebook.Load(Path.Combine(aside, name + ".ipynb"));
        return !Read(path).AsSpan().SequenceEqual(source)
            ? Refuse(name, "the page was changed while it ran; stamp it again")
            : Commit(path, source, executed);
    }

    private static int Commit(string path, byte[] source, Notebook executed)
    {
        string name = Path.GetFileNameWithoutExtension(path);
        if (PageStamp.SourcesOf(executed) is not ({ } runs, int made) || runs.Count == 0)
        {
            return Refuse(name, "the page read no recorded runs, or does not say which: show `RunSources.Of(RunStore.Default)` below the claims");
        }

        if (made > 0)
        {
            return Refuse(name, $"{made} of {runs.Count} runs were made while the page ran, so it shows the times of that; they are recorded now: stamp it again");
        }

        IReadOnlyList<RecordedRun> files = RecordedRun.Locate(runs, path);
        if (files.Select(file => file.Fault()).OfType<string>().FirstOrDefault() is { } fault)
        {
            return Refuse(name, fault);
        }

        Notebook page = WithOutputs(source, path, executed);
        PageStamp.Of(page, files.ToDictionary(file => file.Name, file => file.Path)).WriteTo(page);
        Finding[] errors = [.. NotebookCheck.OfContent(page, path).Where(finding => finding.IsError)];
        if (errors.Length > 0)
        {
            return Refuse(name, $"the page would not pass the check:\n  {string.Join("\n  ", errors.Select(error => error.Message))}");
        }

        try
        {
            int shipped = files.Count(file => file.Ship());
            page.Save(path);
            Console.WriteLine($"Stamped {name}: outputs of {files.Count} recorded runs{(shipped > 0 ? $", {shipped} of them new in data/results/{name}" : "")}; {new FileInfo(path).Length / 1000.0:N0} KB.");
            return ExitCode.Passed;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new EnvironmentException($"{path} or its results cannot be written: {error.Message}");
        }
    }

    /// <summary>The source with the outputs of its run. Read again from its bytes, so that the hash is of what a reader of the file finds.</summary>
    private static Notebook WithOutputs(byte[] source, string path, Notebook executed)
    {
        Notebook page = Notebook.Parse(source, name: path);
        page.EnsureCellIds();
        page.TakeOutputsOf(executed);
        return Notebook.Parse(page.ToBytes(NotebookFormat.Ipynb), name: path);
    }

    private static string? Refusal(Notebook page, string path) =>
        !ReadingRules.Concern(path) ? $"{path} is not a page of notebooks/ of this repository"
        : page.Format != NotebookFormat.Ipynb ? "only .ipynb holds outputs"
        : ReadingRules.PresetOf(page, path) is var preset && preset != ReadingRules.CommittedPreset
            ? $"its preset is \"{preset}\"; what is committed is \"{ReadingRules.CommittedPreset}\": set it in the parameters cell, so that who opens the page finds these outputs again"
        : null;

    private static int Refuse(string name, string reason)
    {
        Console.Error.WriteLine($"paperlab: {name} is not stamped, and stays as it is: {reason}");
        return ExitCode.Failed;
    }

    private static byte[] Read(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new EnvironmentException($"{path} cannot be read: {error.Message}");
        }
    }

    private static string RootOf(string path) => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path)!, ".."));
}
