// What a training loop tells whoever watches it, a few times a second at most.

namespace PaperLab.Training;

/// <summary>One progress report of a running training.</summary>
/// <param name="Run">Name of the run, for example "AoE, seed 3".</param>
/// <param name="Step">Optimizer steps done, 1-based.</param>
/// <param name="Steps">Optimizer steps in all.</param>
/// <param name="Loss">Training loss of the step, nats per token; or what <see cref="Metric"/> says.</param>
/// <param name="TokensPerSecond">Throughput since this process began or resumed the run, evaluations and checkpoints excluded; null where tokens are not what a step has.</param>
/// <param name="Elapsed">Training time of the run; of a resumed one, in all its processes.</param>
/// <param name="Remaining">Estimated time to its end, by the speed of this process.</param>
/// <param name="ResumedAfter">The step of the checkpoint that this process went on from; null when it began the run.</param>
public sealed record TrainingProgress(
    string Run, int Step, int Steps, double Loss, double? TokensPerSecond, TimeSpan Elapsed, TimeSpan Remaining, int? ResumedAfter = null)
{
    /// <summary>What <see cref="Loss"/> is, where it is something else.</summary>
    public string Metric { get; init; } = "loss";
}
