// What a training loop tells whoever watches it, a few times a second at most.

namespace PaperLab.Training;

/// <summary>One progress report of a running training.</summary>
/// <param name="Run">Name of the run, for example "AoE, seed 3".</param>
/// <param name="Step">Optimizer steps done, 1-based.</param>
/// <param name="Steps">Optimizer steps in all.</param>
/// <param name="Loss">Training loss of the step, nats per token.</param>
/// <param name="TokensPerSecond">Throughput since the run began, evaluation excluded.</param>
/// <param name="Elapsed">Wall time since the run began.</param>
/// <param name="Remaining">Estimated wall time to its end.</param>
public sealed record TrainingProgress(string Run, int Step, int Steps, double Loss, double TokensPerSecond, TimeSpan Elapsed, TimeSpan Remaining);
