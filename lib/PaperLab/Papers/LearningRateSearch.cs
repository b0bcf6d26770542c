// A fair search: every arm of a comparison is trained at the same learning rates, on seeds of their own, and judged on the half of the
// held-out text that settings are chosen by. The comparison then gives each arm its best rate and is judged on the other half. The
// search is a comparison like any other, so its runs are recorded, resumed and loaded like all runs.

namespace PaperLab.Papers;

/// <summary>Rates to try, and how.</summary>
/// <param name="Comparison">Whose arms are tuned; its text is one that validates.</param>
/// <param name="Rates">The highest learning rates that every arm is tried at.</param>
public sealed record LearningRateSearch(Comparison Comparison, IReadOnlyList<double> Rates)
{
    // Far from the seeds of a comparison, which count up from its first.
    private const int FirstSeed = 1_000_001;

    /// <summary>Seeds of every trial.</summary>
    public int Seeds { get; init; } = 1;

    /// <summary>The trials as a comparison of their own. Arms are named ARM at RATE.</summary>
    /// <exception cref="ArgumentException">There is no rate, or one twice, or the comparison's text is not halved.</exception>
    public Comparison Trials()
    {
        Require.That(Rates.Count > 0 && Rates.Distinct().Count() == Rates.Count, nameof(Rates), $"[{string.Join(", ", Rates)}]", "one rate or more, each once");
        Require.AtLeast(Seeds, 1, nameof(Seeds));
        Require.That(Comparison.Text.Validate, "Text.Validate", Comparison.Text.Validate, "true where rates are chosen: they must not be chosen by the text that results are of");
        return Comparison with
        {
            Arms = [.. Comparison.Arms.SelectMany(arm => Rates.Select(rate => arm with { Name = NameOf(arm.Name, rate), LearningRate = rate }))],
            Seeds = [.. Enumerable.Range(FirstSeed, Seeds)],
        };
    }

    /// <summary>Arm by arm: the rate with the lowest mean validation loss.</summary>
    /// <param name="trials">The finished <see cref="Trials"/>.</param>
    public IReadOnlyList<RateChoice> Choose(ComparisonResult trials) => [.. Comparison.Arms.Select(arm =>
    {
        double[] losses = [.. Rates.Select(rate => trials.Of(NameOf(arm.Name, rate)).Average(run => run.Validation!.Loss))];
        return new RateChoice(arm.Name, Rates[Array.IndexOf(losses, losses.Min())], Rates, losses);
    })];

    /// <summary>The comparison in which each arm has the rate that was chosen for it.</summary>
    public Comparison Tuned(IReadOnlyList<RateChoice> choices) => Comparison with
    {
        Arms = [.. Comparison.Arms.Select(arm => arm with { LearningRate = choices.Single(choice => choice.Arm == arm.Name).Rate })],
    };

    private static string NameOf(string arm, double rate) => $"{arm} at {rate}";
}

/// <summary>The learning rate that was chosen for one arm.</summary>
/// <param name="Arm">Its name.</param>
/// <param name="Rate">The rate with the lowest validation loss.</param>
/// <param name="Tried">All rates.</param>
/// <param name="ValidationLosses">Their validation losses, means over the search's seeds.</param>
public sealed record RateChoice(string Arm, double Rate, IReadOnlyList<double> Tried, IReadOnlyList<double> ValidationLosses);
