// A policy's finished run, as the store keeps it.

using System.Text.Json.Serialization;
using PaperLab.Training;

namespace PaperLab.Reinforcement;

/// <summary>A policy on held-out problems at one point of its training.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Scores">One for each difficulty.</param>
/// <param name="Examples">Some of its answers.</param>
public sealed record PolicyEvaluationPoint(int Step, IReadOnlyList<PolicyScore> Scores, IReadOnlyList<PolicyExample> Examples)
{
    /// <summary>The mean over difficulties.</summary>
    [JsonIgnore]
    public PolicyScore Mean => PolicyScore.Mean(Scores);
}

/// <summary>One finished run. <see cref="RunRecordBase.TrainingSeconds"/>: wall time of the steps, rollouts included, without evaluations and checkpoints; of a resumed run, of all its parts.</summary>
public sealed record PolicyRecord : RunRecordBase
{
    public required PolicyRunConfig Config { get; init; }

    public required long Parameters { get; init; }

    /// <summary>Loss of every step; of imitation, nats per token of the completions; of more than 200 steps, means of equal parts.</summary>
    public required IReadOnlyList<double> Losses { get; init; }

    /// <summary>What reinforcement did, step by step; empty for imitation.</summary>
    public required IReadOnlyList<PolicyStep> Steps { get; init; }

    /// <summary>The evaluations on the way.</summary>
    public required IReadOnlyList<PolicyEvaluationPoint> Evaluations { get; init; }

    /// <summary>The evaluation after the last step.</summary>
    public required PolicyEvaluationPoint Final { get; init; }

    /// <summary>Where the run was interrupted; empty for one that ran through.</summary>
    public IReadOnlyList<Resumption> Resumed { get; init; } = [];

    /// <summary>Answers drawn to learn from.</summary>
    [JsonIgnore]
    public long Samples => Config.Stage is PolicyConfig policy ? (long)policy.Steps * policy.Questions * policy.Answers : 0;
}
