// What decides a policy's run, and so names it. Runs name the run that they go on from: a base model is trained once, and all arms that
// begin from it say so in their config.

using System.Text.Json.Serialization;
using PaperLab.Models;
using PaperLab.Training;

namespace PaperLab.Reinforcement;

/// <summary>
/// Everything that decides a run's numbers. Two runs with equal configs are the same run. A field that is added later is left out of the
/// JSON while it has its default.
/// </summary>
public sealed record PolicyRunConfig
{
    /// <summary>The notebook the run belongs to.</summary>
    public required string Paper { get; init; }

    /// <summary>The arm of the comparison.</summary>
    public required string Arm { get; init; }

    /// <summary>What is asked.</summary>
    public required TaskOptions Task { get; init; }

    /// <summary>The model's sizes.</summary>
    public required TransformerConfig Model { get; init; }

    /// <summary>The run whose end it begins from; null for new weights, drawn with the stage's seed.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public PolicyRunConfig? From { get; init; }

    /// <summary>What is done.</summary>
    public required PolicyStage Stage { get; init; }

    /// <summary>What reinforcement rewards.</summary>
    public RewardWeights Reward { get; init; } = new();

    /// <summary>The evaluation after the last step.</summary>
    public required PolicyEvaluationOptions Evaluation { get; init; }

    /// <summary>Steps between two greedy evaluations on the way, the first before the first step; 0 for none.</summary>
    public int EvaluationInterval { get; init; }

    /// <summary>Hash of the config: the run's name in a store.</summary>
    [JsonIgnore]
    public string Key => RunStore.KeyOf(this);

    /// <summary>"GRPO, seed 3".</summary>
    [JsonIgnore]
    public string Name => $"{Arm}, seed {Stage.Seed}";

    /// <summary>Throws with the field, its value and the allowed range.</summary>
    /// <exception cref="ArgumentException">A field is out of range, or the parts do not fit together.</exception>
    public void Validate()
    {
        Model.Validate();
        Stage.Validate();
        Require.AtLeast(EvaluationInterval, 0, nameof(EvaluationInterval));
        int vocabulary = Task.Create().Tokenizer.VocabularySize;
        Require.That(Model.VocabularySize == vocabulary, nameof(Model.VocabularySize), Model.VocabularySize, $"{vocabulary}, the symbols of the task");
        Require.That(From is null || From.Model == Model, nameof(Model), Model, $"that of {From?.Name}, which the run begins from");
    }
}

/// <summary>What an answer earns: each verifier's value times its weight.</summary>
public sealed record RewardWeights
{
    /// <summary>Of a right answer.</summary>
    public double Accuracy { get; init; } = 1;

    /// <summary>Of the answer format.</summary>
    public double Format { get; init; } = 1;

    /// <summary>Of the share of words in the language asked for; 0 leaves it out.</summary>
    public double Language { get; init; }

    /// <summary>The reward.</summary>
    public CombinedReward Create() => new(
    [
        new WeightedVerifier(new AccuracyVerifier(), Accuracy),
        new WeightedVerifier(new FormatVerifier(), Format),
        .. Language > 0 ? new[] { new WeightedVerifier(new LanguageVerifier(), Language) } : [],
    ]);
}
