namespace PaperLab.Training;

/// <summary>When a run writes checkpoints and how many stay. Nothing here changes its numbers.</summary>
public sealed record CheckpointOptions
{
    /// <summary>Longest training time that a killed process may lose.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Steps between two checkpoints, beside <see cref="Interval"/>; null for the interval alone.</summary>
    public int? EverySteps { get; init; }

    /// <summary>The newest so many stay, and beside them the one with the lowest held-out loss. Two, so that damage to one costs little.</summary>
    public int Keep { get; init; } = 2;

    /// <summary>Throws with the field, its value and the allowed range.</summary>
    /// <exception cref="ArgumentException">A field is out of range.</exception>
    public void Validate()
    {
        Require.That(Interval > TimeSpan.Zero, nameof(Interval), Interval, "above 0");
        Require.AtLeast(EverySteps ?? 1, 1, nameof(EverySteps));
        Require.AtLeast(Keep, 1, nameof(Keep));
    }
}
