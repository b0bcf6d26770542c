// What the run command was asked for.

using PaperLab.Notebooks.Batch;

namespace PaperLab.Cli.Running;

/// <summary>The run command's arguments, checked as far as the command line alone can be.</summary>
public sealed record BatchRequest
{
    /// <summary>Names, prefixes or paths; empty for all.</summary>
    public required IReadOnlyList<string> Notebooks { get; init; }

    /// <summary>Values for the notebooks' parameters, as typed.</summary>
    public IReadOnlyDictionary<string, string> Parameters { get; init; } = new Dictionary<string, string>();

    /// <summary>Value for the parameter <c>preset</c>, where a notebook has it.</summary>
    public string? Preset { get; init; }

    /// <summary>Value for the parameter <c>device</c>, where a notebook has it.</summary>
    public string? Device { get; init; }

    /// <summary>True for the parameter <c>fresh</c>, where a notebook has it.</summary>
    public bool Fresh { get; init; }

    /// <summary>Folder of the results; null for the default.</summary>
    public string? Output { get; init; }

    /// <summary>Notebooks at the same time.</summary>
    public int Jobs { get; init; } = 1;

    /// <summary>The part of the notebooks that runs; null for all.</summary>
    public Shard? Shard { get; init; }

    /// <summary>The summary of an earlier run, by whose times the shards are balanced; null for shards of equal numbers.</summary>
    public string? TimesPath { get; init; }

    /// <summary>Notebooks that run although nothing changed since they passed: empty for all, null for none.</summary>
    public IReadOnlyList<string>? Forced { get; init; }

    /// <summary>How claims are compared with recorded ones; null where they are not.</summary>
    public ComparisonRequest? Compare { get; init; }

    /// <summary>Limit for a notebook.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Limit for a cell.</summary>
    public TimeSpan? CellTimeout { get; init; }

    /// <summary>Stop after the first that fails.</summary>
    public bool FailFast { get; init; }

    /// <summary>Where to write a JUnit report; null for none.</summary>
    public string? JunitPath { get; init; }

    /// <summary>Where to write the summary; null for nowhere.</summary>
    public string? SummaryPath { get; init; }

    /// <summary>Print the summary as JSON.</summary>
    public bool Json { get; init; }

    /// <summary>Do not repeat the cells' output.</summary>
    public bool Quiet { get; init; }
}
