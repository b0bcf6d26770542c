// paperlab merge: the summaries of a run's shards as the summary of the whole run.

using System.CommandLine;
using PaperLab.Cli.Running;

namespace PaperLab.Cli.Commands;

/// <summary>The <c>merge</c> command.</summary>
public static class MergeCommand
{
    private const string Help = """
        Example:
          paperlab run --shard 1/2 --report json=part-1.json      on one machine
          paperlab run --shard 2/2 --report json=part-2.json      on another
          paperlab merge part-1.json part-2.json -o whole.json --report junit=whole.xml

        Prints the table of the whole run and ends with its exit code. It refuses where a shard is missing, or where two of them did not
        split the notebooks alike.

        """;

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var parts = new Argument<string[]>("summary") { Description = "A summary that `paperlab run --report json=FILE` wrote.", Arity = ArgumentArity.OneOrMore };
        var output = new Option<string>("--out", "-o") { Description = "Where the merged summary goes.", HelpName = "FILE", Required = true };
        var report = new Option<string?>("--report") { Description = "Also write a JUnit report of the whole.", HelpName = "junit=FILE" };
        report.Validators.Add(result =>
        {
            if (RunCommand.ReportPath([.. result.Tokens.Select(token => token.Value)], RunCommand.Junit) is null or "")
            {
                result.AddError("--report: give junit=FILE.");
            }
        });
        var command = new Command("merge", "Merges the summaries of a run's shards into that of the whole run.") { parts, output, report };
        CommandLine.AddHelp(command, $"{Help}\n{ExitCode.Help}");
        command.SetAction(parsed => Run(parsed.GetRequiredValue(parts), parsed.GetRequiredValue(output), parsed.GetValue(report)));
        return command;
    }

    private static int Run(string[] paths, string output, string? report)
    {
        RunSummary whole = RunSummary.Merge([.. paths.Select(path => (path, RunSummary.Read(path)))]);
        SummaryView.Print(whole, json: false);
        whole.Write(output);
        if (RunCommand.ReportPath([report ?? ""], RunCommand.Junit) is string junit)
        {
            JunitReport.Write(junit, whole);
        }

        return whole.ExitCode;
    }
}
