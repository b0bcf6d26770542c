// paperlab site: the notebooks, with the outputs that they carry, as a static site; and a look at it in a browser.

using System.CommandLine;
using PaperLab.Cli.Checking;
using PaperLab.Cli.Running;
using PaperLab.Notebooks.Format;
using PaperLab.Notebooks.Gallery;
using PaperLab.Training;

namespace PaperLab.Cli.Commands;

/// <summary>The <c>site</c> command.</summary>
public static class SiteCommand
{
    private const int DefaultPort = 8321;

    private const string Help = """
        Makes a gallery of notebooks from the outputs that they carry; nothing runs. It has an index of the papers, a page for each with
        live charts, and all claims in one table. The pages load nothing from a network: open index.html, or put the folder on any web server.
        An earlier gallery in the folder is replaced as a whole, once the new one is complete.

        Examples:
          paperlab site                                   the notebooks of notebooks/, to artifacts/site
          paperlab site --serve                           the same, and a look at it: http://127.0.0.1:8321/, until Ctrl-C
          paperlab site -o public                         to another folder
          paperlab site artifacts/notebooks/my-page.ipynb a page that `paperlab run` has executed

        """;

    /// <summary>The command with its options.</summary>
    public static Command Create()
    {
        var names = new Argument<string[]>("notebook") { Description = "Name, start of a name, or path of a notebook (default: all of notebooks/).", Arity = ArgumentArity.ZeroOrMore };
        var output = new Option<string?>("--output", "-o") { Description = "Folder of the gallery (default: artifacts/site).", HelpName = "DIR" };
        var force = new Option<bool>("--force") { Description = "Where the folder holds something else than a gallery, move that aside." };
        var serve = new Option<bool>("--serve") { Description = "Serve the gallery to this machine (127.0.0.1 only) until Ctrl-C." };
        var port = new Option<int?>("--port") { Description = $"The port to serve at (default: {DefaultPort}).", HelpName = "N" };
        port.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && (!int.TryParse(result.Tokens[^1].Value, out int value) || value is < 1 or > 65535))
            {
                result.AddError($"--port {result.Tokens[^1].Value}: a port is a number from 1 to 65535.");
            }
        });
        var command = new Command("site", "Makes a gallery of the notebooks: a static site of papers, charts and claims.") { names, output, force, serve, port };
        command.Validators.Add(result =>
        {
            if (result.GetResult(port) is not null && !result.GetValue(serve))
            {
                result.AddError("--port is where the gallery is served; give --serve too.");
            }
        });
        CommandLine.AddHelp(command, $"{Help}\n{ExitCode.Help}");
        command.SetAction(async (parsed, cancellation) =>
        {
            string folder = parsed.GetValue(output) ?? Path.Combine(Repository.Find()?.Root ?? "", "artifacts", "site");
            Write(parsed.GetValue(names) ?? [], folder, parsed.GetValue(force));
            if (parsed.GetValue(serve))
            {
                await ServeAsync(folder, parsed.GetValue(port) ?? DefaultPort, cancellation);
            }

            return ExitCode.Passed;
        });
        return command;
    }

    private static void Write(string[] names, string folder, bool force)
    {
        GalleryPaper[] papers = [.. NotebookCatalog.Resolve(names).Select(Read)];
        GalleryReport report = Guarded(folder, () => GalleryWriter.Write(papers, PageWriter.ReadPlotly(), folder, force, Warn));
        if (report.MovedAside is { } aside)
        {
            Console.WriteLine($"What was there is now {aside}");
        }

        Console.WriteLine($"Wrote {papers.Length} {(papers.Length == 1 ? "paper" : "papers")}, {report.Files} files, {report.Bytes / 1e6:0.0} MB: {report.Index}");
    }

    private static GalleryPaper Read(string path)
    {
        string name = Path.GetFileNameWithoutExtension(path);
        Notebook notebook;
        try
        {
            notebook = Notebook.Load(path);
        }
        catch (NotebookFormatException error)
        {
            throw new UsageException(error.Message);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new EnvironmentException($"{path} cannot be read: {error.Message}");
        }

        if (notebook.Cells.All(cell => cell.Outputs.Count == 0))
        {
            Warn($"{name} has no outputs, so its page has none; run it first, and name the executed notebook.");
        }
        else if (ReadingRules.Concern(path))
        {
            foreach (Finding stale in ReadingRules.OfOutputs(notebook, path).Where(finding => finding.IsError))
            {
                Warn($"{name}: {stale.Message}");
            }
        }

        return new GalleryPaper(name, notebook, TimesOf(name));
    }

    private static TrainingTime[] TimesOf(string name) =>
    [
        .. RunStore.Default.RecordsOf(name)
            .GroupBy(record => (record.Preset, record.Environment.Device, record.Environment.Threads))
            .OrderBy(group => group.Key)
            .Select(group => new TrainingTime(group.Key.Preset, group.Key.Device, group.Key.Threads, group.Count(), TimeSpan.FromSeconds(group.Sum(record => record.TrainingSeconds)))),
    ];

    private static async Task ServeAsync(string folder, int port, CancellationToken cancellation)
    {
        using GalleryServer server = Guarded(folder, () => new GalleryServer(folder, port));
        Console.WriteLine($"Serving it at {server.Address}, to this machine only. Ctrl-C ends it.");
        await server.RunAsync(cancellation);
    }

    private static T Guarded<T>(string folder, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (GalleryException error)
        {
            throw new UsageException(error.Message);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new EnvironmentException($"{folder} cannot be written: {error.Message}");
        }
    }

    private static void Warn(string message) => Console.Error.WriteLine($"paperlab: {message}");
}
