// Spectre.Console set up for where we write: colours and live bars on a terminal, plain wide lines in a file or in CI.

using Spectre.Console;

namespace PaperLab.Cli.Running;

/// <summary>Consoles for people.</summary>
internal static class Terminal
{
    private const int WidthOfFiles = 160;

    /// <summary>True where a progress bar can redraw itself.</summary>
    public static bool IsLive(bool redirected) =>
        !redirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("CI")) && Environment.GetEnvironmentVariable("TERM") != "dumb";

    /// <summary>A console that writes to <paramref name="writer"/>.</summary>
    public static IAnsiConsole Create(TextWriter writer, bool redirected)
    {
        bool live = IsLive(redirected);
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = live ? AnsiSupport.Detect : AnsiSupport.No,
            Interactive = live ? InteractionSupport.Detect : InteractionSupport.No,
        });
        if (!live)
        {
            console.Profile.Width = WidthOfFiles;
        }

        return console;
    }
}
