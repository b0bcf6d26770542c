// Why a notebook's process ended, in words that tell a reader what to look at.

using System.Globalization;
using System.Text.RegularExpressions;

namespace PaperLab.Notebooks.Batch;

/// <summary>Turns an exit code and the end of stderr into a cause.</summary>
internal static partial class ExitCause
{
    // .NET reports "ended by signal N" as 128 + N.
    private const int SignalBase = 128;
    private const int LinesOfStderr = 20;

    /// <summary>One sentence: how the process ended and what that usually means.</summary>
    /// <param name="exitCode">As the operating system gave it (128 + N for signal N on Unix).</param>
    /// <param name="peakBytes">Peak memory of the process, 0 when unknown.</param>
    /// <param name="stderrTail">The end of what it wrote to stderr.</param>
    public static string Describe(int exitCode, long peakBytes, string stderrTail)
    {
        string peak = peakBytes > 0 ? $"; its peak memory was {Words.Bytes(peakBytes)}" : "";
        string lastWords = LastWords(stderrTail) is string words ? $": {words}" : "";
        return Signal(exitCode) switch
        {
            "SIGKILL" => $"The notebook's process was killed by signal 9 (SIGKILL): often the kernel's out-of-memory killer, or a limit of the job{peak}.",
            "SIGABRT" => $"The notebook's process aborted (signal 6, SIGABRT): native code or the runtime gave up{lastWords}{peak}.",
            "SIGSEGV" => $"The notebook's process crashed with a bad memory access (signal 11, SIGSEGV){lastWords}{peak}.",
            "SIGTERM" => $"The notebook's process was told to stop by signal 15 (SIGTERM){peak}.",
            string signal => $"The notebook's process was ended by signal {exitCode - SignalBase} ({signal}){lastWords}{peak}.",
            null when exitCode < 0 => $"The notebook's process crashed with code 0x{exitCode.ToString("X8", CultureInfo.InvariantCulture)}{lastWords}{peak}.",
            null => $"The notebook's process ended by itself with exit code {exitCode} in the middle of the cell (Environment.Exit, or exit in native code){lastWords}{peak}.",
        };
    }

    /// <summary>The last lines of stderr that help: from the runtime's farewell on when there is one, without the engine's own frames.</summary>
    public static IReadOnlyList<string> EndOf(string stderr)
    {
        Match farewell = RuntimeFarewell().Match(stderr);
        IEnumerable<string> lines = stderr[(farewell.Success ? farewell.Index : 0)..]
            .Split('\n')
            .Select(line => line.TrimEnd())
            .Where(line => line.Length > 0 && !EngineFrame().IsMatch(line));
        return [.. farewell.Success ? lines.Take(LinesOfStderr) : lines.TakeLast(LinesOfStderr)];
    }

    private static string? Signal(int exitCode) => OperatingSystem.IsWindows() ? null : (exitCode - SignalBase) switch
    {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        5 => "SIGTRAP",
        6 => "SIGABRT",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        15 => "SIGTERM",
        >= 16 and < 65 => "a rarer signal; kill -l names it",
        _ => null,
    };

    /// <summary>The line in which the .NET or C++ runtime says why it stopped, when there is one.</summary>
    private static string? LastWords(string stderr)
    {
        Match match = RuntimeFarewell().Match(stderr);
        return match.Success ? string.Join(' ', match.Value.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)) : null;
    }

    [GeneratedRegex(@"^\s+at (Microsoft\.CodeAnalysis\.|PaperLab\.Notebooks\.|System\.Runtime\.|System\.Threading\.|Program[.+])")]
    private static partial Regex EngineFrame();

    [GeneratedRegex(@"^(Process terminated\.(\s+at |\s*[^\n]*)|Stack overflow\.|Out of memory\.|Fatal error\.[^\n]*(\n[^\n]+)?|Unhandled exception\.[^\n]*|terminate called [^\n]*(\n\s*what\(\):[^\n]*)?)", RegexOptions.Multiline)]
    private static partial Regex RuntimeFarewell();
}
