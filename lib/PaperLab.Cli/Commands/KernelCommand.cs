// paperlab kernel install | uninstall | list: makes this tool a kernel of Jupyter.

using System.CommandLine;
using PaperLab.Cli.Running;
using PaperLab.Notebooks.Jupyter;
using Spectre.Console;

namespace PaperLab.Cli.Commands;

/// <summary>The <c>kernel</c> command.</summary>
public static class KernelCommand
{
    private const string Help = """
        Examples:
          paperlab kernel install                        for this user: "C# (PaperLab)" appears in Jupyter
          paperlab kernel install --name .net-csharp     under the name that notebooks of .NET Interactive ask for
          paperlab kernel install --prefix ~/venv        for one Python environment: ~/venv/share/jupyter/kernels
          paperlab kernel list                           which kernels there are, and what they start
          paperlab kernel uninstall --name .net-csharp

        The kernel is this tool where it lies now: move the folder, and install again.

        """;

    /// <summary>The command with its three subcommands.</summary>
    public static Command Create()
    {
        var command = new Command("kernel", "Runs notebooks in Jupyter: install, uninstall, list.") { Install(), Uninstall(), List() };
        CommandLine.AddHelp(command, $"{Help}\n{ExitCode.Help}");
        return command;
    }

    private static Command Install()
    {
        (Option<bool> user, Option<string?> prefix, Option<string> name) = (User(), Prefix(), Name());
        var force = new Option<bool>("--force") { Description = "Replace a kernel of that name that this tool did not make." };
        var command = new Command("install", "Tell Jupyter of this kernel.") { user, prefix, name, force };
        CommandLine.AddHelp(command, Help);
        command.SetAction(parsed => Guarded(() =>
        {
            (string kernels, string kernel) = (Kernels(parsed.GetValue(user), parsed.GetValue(prefix)), Checked(parsed.GetRequiredValue(name)));
            if (KernelSpec.Find(kernels, kernel) is { IsOurs: false } other && !parsed.GetValue(force))
            {
                throw new UsageException($"{other.Folder} is a kernel that this tool did not make (it starts \"{other.Program}\"). Give another --name, or replace it with --force.");
            }

            KernelSpec made = KernelSpec.Install(kernels, kernel, ThisTool.LaunchOf(JupyterKernel.CommandName));
            Console.WriteLine($"Installed \"{made.DisplayName}\" as {made.Name} in {made.Folder}");
            return ExitCode.Passed;
        }));
        return command;
    }

    private static Command Uninstall()
    {
        (Option<bool> user, Option<string?> prefix, Option<string> name) = (User(), Prefix(), Name());
        var command = new Command("uninstall", "Take this kernel away from Jupyter.") { user, prefix, name };
        CommandLine.AddHelp(command, Help);
        command.SetAction(parsed => Guarded(() =>
        {
            (string kernels, string kernel) = (Kernels(parsed.GetValue(user), parsed.GetValue(prefix)), Checked(parsed.GetRequiredValue(name)));
            switch (KernelSpec.Find(kernels, kernel))
            {
                case null:
                    throw new UsageException($"there is no kernel \"{kernel}\" in {kernels}; `paperlab kernel list` shows where there are some.");
                case { IsOurs: false } other:
                    throw new UsageException($"{other.Folder} is a kernel that this tool did not make; it is left as it is (`jupyter kernelspec uninstall {kernel}` removes it).");
                case var ours:
                    ours.Uninstall();
                    Console.WriteLine($"Removed {ours.Folder}");
                    return ExitCode.Passed;
            }
        }));
        return command;
    }

    private static Command List()
    {
        Option<string?> prefix = Prefix();
        var command = new Command("list", "Show the kernels that Jupyter finds, and which of them are this tool's.") { prefix };
        CommandLine.AddHelp(command, Help);
        command.SetAction(parsed => Guarded(() =>
        {
            string[] folders = parsed.GetValue(prefix) is string given ? [Kernels(user: false, given)] : [.. KernelSpec.SearchFolders];
            List<KernelSpec> found = [.. folders.Distinct().SelectMany(KernelSpec.In)];
            if (found.Count == 0)
            {
                Console.WriteLine($"No kernel in {string.Join(", ", folders)}. `paperlab kernel install` makes one.");
                return ExitCode.Passed;
            }

            Table table = new Table().Border(TableBorder.Rounded).AddColumn("Name", column => column.NoWrap()).AddColumn("Shown as").AddColumn("PaperLab's").AddColumn("Folder");
            foreach (KernelSpec spec in found)
            {
                string ours = !spec.IsOurs ? "no" : File.Exists(spec.Program) ? "[green]yes[/]" : $"[red]yes, but {Markup.Escape(spec.Program)} is gone: install again[/]";
                table.AddRow(Markup.Escape(spec.Name), Markup.Escape(spec.DisplayName), ours, Markup.Escape(spec.Folder));
            }

            AnsiConsole.Write(table);
            return ExitCode.Passed;
        }));
        return command;
    }

    private static Option<bool> User() => new("--user") { Description = "For this user (the default)." };

    private static Option<string?> Prefix() => new("--prefix") { Description = "For an installation or a Python environment: DIR/share/jupyter/kernels.", HelpName = "DIR" };

    private static Option<string> Name() => new("--name")
    {
        Description = $"The kernel's name. {KernelSpec.DotNetName} makes notebooks of .NET Interactive open without an edit.",
        HelpName = "NAME",
        DefaultValueFactory = _ => KernelSpec.DefaultName,
    };

    private static string Checked(string name) => KernelSpec.IsName(name)
        ? name
        : throw new UsageException($"\"{name}\" is no name for a kernel: use letters, digits, dots, hyphens and underscores, as in {KernelSpec.DefaultName}.");

    private static string Kernels(bool user, string? prefix)
    {
        if (prefix is null)
        {
            return KernelSpec.UserFolder;
        }

        string folder = Path.GetFullPath(prefix);
        return user ? throw new UsageException("--user and --prefix name two places; give one of them.")
            : Directory.Exists(folder) ? KernelSpec.FolderOf(folder)
            : throw new UsageException($"--prefix {prefix}: there is no folder {folder}. It is the folder above share/jupyter, as `python -c \"import sys; print(sys.prefix)\"` prints it.");
    }

    private static int Guarded(Func<int> action)
    {
        try
        {
            return action();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new EnvironmentException($"{error.Message} For this user alone, leave --prefix out.");
        }
    }
}
