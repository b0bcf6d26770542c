// What the run command was asked for.

namespace PaperLab.Cli.Running;

/// <summary>The run command's arguments, checked as far as the command line alone can be.</summary>
/// <param name="Notebooks">Names, prefixes or paths; empty for all.</param>
/// <param name="Parameters">Values for the notebooks' parameters, as typed.</param>
/// <param name="Preset">Value for the parameter <c>preset</c>, where a notebook has it.</param>
/// <param name="Device">Value for the parameter <c>device</c>, where a notebook has it.</param>
/// <param name="Fresh">True for the parameter <c>fresh</c>, where a notebook has it.</param>
/// <param name="Output">Folder of the results; null for the default.</param>
/// <param name="Jobs">Notebooks at the same time.</param>
/// <param name="Timeout">Limit for a notebook.</param>
/// <param name="CellTimeout">Limit for a cell.</param>
/// <param name="FailFast">Stop after the first that fails.</param>
/// <param name="JunitPath">Where to write a JUnit report; null for none.</param>
/// <param name="Json">Print the summary as JSON.</param>
/// <param name="Quiet">Do not repeat the cells' output.</param>
public sealed record BatchRequest(
    IReadOnlyList<string> Notebooks,
    IReadOnlyDictionary<string, string> Parameters,
    string? Preset,
    string? Device,
    bool Fresh,
    string? Output,
    int Jobs,
    TimeSpan? Timeout,
    TimeSpan? CellTimeout,
    bool FailFast,
    string? JunitPath,
    bool Json,
    bool Quiet);
