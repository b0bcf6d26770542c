// How a language model is trained, apart from its sizes and its text.

namespace PaperLab.Training;

/// <summary>Steps, optimizer and evaluation of one run.</summary>
public sealed record TrainingConfig
{
    /// <summary>Optimizer steps.</summary>
    public required int Steps { get; init; }

    /// <summary>B: sequences of one step.</summary>
    public int BatchSize { get; init; } = 16;

    /// <summary>Highest learning rate, reached after <see cref="WarmupShare"/> of the steps; a cosine brings it to a tenth at the end.</summary>
    public double LearningRate { get; init; } = 2e-3;

    /// <summary>Share of the steps over which the learning rate rises from zero.</summary>
    public double WarmupShare { get; init; } = 0.1;

    /// <summary>Decoupled weight decay of matrices; norms and embeddings have none.</summary>
    public double WeightDecay { get; init; } = 0.1;

    /// <summary>Longest global gradient norm; longer ones are scaled down to it.</summary>
    public double GradientClip { get; init; } = 1;

    /// <summary>Throws with the field, its value and the allowed range.</summary>
    /// <exception cref="ArgumentException">A field is out of range.</exception>
    public void Validate()
    {
        Require.AtLeast(Steps, 1, nameof(Steps));
        Require.AtLeast(BatchSize, 1, nameof(BatchSize));
        Require.That(LearningRate > 0, nameof(LearningRate), LearningRate, "above 0");
        Require.That(WarmupShare is >= 0 and < 1, nameof(WarmupShare), WarmupShare, "0 to 1, exclusive");
        Require.That(WeightDecay >= 0, nameof(WeightDecay), WeightDecay, "0 or more");
        Require.That(GradientClip > 0, nameof(GradientClip), GradientClip, "above 0");
    }

    /// <summary>Learning rate of a step (1-based): linear warm-up, then a cosine from the highest rate to a tenth of it.</summary>
    public double LearningRateAt(int step)
    {
        double warmup = Math.Round(WarmupShare * Steps);
        if (step <= warmup)
        {
            return LearningRate * step / warmup;
        }

        double progress = (step - warmup) / Math.Max(1, Steps - warmup);
        return LearningRate * (0.1 + (0.9 * 0.5 * (1 + Math.Cos(Math.PI * progress))));
    }
}
