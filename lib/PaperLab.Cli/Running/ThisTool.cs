// How this tool starts itself again.

using PaperLab.Notebooks.Batch;

namespace PaperLab.Cli.Running;

/// <summary>The running tool as a program to start.</summary>
public static class ThisTool
{
    /// <summary>Starts this tool with <paramref name="command"/>, whether it runs by its own executable or as `dotnet PaperLab.Cli.dll`.</summary>
    public static HostLaunch LaunchOf(string command)
    {
        string program = Environment.ProcessPath!;
        return Path.GetFileNameWithoutExtension(program).Equals("dotnet", StringComparison.OrdinalIgnoreCase)
            ? new HostLaunch(program, [Path.Combine(AppContext.BaseDirectory, "PaperLab.Cli.dll"), command])
            : new HostLaunch(program, [command]);
    }
}
