using PaperLab.Models;
using PaperLab.Papers;
using PaperLab.Tests.Training;
using PaperLab.Training;

namespace PaperLab.Tests.Papers;

public sealed class LearningRateSearchTests : TrainingTest
{
    private static readonly Comparison s_comparison = TrainingFixtures.Comparison with
    {
        Text = TrainingFixtures.Comparison.Text with { Validate = true, EvaluationWindows = 1 },
        Training = TrainingFixtures.Comparison.Training with { Steps = 2 },
    };

    private static readonly LearningRateSearch s_search = new(s_comparison, [1e-3, 5e-3, 2e-2]) { Seeds = 2 };

    [Fact]
    public void Every_arm_is_tried_at_every_rate_on_seeds_of_its_own_and_nothing_else_differs()
    {
        Comparison trials = s_search.Trials();

        Assert.Equal(["MoE at 0.001", "MoE at 0.005", "MoE at 0.02", "AoE at 0.001", "AoE at 0.005", "AoE at 0.02"], trials.Arms.Select(arm => arm.Name));
        Assert.Equal([1e-3, 5e-3, 2e-2, 1e-3, 5e-3, 2e-2], trials.Arms.Select(arm => trials.ConfigOf(arm, 1).Training.LearningRate));
        Assert.Equal(2, trials.Seeds.Count);
        Assert.Empty(trials.Seeds.Intersect(s_comparison.Seeds));
        Assert.Equal(
            s_comparison.ConfigOf(s_comparison.Arms[1], 1) with { Arm = "AoE at 0.005" },
            trials.ConfigOf(trials.Arms[4], 1) with { Training = s_comparison.Training });
    }

    [Fact]
    public void The_rate_with_the_lowest_validation_loss_is_chosen_arm_by_arm_whatever_the_test_says()
    {
        ComparisonResult trials = s_search.Trials().Run(Runtime, new RunStore(Folder.File("runs")), text: TrainingFixtures.Text(Folder)).WithRecords(record =>
        {
            double best = record.Config.Arm.StartsWith("MoE", StringComparison.Ordinal) ? 5e-3 : 2e-2, rate = record.Config.Training.LearningRate;
            return record with { Validation = record.Validation! with { Loss = rate == best ? 2 : 3 }, Final = record.Final with { Loss = rate == 1e-3 ? 1 : 9 } };
        });

        IReadOnlyList<RateChoice> choices = s_search.Choose(trials);
        Comparison tuned = s_search.Tuned(choices);

        Assert.Equal([("MoE", 5e-3), ("AoE", 2e-2)], choices.Select(choice => (choice.Arm, choice.Rate)));
        Assert.Equal([3.0, 2, 3], choices[0].ValidationLosses);
        Assert.Equal([5e-3, 2e-2], tuned.Arms.Select(arm => tuned.ConfigOf(arm, 1).Training.LearningRate));
        Assert.Equal(s_comparison.Seeds, tuned.Seeds);
        Assert.Equal(s_comparison.Arms.Select(arm => arm.FeedForward), tuned.Arms.Select(arm => arm.FeedForward));
    }

    [Fact]
    public void A_search_on_the_text_that_results_are_of_is_refused()
    {
        LearningRateSearch careless = s_search with { Comparison = TrainingFixtures.Comparison };

        Assert.Contains("Text.Validate is False; allowed: true where rates are chosen", Assert.Throws<ArgumentException>(careless.Trials).Message);
        Assert.Contains("Rates is [0.01, 0.01]; allowed: one rate or more, each once", Assert.Throws<ArgumentException>((s_search with { Rates = [0.01, 0.01] }).Trials).Message);
        Assert.Contains("Rates is []", Assert.Throws<ArgumentException>((s_search with { Rates = [] }).Trials).Message);
        Assert.Contains("Seeds is 0; allowed: 1 or more", Assert.Throws<ArgumentException>((s_search with { Seeds = 0 }).Trials).Message);
    }

    [Fact]
    public void An_arm_changes_what_it_names_and_an_arm_that_names_nothing_is_the_run_it_always_was()
    {
        Arm plain = s_comparison.Arms[0];
        var attention = new AttentionConfig { KeyHeads = 1 };

        Assert.Equal(TrainingFixtures.RunConfig.Key, TrainingFixtures.Comparison.ConfigOf(plain, 1).Key);
        Assert.Equal(attention, s_comparison.ConfigOf(plain with { Attention = attention }, 1).Model.Attention);
        Assert.Equal(attention, (s_comparison with { Model = s_comparison.Model with { Attention = attention } }).ConfigOf(plain, 1).Model.Attention);
        Assert.Equal(0.3, s_comparison.ConfigOf(plain with { LearningRate = 0.3 }, 1).Training.LearningRate);
    }
}
