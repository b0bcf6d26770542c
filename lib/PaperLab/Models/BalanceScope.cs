// Over which sequences the load f of a balance loss is counted (arXiv 2501.11873, "Demons in the Detail", sections 2 and 3).
//
// A part of a layer's config, and so of a run's key (see TransformerConfig).

using System.Text.Json.Serialization;

namespace PaperLab.Models;

/// <summary>The scope of a balance loss, counted in sequences as in the paper. Every scope costs the same forward and backward pass.</summary>
public sealed record BalanceScope
{
    /// <summary>The whole batch: what the paper calls global-batch balance.</summary>
    public static BalanceScope WholeBatch { get; } = new();

    /// <summary>Consecutive sequences that share one f, a divisor of those of a forward pass; 0 for all of them.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int Sequences { get; init; }

    /// <summary>
    /// Groups are formed after a random permutation of the batch: the control in which groups are as small as ever and no longer of
    /// one kind of text. Only the statistic is permuted, the batch stays as it is.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Shuffled { get; init; }

    /// <summary>
    /// Each group counts what the groups before it in the same optimizer step counted too: the paper's buffer for gradient
    /// accumulation, emptied after the step.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Buffered { get; init; }

    /// <summary>Weight of a second balance loss over <see cref="LocalSequences"/>, relative to the first; the paper adds one of 0.01.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public double LocalWeight { get; init; }

    /// <summary>With <see cref="LocalWeight"/>: sequences of a group of that second loss.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int LocalSequences { get; init; }

    /// <summary>The scope that takes over after <see cref="SwitchAfter"/>; null for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public BalanceScope? Then { get; init; }

    /// <summary>With <see cref="Then"/>: share of the training steps under this scope.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public double SwitchAfter { get; init; }

    /// <summary>The scope in force when <paramref name="progress"/> of the training steps are done, in [0, 1).</summary>
    public BalanceScope At(double progress) => Then is { } then && progress >= SwitchAfter ? then : this;

    /// <summary>Throws with the field, its value and the allowed range.</summary>
    /// <exception cref="ArgumentException">A field is out of range.</exception>
    public void Validate()
    {
        Require.AtLeast(Sequences, 0, Field(nameof(Sequences)));
        Require.That(LocalWeight >= 0 && double.IsFinite(LocalWeight), Field(nameof(LocalWeight)), LocalWeight, "a finite number, 0 or more");
        Require.That(
            LocalWeight > 0 ? LocalSequences >= 1 : LocalSequences == 0,
            Field(nameof(LocalSequences)),
            LocalSequences,
            LocalWeight > 0 ? "1 or more" : "0, unless LocalWeight is above 0");
        Require.That(
            Then is null ? SwitchAfter == 0 : SwitchAfter is > 0 and < 1,
            Field(nameof(SwitchAfter)),
            SwitchAfter,
            Then is null ? "0, unless Then is set" : "a share of the steps, above 0 and below 1");
        Require.That(Then?.Then is null, Field(nameof(Then)), "a scope with another Then", "a scope that stays");
        Then?.Validate();
    }

    private static string Field(string name) => $"{nameof(RoutedConfig.Balance)}.{name}";
}
