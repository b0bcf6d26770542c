// The comparison of test-time preference optimisation, from policies to claims and charts, and how its numbers are read.

using PaperLab.Display;
using PaperLab.Evaluation;
using PaperLab.Papers;
using PaperLab.Preference;
using PaperLab.Tests.Training;
using PaperLab.Training;

namespace PaperLab.Tests.Papers;

public sealed class TpoPaperTests : TrainingTest
{
    private readonly List<string> _notes = [];

    [Fact]
    public void Arms_differ_in_what_they_are_said_to_differ_in()
    {
        PreferenceComparison comparison = TpoPaper.Compare("standard", firstSeed: 7);
        SearchRunConfig Of(string name) => comparison.Searches.Single(arm => arm.Name == name).Config(7);
        SearchRunConfig tpo = Of(TpoPaper.Tpo);

        Assert.Equal([7, 8, 9, 10, 11], comparison.Seeds);
        Assert.Equal((20, 10), (tpo.Tastes.Tastes, tpo.Tastes.Prompts));
        foreach ((string name, Feedback feedback) in new[] { (TpoPaper.Revision, Feedback.Revision), (TpoPaper.Shuffled, Feedback.Shuffled), (TpoPaper.NoCritique, Feedback.None) })
        {
            Assert.Equal(tpo with { Arm = name, Search = tpo.Search with { Feedback = feedback } }, Of(name));
        }

        Assert.Equal(tpo with { Arm = TpoPaper.InteriorTpo, Tastes = tpo.Tastes with { Kind = TasteKind.Interior } }, Of(TpoPaper.InteriorTpo));
        Assert.All(TpoPaper.WeakSteps("standard"), steps => Assert.Equal(
            tpo with { Arm = $"TPO, {steps} steps", Policy = tpo.Policy with { Arm = $"{steps} steps", Stage = tpo.Policy.Stage with { Steps = steps } } }, Of(TpoPaper.Under(TpoPaper.Tpo, steps))));
        Assert.NotNull(Of(TpoPaper.NoisyTpo).Reward.Neural);
        Assert.Equal((tpo.Policy, tpo.Tastes, tpo.Reward), (comparison.Trained(7).Policy, comparison.Trained(7).Tastes, comparison.Trained(7).Reward));
        Assert.Equal([2, 5, 10, 20], TpoPaper.Widths("standard"));
        Assert.All(TpoPaper.Presets.Select(preset => TpoPaper.Compare(preset)), of =>
        {
            Assert.All(of.Searches, arm => arm.Config(1).Validate());
            of.Trained(1).Validate();
        });
        Assert.Contains("there are smoke, standard, full", Assert.Throws<ArgumentException>(() => TpoPaper.Compare("large")).Message);
    }

    [Fact]
    public void A_comparison_is_made_once_read_again_and_judged_by_its_intervals()
    {
        RunStore store = TrainingChild.Store(Folder.File("store"));
        PreferenceResults results = Short().Run(Runtime, store, note: _notes.Add);
        Assert.Empty(_notes);
        PreferenceResults again = Short().Run(Runtime, store, note: _notes.Add);

        Assert.Equal("34 of 34 runs were loaded from records of earlier runs; fresh = true makes them again.", Assert.Single(_notes));
        Assert.Equal(results.Of(TpoPaper.Tpo).Select(run => run.Finished), again.Of(TpoPaper.Tpo).Select(run => run.Finished));
        Assert.Equal(results.After(TpoPaper.Tpo).BySeed, again.After(TpoPaper.Tpo).BySeed);
        Assert.Contains("there are best of 60, TPO", Assert.Throws<ArgumentException>(() => results.Of("beam search")).Message);

        IReadOnlyList<Claim> claims = TpoPaper.Judge(results);
        Assert.All(claims, claim => Assert.True(claim.Verdict is Verdict.Inconclusive or Verdict.NotTestable, $"two seeds decide nothing, and {claim.Statement} is {claim.Verdict}"));

        Figure[] figures =
        [
            SearchCharts.ByCost(results, "cost", TpoPaper.BestOf, TpoPaper.Tpo),
            SearchCharts.Worlds(results, "worlds", ("interior", [TpoPaper.InteriorBestOf, TpoPaper.InteriorTpo], ["best of N", "TPO"])),
            SearchCharts.Distributions(results, "distributions", TpoPaper.Tpo),
            SearchCharts.WidthAndDepth(results),
            SearchCharts.Overoptimisation(results, "overoptimisation", ("noisy", TpoPaper.NoisyTpo)),
            SearchCharts.Compute(results),
            SearchCharts.BySkill(results),
        ];
        Assert.All(figures, figure => Assert.NotEmpty(figure.ToPng()));
        Assert.Equal(2, TpoPaper.Summary(results, TpoPaper.BestOf, TpoPaper.Tpo).Count);
        Assert.Contains(results.Of(TpoPaper.Tpo)[0].Example.Taste!, SearchTable.Of(results.Of(TpoPaper.Tpo)[0]).ToHtml());
    }

    [Fact]
    public void Values_are_read_at_iterations_samples_and_the_cost_of_others()
    {
        // A best answer after 1, 4 and 7 answers; another search had written 50 tokens by its first iteration.
        QueryOutcome query = new(0, [0, 0, 1], [1, 4, 7], [10, 40, 90], [5, 5, 60], [0.1, 0.2, 0.3], [1, 2, 5], -5, [50, 100], [5, 70]);
        PreferenceResults results = Made(("a", query), ("b", query with { WrittenAfter = [9, 50], ReadAfter = [5, 55] }));

        Assert.Equal([2.0], results.After("a", 0).BySeed);
        Assert.Equal([5.0], results.After("a").BySeed);
        Assert.Equal([0.3], results.ScoreAfter("a").BySeed);
        Assert.Equal([2.0], results.AtSamples("a", 6).BySeed);
        Assert.Equal([-5.0], results.AtSamples("a", 0).BySeed);
        Assert.Equal([2.0], results.AtTokensOf("a", "b", 1).BySeed);
        Assert.Equal([-5.0], results.AtTokensOf("a", "b", 0).BySeed);
        Assert.Equal([2.0], results.AtFlopsOf("a", "b", 1).BySeed);
        Assert.Equal(100, results.TokensAfter("a", 1));
        Assert.Equal(2 * 170, results.FlopsAfter("a", 1));
    }

    [Fact]
    public void A_tastes_queries_are_one_observation_and_ties_are_half_a_win()
    {
        var mine = new QueryValues([[1, 3, 4, 4], [0, 0, 2, double.NaN]], [[0, 0, 1, 1], [0, 0, 1, 1]]);
        var theirs = new QueryValues([[1, 1, 5, 4], [0, 0, 0, 0]], [[0, 0, 1, 1], [0, 0, 1, 1]]);

        Assert.Equal([3.0, 1.0], mine.BySeed);
        Assert.Equal(2, mine.Mean.Observations);
        Assert.Equal(((2 - 1) + (4 - 4.5) + 0 + (2 - 0)) / 4, mine.Minus(theirs).Estimate, 12);
        Assert.Equal(((0.5 + 1) / 2 + (0 + 0.5) / 2) / 2, new QueryValues([[1, 3, 4, 4]], [[0, 0, 1, 1]]).WinsOver(new QueryValues([[1, 1, 5, 4]], [[0, 0, 1, 1]])).Estimate, 12);
    }

    // Of the smoke preset, with less training and fewer queries: what is tested is the way, not the numbers.
    private static PreferenceComparison Short()
    {
        PreferenceComparison smoke = TpoPaper.Compare("smoke");
        FourRoleConfig Policy(FourRoleConfig policy) => policy with { Stage = policy.Stage with { Steps = policy.Stage.Steps / 2, BatchSize = 32, Demonstrations = 2000 }, Examined = 2 };
        return smoke with
        {
            Searches = [.. smoke.Searches.Select(arm => arm with
            {
                Config = seed => arm.Config(seed) with { Policy = Policy(arm.Config(seed).Policy), Tastes = new TasteOptions { Kind = arm.Config(seed).Tastes.Kind, Seed = (ulong)seed, Tastes = 2, Prompts = 1 }, Reward = arm.Config(seed).Reward with { Comparisons = 50 } },
            })],
            Trained = seed => smoke.Trained(seed) with { Policy = Policy(smoke.Trained(seed).Policy), Tastes = new TasteOptions { Seed = (ulong)seed, Tastes = 2, Prompts = 1 }, Reward = new RewardOptions { Seed = (ulong)seed, Comparisons = 50 } },
        };
    }

    private static PreferenceResults Made(params (string Name, QueryOutcome Query)[] searches)
    {
        SearchRunConfig Config(string name) => TpoPaper.Compare("smoke").Searches[0].Config(1) with { Arm = name };
        SearchRecord Record(string name, QueryOutcome query) => new()
        {
            Config = Config(name),
            Preset = "smoke",
            Environment = null!,
            Finished = default,
            TrainingSeconds = 0,
            PeakMemory = 0,
            FlopsPerToken = 2,
            RewardAccuracy = 1,
            Cost = SearchCost.None,
            Stopped = 0,
            Queries = [query],
            Iterations = [],
            Example = null!,
        };
        return new PreferenceResults(
            TpoPaper.Compare("smoke") with { Searches = [.. searches.Select(search => new SearchArm(search.Name, _ => Config(search.Name)))], Seeds = [1] },
            new Dictionary<FourRoleConfig, FourRoleRecord>(),
            searches.ToDictionary(search => Config(search.Name), search => Record(search.Name, search.Query)),
            new Dictionary<DpoRunConfig, DpoRecord>());
    }
}
