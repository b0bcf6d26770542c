// How a language model is trained, apart from its sizes and its text.
//
// Part of a run's key (see TransformerConfig): a field that is added later is left out of the JSON while it has its default.

using System.Text.Json.Serialization;

namespace PaperLab.Training;

/// <summary>What the products of a training step are computed in.</summary>
public enum Precision
{
    /// <summary>fp32, in the runtime's own mode.</summary>
    Float32,

    /// <summary>Forward pass and loss under bf16 autocast; weights, gradients, optimizer and evaluations stay in fp32.</summary>
    BFloat16,
}

/// <summary>Steps, optimizer and evaluation of one run: everything here decides the run's numbers.</summary>
public sealed record TrainingConfig
{
    /// <summary>Optimizer steps.</summary>
    public required int Steps { get; init; }

    /// <summary>B: sequences of one step.</summary>
    public int BatchSize { get; init; } = 16;

    /// <summary>
    /// Sequences of one forward pass, a divisor of <see cref="BatchSize"/>; 0 for all of them. Gradients add up to those of the whole
    /// batch; a balance loss is then the mean of those of its parts, unless its scope is buffered.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int MicroBatchSize { get; init; }

    /// <summary>
    /// Sequences in a row that share a domain, a divisor of <see cref="BatchSize"/>: the blocks of a batch take the domains in turn, in a
    /// random order, so that all domains have equal parts. 0: every sequence draws its domain by the domain's size.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int DomainBlock { get; init; }

    /// <summary>Highest learning rate, reached after <see cref="WarmupShare"/> of the steps.</summary>
    public double LearningRate { get; init; } = 2e-3;

    /// <summary>Share of the steps over which the learning rate rises from zero.</summary>
    public double WarmupShare { get; init; } = 0.1;

    /// <summary>How the learning rate goes on from there.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public LearningRateSchedule Schedule { get; init; }

    /// <summary>With <see cref="LearningRateSchedule.Wsd"/>: share of the steps over which the learning rate falls; null for 0.2.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? DecayShare { get; init; }

    /// <summary>Decoupled weight decay of matrices; norms and embeddings have none.</summary>
    public double WeightDecay { get; init; } = 0.1;

    /// <summary>Longest global gradient norm; longer ones are scaled down to it.</summary>
    public double GradientClip { get; init; } = 1;

    /// <summary>What a step computes in.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public Precision Precision { get; init; }

    /// <summary>Steps between two evaluations on held-out text during training; 0 for none but those before and after it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int EvaluationInterval { get; init; }

    [JsonIgnore]
    internal double DecayShareOrDefault => DecayShare ?? 0.2;

    /// <summary>Throws with the field, its value and the allowed range.</summary>
    /// <exception cref="ArgumentException">A field is out of range.</exception>
    public void Validate()
    {
        Require.AtLeast(Steps, 1, nameof(Steps));
        Require.AtLeast(BatchSize, 1, nameof(BatchSize));
        Require.That(
            MicroBatchSize == 0 || (MicroBatchSize > 0 && BatchSize % MicroBatchSize == 0),
            nameof(MicroBatchSize),
            MicroBatchSize,
            $"0, or a divisor of BatchSize = {BatchSize}");
        Require.That(
            DomainBlock == 0 || (DomainBlock > 0 && BatchSize % DomainBlock == 0),
            nameof(DomainBlock),
            DomainBlock,
            $"0, or a divisor of BatchSize = {BatchSize}");
        Require.That(LearningRate > 0 && double.IsFinite(LearningRate), nameof(LearningRate), LearningRate, "a finite number above 0");
        Require.That(WarmupShare is >= 0 and < 1, nameof(WarmupShare), WarmupShare, "0 to 1, exclusive");
        Require.That(Enum.IsDefined(Schedule), nameof(Schedule), Schedule, string.Join(", ", Enum.GetNames<LearningRateSchedule>()));
        Require.That(
            Schedule == LearningRateSchedule.Wsd ? DecayShareOrDefault > 0 && WarmupShare + DecayShareOrDefault <= 1 : DecayShare is null,
            nameof(DecayShare),
            DecayShare,
            Schedule == LearningRateSchedule.Wsd ? $"above 0, and at most 1 with WarmupShare = {WarmupShare}" : "null, unless Schedule is Wsd");
        Require.That(WeightDecay >= 0, nameof(WeightDecay), WeightDecay, "0 or more");
        Require.That(GradientClip > 0, nameof(GradientClip), GradientClip, "above 0");
        Require.That(Enum.IsDefined(Precision), nameof(Precision), Precision, string.Join(", ", Enum.GetNames<Precision>()));
        Require.AtLeast(EvaluationInterval, 0, nameof(EvaluationInterval));
    }

    /// <summary>Learning rate of a step (1-based): linear warm-up, then <see cref="Schedule"/>.</summary>
    public double LearningRateAt(int step) => LearningRateCourse.At(step, this);
}
