using PaperLab.Reinforcement;

namespace PaperLab.Tests.Reinforcement;

public sealed class PolicyObjectiveTests
{
    [Fact]
    public void An_advantage_is_the_distance_from_the_groups_mean_in_standard_deviations()
    {
        double[] rewards = [1, 0, 0, 1, 2, 2, 2, 6];

        Assert.Equal([0.5 / Math.Sqrt(1 / 3.0), -0.5 / Math.Sqrt(1 / 3.0), -0.5 / Math.Sqrt(1 / 3.0), 0.5 / Math.Sqrt(1 / 3.0), -0.5, -0.5, -0.5, 1.5], PolicyObjective.Grpo.Advantages(rewards, 4), Near);
        Assert.Equal([1, -1, -1, 1], (PolicyObjective.Grpo with { Scale = AdvantageScale.StandardDeviation }).Advantages(rewards[..4], 4), Near);
        Assert.Equal([0.5, -0.5, -0.5, 0.5, -1, -1, -1, 3], PolicyObjective.DrGrpo(8).Advantages(rewards, 4), Near);
        Assert.Equal([-0.75, -1.75, -1.75, -0.75, 0.25, 0.25, 0.25, 4.25], PolicyObjective.Reinforce.Advantages(rewards, 4), Near);
    }

    [Fact]
    public void A_group_of_equal_rewards_has_no_advantage_although_their_sum_is_rounded()
    {
        double[] rewards = [0.1 + 0.2, 0.3, 0.1 + 0.2, 0.3];

        Assert.True(PolicyObjective.IsDead(rewards));
        Assert.Equal([0, 0, 0, 0], PolicyObjective.Grpo.Advantages(rewards, 4));
    }

    [Fact]
    public void Rejection_sampling_imitates_what_is_accepted_and_leaves_out_the_rest()
    {
        PolicyObjective objective = PolicyObjective.RejectionSampling(accepted: 2);
        double[] rewards = [2, 1, 0.1 + 1.9, 0];

        Assert.Equal([1, 0, 1, 0], objective.Advantages(rewards, 2));
        Assert.Equal([0, 2], objective.Kept(rewards, 2));
        Assert.Empty(objective.Kept([1, 1], 2));
        Assert.Equal([0, 1, 2, 3], PolicyObjective.Reinforce.Kept(rewards, 2));
        objective.Validate();
        Assert.Contains("Accepted", Assert.Throws<ArgumentException>(() => (PolicyObjective.Reinforce with { Accepted = 1 }).Validate()).Message);
    }

    [Fact]
    public void A_token_weighs_by_its_answer_by_a_constant_or_as_much_as_every_other()
    {
        int[] lengths = [2, 8];

        Assert.Equal([0.25, 0.0625], PolicyObjective.Grpo.Weights(lengths), Near);
        Assert.Equal([0.03125, 0.03125], PolicyObjective.DrGrpo(16).Weights(lengths), Near);
        Assert.Equal([0.1, 0.1], PolicyObjective.Dapo.Weights(lengths), Near);
    }

    [Fact]
    public void What_does_not_fit_is_refused_by_name()
    {
        Assert.Contains("ConstantLength", Assert.Throws<ArgumentException>(() => PolicyObjective.DrGrpo(0).Validate()).Message);
        Assert.Contains("ConstantLength", Assert.Throws<ArgumentException>(() => (PolicyObjective.Grpo with { ConstantLength = 3 }).Validate()).Message);
        Assert.Contains("Scale", Assert.Throws<ArgumentException>(() => (PolicyObjective.Grpo with { Baseline = RewardBaseline.Batch }).Validate()).Message);
        Assert.Contains("ClipLow", Assert.Throws<ArgumentException>(() => (PolicyObjective.Grpo with { ClipLow = 1 }).Validate()).Message);
        Assert.Contains("KlWeight", Assert.Throws<ArgumentException>(() => (PolicyObjective.Grpo with { KlWeight = double.NaN }).Validate()).Message);
        Assert.Contains("multiple of the group size, 4", Assert.Throws<ArgumentException>(() => PolicyObjective.Grpo.Advantages([1, 2, 3], 4)).Message);
    }

    private static bool Near(double a, double b) => Math.Abs(a - b) < 1e-12;
}
