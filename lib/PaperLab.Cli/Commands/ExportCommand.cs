// paperlab export: a notebook as one C# file that `dotnet run` executes.

using System.CommandLine;
using PaperLab.Cli.Running;
using PaperLab.Notebooks.Batch;
using PaperLab.Notebooks.Script;

namespace PaperLab.Cli.Commands;

/// <summary>The <c>export</c> command.</summary>
public static class ExportCommand
{
    private const string Help = """
        Example:
          paperlab export autonomy-of-experts --preset smoke
          dotnet run artifacts/export/autonomy-of-experts.cs -- seed=7

        The file needs the .NET SDK 10 and this repository, whose libraries it names by their projects; libtorch it takes from the folder of
        this tool, or from PAPERLAB_LIBTORCH. Text goes to the terminal, charts also as pictures to a folder beside the file.

        """;

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var name = new Argument<string>("notebook") { Description = "Name, start of a name, or path of a notebook." };
        var preset = RunCommand.PresetOption();
        var parameters = RunCommand.ParameterOption();
        var output = new Option<string?>("--out", "-o") { Description = "Folder for the file (default: artifacts/export).", HelpName = "DIR" };
        var command = new Command("export", "Writes a notebook as one C# file that `dotnet run FILE.cs` executes.") { name, preset, parameters, output };
        CommandLine.AddHelp(command, $"{Help}\n{ExitCode.Help}");
        command.SetAction(parsed => Run(
            new BatchRequest { Notebooks = [parsed.GetRequiredValue(name)], Preset = parsed.GetValue(preset), Parameters = RunCommand.SplitParameters(parsed.GetValue(parameters) ?? []) },
            parsed.GetValue(output)));
        return command;
    }

    private static int Run(BatchRequest request, string? output)
    {
        Repository repository = Repository.Require();
        PreparedNotebook notebook = PreparedNotebook.Prepare(request, out _)[0];
        if (notebook.Job is not { } job)
        {
            throw new UsageException(notebook.Problem!);
        }

        string folder = Path.GetFullPath(output ?? Path.Combine(repository.Root, "artifacts", "export"));
        string path = Path.Combine(folder, job.Name + ".cs");
        try
        {
            string Project(string name) => Path.Combine(repository.Root, "lib", name, name + ".csproj");
            AtomicFile.WriteAllText(path, PageExport.ToProgram(
                job.Notebook,
                job.InputPath,
                folder,
                engine: Project("PaperLab.Notebooks"),
                setUp: SetUp(job),
                projectOf: library => Path.GetFileNameWithoutExtension(library) is var name && File.Exists(Project(name)) ? Project(name) : null));
        }
        catch (PageExportException error)
        {
            throw new UsageException($"{job.Name} is not exported: {error.Message}");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new EnvironmentException($"{path} cannot be written: {error.Message}");
        }

        Console.WriteLine($"Wrote {Repository.ShortPath(path)}. Run it: dotnet run {Path.GetRelativePath(Directory.GetCurrentDirectory(), path)}");
        return ExitCode.Passed;
    }

    // The libraries do not bring libtorch, half a gigabyte; the tool beside them does. The program runs in the notebook's folder.
    private static string SetUp(NotebookJob job) => !job.Notebook.CodeCells.Any(cell => cell.Source.Contains("PaperLab", StringComparison.Ordinal)) ? "" : $"""
        Environment.SetEnvironmentVariable("PAPERLAB_LIBTORCH", Environment.GetEnvironmentVariable("PAPERLAB_LIBTORCH")
            ?? System.IO.Path.GetFullPath("{Path.GetRelativePath(Path.GetDirectoryName(job.InputPath)!, AppContext.BaseDirectory).Replace('\\', '/')}"));

        """;
}
