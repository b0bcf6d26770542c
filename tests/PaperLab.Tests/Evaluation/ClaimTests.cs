using PaperLab.Evaluation;

namespace PaperLab.Tests.Evaluation;

public sealed class ClaimTests
{
    [Theory]
    [InlineData(0.1, 0.3, ClaimedSign.Positive, Verdict.Supported)]
    [InlineData(0.1, 0.3, ClaimedSign.Negative, Verdict.Contradicted)]
    [InlineData(-0.3, -0.1, ClaimedSign.Negative, Verdict.Supported)]
    [InlineData(-0.3, -0.1, ClaimedSign.Positive, Verdict.Contradicted)]
    [InlineData(-0.1, 0.3, ClaimedSign.Positive, Verdict.Inconclusive)]
    [InlineData(0.0, 0.3, ClaimedSign.Positive, Verdict.Inconclusive)]
    public void The_interval_alone_decides_the_verdict(double low, double high, ClaimedSign claimed, Verdict expected)
    {
        var difference = new Interval((low + high) / 2, low, high, 5);

        Assert.Equal(expected, Claim.Test("statement", "paper", "setting", difference, claimed, "nats").Verdict);
    }

    [Fact]
    public void A_claim_that_cannot_be_tested_says_why()
    {
        Claim claim = Claim.NotTestable("8-task average rises", "43.28 → 44.46", "needs 100B tokens");

        Assert.Equal(Verdict.NotTestable, claim.Verdict);
        Assert.Equal("needs 100B tokens", claim.Reason);
        Assert.Null(claim.Measured);
    }

    [Fact]
    public void Four_seeds_decide_nothing_and_five_do()
    {
        Verdict With(int seeds) => Claim.Test("s", "p", "setting", new Interval(1, 0.9, 1.1, seeds), ClaimedSign.Positive, "nats").Verdict;

        Assert.Equal(Verdict.Inconclusive, With(Claim.MinimumObservations - 1));
        Assert.Equal(Verdict.Supported, With(Claim.MinimumObservations));
    }

    [Fact]
    public void One_seed_decides_nothing()
    {
        Interval oneSeed = Interval.OfPairedDifference([2.0], [1.0]);

        Assert.Equal(Verdict.Inconclusive, Claim.Test("s", "p", "one seed", oneSeed, ClaimedSign.Positive, "nats").Verdict);
    }
}
