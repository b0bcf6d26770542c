// paperlab run: runs notebooks, saves them executed, says how each ended.

using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.RegularExpressions;
using PaperLab.Cli.Running;
using PaperLab.Notebooks.Batch;
using PaperLab.Notebooks.Pages;

namespace PaperLab.Cli.Commands;

/// <summary>The <c>run</c> command.</summary>
public static partial class RunCommand
{
    /// <summary>The command's name.</summary>
    public const string Name = "run";

    /// <summary>Begins a --report that is a JUnit file.</summary>
    internal const string Junit = "junit=";

    private const string Help = """
        Examples:
          paperlab run                                      every notebook in notebooks/
          paperlab run autonomy-of-experts --preset smoke   one notebook; the start of its name is enough
          paperlab run path/to/page.ipynb -p steps=200 -p lr=3e-4
          paperlab run --jobs 2 --fail-fast --report junit=artifacts/junit.xml --report json=artifacts/summary.json
          paperlab run --shard 2/4 --times last.json --report json=part-2.json     one machine of four; then paperlab merge
          paperlab run --compare                            are the claims those that are committed in the pages?

        The executed notebook (.ipynb) and its page (.html) go to artifacts/notebooks/, or to --out; the input is never written.
        A parameter must stand in the notebook's cell tagged `parameters`; its type there says what a value may be.

        A notebook that passed does not run again while nothing that it depends on has changed: its code cells with their parameters,
        the libraries it references, the files it names, the data and the recorded runs of its page, the engine. What a notebook finds in
        other ways is not known: --force runs it. With --fresh, or with a web address as a parameter, it always runs. The record of
        the pass lies beside what was saved, as NAME.passed.json; a changed word of the text is put on the page without running.

        Several machines share a batch by --shard: each takes its part of the sorted list, balanced by the times in --times where that is
        given. Give all the same notebooks and the same times.

        """;

    private static readonly string[] Presets = ["smoke", "standard", "full"];

    /// <summary>The command with its options.</summary>
    public static Command Create()
    {
        var names = new Argument<string[]>("notebook") { Description = "Name, start of a name, or path of a notebook (default: all of notebooks/).", Arity = ArgumentArity.ZeroOrMore };
        var preset = PresetOption();
        var parameters = ParameterOption();
        var device = new Option<string?>("--device") { Description = "Where tensors live: auto, cpu, cuda or cuda:N. Default: the notebook's own.", HelpName = "auto|cpu|cuda|cuda:N" };
        var fresh = new Option<bool>("--fresh") { Description = "Ignore checkpoints and caches of earlier runs." };
        var output = new Option<string?>("--out", "-o") { Description = "Folder for the executed notebooks and pages (default: artifacts/notebooks).", HelpName = "DIR" };
        var jobs = new Option<int>("--jobs", "-j") { Description = "How many notebooks run at the same time.", HelpName = "N", DefaultValueFactory = _ => 1 };
        var timeout = new Option<double?>("--timeout") { Description = "Longest time for one notebook, in seconds.", HelpName = "S" };
        var cellTimeout = new Option<double?>("--cell-timeout") { Description = "Longest time for one cell, in seconds.", HelpName = "S" };
        var failFast = new Option<bool>("--fail-fast") { Description = "Stop the others after the first notebook that fails." };
        var shard = new Option<string?>("--shard") { Description = "Run only part i of n of the notebooks.", HelpName = "i/n" };
        var times = new Option<string?>("--times") { Description = "Balance the shards by the times in this summary of an earlier run.", HelpName = "SUMMARY.json" };
        var force = new Option<string[]>("--force") { Description = "Run although nothing changed since it passed: all, or the named notebook.", HelpName = "NAME", Arity = ArgumentArity.ZeroOrMore };
        var compare = new Option<bool>("--compare") { Description = "Compare claims with those committed in the pages; one that differs is a failure." };
        var against = new Option<string?>("--against") { Description = "Compare claims with those in this summary of an earlier run instead.", HelpName = "SUMMARY.json" };
        var tolerance = new Option<double?>("--tolerance") { Description = $"By how much a number may differ from the recorded one, as a share of half its interval's width (default: {ClaimsComparison.DefaultTolerance}).", HelpName = "X" };
        var report = new Option<string[]>("--report") { Description = "Also write a report for CI, JUnit or the JSON summary with every cell; may be given several times.", HelpName = "junit=FILE|json=FILE" };
        var json = new Option<bool>("--json") { Description = "Print one machine-readable summary on stdout; progress goes to stderr." };
        var quiet = new Option<bool>("--quiet", "-q") { Description = "Do not repeat on the terminal what cells print." };

        device.Validators.Add(result => RequireOneOf(result, "device", value => DeviceName().IsMatch(value), "auto, cpu, cuda, cuda:N"));
        report.Validators.Add(result => RequireOneOf(result, "report", value => ReportName().IsMatch(value), "junit=FILE, json=FILE"));
        shard.Validators.Add(result => RequireOneOf(result, "shard", value => Shard.TryParse(value) is not null, "i/n with i from 1 to n, as in 2/4"));
        tolerance.Validators.Add(result => RequirePositive(result, "--tolerance"));
        timeout.Validators.Add(result => RequirePositive(result, "--timeout"));
        cellTimeout.Validators.Add(result => RequirePositive(result, "--cell-timeout"));
        jobs.Validators.Add(result => RequirePositive(result, "--jobs"));

        var command = new Command(Name, "Runs notebooks and saves them executed, each with an HTML page.")
        {
            names, preset, parameters, device, fresh, output, jobs, shard, times, force, compare, against, tolerance, timeout, cellTimeout, failFast, report, json, quiet,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(times) is not null && result.GetResult(shard) is null)
            {
                result.AddError("--times balances the parts of --shard, which is not given.");
            }

            if (result.GetResult(tolerance) is not null && result.GetResult(compare) is null && result.GetResult(against) is null)
            {
                result.AddError("--tolerance is for --compare or --against, and neither is given.");
            }
        });
        CommandLine.AddHelp(command, $"{Help}\n{ExitCode.Help}");
        command.SetAction(async (parsed, _) => await BatchRun.RunAsync(new BatchRequest
        {
            Notebooks = parsed.GetValue(names) ?? [],
            Parameters = SplitParameters(parsed.GetValue(parameters) ?? []),
            Preset = parsed.GetValue(preset),
            Device = parsed.GetValue(device),
            Fresh = parsed.GetValue(fresh),
            Output = parsed.GetValue(output),
            Jobs = parsed.GetValue(jobs),
            Shard = parsed.GetValue(shard) is string part ? Shard.TryParse(part) : null,
            TimesPath = parsed.GetValue(times),
            Forced = parsed.GetResult(force) is null ? null : parsed.GetValue(force) ?? [],
            Compare = parsed.GetValue(compare) || parsed.GetValue(against) is not null ? new ComparisonRequest(parsed.GetValue(against), parsed.GetValue(tolerance) ?? ClaimsComparison.DefaultTolerance) : null,
            Timeout = Seconds(parsed.GetValue(timeout)),
            CellTimeout = Seconds(parsed.GetValue(cellTimeout)),
            FailFast = parsed.GetValue(failFast),
            JunitPath = ReportPath(parsed.GetValue(report), Junit),
            SummaryPath = ReportPath(parsed.GetValue(report), "json="),
            Json = parsed.GetValue(json),
            Quiet = parsed.GetValue(quiet),
        }));
        return command;
    }

    /// <summary>--preset.</summary>
    internal static Option<string?> PresetOption()
    {
        var preset = new Option<string?>("--preset") { Description = "Size of the run: smoke (under a minute), standard or full. Default: the notebook's own.", HelpName = "smoke|standard|full" };
        preset.Validators.Add(result => RequireOneOf(result, "preset", Presets.Contains, string.Join(", ", Presets)));
        return preset;
    }

    /// <summary>-p NAME=VALUE.</summary>
    internal static Option<string[]> ParameterOption() =>
        new("--param", "-p") { Description = "Sets a parameter of the notebook; may be given several times.", HelpName = "NAME=VALUE" };

    /// <summary>The file that --report KIND=FILE names, the last where several do; null where none does.</summary>
    internal static string? ReportPath(string[]? reports, string kind) => reports?.LastOrDefault(report => report.StartsWith(kind, StringComparison.Ordinal))?[kind.Length..];

    private static TimeSpan? Seconds(double? seconds) => seconds is double value ? TimeSpan.FromSeconds(value) : null;

    /// <summary>NAME=VALUE by name.</summary>
    /// <exception cref="UsageException">It is not of this form, or a name comes twice.</exception>
    internal static Dictionary<string, string> SplitParameters(string[] given)
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
        if (result.Tokens.Select(token => token.Value).FirstOrDefault(value => !isAllowed(value)) is { } value)
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

    [GeneratedRegex("^(junit|json)=.")]
    private static partial Regex ReportName();
}
