// Is a law any good? What it says of a size that it has not seen, beside what was measured there.
//
//   regret of a ratio = what the best ratio measured − what this one did, turned so that it is a loss; 0 is perfect.
//
// Each seed is a pair, so what makes one seed better at every ratio drops out. The best ratio is that with the best mean over all seeds,
// not the best of each seed: picking for each seed would count luck as something to regret. It is picked from the same measurements, so
// all regrets lean upwards alike; the gain over another ratio does not.

using MathNet.Numerics.Statistics;

namespace PaperLab.Evaluation.Mixing;

/// <summary>Which values are good.</summary>
public enum MixingGoal
{
    /// <summary>Accuracy.</summary>
    Highest,

    /// <summary>Loss.</summary>
    Lowest,
}

/// <summary>A ratio that needs no law, such as always a half.</summary>
/// <param name="Ratio">r.</param>
/// <param name="Regret">What it misses of the best ratio, in the task's unit.</param>
/// <param name="Gain">How much better the law's ratio did; above 0 where the law was worth fitting.</param>
public sealed record MixingBaseline(double Ratio, Interval Regret, Interval Gain);

/// <summary>A law's word on one task at one size and noise, and what came of it. Intervals are over seeds.</summary>
/// <param name="Law">The law's name.</param>
/// <param name="Task">The task.</param>
/// <param name="Parameters">The held-out size.</param>
/// <param name="Noise">ε.</param>
/// <param name="Curve">What it predicts for a grid of ratios.</param>
/// <param name="Predicted">The ratio that it calls best: of the grid, and of several alike the middle one.</param>
/// <param name="Best">The measured ratio with the best mean over seeds.</param>
/// <param name="RankCorrelation">Spearman's ρ of predicted and measured values over the measured ratios; 0 where either are all alike.</param>
/// <param name="Regret">What the predicted ratio misses of the best one. Between two measured ratios, values are interpolated.</param>
/// <param name="Baselines">Ratios to compare it with.</param>
public sealed record MixingReport(
    string Law,
    string Task,
    double Parameters,
    double Noise,
    IReadOnlyList<(double Ratio, double Value)> Curve,
    double Predicted,
    double Best,
    Interval RankCorrelation,
    Interval Regret,
    IReadOnlyList<MixingBaseline> Baselines)
{
    private static readonly double[] s_half = [0.5];

    /// <summary>Judges a law.</summary>
    /// <param name="law">Fitted to other sizes than the one it is judged by.</param>
    /// <param name="heldOut">Of one task, size and noise, every seed at every ratio.</param>
    /// <param name="goal">Which values are good.</param>
    /// <param name="baselines">Ratios to compare it with, between the least and the largest measured; null for a half.</param>
    /// <param name="steps">Steps of the grid from the least to the largest measured ratio.</param>
    /// <exception cref="ArgumentException">Observations are not usable or do not belong together, a seed lacks a ratio, or a baseline is outside what was measured.</exception>
    public static MixingReport Of(IMixingLaw law, IReadOnlyList<MixingObservation> heldOut, MixingGoal goal, IReadOnlyList<double>? baselines = null, int steps = 100)
    {
        Require.AtLeast(steps, 1, nameof(steps));
        MixingObservation.RequireUsable(heldOut);
        RequireOne(heldOut.Select(observation => observation.Parameters), "sizes");
        RequireOne(heldOut.Select(observation => observation.Noise), "noises");
        (double size, double _, double noise, string task, double _, int _) = heldOut[0];
        double sign = goal == MixingGoal.Highest ? 1 : -1;
        double[] ratios = [.. heldOut.Select(observation => observation.Ratio).Distinct().Order()];
        double[][] measured = [.. heldOut.GroupBy(observation => observation.Seed).OrderBy(seed => seed.Key).Select(seed => ValuesOf(seed, ratios))];

        double At(int step) => ratios[0] + ((ratios[^1] - ratios[0]) * step / steps);
        (double Ratio, double Value)[] curve = [.. Enumerable.Range(0, steps + 1).Select(step => (At(step), law.Predict(size, At(step), noise)))];
        double predicted = curve[MiddleBest([.. curve.Select(point => sign * point.Value)])].Ratio;
        double best = ratios[MiddleBest([.. ratios.Select((_, i) => sign * measured.Average(seed => seed[i]))])];
        double[] predictions = [.. ratios.Select(ratio => law.Predict(size, ratio, noise))];

        double[] Did(double ratio) => [.. measured.Select(seed => sign * Interpolated(ratios, seed, ratio))];
        Interval Better(double ratio, double than) => Interval.OfPairedDifference(Did(ratio), Did(than));
        return new MixingReport(
            law.Name,
            task,
            size,
            noise,
            curve,
            predicted,
            best,
            Interval.OfMean([.. measured.Select(seed => Spearman(predictions, seed))]),
            Better(best, predicted),
            [.. (baselines ?? s_half).Select(ratio => new MixingBaseline(ratio, Better(best, ratio), Better(predicted, ratio)))]);
    }

    private static void RequireOne(IEnumerable<double> values, string what)
    {
        double[] different = [.. values.Distinct()];
        Require.That(different.Length == 1, $"the number of {what}", $"{different.Length} ({string.Join(", ", different)})", "1; judge each by itself");
    }

    private static double[] ValuesOf(IGrouping<int, MixingObservation> seed, double[] ratios)
    {
        Dictionary<double, double> byRatio = seed.ToDictionary(observation => observation.Ratio, observation => observation.Value);
        double[] missing = [.. ratios.Where(ratio => !byRatio.ContainsKey(ratio))];
        Require.That(missing.Length == 0, $"the number of ratios that seed {seed.Key} lacks", $"{missing.Length} ({string.Join(", ", missing)})", "0: seeds are compared ratio by ratio");
        return [.. ratios.Select(ratio => byRatio[ratio])];
    }

    // Trees are flat between two measured ratios: the middle of what is equally good, not its edge.
    private static int MiddleBest(double[] scores)
    {
        double highest = scores.Max();
        int[] alike = [.. Enumerable.Range(0, scores.Length).Where(i => scores[i] == highest)];
        return alike[alike.Length / 2];
    }

    private static double Interpolated(double[] ratios, double[] values, double ratio)
    {
        Require.That(ratio >= ratios[0] && ratio <= ratios[^1], "a ratio to compare with", ratio, $"{ratios[0]} to {ratios[^1]}, the measured ones");
        int above = Array.FindIndex(ratios, 1, measured => ratio <= measured);
        double share = (ratio - ratios[above - 1]) / (ratios[above] - ratios[above - 1]);
        return ((1 - share) * values[above - 1]) + (share * values[above]);
    }

    private static double Spearman(double[] predicted, double[] measured)
    {
        double correlation = Correlation.Spearman(predicted, measured);
        return double.IsNaN(correlation) ? 0 : correlation;
    }
}
