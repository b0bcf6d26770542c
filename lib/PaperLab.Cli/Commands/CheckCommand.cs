// paperlab check: everything that can be said about a notebook without running it.

using System.CommandLine;
using PaperLab.Cli.Checking;
using PaperLab.Notebooks.Format;

namespace PaperLab.Cli.Commands;

/// <summary>The <c>check</c> command.</summary>
public static class CheckCommand
{
    private const string Help = """
        Checks, without running anything: the file is valid nbformat; its metadata lets VS Code, Jupyter and .NET Interactive
        open it; cell ids are unique; there is a cell tagged `parameters`; every cell compiles after the ones before it.
        Warns where a notebook holds more code than a reader follows (about 100 lines): code that is reused belongs in lib/.

        The pages of notebooks/ also owe their reader: the paper card; the sections, each with content; no folder of one machine
        in source or outputs; at most 1 MB, 60 KB an output, 25 KB more for each further panel of a chart; and where runs are
        recorded in data/results, outputs whose stamp fits the code cells, these runs and the versions (paperlab stamp).

        Exit codes:
          0    no errors (there may be warnings)
          1    at least one error
          2    wrong usage: no such notebook
        """;

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var names = new Argument<string[]>("notebook") { Description = "Name, start of a name, or path of a notebook (default: all of notebooks/).", Arity = ArgumentArity.ZeroOrMore };
        var command = new Command("check", "Checks notebooks without running them: format, metadata, and that every cell compiles.") { names };
        CommandLine.AddHelp(command, Help);
        command.SetAction(parsed => Run(parsed.GetValue(names) ?? []));
        return command;
    }

    private static int Run(string[] names)
    {
        bool anyError = false;
        foreach (string path in NotebookCatalog.Resolve(names))
        {
            IReadOnlyList<Finding> findings = NotebookCheck.Run(path);
            foreach (Finding finding in findings)
            {
                Console.WriteLine($"{Path.GetRelativePath(Directory.GetCurrentDirectory(), path)}: {(finding.IsError ? "error" : "warning")}: {finding.Message}");
            }

            bool hasError = findings.Any(finding => finding.IsError);
            anyError |= hasError;
            string state = hasError ? "failed" : ReadingRules.Concern(path) ? $"ok ({ReadingRules.StateOf(Notebook.Load(path))})" : "ok";
            Console.WriteLine($"{Path.GetFileNameWithoutExtension(path)}: {state}");
        }

        return anyError ? ExitCode.Failed : ExitCode.Passed;
    }
}
