// The tool's exit codes, the same for every command.

namespace PaperLab.Cli;

/// <summary>What the tool's exit code means.</summary>
public static class ExitCode
{
    /// <summary>Everything passed.</summary>
    public const int Passed = 0;

    /// <summary>A notebook failed, or a check found a fault.</summary>
    public const int Failed = 1;

    /// <summary>The command line is wrong; nothing ran.</summary>
    public const int Usage = 2;

    /// <summary>This machine cannot run it: no CUDA device, no libtorch, a folder that cannot be written. `paperlab doctor` says why.</summary>
    public const int Environment = 3;

    /// <summary>Stopped by Ctrl-C or SIGTERM, saved.</summary>
    public const int Stopped = 130;

    /// <summary>The meanings in one block, for --help.</summary>
    public const string Help = """
        Exit codes:
          0    everything passed
          1    a notebook failed (it is saved with everything up to then, and the error)
          2    wrong usage: an unknown name, option, parameter, preset or device; nothing ran
          3    this machine cannot run it (no CUDA device, a folder that cannot be written): see paperlab doctor
          130  stopped by Ctrl-C or SIGTERM; what ran is saved
        """;
}

/// <summary>The command line asks for something that does not exist: one line for the user, exit code 2.</summary>
public sealed class UsageException(string message) : Exception(message);

/// <summary>The machine cannot do what was asked: one line for the user, exit code 3.</summary>
public sealed class EnvironmentException(string message) : Exception(message);
