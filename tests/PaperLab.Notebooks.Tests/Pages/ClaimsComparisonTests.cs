// Which claims count as found again, and what is said of those that do not.

using PaperLab.Notebooks.Pages;

namespace PaperLab.Notebooks.Tests.Pages;

public sealed class ClaimsComparisonTests
{
    private static readonly PageClaim s_claim = new("It helps", "a lot", "small", "supported", Estimate: 0.2, Low: 0.1, High: 0.3, Observations: 5, Level: 0.95, Unit: "nats");

    [Fact]
    public void Numbers_may_differ_by_the_tolerance_times_half_the_intervals_width()
    {
        Assert.Null(Problem(s_claim, s_claim with { Estimate = 0.2009 }));
        Assert.Equal("the estimate is off by 0.0011; allowed 0.001", Problem(s_claim, s_claim with { Estimate = 0.2011 }));
        Assert.Null(Problem(s_claim, s_claim with { Estimate = 0.2011 }, tolerance: 0.02));
        Assert.Equal("the lower bound is off by 0.002; allowed 0.001", Problem(s_claim, s_claim with { Low = 0.098 }));
        Assert.Equal("the upper bound is off by 0.002; allowed 0.001", Problem(s_claim, s_claim with { High = 0.302 }));
    }

    [Fact]
    public void An_interval_narrower_than_a_hundredth_of_the_value_does_not_make_the_comparison_narrower()
    {
        PageClaim point = s_claim with { Estimate = 16, Low = 16, High = 16 };

        Assert.Null(Problem(point, point with { High = 16.001 }));
        Assert.Equal("the upper bound is off by 0.01; allowed 0.0016", Problem(point, point with { High = 16.01 }));
    }

    [Fact]
    public void Another_verdict_is_a_difference_however_near_the_numbers_are()
    {
        Assert.Equal("the verdict was supported", Problem(s_claim, s_claim with { Verdict = "inconclusive" }));
    }

    [Fact]
    public void More_seeds_or_a_bound_less_are_another_measurement()
    {
        Assert.Equal("7 observations instead of 5", Problem(s_claim, s_claim with { Observations = 7 }));
        Assert.Equal("the lower bound was 0.1 and is nothing", Problem(s_claim, s_claim with { Low = null }));
    }

    [Fact]
    public void Claims_that_only_one_side_has_are_differences()
    {
        var other = new PageClaim("It is cheap", "very", "—", "not testable here", Reason: "too large");

        ClaimsComparison compared = ClaimsComparison.Of([s_claim], [other], "page");

        Assert.Equal([("It helps", "is not claimed here"), ("It is cheap", "is not recorded")], compared.Claims.Select(claim => (claim.Claim, claim.Problem!)));
        Assert.Equal("0.2 [0.1, 0.3] supported", compared.Claims[0].Recorded);
        Assert.Equal("not testable here", compared.Claims[1].Here);
    }

    [Fact]
    public void Of_two_claims_with_the_same_words_the_second_belongs_to_the_second()
    {
        PageClaim second = s_claim with { Estimate = 5, Low = 4, High = 6 };

        Assert.All(ClaimsComparison.Of([s_claim, second], [s_claim, second], "page").Claims, claim => Assert.Null(claim.Problem));
        Assert.All(ClaimsComparison.Of([s_claim, second], [second, s_claim], "page").Claims, claim => Assert.NotNull(claim.Problem));
    }

    private static string? Problem(PageClaim recorded, PageClaim here, double tolerance = ClaimsComparison.DefaultTolerance) =>
        Assert.Single(ClaimsComparison.Of([recorded], [here], "page", tolerance).Claims).Problem;
}
