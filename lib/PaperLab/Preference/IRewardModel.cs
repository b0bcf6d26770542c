namespace PaperLab.Preference;

/// <summary>An answer to be judged.</summary>
/// <param name="Query">What was asked.</param>
/// <param name="Text">The answer.</param>
public sealed record Candidate(Query Query, string Text);

/// <summary>How much an answer is liked: a number on a scale of its own, the higher the better.</summary>
public interface IRewardModel
{
    /// <summary>As tables show it.</summary>
    string Name { get; }

    /// <summary>One score for every answer, in their order; NaN for one that could not be judged, which is counted and left out.</summary>
    Task<IReadOnlyList<double>> ScoreAsync(IReadOnlyList<Candidate> candidates, CancellationToken cancellation = default);
}
