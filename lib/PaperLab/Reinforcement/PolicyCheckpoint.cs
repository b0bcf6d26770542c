// What a policy's run needs to go on as if nothing had happened. Everything that a step draws follows from its number, so no generator is kept.

using PaperLab.Checkpoints;
using PaperLab.Training;
using static TorchSharp.torch;

namespace PaperLab.Reinforcement;

/// <summary>How far a run has come.</summary>
internal sealed class PolicyState
{
    public int Step { get; set; }

    public double Seconds { get; set; }

    public List<double> Losses { get; init; } = [];

    public List<PolicyStep> Steps { get; init; } = [];

    public List<PolicyEvaluationPoint> Evaluations { get; init; } = [];

    public List<Resumption> Resumed { get; init; } = [];
}

/// <summary>The checkpoint of a policy's training.</summary>
/// <typeparam name="TConfig">What decides the training's numbers, by which its checkpoints are known.</typeparam>
internal sealed record PolicyCheckpoint<TConfig> : Checkpoint
    where TConfig : notnull
{
    public required TConfig Config { get; init; }

    public required PolicyState State { get; init; }

    /// <summary>Writes a checkpoint into a new folder. Whole only when this returns.</summary>
    public static void Write(string folder, TConfig config, PolicyState state, IReadOnlyDictionary<string, Tensor> weights, IStageTrainer trainer) =>
        Write(folder, new PolicyCheckpoint<TConfig> { Config = config, State = state }, weights, trainer.State());

    /// <summary>Reads the state and checks the other files against their hashes.</summary>
    /// <exception cref="InvalidDataException">It is damaged; the message says which file and how.</exception>
    /// <exception cref="CheckpointException">Another version wrote it, or it belongs to another run.</exception>
    public static PolicyCheckpoint<TConfig> Read(string folder, TConfig config)
    {
        PolicyCheckpoint<TConfig> checkpoint = Read<PolicyCheckpoint<TConfig>>(folder);
        RequireSameRun(folder, (checkpoint.Config, config));
        return checkpoint;
    }

    /// <summary>Puts weights and trainer where they stood.</summary>
    /// <exception cref="CheckpointException">The weights are not those of the model.</exception>
    public static void Restore(string folder, IReadOnlyDictionary<string, Tensor> weights, IStageTrainer trainer) => Restore(folder, weights, trainer.Load);
}
