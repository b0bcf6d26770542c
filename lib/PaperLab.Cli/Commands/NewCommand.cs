// paperlab new: a notebook to start from.

using System.CommandLine;
using System.Text.RegularExpressions;
using PaperLab.Cli.Templates;

namespace PaperLab.Cli.Commands;

/// <summary>The <c>new</c> command.</summary>
public static partial class NewCommand
{
    private const string Help = """
        Example:
          paperlab new attention-sinks      makes notebooks/attention-sinks.ipynb
          paperlab run attention-sinks      runs it

        """;

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var name = new Argument<string>("name") { Description = "Name of the notebook: lower-case words joined by hyphens, as in attention-sinks." };
        var command = new Command("new", "Makes a new notebook from a template: idea, parameters, experiment, claims.") { name };
        CommandLine.AddHelp(command, $"{Help}\n{ExitCode.Help}");
        command.SetAction(parsed => Run(parsed.GetRequiredValue(name)));
        return command;
    }

    private static int Run(string name)
    {
        if (!Name().IsMatch(name))
        {
            throw new UsageException($"\"{name}\" is no name for a notebook: use lower-case letters, digits and hyphens, as in attention-sinks.");
        }

        string path = Path.Combine(Repository.Require().Notebooks, name + ".ipynb");
        if (File.Exists(path))
        {
            throw new UsageException($"{path} exists already; it is not overwritten. Choose another name.");
        }

        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            NotebookTemplate.Create(name).Save(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new EnvironmentException($"{path} cannot be written: {error.Message}");
        }

        Console.WriteLine($"Made {Path.GetRelativePath(Directory.GetCurrentDirectory(), path)}. Open it in VS Code or Jupyter, or run it: paperlab run {name}");
        return ExitCode.Passed;
    }

    [GeneratedRegex("^[a-z0-9]+(-[a-z0-9]+)*$")]
    private static partial Regex Name();
}
