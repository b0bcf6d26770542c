// Rotary frequencies for contexts longer than those of training, under the names of Hugging Face's rope_scaling.
// Shapes: h = D/2 frequencies of a head.

namespace PaperLab.Models;

/// <summary>The ways to stretch rotary positions.</summary>
public enum RopeScalingKind
{
    /// <summary>All positions divided by the factor (arXiv 2306.15595).</summary>
    Linear,

    /// <summary>"NTK": the base grows with the length, once it passes the original context.</summary>
    Dynamic,

    /// <summary>Llama 3.1: low frequencies divided by the factor, high ones kept, a ramp between.</summary>
    Llama3,

    /// <summary>YaRN (arXiv 2309.00071): a ramp over dimensions, and attention scaled by 0.1·ln(factor) + 1.</summary>
    Yarn,
}

/// <summary>How rotary frequencies are changed.</summary>
public sealed record RopeScaling
{
    public required RopeScalingKind Kind { get; init; }

    /// <summary>Length after stretching / length of training.</summary>
    public required double Factor { get; init; }

    /// <summary>Length of training; <see cref="RopeScalingKind.Linear"/> does not need it.</summary>
    public int OriginalContext { get; init; }

    /// <summary>Llama 3: wavelengths above OriginalContext / this are divided by the factor.</summary>
    public double LowFrequencyFactor { get; init; } = 1;

    /// <summary>Llama 3: wavelengths below OriginalContext / this are kept.</summary>
    public double HighFrequencyFactor { get; init; } = 4;

    /// <summary>YaRN: dimensions that turn more often than this over the original context are kept.</summary>
    public double BetaFast { get; init; } = 32;

    /// <summary>YaRN: dimensions that turn less often than this are divided by the factor.</summary>
    public double BetaSlow { get; init; } = 1;

    /// <summary>YaRN: factor on cos and sin; null for 0.1·ln(factor) + 1.</summary>
    public double? AttentionFactor { get; init; }

    /// <summary>Throws with the field, its value and the allowed range.</summary>
    /// <exception cref="ArgumentException">A field is out of range.</exception>
    public void Validate()
    {
        Require.That(Factor >= 1, nameof(Factor), Factor, "1 or more");
        Require.That(Kind == RopeScalingKind.Linear || OriginalContext >= 1, nameof(OriginalContext), OriginalContext, $"1 or more with {Kind}");
        Require.That(LowFrequencyFactor > 0, nameof(LowFrequencyFactor), LowFrequencyFactor, "above 0");
        Require.That(HighFrequencyFactor > LowFrequencyFactor, nameof(HighFrequencyFactor), HighFrequencyFactor, $"above LowFrequencyFactor = {LowFrequencyFactor}");
        Require.That(BetaFast > BetaSlow && BetaSlow > 0, nameof(BetaFast), BetaFast, $"above BetaSlow = {BetaSlow}, which is above 0");
    }

    /// <summary>Factor on the cos and sin tables.</summary>
    internal double TableFactor => Kind == RopeScalingKind.Yarn ? AttentionFactor ?? ((0.1 * Math.Log(Factor)) + 1) : 1;

    /// <summary>Angles for each position step of the h frequencies of a head of width <paramref name="headWidth"/>, for a sequence of <paramref name="length"/>.</summary>
    internal static double[] Frequencies(int headWidth, double theta, RopeScaling? scaling, long length)
    {
        double[] Plain(double b) => [.. Enumerable.Range(0, headWidth / 2).Select(i => Math.Pow(b, -2.0 * i / headWidth))];
        return scaling switch
        {
            null => Plain(theta),
            { Kind: RopeScalingKind.Linear } => [.. Plain(theta).Select(f => f / scaling.Factor)],
            { Kind: RopeScalingKind.Dynamic } => Plain(scaling.DynamicBase(headWidth, theta, length)),
            { Kind: RopeScalingKind.Llama3 } => [.. Plain(theta).Select(scaling.Llama3)],
            _ => [.. Plain(theta).Select((f, i) => scaling.Yarn(f, i, headWidth, theta))],
        };
    }

    private double DynamicBase(int headWidth, double theta, long length) => length <= OriginalContext
        ? theta
        : theta * Math.Pow((Factor * length / OriginalContext) - (Factor - 1), headWidth / (headWidth - 2.0));

    private double Llama3(double frequency)
    {
        double turns = OriginalContext * frequency / (2 * Math.PI); // over the original context
        double kept = Math.Clamp((turns - LowFrequencyFactor) / (HighFrequencyFactor - LowFrequencyFactor), 0, 1);
        return (kept * frequency) + ((1 - kept) * frequency / Factor);
    }

    private double Yarn(double frequency, int index, int headWidth, double theta)
    {
        // The dimension that turns β times over the original context.
        double DimensionOf(double beta) => headWidth * Math.Log(OriginalContext / (beta * 2 * Math.PI)) / (2 * Math.Log(theta));
        double first = Math.Max(Math.Floor(DimensionOf(BetaFast)), 0);
        double last = Math.Min(Math.Ceiling(DimensionOf(BetaSlow)), headWidth - 1);
        double stretched = Math.Clamp((index - first) / Math.Max(last - first, 0.001), 0, 1);
        return (stretched * frequency / Factor) + ((1 - stretched) * frequency);
    }
}
