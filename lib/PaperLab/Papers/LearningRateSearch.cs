// A fair search: every arm of a comparison is trained at the same learning rates, for as many steps, on a seed of its own, and judged
// on validation windows. The comparison then gives each arm its best rate and is judged on the test windows, which no choice has seen.
// The search is a comparison like any other, so its runs are recorded, resumed and loaded like all runs.

using PaperLab.Text;

namespace PaperLab.Papers;

/// <summary>Rates to try, and how.</summary>
/// <param name="Comparison">Whose arms are tuned.</param>
/// <param name="Rates">The highest learning rates that every arm is tried at.</param>
/// <param name="Steps">Steps of a trial; the schedule is the comparison's, over so many steps.</param>
public sealed record LearningRateSearch(Comparison Comparison, IReadOnlyList<double> Rates, int Steps)
{
    // Far from the seeds of the comparison, which count up from its first.
    private const int SeedOffset = 1000;

    /// <summary>The trials as a comparison of their own.</summary>
    public Comparison Trials => Comparison with
    {
        Arms = [.. Comparison.Arms.SelectMany(arm => Rates.Select(rate => arm with { Name = NameOf(arm, rate), LearningRate = rate }))],
        Seeds = [Comparison.Seeds[0] + SeedOffset],
        Training = Comparison.Training with { Steps = Steps },
        Text = Comparison.Text with { Part = HeldOutPart.Validation },
    };

    /// <summary>Each arm's validation losses in the order of <see cref="Rates"/>, and the rate with the lowest.</summary>
    /// <param name="trials">The finished <see cref="Trials"/>.</param>
    public IReadOnlyList<TunedArm> Outcome(ComparisonResult trials) => [.. Comparison.Arms.Select(arm =>
    {
        double[] losses = [.. Rates.Select(rate => trials.Of(NameOf(arm, rate))[0].Final.Loss)];
        return new TunedArm(arm.Name, losses, Rates[Array.IndexOf(losses, losses.Min())]);
    })];

    /// <summary>The comparison in which each arm has its best rate, on the test windows.</summary>
    /// <param name="trials">The finished <see cref="Trials"/>.</param>
    public Comparison Tuned(ComparisonResult trials) => Comparison with
    {
        Arms = [.. Comparison.Arms.Zip(Outcome(trials), (arm, tuned) => arm with { LearningRate = tuned.Rate })],
        Text = Comparison.Text with { Part = HeldOutPart.Test },
    };

    private static string NameOf(Arm arm, double rate) => $"{arm.Name} at {rate}";
}

/// <summary>What the search found for one arm.</summary>
/// <param name="Arm">Its name.</param>
/// <param name="Losses">Validation loss at each rate.</param>
/// <param name="Rate">The rate with the lowest.</param>
public sealed record TunedArm(string Arm, IReadOnlyList<double> Losses, double Rate);
