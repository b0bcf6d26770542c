// The steps of a stage, with evaluations on the way, checkpoints, and a watcher that is told.

using System.Diagnostics;
using PaperLab.Models;
using PaperLab.Training;
using static TorchSharp.torch;

namespace PaperLab.Reinforcement;

/// <summary>Takes the steps that a stage has left.</summary>
/// <typeparam name="TConfig">As <see cref="PolicyCheckpoint{TConfig}"/> has it.</typeparam>
internal sealed class PolicyLoop<TConfig>
    where TConfig : notnull
{
    /// <summary>What decides the training's numbers.</summary>
    public required TConfig Config { get; init; }

    /// <summary>What is trained, in words.</summary>
    public required string Name { get; init; }

    public required PolicyStage Stage { get; init; }

    public required IStageTrainer Trainer { get; init; }

    public required Transformer Model { get; init; }

    /// <summary>What of the model is trained, and so belongs into checkpoints.</summary>
    public required IReadOnlyDictionary<string, Tensor> Weights { get; init; }

    /// <summary>As <see cref="Resumption.Mode"/>.</summary>
    public required string Mode { get; init; }

    /// <summary>Shown of each difficulty in every evaluation.</summary>
    public int Examples { get; init; }

    /// <summary>Evaluates before the first step and after every <see cref="EvaluationInterval"/> of them; null for none.</summary>
    public PolicyEvaluator? Evaluator { get; init; }

    public int EvaluationInterval { get; init; }

    public required CheckpointFolder Folder { get; init; }

    public required PolicyRunOptions Options { get; init; }

    /// <summary>Runs to the last step, from the newest checkpoint where there is one; returns what the way there gave.</summary>
    /// <param name="cancellation">Ends it between two steps, after a checkpoint.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public PolicyState Run(CancellationToken cancellation)
    {
        PolicyState state = Resume();
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
                return state;
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
                Save(state); // a cancelled step has changed nothing
                throw;
            }

            state.Step++;
            state.Seconds += Stopwatch.GetElapsedTime(began).TotalSeconds;
            state.Losses.Add(taken.Loss);
            if (taken.Policy is { } policy)
            {
                state.Steps.Add(policy.Rounded());
            }

            Options.Progress?.Report(ProgressOf(state, taken, firstStep, clock.Elapsed));
            if (Folder.IsDue(state.Step))
            {
                Save(state);
            }
        }
    }

    private PolicyState Resume()
    {
        if (Folder.Latest(path => PolicyCheckpoint<TConfig>.Read(path, Config)) is not { } saved)
        {
            return new PolicyState();
        }

        PolicyCheckpoint<TConfig>.Restore(saved.Folder, Weights, Trainer);
        PolicyState state = saved.Checkpoint.State;
        state.Resumed.Add(new Resumption(state.Step, Mode));
        Options.Note?.Invoke($"{Name} goes on after step {state.Step} of {Stage.Steps}, from {saved.Folder}.");
        return state;
    }

    private void Save(PolicyState state) => Folder.Save(state.Step, best: null, path => PolicyCheckpoint<TConfig>.Write(path, Config, state, Weights, Trainer));

    private TrainingProgress ProgressOf(PolicyState state, StageStep taken, int firstStep, TimeSpan elapsed) => new(
        Name,
        state.Step,
        Stage.Steps,
        taken.Policy?.Reward ?? taken.Loss,
        taken.Policy is { } policy && Stage is PolicyConfig config ? policy.Length * config.Questions * config.Answers / (policy.RolloutSeconds + policy.RewardSeconds + policy.TrainingSeconds) : null,
        TimeSpan.FromSeconds(state.Seconds),
        elapsed * ((double)(Stage.Steps - state.Step) / (state.Step - firstStep)),
        state.Resumed.Count > 0 ? firstStep : null)
    {
        Metric = taken.Policy is null ? "loss" : "reward",
    };
}
