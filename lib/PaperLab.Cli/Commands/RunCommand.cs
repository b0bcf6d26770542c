// paperlab run: runs notebooks, saves them executed, says how each ended.

using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.RegularExpressions;
using PaperLab.Cli.Running;

namespace PaperLab.Cli.Commands;

/// <summary>The <c>run</c> command.</summary>
public static partial class RunCommand
{
    /// <summary>The command's name.</summary>
    public const string Name = "run";

    private const string Help = """
        Examples:
          paperlab run                                      every notebook in notebooks/
          paperlab run autonomy-of-experts --preset smoke   one notebook; the start of its name is enough
          paperlab run path/to/page.ipynb -p steps=200 -p lr=3e-4
          paperlab run --jobs 2 --fail-fast --report junit=artifacts/junit.xml --json

        The executed notebook (.ipynb) and its page (.html) go to artifacts/notebooks/, or to --out; the input is never written.
        A parameter must stand in the notebook's cell tagged `parameters`; its type there says what a value may be.

        """;

    private static readonly string[] Presets = ["smoke", "standard", "full"];

    /// <summary>The command with its options.</summary>
    public static Command Create()
    {
        var names = new Argument<string[]>("notebook") { Description = "Name, start of a name, or path of a notebook (default: all of notebooks/).", Arity = ArgumentArity.ZeroOrMore };
        var preset = new Option<string?>("--preset") { Description = "Size of the run: smoke (under a minute), standard or full. Default: the notebook's own.", HelpName = "smoke|standard|full" };
        var parameters = new Option<string[]>("--param", "-p") { Description = "Sets a parameter of the notebook; may be given several times.", HelpName = "NAME=VALUE" };
        var device = new Option<string?>("--device") { Description = "Where tensors live: auto, cpu, cuda or cuda:N. Default: the notebook's own.", HelpName = "auto|cpu|cuda|cuda:N" };
        var fresh = new Option<bool>("--fresh") { Description = "Ignore checkpoints and caches of earlier runs." };
        var output = new Option<string?>("--out", "-o") { Description = "Folder for the executed notebooks and pages (default: artifacts/notebooks).", HelpName = "DIR" };
        var jobs = new Option<int>("--jobs", "-j") { Description = "How many notebooks run at the same time.", HelpName = "N", DefaultValueFactory = _ => 1 };
        var timeout = new Option<double?>("--timeout") { Description = "Longest time for one notebook, in seconds.", HelpName = "S" };
        var cellTimeout = new Option<double?>("--cell-timeout") { Description = "Longest time for one cell, in seconds.", HelpName = "S" };
        var failFast = new Option<bool>("--fail-fast") { Description = "Stop the others after the first notebook that fails." };
        var report = new Option<string?>("--report") { Description = "Also write a report for CI.", HelpName = "junit=FILE" };
        var json = new Option<bool>("--json") { Description = "Print one machine-readable summary on stdout; progress goes to stderr." };
        var quiet = new Option<bool>("--quiet", "-q") { Description = "Do not repeat on the terminal what cells print." };

        preset.Validators.Add(result => RequireOneOf(result, "preset", Presets.Contains, string.Join(", ", Presets)));
        device.Validators.Add(result => RequireOneOf(result, "device", value => DeviceName().IsMatch(value), "auto, cpu, cuda, cuda:N"));
        report.Validators.Add(result => RequireOneOf(result, "report", value => value.StartsWith("junit=", StringComparison.Ordinal) && value.Length > "junit=".Length, "junit=FILE"));
        timeout.Validators.Add(result => RequirePositive(result, "--timeout"));
        cellTimeout.Validators.Add(result => RequirePositive(result, "--cell-timeout"));
        jobs.Validators.Add(result => RequirePositive(result, "--jobs"));

        var command = new Command(Name, "Runs notebooks and saves them executed, each with an HTML page.")
        {
            names, preset, parameters, device, fresh, output, jobs, timeout, cellTimeout, failFast, report, json, quiet,
        };
        CommandLine.AddHelp(command, $"{Help}\n{ExitCode.Help}");
        command.SetAction(async (parsed, _) => await BatchRun.RunAsync(new BatchRequest(
            Notebooks: parsed.GetValue(names) ?? [],
            Parameters: SplitParameters(parsed.GetValue(parameters) ?? []),
            Preset: parsed.GetValue(preset),
            Device: parsed.GetValue(device),
            Fresh: parsed.GetValue(fresh),
            Output: parsed.GetValue(output),
            Jobs: parsed.GetValue(jobs),
            Timeout: Seconds(parsed.GetValue(timeout)),
            CellTimeout: Seconds(parsed.GetValue(cellTimeout)),
            FailFast: parsed.GetValue(failFast),
            JunitPath: parsed.GetValue(report)?["junit=".Length..],
            Json: parsed.GetValue(json),
            Quiet: parsed.GetValue(quiet))));
        return command;
    }

    private static TimeSpan? Seconds(double? seconds) => seconds is double value ? TimeSpan.FromSeconds(value) : null;

    private static Dictionary<string, string> SplitParameters(string[] given)
    {
        var values = new Dictionary<string, string>();
        foreach (string text in given)
        {
            int equals = text.IndexOf('=');
            if (equals <= 0)
            {
                throw new UsageException($"-p {text}: a parameter is given as NAME=VALUE, for example -p steps=200.");
            }

            if (!values.TryAdd(text[..equals].Trim(), text[(equals + 1)..]))
            {
                throw new UsageException($"-p {text}: the parameter {text[..equals].Trim()} is given twice.");
            }
        }

        return values;
    }

    private static void RequireOneOf(OptionResult result, string what, Func<string, bool> isAllowed, string allowed)
    {
        string value = result.Tokens.Count > 0 ? result.Tokens[^1].Value : "";
        if (!isAllowed(value))
        {
            result.AddError($"unknown {what} \"{value}\"; allowed: {allowed}.");
        }
    }

    private static void RequirePositive(OptionResult result, string option)
    {
        if (result.Tokens.Count > 0 && (!double.TryParse(result.Tokens[^1].Value, out double value) || !(value > 0 && value < 1e7)))
        {
            result.AddError($"{option} {result.Tokens[^1].Value}: it must be a positive number.");
        }
    }

    [GeneratedRegex("^(auto|cpu|cuda(:[0-9]{1,3})?)$")]
    private static partial Regex DeviceName();
}
