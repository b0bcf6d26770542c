// The steps of a stage, with evaluations on the way, checkpoints, and a watcher that is told.

using System.Diagnostics;
using PaperLab.Models;
using PaperLab.Training;

namespace PaperLab.Reinforcement;

/// <summary>Takes the steps that a stage has left.</summary>
internal sealed class PolicyLoop
{
    /// <summary>Shown of each difficulty in every evaluation.</summary>
    public const int Examples = 2;

    /// <summary>What is trained, in words.</summary>
    public required string Name { get; init; }

    public required PolicyStage Stage { get; init; }

    public required IStageTrainer Trainer { get; init; }

    public required Transformer Model { get; init; }

    /// <summary>Evaluates before the first step and after every <see cref="EvaluationInterval"/> of them; null for none.</summary>
    public required PolicyEvaluator? Evaluator { get; init; }

    public required int EvaluationInterval { get; init; }

    public required CheckpointFolder Folder { get; init; }

    /// <summary>Writes a checkpoint into a folder.</summary>
    public required Action<string> Save { get; init; }

    public required IProgress<TrainingProgress>? Progress { get; init; }

    /// <summary>Runs to the last step.</summary>
    /// <param name="state">How far it is; kept up to date.</param>
    /// <param name="cancellation">Ends it between two steps, after a checkpoint.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public void Run(PolicyState state, CancellationToken cancellation)
    {
        int firstStep = state.Step;
        var clock = Stopwatch.StartNew();
        while (true)
        {
            if (Evaluator is not null && state.Step % EvaluationInterval == 0 && state.Evaluations.All(point => point.Step != state.Step))
            {
                (IReadOnlyList<PolicyScore> scores, IReadOnlyList<PolicyExample> examples) = Evaluator.Evaluate(Model, Examples, cancellation);
                state.Evaluations.Add(new PolicyEvaluationPoint(state.Step, scores, examples));
            }

            if (state.Step == Stage.Steps)
            {
                return;
            }

            long began = Stopwatch.GetTimestamp();
            StageStep taken;
            try
            {
                Model.train();
                taken = Trainer.Take(state.Step + 1, cancellation);
            }
            catch (OperationCanceledException)
            {
                Folder.Save(state.Step, best: null, Save); // a cancelled step has changed nothing
                throw;
            }

            state.Step++;
            state.Seconds += Stopwatch.GetElapsedTime(began).TotalSeconds;
            state.Losses.Add(taken.Loss);
            if (taken.Policy is { } policy)
            {
                state.Steps.Add(policy.Rounded());
            }

            Progress?.Report(ProgressOf(state, taken, firstStep, clock.Elapsed));
            if (Folder.IsDue(state.Step))
            {
                Folder.Save(state.Step, best: null, Save);
            }
        }
    }

    private TrainingProgress ProgressOf(PolicyState state, StageStep taken, int firstStep, TimeSpan elapsed) => new(
        Name,
        state.Step,
        Stage.Steps,
        taken.Policy?.Reward ?? taken.Loss,
        taken.Policy is { } policy && Stage is PolicyConfig config ? policy.Length * config.Questions * config.Answers / (policy.RolloutSeconds + policy.RewardSeconds + policy.TrainingSeconds) : 0,
        TimeSpan.FromSeconds(state.Seconds),
        elapsed * ((double)(Stage.Steps - state.Step) / (state.Step - firstStep)),
        state.Resumed.Count > 0 ? firstStep : null)
    {
        Metric = taken.Policy is null ? "loss" : "reward",
    };
}
