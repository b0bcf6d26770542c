// The commands put together, and the one place where errors become a line on stderr and an exit code.

using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using PaperLab.Cli.Commands;

namespace PaperLab.Cli;

/// <summary>Parses and runs a command line.</summary>
public static class CommandLine
{
    private const string Examples = """
        Examples:
          paperlab run                                     every notebook, each at its default preset
          paperlab run autonomy-of-experts --preset smoke  one notebook, in under a minute
          paperlab check                                   are all notebooks well-formed, and do they compile?
          paperlab train data/results/PAPER/RUN.json       one training run again; under mpirun, in several processes
          paperlab site --serve                            the notebooks as a gallery, in a browser
          paperlab doctor                                  what this machine has, and what is missing
          paperlab new my-paper                            a notebook to start from
          paperlab kernel install                          a C# kernel for Jupyter
        """;

    /// <summary>Runs the tool and returns its exit code.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        Command root = CreateRoot();
        ParseResult parsed = root.Parse(args);
        if (parsed.Errors.Count > 0 && parsed.Action is not (HelpAction or HelpWithExamples)) // whoever asks for help has not given all arguments
        {
            foreach (string message in parsed.Errors.Select(error => error.Message).Distinct())
            {
                Console.Error.WriteLine($"paperlab: {message}");
            }

            Console.Error.WriteLine($"See: paperlab {string.Join(' ', Path(parsed.CommandResult.Command, root))}--help");
            return ExitCode.Usage;
        }

        try
        {
            // These handle Ctrl-C themselves: they have something to stop and to save.
            bool own = parsed.CommandResult.Command.Name is RunCommand.Name or StampCommand.Name or TrainCommand.Name;
            var configuration = new InvocationConfiguration { EnableDefaultExceptionHandler = false };
            configuration.ProcessTerminationTimeout = own ? null : configuration.ProcessTerminationTimeout;
            return await parsed.InvokeAsync(configuration);
        }
        catch (UsageException error)
        {
            Console.Error.WriteLine($"paperlab: {error.Message}");
            return ExitCode.Usage;
        }
        catch (EnvironmentException error)
        {
            Console.Error.WriteLine($"paperlab: {error.Message}");
            return ExitCode.Environment;
        }
    }

    /// <summary>Adds text to the end of a command's --help.</summary>
    public static void AddHelp(Command command, string text)
    {
        if (command.Options.OfType<HelpOption>().FirstOrDefault() is not HelpOption help)
        {
            help = new HelpOption();
            command.Options.Add(help);
        }

        help.Action = new HelpWithExamples(new HelpAction(), text);
    }

    private static Command CreateRoot()
    {
        // Not a RootCommand, which would call itself by the assembly's name in its help.
        var root = new Command("paperlab", "Runs papers: C# notebooks, in batch, each in a process of its own.") { new HelpOption(), new VersionOption() };
        root.Subcommands.Add(RunCommand.Create());
        root.Subcommands.Add(MergeCommand.Create());
        root.Subcommands.Add(TrainCommand.Create());
        root.Subcommands.Add(CheckCommand.Create());
        root.Subcommands.Add(StampCommand.Create());
        root.Subcommands.Add(ExportCommand.Create());
        root.Subcommands.Add(SiteCommand.Create());
        root.Subcommands.Add(DoctorCommand.Create());
        root.Subcommands.Add(DataCommand.Create());
        root.Subcommands.Add(NewCommand.Create());
        root.Subcommands.Add(KernelCommand.Create());
        root.Subcommands.Add(BenchCommand.Create());
        root.Subcommands.Add(BundleCommand.Create());
        AddHelp(root, $"{Examples}\n\n{ExitCode.Help}");
        return root;
    }

    private static IEnumerable<string> Path(Command command, Command root) =>
        command == root ? [] : [.. command.Parents.OfType<Command>().SelectMany(parent => Path(parent, root)), command.Name, ""];

    private sealed class HelpWithExamples(HelpAction standard, string text) : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            int exitCode = standard.Invoke(parseResult);
            parseResult.InvocationConfiguration.Output.WriteLine(text);
            return exitCode;
        }
    }
}
