using PaperLab.Evaluation;
using PaperLab.Models;
using PaperLab.Papers;
using PaperLab.Tests.Training;
using PaperLab.Training;

namespace PaperLab.Tests.Papers;

public sealed class DiffQkvPaperTests : TrainingTest
{
    /// <summary>Every preset.</summary>
    public static TheoryData<string> AllPresets => [.. DiffQkvPaper.Presets];

    [Theory]
    [MemberData(nameof(AllPresets))]
    public void Key_and_value_cuts_of_a_pair_cache_the_same_and_have_the_same_parameters(string preset)
    {
        Comparison language = DiffQkvPaper.Language(preset).Comparison, recall = DiffQkvPaper.Recall(preset).Comparison;

        foreach ((Comparison comparison, string keys, string values) in new[]
        {
            (language, DiffQkvPaper.HalfKeys, DiffQkvPaper.HalfValues),
            (language, DiffQkvPaper.HalfOneKey, DiffQkvPaper.HalfOneValue),
            (language, DiffQkvPaper.QuarterOneKey, DiffQkvPaper.QuarterOneValue),
            (recall, DiffQkvPaper.HalfKeys, DiffQkvPaper.HalfValues),
            (recall, DiffQkvPaper.HalfOneKey, DiffQkvPaper.HalfOneValue),
        })
        {
            (AttentionShape k, AttentionShape v) = (ShapeOf(comparison, keys), ShapeOf(comparison, values));
            Assert.Equal(k.CacheElements, v.CacheElements);
            Assert.Equal((k.KeyHeads, k.ValueHeads), (v.ValueHeads, v.KeyHeads));
            Assert.True(k.KeyHeads < k.ValueHeads);
            Assert.Equal(ArmOf(comparison, keys).FeedForward, ArmOf(comparison, values).FeedForward);
        }

        AttentionShape mha = ShapeOf(language, DiffQkvPaper.Mha), sigma = ShapeOf(language, DiffQkvPaper.Sigma);
        Assert.Equal((mha.Heads, mha.Heads), (mha.KeyHeads, mha.ValueHeads));
        Assert.Equal((8, 4), (sigma.Heads / sigma.KeyHeads, sigma.ValueHeads / sigma.KeyHeads)); // 32 q / 4 k / 16 v
        Assert.Equal(mha.KeyWidth / 2, ShapeOf(language, DiffQkvPaper.HalfKeyWidth).KeyWidth);
    }

    [Theory]
    [InlineData("smoke")]
    [InlineData("standard")]
    public void Arms_have_equal_parameters_but_those_that_add_to_a_layer_and_these_add_the_same(string preset)
    {
        foreach (Comparison comparison in new[] { DiffQkvPaper.Language(preset).Comparison, DiffQkvPaper.Recall(preset).Comparison })
        {
            Dictionary<string, long> parameters = comparison.Arms.ToDictionary(arm => arm.Name, arm =>
            {
                using var model = new Transformer(comparison.ConfigOf(arm, 1).Model);
                return model.TotalParameters;
            });
            long halfUnit = comparison.Model.Layers * 3 * comparison.Model.Width / 2;
            string[] larger = [DiffQkvPaper.AugmentedQuery, DiffQkvPaper.WideAugmentedQuery, DiffQkvPaper.AugmentedFeedForward];

            Assert.All(parameters.Where(arm => !larger.Contains(arm.Key)), arm => Assert.InRange(Math.Abs(arm.Value - parameters[DiffQkvPaper.Mha]), 0, halfUnit));
            Assert.Equal(parameters.GetValueOrDefault(DiffQkvPaper.AugmentedQuery), parameters.GetValueOrDefault(DiffQkvPaper.AugmentedFeedForward));
        }
    }

    [Theory]
    [MemberData(nameof(AllPresets))]
    public void Selected_values_are_few_against_the_context_and_standard_can_decide(string preset)
    {
        Comparison language = DiffQkvPaper.Language(preset).Comparison;

        Assert.True(4 * ArmOf(language, DiffQkvPaper.Selected).Attention!.SelectedValues <= language.Model.ContextLength);
        Assert.All(language.Arms, arm => language.ConfigOf(arm, 1).Model.Validate());
        if (preset != "smoke")
        {
            Assert.True(language.Seeds.Count >= Claim.MinimumObservations && DiffQkvPaper.Recall(preset).Comparison.Seeds.Count >= Claim.MinimumObservations);
            Assert.True(language.Text.Corpus!.Domains.Count >= 4);
            Assert.DoesNotContain("code", language.Text.Corpus.Domains); // this repository's own text changes with every commit
        }
    }

    [Theory]
    [MemberData(nameof(AllPresets))]
    public void Decoding_compares_the_heads_of_the_paper(string preset)
    {
        IReadOnlyList<DecodeGrid> grids = DiffQkvPaper.Decoding(preset);

        Assert.Equal(2, grids.Count);
        Assert.Equal(1, grids[0].Rows);
        Assert.True(grids[1].Rows > 1);
        Assert.All(grids, grid =>
        {
            grid.Validate();
            Assert.True(grid.Rounds >= Claim.MinimumObservations);
            Assert.Equal([16 + 16, 4 + 4, 4 + 16], grid.Shapes.Select(shape => shape.KeyHeads + shape.ValueHeads)); // 2048, 512 and 1280 elements at width 64
            Assert.Equal(3072.0 / 2048, (double)grid.QueryHidden / (grid.Heads * grid.HeadWidth));
        });
    }

    [Fact]
    public void An_unknown_preset_is_named_with_those_that_exist()
    {
        Assert.Contains("'quick' is not a preset; use smoke, standard, full", Assert.Throws<ArgumentException>(() => DiffQkvPaper.Language("quick")).Message);
    }

    [Fact]
    public void Claims_follow_the_measurements_whichever_way_they_fall()
    {
        ComparisonResult language = Language([1, 2, 3, 4, 5]), recall = Recall([1, 2, 3, 4, 5]);

        // Values matter by `values` nats, everything else by nothing; SIGMA's attention takes `share` of the time of GQA.
        IReadOnlyList<Claim> Claims(double values, double share)
        {
            RunRecord Changed(RunRecord record)
            {
                bool fewerValues = record.Config.Arm is DiffQkvPaper.HalfValues or DiffQkvPaper.HalfOneValue or DiffQkvPaper.QuarterOneValue;
                return record with { Final = record.Final with { Loss = 3 + (0.01 * record.Config.Seed) + (fewerValues ? values * (1 + (0.01 * record.Config.Seed)) : 0) } };
            }

            return DiffQkvPaper.Judge(language.WithRecords(Changed), recall.WithRecords(Changed), Decoded(share), Decoded(share));
        }

        foreach ((double values, Verdict verdict) in new[] { (0.1, Verdict.Supported), (-0.1, Verdict.Contradicted), (0, Verdict.Inconclusive) })
        {
            IReadOnlyList<Claim> claims = Claims(values, share: 0.5);
            Assert.All(claims.Take(5), claim => Assert.Equal(verdict, claim.Verdict));
            Assert.Equal(verdict, claims[6].Verdict); // against MHA
            Assert.Equal(Verdict.Inconclusive, claims[5].Verdict); // fewer keys change nothing here
        }

        Claim Of(double share, string words) => Claims(0, share).Single(claim => claim.Statement.Contains(words, StringComparison.Ordinal));
        Assert.Equal(Verdict.Supported, Of(0.5, "after a long prefix").Verdict);
        Assert.Equal(Verdict.Contradicted, Of(1.5, "after a long prefix").Verdict);
        Assert.Equal(0.375, Of(0.5, "37.5 % smaller").Measured!.Estimate, 12);
        Assert.Equal(Verdict.Supported, Of(0.5, "37.5 % smaller").Verdict);
        Assert.Equal(-1.5, Of(0.5, "Against GQA-4 it is smaller").Measured!.Estimate, 12);
        Assert.Equal(Verdict.Contradicted, Of(0.5, "Against GQA-4 it is smaller").Verdict);
        Assert.Equal(Verdict.Supported, Of(0.5, "up to 33.36 %").Verdict);
        Assert.Equal(Verdict.Contradicted, Of(1.5, "up to 33.36 %").Verdict);
        Assert.Equal(3, Claims(0, 1).Count(claim => claim.Verdict == Verdict.NotTestable));
        Assert.Equal(recall.Comparison.Arms.Count, DiffQkvPaper.Answers(recall).Count);
    }

    [Fact]
    public void The_full_preset_trains_two_steps_on_a_processor_within_its_memory()
    {
        Comparison full = DiffQkvPaper.Language("full").Comparison;
        RunConfig config = full.ConfigOf(ArmOf(full, DiffQkvPaper.Sigma), 1);
        RunRecord record = TwoSteps(config with { Model = config.Model with { Layers = 1 }, Training = config.Training with { MicroBatchSize = 4 } });

        Assert.Equal(2 * 32 * 512, record.Tokens);
        Assert.InRange(record.PeakMemory, 0, 6e9);
    }

    // One step of every arm.
    private ComparisonResult Language(IReadOnlyList<int> seeds)
    {
        Comparison comparison = DiffQkvPaper.Language("smoke").Comparison;
        return (comparison with
        {
            Seeds = seeds,
            Model = comparison.Model with { VocabularySize = 300 },
            Text = TrainingFixtures.Comparison.Text with { EvaluationWindows = 1, Validate = true },
            Training = comparison.Training with { Steps = 1 },
        }).Run(Runtime, new RunStore(Folder.File("language")), text: TrainingFixtures.Text(Folder));
    }

    private ComparisonResult Recall(IReadOnlyList<int> seeds)
    {
        Comparison comparison = DiffQkvPaper.Recall("smoke").Comparison;
        return (comparison with { Seeds = seeds, Training = comparison.Training with { Steps = 1 } }).Run(Runtime, new RunStore(Folder.File("recall")));
    }

    private DecodeCost Decoded(double share)
    {
        DecodeGrid grid = DiffQkvPaper.Decoding("standard")[0];
        return new DecodeCost(grid, RunEnvironment.Of(Runtime), [.. grid.Lengths.SelectMany(length => grid.Shapes.Select(shape => new DecodeCell(
            shape.Name,
            length,
            length * (shape.KeyHeads + shape.ValueHeads),
            [.. Enumerable.Range(1, grid.Rounds).Select(round => new TokenCost(0, 0, (shape.Name == DiffQkvPaper.Sigma ? share : 1) * length * (1 + (0.001 * round * (shape.Name == DiffQkvPaper.Sigma ? 1 : -1))), 0))])))]);
    }

    private static Arm ArmOf(Comparison comparison, string name) => comparison.Arms.Single(arm => arm.Name == name);

    private static AttentionShape ShapeOf(Comparison comparison, string arm) => AttentionShape.Of(comparison.ConfigOf(ArmOf(comparison, arm), 1).Model);
}
