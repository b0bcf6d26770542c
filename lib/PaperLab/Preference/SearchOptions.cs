using System.Text.Json.Serialization;

namespace PaperLab.Preference;

/// <summary>What an update goes by.</summary>
public enum Feedback
{
    /// <summary>A critique of the best answer against the worst: test-time preference optimisation.</summary>
    Comparison,

    /// <summary>A critique of the best answer alone: revision, the paper's sequential baseline.</summary>
    Revision,

    /// <summary>The instruction that was written for a query of another taste: a control, in which the words are as good and say nothing.</summary>
    Shuffled,

    /// <summary>None: the best answer is changed at random. A control.</summary>
    None,
}

/// <summary>How a search goes; the paper's setting is width 5, depth 2.</summary>
public sealed record SearchOptions
{
    /// <summary>What updates go by.</summary>
    public Feedback Feedback { get; init; }

    /// <summary>N: answers at the start, and of each iteration.</summary>
    public int Width { get; init; } = 5;

    /// <summary>D: iterations after the start; 0 is best-of-N.</summary>
    public int Depth { get; init; } = 2;

    /// <summary>Further tries where a reply cannot be used.</summary>
    public int Retries { get; init; } = 3;

    /// <summary>Seed of all draws.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Whether the best answer is compared with the worst.</summary>
    [JsonIgnore]
    public bool Compares => Feedback is Feedback.Comparison or Feedback.Shuffled;

    /// <summary>Best-of-N.</summary>
    public static SearchOptions BestOf(int n, ulong seed = 1) => new() { Width = n, Depth = 0, Seed = seed };

    /// <summary>Throws with the field, its value and the allowed range.</summary>
    /// <exception cref="ArgumentException">A field is out of range.</exception>
    public void Validate()
    {
        Require.AtLeast(Width, 1, nameof(Width));
        Require.AtLeast(Depth, 0, nameof(Depth));
        Require.AtLeast(Retries, 0, nameof(Retries));
        Require.That(Width > 1 || Depth == 0 || !Compares, nameof(Width), Width, $"2 or more where {nameof(Feedback)} is {Feedback}: the best answer is told from the worst");
    }
}
