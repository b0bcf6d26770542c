// paperlab bundle: this clone as one archive that runs where there is Python's torch and no .NET.

using System.CommandLine;
using System.ComponentModel;
using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using PaperLab.Cli.Bundling;
using PaperLab.Text.Sources;

namespace PaperLab.Cli.Commands;

/// <summary>The <c>bundle</c> command.</summary>
public static class BundleCommand
{
    private const string Help = """
        Example:
          paperlab bundle                   writes paperlab-VERSION-linux-x64.tar.xz, in some minutes

        On the other machine (Linux x64, Python's torch 2.10 or later, no .NET):
          python3 -m tarfile -e paperlab-VERSION-linux-x64.tar.xz
          cd paperlab-VERSION-linux-x64
          export PAPERLAB_LIBTORCH=$(python3 -c "import torch; print(torch.__path__[0] + '/lib')")
          ./paperlab doctor

        The bundle is this clone as it was last built: build first. It needs git, the .NET SDK and xz. Its Jupyter kernel does not complete.

        """;

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var output = new Option<FileInfo?>("--out", "-o") { Description = "The archive; paperlab-VERSION-linux-x64.tar.xz by default.", HelpName = "FILE" };
        var command = new Command("bundle", "Packs this clone, the .NET runtime included, for a GPU machine that has Python's torch and no .NET.") { output };
        CommandLine.AddHelp(command, $"{Help}\n{ExitCode.Help}");
        command.SetAction(parsed => Run(parsed.GetValue(output)?.FullName));
        return command;
    }

    private static int Run(string? output)
    {
        string root = Repository.Require().Root, tool = Path.Combine(root, "lib", "out");
        if (RuntimeInformation.RuntimeIdentifier != BundleContents.Platform)
        {
            throw new EnvironmentException($"a bundle for {BundleContents.Platform} is made on {BundleContents.Platform}; this is {RuntimeInformation.RuntimeIdentifier}.");
        }

        if (!Path.Exists(Path.Combine(root, ".git")) || Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory) != tool)
        {
            throw new UsageException($"a bundle is made in a clone, by the tool that was built in it; {root} is no clone, or this tool ({AppContext.BaseDirectory}) is not in its lib/out.");
        }

        string version = typeof(BundleCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];
        string folder = $"paperlab-{version}-{BundleContents.Platform}";
        string archive = output ?? Path.GetFullPath(folder + ".tar.xz");
        string[] tracked = Ask(root, "git", ["ls-files", "-z", "--", .. BundleContents.Tracked]).Split('\0', StringSplitOptions.RemoveEmptyEntries);
        string benchmarks = Built(root, Path.Combine("tests", "PaperLab.Benchmarks"));
        var contents = new BundleContents(root, tool, benchmarks, RuntimePack(root), SdkLocation.Find());
        Console.WriteLine("Packing, which takes a minute or some ...");
        BundleArchive.Write(archive, folder, File.GetLastWriteTimeUtc(Path.Combine(tool, "PaperLab.Cli.dll")), contents.Files(tracked));
        Console.WriteLine($"{archive}: {new FileInfo(archive).Length / 1e6:0.0} MB. paperlab bundle --help says how to use it.");
        return ExitCode.Passed;
    }

    private static string Built(string root, string project)
    {
        Ask(root, "dotnet", ["build", project, "-c", "Release"]);
        return Property(root, project, "-getProperty:TargetDir");
    }

    // The restore of the tool brings it, since the notebook engine is precompiled against it.
    private static string RuntimePack(string root) =>
        JsonNode.Parse(Property(root, Path.Combine("lib", "PaperLab.Cli"), "-t:ResolveFrameworkReferences", "-getItem:ResolvedRuntimePack"))!["Items"]!["ResolvedRuntimePack"]!.AsArray()
            .FirstOrDefault(pack => (string?)pack!["FrameworkName"] == "Microsoft.NETCore.App") is { } found
            ? (string)found["PackageDirectory"]!
            : throw new EnvironmentException("the package with .NET's runtime is not here: build the tool again (dotnet build lib/PaperLab.Cli).");

    private static string Property(string root, string project, params string[] what) =>
        Ask(root, "dotnet", ["msbuild", Path.Combine(root, project), .. what]).Trim();

    // Runs a program to its end and returns what it wrote.
    private static string Ask(string folder, string program, string[] arguments)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true })!;
            string text = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? text : throw new EnvironmentException($"{program} {string.Join(' ', arguments)} ended with exit code {process.ExitCode}:\n{text}");
        }
        catch (Win32Exception error)
        {
            throw new EnvironmentException($"{program} does not start: {error.Message}. A bundle is made with git and the .NET SDK.");
        }
    }
}
