using PaperLab.Evaluation;
using PaperLab.Models;
using PaperLab.Papers;
using PaperLab.Tests.Training;
using PaperLab.Training;

namespace PaperLab.Tests.Papers;

public sealed class AutonomyOfExpertsPaperTests : TrainingTest
{
    /// <summary>Every preset.</summary>
    public static TheoryData<string> AllPresets => [.. AutonomyOfExpertsPaper.Presets];

    [Theory]
    [MemberData(nameof(AllPresets))]
    public void Arms_have_equal_parameters_but_one_which_has_equal_flops(string preset)
    {
        Comparison comparison = AutonomyOfExpertsPaper.Search(preset).Comparison;
        Dictionary<string, (double Parameters, double Flops)> arms = comparison.Arms.ToDictionary(arm => arm.Name, arm =>
        {
            var layer = FeedForward.Create(arm.FeedForward, comparison.Model.Width);
            return ((double)layer.parameters().Sum(parameter => parameter.numel()), layer.FlopsPerToken);
        });
        (double parameters, double flops) = arms[AutonomyOfExpertsPaper.MoeAux];

        Assert.All(arms.Where(arm => arm.Key != AutonomyOfExpertsPaper.EqualFlops), arm => Assert.InRange(arm.Value.Parameters / parameters, 0.99, 1.01));
        Assert.InRange(arms[AutonomyOfExpertsPaper.EqualFlops].Flops / flops, 0.99, 1.01);
        Assert.True(arms[AutonomyOfExpertsPaper.AoeAux].Flops > 1.05 * flops, "equal parameters are not equal FLOPs");
    }

    [Theory]
    [MemberData(nameof(AllPresets))]
    public void Pairs_differ_in_what_their_claim_is_about_and_in_nothing_else(string preset)
    {
        Comparison comparison = AutonomyOfExpertsPaper.Search(preset).Comparison;
        RoutedConfig Of(string arm) => (RoutedConfig)comparison.Arms.Single(a => a.Name == arm).FeedForward;
        RoutedConfig Silent(string arm) => Of(arm) with { BalanceLossWeight = 0 };

        Assert.Equal(0.01, Of(AutonomyOfExpertsPaper.MoeAux).BalanceLossWeight);
        Assert.Equal(Silent(AutonomyOfExpertsPaper.MoeAux), Of(AutonomyOfExpertsPaper.Moe));
        Assert.Equal(Silent(AutonomyOfExpertsPaper.AoeAux), Of(AutonomyOfExpertsPaper.Aoe));
        Assert.Equal(Silent(AutonomyOfExpertsPaper.FactorisedAux), Of(AutonomyOfExpertsPaper.Factorised));
        var (factorised, aoe) = ((MixtureOfExpertsConfig)Of(AutonomyOfExpertsPaper.Factorised), (AutonomyOfExpertsConfig)Of(AutonomyOfExpertsPaper.Aoe));
        Assert.Equal((aoe.Hidden, aoe.GateRank), (factorised.Hidden, factorised.GateRank));
        Assert.Equal([ExpertSelection.TopP, ExpertSelection.TopP], new[] { AutonomyOfExpertsPaper.MoeTopP, AutonomyOfExpertsPaper.AoeTopP }.Select(arm => Of(arm).Selection));
        Assert.Equal([ExpertSelection.ExpertChoice, ExpertSelection.ExpertChoice], new[] { AutonomyOfExpertsPaper.MoeExpertChoice, AutonomyOfExpertsPaper.AoeExpertChoice }.Select(arm => Of(arm).Selection));
        Assert.Equal([12.0, 6, 3, 1.5], AutonomyOfExpertsPaper.ByRank(comparison).Select(arm => (double)comparison.Model.Width / arm.Rank)); // 64 to 512 of 768
        Assert.All(AutonomyOfExpertsPaper.ByRank(comparison), arm => Assert.Equal(arm.Rank, ((AutonomyOfExpertsConfig)Of(arm.Arm)).GateRank));
        Assert.All(comparison.Arms, arm => comparison.ConfigOf(arm, 1).Model.Validate());
    }

    [Fact]
    public void The_standard_preset_can_decide_and_reads_no_text_that_a_commit_changes()
    {
        LearningRateSearch search = AutonomyOfExpertsPaper.Search("standard");

        Assert.True(search.Comparison.Seeds.Count >= Claim.MinimumObservations);
        Assert.True(search.Rates.Count >= 3);
        Assert.True(search.Comparison.Text.Corpus!.Domains.Count >= 4);
        Assert.DoesNotContain("code", search.Comparison.Text.Corpus.Domains);
        Assert.True(search.Comparison.Model.Layers >= 3, "confidence by depth");
        Assert.True(AutonomyOfExpertsPaper.Toy("standard").Seeds >= Claim.MinimumObservations);
    }

    [Theory]
    [MemberData(nameof(AllPresets))]
    public void Cost_is_measured_at_8_and_at_64_experts_of_equal_parameters_by_the_same_products(string preset)
    {
        ExpertCostGrid grid = AutonomyOfExpertsPaper.Cost(preset);
        double Parameters(ExpertCostArm arm) => FeedForward.Create(arm.FeedForward, grid.Model.Width).parameters().Sum(parameter => parameter.numel());

        grid.Validate();
        Assert.True(grid.Rounds >= Claim.MinimumObservations);
        foreach (int experts in new[] { 8, 64 })
        {
            ExpertCostArm[] arms = [.. grid.Arms.Where(arm => ((RoutedConfig)arm.FeedForward).NumExperts == experts)];
            Assert.IsType<MixtureOfExpertsConfig>(arms[0].FeedForward);
            Assert.All(arms[1..], arm => Assert.IsType<AutonomyOfExpertsConfig>(arm.FeedForward));
            Assert.All(arms, arm => Assert.InRange(Parameters(arm) / Parameters(arms[0]), 0.96, 1.04));
            Assert.All(arms, arm => Assert.Equal(0, ((RoutedConfig)arm.FeedForward).Hidden % 8));
        }

        Assert.Equal(grid.Arms.Count(arm => arm.FeedForward is AutonomyOfExpertsConfig), AutonomyOfExpertsPaper.CostPairs(new ExpertCost(grid, RunEnvironment.Of(Runtime), [])).Count);
    }

    [Fact]
    public void An_unknown_preset_is_named_with_those_that_exist()
    {
        Assert.Contains("'quick' is not a preset; use smoke, standard, full", Assert.Throws<ArgumentException>(() => AutonomyOfExpertsPaper.Search("quick")).Message);
    }

    [Fact]
    public void Claims_follow_the_measurements_whichever_way_they_fall()
    {
        ComparisonResult runs = Run([1, 2, 3, 4, 5]);

        // Autonomous experts are worth `gain` nats and choose with `gain` less entropy; everything else is worth nothing.
        IReadOnlyList<Claim> Claims(double gain, double agreement = 0.8, double speed = 0.9, long? memory = 110)
        {
            RunRecord Changed(RunRecord record)
            {
                double noise = 0.01 * record.Config.Seed, effect = record.Config.Model.FeedForward is AutonomyOfExpertsConfig ? gain * (1 + noise) : 0;
                return record with
                {
                    Final = record.Final with
                    {
                        Loss = 3 + noise - effect,
                        Routing = [.. record.Final.Routing.Select((layer, i) => layer with { ConfidenceEntropy = 1.5 - effect - (effect * i), LoadEntropy = 1.5 + effect })],
                    },
                    Initial = record.Initial with { Routing = [.. record.Initial.Routing.Select(layer => layer with { ConfidenceEntropy = 2 })] },
                };
            }

            return AutonomyOfExpertsPaper.Judge(runs.WithRecords(Changed), Toy(agreement), Cost(speed, memory));
        }

        bool ComparesBoth(Claim claim) => claim.Unit.Contains("AoE", StringComparison.Ordinal) && claim.Unit.Contains("MoE", StringComparison.Ordinal) && claim.Unit.StartsWith("nats/token", StringComparison.Ordinal);
        foreach ((double gain, Verdict verdict) in new[] { (0.1, Verdict.Supported), (-0.1, Verdict.Contradicted), (0, Verdict.Inconclusive) })
        {
            IReadOnlyList<Claim> claims = Claims(gain);
            Assert.Equal(11, claims.Count(ComparesBoth));
            Assert.All(claims.Where(ComparesBoth), claim => Assert.Equal(verdict, claim.Verdict));
            Assert.Equal(verdict, Of(claims, "more evenly loaded").Verdict);
            Assert.Equal(verdict, Of(claims, "more confidence: its").Verdict);
            Assert.Equal(verdict, Of(claims, "Deeper layers").Verdict);
            Assert.Equal(Verdict.Inconclusive, Of(claims, "balance loss helps MoE").Verdict);
            Assert.Equal(Verdict.Inconclusive, Of(claims, "factorised gate alone").Verdict);
        }

        Assert.Equal(Verdict.Supported, Of(Claims(0, agreement: 0.8), "by chance").Verdict);
        Assert.Equal(Verdict.Supported, Of(Claims(0, agreement: 0.8), "with a router's choice").Verdict); // 0.7 there
        Assert.Equal(Verdict.Contradicted, Of(Claims(0, agreement: 0.6), "with a router's choice").Verdict);
        Assert.Equal(Verdict.Contradicted, Of(Claims(0, agreement: 0.4), "by chance").Verdict);
        Assert.Equal(Verdict.Supported, Of(Claims(0, speed: 0.9), "a little slower").Verdict);
        Assert.Equal(Verdict.Contradicted, Of(Claims(0, speed: 1.1), "a little slower").Verdict);
        Assert.Equal(-0.1, Of(Claims(0, speed: 0.9), "a little slower").Measured!.Estimate, 12);
        Assert.Equal(-0.5 * 0.9, Of(Claims(0, speed: 0.9), "slower still").Measured!.Estimate, 12); // 64 experts: half of that
        Assert.Equal(0.1, Of(Claims(0, memory: 110), "needs more memory").Measured!.Estimate, 12);
        Assert.Equal(Verdict.Contradicted, Of(Claims(0, memory: 90), "needs more memory").Verdict);
        Assert.Equal(Verdict.NotTestable, Of(Claims(0, memory: null), "needs more memory").Verdict);
        Assert.Equal(3, Claims(0).Count(claim => claim.Verdict == Verdict.NotTestable));
        Assert.Equal(6, Claims(0, memory: null).Count(claim => claim.Verdict == Verdict.NotTestable));
    }

    [Fact]
    public void Routing_is_told_arm_by_arm_and_experts_that_chose_tokens_are_chosen_by_them_on_held_out_text()
    {
        ComparisonResult runs = Run([1, 2]);
        IReadOnlyList<AutonomySummary> rows = AutonomyOfExpertsPaper.Routing(runs);
        AutonomySummary choice = rows.Single(row => row.Arm == AutonomyOfExpertsPaper.AoeExpertChoice), topP = rows.Single(row => row.Arm == AutonomyOfExpertsPaper.AoeTopP);

        Assert.Equal(runs.Comparison.Arms.Select(arm => arm.Name), rows.Select(row => row.Arm));
        Assert.Equal(2, choice.ExpertsPerToken.Estimate, 12);
        Assert.True(choice.MaxViolation.Estimate > 0, "perfect balance would tell that experts had chosen");
        Assert.NotEqual(2, topP.ExpertsPerToken.Estimate);
        LayerRouting[] layers = [.. runs.Of(AutonomyOfExpertsPaper.AoeAux).SelectMany(run => run.Final.Routing)];
        Assert.Equal(layers.Average(layer => layer.ScoreStd!.Average()), rows.Single(row => row.Arm == AutonomyOfExpertsPaper.AoeAux).WithinExpert.Estimate, 12);
    }

    [Fact]
    public void The_full_preset_trains_two_steps_on_a_processor_within_its_memory()
    {
        Comparison full = AutonomyOfExpertsPaper.Search("full").Comparison;
        RunConfig config = full.ConfigOf(full.Arms.Single(arm => arm.Name == AutonomyOfExpertsPaper.AoeAux), 1);
        RunRecord record = TwoSteps(config with { Model = config.Model with { Layers = 1 }, Training = config.Training with { MicroBatchSize = 4 } });

        Assert.Equal(2 * 32 * 256, record.Tokens);
        Assert.InRange(record.PeakMemory, 0, 6e9);
    }

    private static Claim Of(IReadOnlyList<Claim> claims, string words) => claims.Single(claim => claim.Statement.Contains(words, StringComparison.Ordinal));

    // One step of every arm.
    private ComparisonResult Run(IReadOnlyList<int> seeds)
    {
        Comparison comparison = AutonomyOfExpertsPaper.Search("smoke").Comparison;
        return (comparison with
        {
            Seeds = seeds,
            Model = comparison.Model with { VocabularySize = 300 },
            Text = TrainingFixtures.Comparison.Text with { EvaluationWindows = 1, Validate = true },
            Training = comparison.Training with { Steps = 1 },
        }).Run(Runtime, new RunStore(Folder.File("runs")), text: TrainingFixtures.Text(Folder));
    }

    private static GaussianToyComparison Toy(double agreement)
    {
        GaussianToyResult[] Runs(double share) => [.. Enumerable.Range(0, 5).Select(i => new GaussianToyResult(0.9, share + (0.001 * i * share), [1 + (0.1 * i)], []))];
        return new GaussianToyComparison(AutonomyOfExpertsPaper.Toy("smoke"), Runs(0.7), Runs(agreement));
    }

    // AoE has `speed` times the throughput of MoE and needs `memory` % of its memory; with 64 experts half the one and twice the other.
    private ExpertCost Cost(double speed, long? memory)
    {
        ExpertCostGrid grid = AutonomyOfExpertsPaper.Cost("smoke");
        return new ExpertCost(grid, RunEnvironment.Of(Runtime), [.. grid.Arms.Select(arm => new ExpertCostCell(arm.Name, 1, 1, [.. Enumerable.Range(1, grid.Rounds).Select(round =>
        {
            bool aoe = arm.FeedForward is AutonomyOfExpertsConfig, many = ((RoutedConfig)arm.FeedForward).NumExperts == 64;
            double drift = 100 * round, noise = aoe ? 1 + (0.001 * (round - ((grid.Rounds + 1) / 2.0))) : 1;
            return new StepCost(drift * noise * (aoe ? speed * (many ? 0.5 : 1) : 1), memory is null ? null : (long)(1e9 * noise * (aoe ? memory.Value / 100.0 * (many ? 2 : 1) : 1)));
        })]))]);
    }
}
