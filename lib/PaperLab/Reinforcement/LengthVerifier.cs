// A soft limit to length (DAPO, arXiv 2503.14476, equation 13): nothing up to a length, then a penalty that grows to -1 at the limit,
// so that a completion is warned before it is cut off.

namespace PaperLab.Reinforcement;

/// <summary>0 for a completion that is short enough, falling in a straight line to −1 at the limit.</summary>
public sealed class LengthVerifier : IVerifier
{
    private readonly int _limit;
    private readonly int _margin;

    /// <summary>A limit with a margin.</summary>
    /// <param name="limit">L_max: tokens at which the penalty is full.</param>
    /// <param name="margin">L_cache: tokens before the limit within which it grows.</param>
    /// <exception cref="ArgumentException">The margin is not from 1 to the limit.</exception>
    public LengthVerifier(int limit, int margin)
    {
        Require.AtLeast(limit, 1, nameof(limit));
        Require.That(margin >= 1 && margin <= limit, nameof(margin), margin, $"1 to {limit}, the limit");
        (_limit, _margin) = (limit, margin);
    }

    /// <inheritdoc/>
    public string Name => "length";

    /// <inheritdoc/>
    public double Lowest => -1;

    /// <inheritdoc/>
    public double Highest => 0;

    /// <inheritdoc/>
    public Score Judge(Sample sample)
    {
        int over = sample.Completion.Tokens - (_limit - _margin);
        return new Score(-Math.Clamp((double)over / _margin, 0, 1) + 0.0, over <= 0 ? $"{sample.Completion.Tokens} tokens" : $"{sample.Completion.Tokens} tokens, {over} more than free");
    }
}
