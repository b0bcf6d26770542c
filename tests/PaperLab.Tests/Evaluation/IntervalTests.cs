using PaperLab.Evaluation;

namespace PaperLab.Tests.Evaluation;

public sealed class IntervalTests
{
    [Fact]
    public void The_t_interval_matches_a_hand_worked_example()
    {
        // n = 5, mean 3, s = √2.5, t(0.975, 4) = 2.776445: half width 2.776445·√2.5/√5 = 1.963243.
        Interval interval = Interval.OfMean([1, 2, 3, 4, 5]);

        Assert.Equal(3, interval.Estimate, 12);
        Assert.Equal(3 - 1.963243, interval.Low, 6);
        Assert.Equal(3 + 1.963243, interval.High, 6);
    }

    [Fact]
    public void Pairing_removes_what_the_two_sides_share()
    {
        double[] baseline = [10, 20, 30, 40, 50];
        double[] treatment = [9.9, 19.8, 29.9, 39.8, 49.9];

        Interval interval = Interval.OfPairedDifference(treatment, baseline);

        Assert.Equal(-0.14, interval.Estimate, 10);
        Assert.True(interval.High < 0);
    }

    [Fact]
    public void The_bootstrap_covers_the_mean_at_about_its_level()
    {
        var random = new SplitMix64(1);
        int covered = 0;
        const int Trials = 200;
        for (int trial = 0; trial < Trials; trial++)
        {
            double[] items = Enumerable.Range(0, 100).Select(_ => random.NextDouble() < 0.3 ? 1.0 : 0.0).ToArray();
            Interval interval = Interval.OfBootstrap(items, seed: trial, resamples: 500);
            covered += interval.Low <= 0.3 && 0.3 <= interval.High ? 1 : 0;
        }

        Assert.InRange(covered, (int)(0.88 * Trials), Trials);
    }

    [Fact]
    public void The_bootstrap_is_the_same_for_the_same_seed()
    {
        double[] items = [0, 1, 1, 0, 1, 0, 0, 1];

        Assert.Equal(Interval.OfBootstrap(items, seed: 7), Interval.OfBootstrap(items, seed: 7));
    }

    [Fact]
    public void The_nested_bootstrap_counts_groups_and_is_wider_than_one_of_items_where_groups_differ()
    {
        // Three groups of thirty items each: within a group alike, between groups far apart.
        double[][] groups = [.. new[] { 0.0, 5, 10 }.Select(level => Enumerable.Range(0, 30).Select(i => level + (i % 3)).ToArray())];

        Interval nested = Interval.OfNestedBootstrap(groups, seed: 7), flat = Interval.OfBootstrap([.. groups.SelectMany(group => group)], seed: 7);

        Assert.Equal((6, 3), (nested.Estimate, nested.Observations));
        Assert.Equal(nested, Interval.OfNestedBootstrap(groups, seed: 7));
        Assert.True(nested.High - nested.Low > 2 * (flat.High - flat.Low), $"{nested} beside {flat}");
        Assert.Equal(new Interval(4, 4, 4, 2), Interval.OfNestedBootstrap([[4, 4], [4]], seed: 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Interval.OfNestedBootstrap([[1], []], seed: 1));
        Assert.Contains("NaN", Assert.Throws<ArgumentException>(() => Interval.OfNestedBootstrap([[1, double.NaN]], seed: 1)).Message);
    }

    [Fact]
    public void Lists_of_different_length_are_refused()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => Interval.OfPairedDifference([1, 2], [1]));

        Assert.Contains("2 and 1", error.Message);
    }

    [Fact]
    public void A_run_that_diverged_is_refused_and_not_averaged()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => Interval.OfMean([1, double.NaN]));

        Assert.Contains("Observation 1", error.Message);
    }
}
