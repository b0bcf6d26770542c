using PaperLab.Evaluation;

namespace PaperLab.Tests.Evaluation;

public sealed class RoutingStatisticsTests
{
    [Fact]
    public void An_even_load_has_entropy_ln_E_and_no_violation()
    {
        Assert.Equal(Math.Log(4), RoutingStatistics.Entropy([0.25, 0.25, 0.25, 0.25]), 12);
        Assert.Equal(0, RoutingStatistics.MaxViolation([0.25, 0.25, 0.25, 0.25]), 12);
    }

    [Fact]
    public void An_expert_with_twice_the_mean_load_is_a_violation_of_one()
    {
        Assert.Equal(1, RoutingStatistics.MaxViolation([0.5, 0.25, 0.125, 0.125]), 12);
        Assert.Equal(0, RoutingStatistics.Entropy([0, 1, 0, 0]), 12);
    }

    [Fact]
    public void The_balance_loss_matches_a_hand_worked_example()
    {
        // Three experts, K = 2: 3 · (1·0.5 + 0.75·0.3 + 0.25·0.2) = 2.325.
        Assert.Equal(2.325, RoutingStatistics.BalanceLoss([1, 0.75, 0.25], [0.5, 0.3, 0.2]), 12);
    }

    [Fact]
    public void Experts_of_one_domain_each_tell_the_domain_and_shared_ones_nothing()
    {
        Assert.Equal(Math.Log(2), RoutingStatistics.MutualInformation([[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]]), 12);
        Assert.Equal(0, RoutingStatistics.MutualInformation([[0.1, 0.2, 0.3, 0.4], [0.1, 0.2, 0.3, 0.4]]), 12);
    }

    [Fact]
    public void Mutual_information_matches_a_hand_worked_example()
    {
        // Domain A uses experts as (3/4, 1/4), B as (1/4, 3/4); each expert's mean is 1/2: ¾·ln 1.5 + ¼·ln 0.5 = 0.130812.
        Assert.Equal(0.130812, RoutingStatistics.MutualInformation([[0.75, 0.25], [0.25, 0.75]]), 6);
    }

    [Fact]
    public void The_largest_frequency_is_averaged_over_domains()
    {
        Assert.Equal(0.6, RoutingStatistics.MaxFrequency([[0.7, 0.2, 0.1], [0.3, 0.2, 0.5]]), 12);
    }
}
