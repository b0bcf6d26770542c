using PaperLab.Evaluation;
using PaperLab.Evaluation.Mixing;

namespace PaperLab.Tests.Evaluation;

public sealed class MixingLawTests
{
    private const double Small = 1e6, Medium = 4e6, Large = 16e6;
    private static readonly double[] s_ratios = [0, 0.2, 0.4, 0.5, 0.6, 0.8, 1];

    [Fact]
    public void The_linear_law_follows_an_optimum_that_moves_with_size()
    {
        // Best at 0.4, 0.5 and, held out, 0.6.
        double Truth(double size, double ratio) => 0.5 + (0.02 * Math.Log(size)) - Math.Pow(ratio - (0.4 + (0.1 * Math.Log(size / Small) / Math.Log(4))), 2);

        LinearMixingLaw law = LinearMixingLaw.Fit([.. Runs(Small, Truth), .. Runs(Medium, Truth)]);
        MixingReport report = MixingReport.Of(law, Runs(Large, Truth), MixingGoal.Highest);

        Assert.Equal(0.6, report.Predicted, 12);
        Assert.Equal(0.6, report.Best, 12);
        Assert.Equal(0, report.Regret.Estimate, 12);
        Assert.Equal(0.01, report.Baselines[0].Regret.Estimate, 12); // (0.5 − 0.6)²
        Assert.Equal(0.01, report.Baselines[0].Gain.Estimate, 12);
        Assert.True(report.Baselines[0].Gain.ExcludesZero);
        Assert.InRange(report.RankCorrelation.Estimate, 0.95, 1); // 0.4 and 0.8 are alike but for rounding
        Assert.Equal(5, report.Regret.Observations);
        Assert.Equal(["1", "r", "r²", "n", "r·n", "r²·n"], law.Coefficients.Select(coefficient => coefficient.Term));
    }

    [Fact]
    public void The_linear_law_follows_an_optimum_that_moves_with_noise()
    {
        IReadOnlyList<MixingObservation> runs = [.. Runs(Small, (_, r) => -Math.Pow(r - 0.7, 2)), .. Runs(Small, (_, r) => -Math.Pow(r - 0.5, 2), noise: 0.2)];

        LinearMixingLaw law = LinearMixingLaw.Fit(runs);

        Assert.Equal(0.7, MixingReport.Of(law, Runs(Large, (_, r) => r), MixingGoal.Highest).Predicted, 12);
        Assert.Equal(0.5, MixingReport.Of(law, Runs(Large, (_, r) => r, noise: 0.2), MixingGoal.Highest).Predicted, 12);
        Assert.Equal(0.3, MixingReport.Of(law, Runs(Large, (_, r) => r, noise: 0.4), MixingGoal.Highest).Predicted, 12);
    }

    [Fact]
    public void Trees_find_the_measured_ratio_that_was_best_at_every_size()
    {
        Assert.SkipUnless(TreeMixingLaw.IsAvailable, "LightGBM's native library does not load here; under Linux it needs libgomp.so.1");
        double Truth(double size, double ratio) => 0.1 * Math.Log(size) - Math.Pow(ratio - 0.6, 2);

        TreeMixingLaw law = TreeMixingLaw.Fit([.. Runs(Small, Truth), .. Runs(Medium, Truth)]);
        MixingReport report = MixingReport.Of(law, Runs(Large, Truth), MixingGoal.Highest, [0.5, 1]);

        Assert.InRange(report.Predicted, 0.55, 0.7);
        Assert.True(report.Regret.Estimate < report.Baselines[0].Regret.Estimate);
        Assert.True(report.Regret.Estimate < report.Baselines[1].Regret.Estimate);
        Assert.True(report.RankCorrelation.Estimate > 0.9);
        Assert.Equal(law.Predict(Medium, 0.6), law.Predict(Large, 0.6)); // trees know no size beyond those of the fit
    }

    [Theory]
    [InlineData(-3)]
    [InlineData(2.5)]
    [InlineData(-17.3)]
    public void The_exponential_law_finds_the_numbers_behind_the_data(double t)
    {
        ExponentialMixingLaw law = ExponentialMixingLaw.Fit([.. Runs(Small, Truth), .. Runs(Medium, Truth)]);

        Assert.Equal(t, law.T, 4);
        Assert.Equal(2, law.K, 4);
        Assert.Equal(Truth(Large, 0.33), law.Predict(Large, 0.33), 6);

        double Truth(double size, double ratio) => 3 + (2 * Math.Exp(t * ratio)) - (0.1 * Math.Log(size));
    }

    [Fact]
    public void The_exponential_law_takes_a_line_for_a_line()
    {
        ExponentialMixingLaw law = ExponentialMixingLaw.Fit([.. Runs(Small, (_, r) => 4 - (2 * r)), .. Runs(Small, (_, r) => 4.5 - (2 * r), noise: 0.5)]);

        Assert.InRange(law.T, -1e-3, 1e-3);
        Assert.Equal(4.2 - 0.6, law.Predict(Small, 0.3, 0.2), 6);
    }

    [Fact]
    public void One_languages_law_has_its_best_at_an_end_and_only_the_weighted_sum_has_it_inside()
    {
        MixingObservation[] runs = [.. Languages(Small), .. Languages(Medium)], heldOut = Languages(Large);
        ExponentialMixingLaw arabic = ExponentialMixingLaw.Fit([.. runs.Where(run => run.Task == "ar")]), english = ExponentialMixingLaw.Fit([.. runs.Where(run => run.Task == "en")]);
        var weights = new Dictionary<string, double> { ["ar"] = 0.75, ["en"] = 0.25 };
        var both = new WeightedMixingLaw("exponential, weighted", [(arabic, weights["ar"]), (english, weights["en"])]);

        Assert.Equal(1, MixingReport.Of(arabic, [.. heldOut.Where(run => run.Task == "ar")], MixingGoal.Lowest).Predicted);
        Assert.Equal(0, MixingReport.Of(english, [.. heldOut.Where(run => run.Task == "en")], MixingGoal.Lowest).Predicted);
        MixingReport report = MixingReport.Of(both, MixingObservation.WeightedSum(heldOut, weights, "both"), MixingGoal.Lowest);
        // Where 0.75·3·exp(−3r) = 0.25·3·exp(−3(1 − r)): r = 1/2 + ln(3)/6.
        Assert.Equal(0.5 + (Math.Log(3) / 6), report.Predicted, 0.005);
        Assert.Equal("both", report.Task);
        Assert.True(report.Regret.Estimate < report.Baselines[0].Regret.Estimate);

        MixingObservation[] Languages(double size) =>
        [
            .. Runs(size, (_, r) => 2 + Math.Exp(-3 * r)).Select(run => run with { Task = "ar" }),
            .. Runs(size, (_, r) => 1 + Math.Exp(-3 * (1 - r))).Select(run => run with { Task = "en" }),
        ];
    }

    [Fact]
    public void Every_law_goes_to_the_end_of_what_only_rises()
    {
        Assert.SkipUnless(TreeMixingLaw.IsAvailable, "LightGBM's native library does not load here; under Linux it needs libgomp.so.1");
        double Truth(double size, double ratio) => Math.Sqrt(ratio) + (0.01 * Math.Log(size));
        IReadOnlyList<MixingObservation> runs = [.. Runs(Small, Truth), .. Runs(Medium, Truth)];

        foreach (IMixingLaw law in (IMixingLaw[])[ExponentialMixingLaw.Fit(runs), TreeMixingLaw.Fit(runs)])
        {
            MixingReport report = MixingReport.Of(law, Runs(Large, Truth), MixingGoal.Highest);

            Assert.InRange(report.Predicted, 0.9, 1);
            Assert.Equal(1, report.Best);
            Assert.Equal(1, report.RankCorrelation.Estimate, 12);
        }

        Assert.Equal(1, MixingReport.Of(LinearMixingLaw.Fit(Runs(Small, (_, r) => 2 * r)), Runs(Large, Truth), MixingGoal.Highest).Predicted);
    }

    [Fact]
    public void Equal_observations_give_equal_laws_to_the_last_bit()
    {
        Assert.SkipUnless(TreeMixingLaw.IsAvailable, "LightGBM's native library does not load here; under Linux it needs libgomp.so.1");
        var noise = new SplitMix64(3);
        MixingObservation[] runs = [.. Runs(Small, (_, r) => -r * r).Concat(Runs(Medium, (_, r) => -r * r)).Select(run => run with { Value = run.Value + (0.1 * noise.NextDouble()) })];

        foreach (Func<IMixingLaw> fit in (Func<IMixingLaw>[])[() => LinearMixingLaw.Fit(runs), () => TreeMixingLaw.Fit(runs), () => ExponentialMixingLaw.Fit(runs)])
        {
            IMixingLaw one = fit(), other = fit();

            Assert.All(s_ratios, ratio => Assert.Equal(one.Predict(Large, ratio), other.Predict(Large, ratio)));
        }
    }

    [Fact]
    public void Regret_matches_a_hand_worked_example()
    {
        // Means 1, 3 and 2: best at 0.5. The law says 1, where the seeds did 1.5 and 0.5 less.
        MixingObservation[] measured = [Run(0, 1, 1), Run(0.5, 3.5, 1), Run(1, 2, 1), Run(0, 1, 2), Run(0.5, 2.5, 2), Run(1, 2, 2)];

        MixingReport report = MixingReport.Of(new Known(r => r), measured, MixingGoal.Highest, [0.5, 0.75], steps: 4);

        Assert.Equal([0, 0.25, 0.5, 0.75, 1], report.Curve.Select(point => point.Ratio));
        Assert.Equal((1, 0.5), (report.Predicted, report.Best));
        Assert.Equal(Interval.OfMean([1.5, 0.5]), report.Regret);
        Assert.Equal(Interval.OfMean([0, 0]), report.Baselines[0].Regret);
        Assert.Equal(Interval.OfMean([-1.5, -0.5]), report.Baselines[0].Gain);
        Assert.Equal(Interval.OfMean([0.75, 0.25]), report.Baselines[1].Regret); // halfway between 0.5 and 1
        Assert.Equal(0.5, report.RankCorrelation.Estimate, 12); // ranks 1 2 3 against 1 3 2, for both seeds
        MixingReport loss = MixingReport.Of(new Known(r => r), measured, MixingGoal.Lowest);
        Assert.Equal((0, 0), (loss.Predicted, loss.Best));
        Assert.Equal(2, loss.Baselines[0].Regret.Estimate, 12);
    }

    [Fact]
    public void A_law_without_a_preference_ranks_nothing_and_takes_the_middle()
    {
        MixingReport report = MixingReport.Of(new Known(_ => 1), Runs(Large, (_, r) => r), MixingGoal.Highest);

        Assert.Equal(0.5, report.Predicted, 12);
        Assert.Equal(0, report.RankCorrelation.Estimate);
    }

    [Fact]
    public void Observations_that_say_too_little_are_an_error()
    {
        MixingObservation[] runs = Runs(Small, (_, r) => r);

        Throws("the number of observations is 0", () => LinearMixingLaw.Fit([]));
        Throws("the number of tasks is 2 (a, task)", () => LinearMixingLaw.Fit([runs[0] with { Task = "a" }, .. runs]));
        Throws("the number of different ratios is 2", () => TreeMixingLaw.Fit([.. runs.Where(run => run.Ratio is 0 or 1)]));
        Throws("the number of observations is 3; allowed: more than the 3 terms", () => LinearMixingLaw.Fit([.. runs.Take(3)]));
        Throws("the number of observations is 3; allowed: 4 or more", () => ExponentialMixingLaw.Fit([.. runs.Take(3)]));
        Throws("The term r²·n is not determined", () => LinearMixingLaw.Fit([.. runs, .. Runs(Medium, (_, r) => r).Where(run => run.Ratio is 0 or 1)]));
        Throws("The term r·ε is not determined", () => LinearMixingLaw.Fit([.. runs, Run(0.5, 1, 1) with { Parameters = Small, Noise = 0.1 }]));
        Throws("for two leaves of 50, is 35; allowed: 100 or more", () => TreeMixingLaw.Fit(runs, new TreeMixingOptions { LeafObservations = 50 }));
        Throws("LearningRate is 0", () => TreeMixingLaw.Fit(runs, new TreeMixingOptions { LearningRate = 0 }));
        Throws("Leaves is 1", () => TreeMixingLaw.Fit(runs, new TreeMixingOptions { Leaves = 1 }));
        Throws("seed 0 is 2 or more; allowed: 1", () => LinearMixingLaw.Fit([.. runs, runs[0]]));
        Throws("Ratio is 1.5", () => LinearMixingLaw.Fit([.. runs, Run(1.5, 0, 0)]));
        Throws("Noise is -1", () => LinearMixingLaw.Fit([.. runs, Run(0.3, 0, 0) with { Noise = -1 }]));
        Throws("Parameters is 0", () => LinearMixingLaw.Fit([.. runs, Run(0.3, 0, 0) with { Parameters = 0 }]));
        Throws("seed 7 is NaN", () => LinearMixingLaw.Fit([.. runs, Run(0.3, double.NaN, 7)]));
    }

    [Fact]
    public void A_report_on_measurements_that_do_not_pair_is_an_error()
    {
        var law = new Known(r => r);
        MixingObservation[] runs = Runs(Large, (_, r) => r);

        Throws("the number of sizes is 2", () => MixingReport.Of(law, [.. runs, Run(0.5, 1, 9) with { Parameters = 1 }], MixingGoal.Highest));
        Throws("the number of noises is 2", () => MixingReport.Of(law, [.. runs, Run(0.5, 1, 9) with { Noise = 1 }], MixingGoal.Highest));
        Throws("the number of ratios that seed 2 lacks is 1 (0.4)", () => MixingReport.Of(law, [.. runs.Where(run => (run.Seed, run.Ratio) != (2, 0.4))], MixingGoal.Highest));
        Throws("a ratio to compare with is 0.1; allowed: 0.2 to 0.8", () => MixingReport.Of(law, [.. runs.Where(run => run.Ratio is >= 0.2 and <= 0.8)], MixingGoal.Highest, [0.1]));
        Throws("steps is 0", () => MixingReport.Of(law, runs, MixingGoal.Highest, steps: 0));
        Throws("was measured on is a; allowed: a, b", () => MixingObservation.WeightedSum([.. runs.Select(run => run with { Task = "a" })], new Dictionary<string, double> { ["a"] = 1, ["b"] = 1 }, "sum"));
    }

    private static void Throws(string message, Action act) => Assert.Contains(message, Assert.Throws<ArgumentException>(act).Message);

    private static MixingObservation Run(double ratio, double value, int seed) => new(Large, ratio, 0, "task", value, seed);

    // Five seeds, which differ by the same amount at every ratio.
    private static MixingObservation[] Runs(double size, Func<double, double, double> truth, double noise = 0) =>
        [.. Enumerable.Range(0, 5).SelectMany(seed => s_ratios.Select(ratio => new MixingObservation(size, ratio, noise, "task", truth(size, ratio) + (0.01 * (seed - 2)), seed)))];

    private sealed class Known(Func<double, double> curve) : IMixingLaw
    {
        public string Name => "known";

        public double Predict(double parameters, double ratio, double noise = 0) => curve(ratio);
    }
}
