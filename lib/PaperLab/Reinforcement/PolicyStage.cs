// What a policy is made by, stage after stage: imitation of demonstrations, then reinforcement. DeepSeek-R1 has four stages, R1-Zero one
// after its base model; a run (PolicyRun.cs) is one stage on from the end of another run.

using System.Text.Json.Serialization;
using static TorchSharp.torch;

namespace PaperLab.Reinforcement;

/// <summary>One stage of training.</summary>
[JsonDerivedType(typeof(ImitationConfig), "imitation")]
[JsonDerivedType(typeof(PolicyConfig), "reinforcement")]
public abstract record PolicyStage
{
    /// <summary>Seed of everything that the stage draws.</summary>
    public required int Seed { get; init; }

    /// <summary>Steps.</summary>
    public required int Steps { get; init; }

    /// <summary>Throws with the field, its value and the allowed range.</summary>
    /// <exception cref="ArgumentException">A field is out of range.</exception>
    public virtual void Validate() => Require.AtLeast(Steps, 1, nameof(Steps));
}

/// <summary>What a stage's trainer tells of a step.</summary>
/// <param name="Loss">Its loss.</param>
/// <param name="Policy">What reinforcement tells beside it; null for imitation.</param>
internal readonly record struct StageStep(double Loss, PolicyStep? Policy);

/// <summary>Trains a model through one stage. A step draws nothing that does not follow from the stage's seed and its number.</summary>
internal interface IStageTrainer : IDisposable
{
    StageStep Take(int step, CancellationToken cancellation);

    /// <summary>Every tensor of the training but the model's own: the trainer's, not copies.</summary>
    IReadOnlyDictionary<string, Tensor> State();

    /// <summary>Goes on from a <see cref="State"/>.</summary>
    void Load(IReadOnlyDictionary<string, Tensor> state);
}
