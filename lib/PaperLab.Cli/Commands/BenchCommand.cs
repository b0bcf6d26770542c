// paperlab bench: hands over to the benchmarks of the checkout, which are a program of their own (tests/PaperLab.Benchmarks). In a
// portable bundle it lies beside the tool; in a clone the SDK builds and runs it.

using System.CommandLine;
using System.ComponentModel;
using System.Diagnostics;

namespace PaperLab.Cli.Commands;

/// <summary>The <c>bench</c> command.</summary>
public static class BenchCommand
{
    private const string Help = """
        Examples:
          paperlab bench                      everything, in some minutes
          paperlab bench step --threads 1     one benchmark
          paperlab bench -- --help            what there is, and its options

        Every way of doing something is timed in turn, in one run; ratios are medians over rounds. The PyTorch side runs where
        python3 with torch is installed.
        """;

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var arguments = new Argument<string[]>("arguments") { Description = "Benchmarks and options, as the program takes them.", Arity = ArgumentArity.ZeroOrMore };
        var command = new Command("bench", "Measures training, experts, attention, generation and reinforcement, beside PyTorch where it is installed.") { arguments };
        command.TreatUnmatchedTokensAsErrors = false;
        CommandLine.AddHelp(command, $"{Help}\n{ExitCode.Help}");
        command.SetAction(parsed => Run([.. parsed.GetValue(arguments) ?? [], .. parsed.UnmatchedTokens]));
        return command;
    }

    private static int Run(IReadOnlyList<string> arguments)
    {
        string built = Path.Combine(AppContext.BaseDirectory, "PaperLab.Benchmarks");
        ProcessStartInfo start = File.Exists(built)
            ? new(built, arguments)
            : new("dotnet", ["run", "-c", "Release", "--project", Path.Combine(Repository.Require().Root, "tests", "PaperLab.Benchmarks"), "--", .. arguments]);
        try
        {
            using Process process = Process.Start(start)!;
            process.WaitForExit();
            return process.ExitCode;
        }
        catch (Win32Exception error)
        {
            throw new EnvironmentException($"{start.FileName} does not start: {error.Message}. In a clone the benchmarks are built with the .NET SDK.");
        }
    }
}
