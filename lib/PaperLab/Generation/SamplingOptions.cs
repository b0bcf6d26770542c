// How the next token is drawn, and when a row ends.

namespace PaperLab.Generation;

/// <summary>Options of sampling. The filters apply in the order top-k, top-p, min-p, each to what the one before left.</summary>
public sealed record SamplingOptions
{
    private const double LeastTemperature = 1e-3; // far below it, logits divided by it leave fp32

    /// <summary>Tokens that a row may add to its prompt.</summary>
    public required int MaxNewTokens { get; init; }

    /// <summary>Logits are divided by it, 0.001 or more; 0 takes the likeliest token.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>Only this many of the likeliest tokens; 0 for all.</summary>
    public int TopK { get; init; }

    /// <summary>Only the fewest likeliest tokens whose probabilities sum to this (arXiv 1904.09751); 1 for all.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>Only tokens at least this many times as likely as the likeliest one (arXiv 2407.01082); 0 for all.</summary>
    public double MinP { get; init; }

    /// <summary>Tokens that end a row; the one that ended it is the row's last.</summary>
    public IReadOnlyList<int> StopTokens { get; init; } = [];

    /// <summary>With a row's index it seeds that row's draws, so that its text does not depend on the rows beside it.</summary>
    public ulong Seed { get; init; }

    /// <summary>A seed for each row instead, so that a row's text does not depend on its place either; empty for none.</summary>
    public IReadOnlyList<ulong> RowSeeds { get; init; } = [];

    /// <summary>Throws with the field, its value and the allowed range.</summary>
    /// <exception cref="ArgumentException">A field is out of range.</exception>
    public void Validate()
    {
        Require.AtLeast(MaxNewTokens, 1, nameof(MaxNewTokens));
        Require.That(Temperature == 0 || (double.IsFinite(Temperature) && Temperature >= LeastTemperature), nameof(Temperature), Temperature, $"0, or {LeastTemperature} and more");
        Require.AtLeast(TopK, 0, nameof(TopK));
        Require.That(TopP is > 0 and <= 1, nameof(TopP), TopP, "above 0, up to 1");
        Require.That(MinP is >= 0 and <= 1, nameof(MinP), MinP, "0 to 1");
    }
}

/// <summary>Why a row ended.</summary>
public enum FinishReason
{
    /// <summary>It drew a stop token.</summary>
    Stop,

    /// <summary>It has as many new tokens as it may: it was cut off.</summary>
    Length,

    /// <summary>It fills the model's context: it was cut off.</summary>
    Context,
}

/// <summary>What a row added to its prompt.</summary>
/// <param name="Tokens">New token ids, a stop token included.</param>
/// <param name="LogProbs">Log-probability of each under the model at the sampling temperature, before the filters; at temperature 0 under the model itself.</param>
/// <param name="Finish">Why it ended.</param>
public sealed record Continuation(IReadOnlyList<int> Tokens, IReadOnlyList<float> LogProbs, FinishReason Finish)
{
    /// <summary>Whether the row was cut off rather than ended by itself.</summary>
    public bool Truncated => Finish != FinishReason.Stop;
}
