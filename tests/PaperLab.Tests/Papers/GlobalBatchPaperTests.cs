using PaperLab.Evaluation;
using PaperLab.Models;
using PaperLab.Papers;
using PaperLab.Tests.Training;
using PaperLab.Training;

namespace PaperLab.Tests.Papers;

public sealed class GlobalBatchPaperTests : TrainingTest
{
    /// <summary>Every preset.</summary>
    public static TheoryData<string> AllPresets => [.. GlobalBatchPaper.Presets];

    [Theory]
    [MemberData(nameof(AllPresets))]
    public void Arms_differ_in_scope_and_weight_and_in_nothing_else(string preset)
    {
        Comparison comparison = Create(preset);

        Assert.Single(comparison.Arms.Select(arm => (MixtureOfExpertsConfig)arm.FeedForward with { Balance = null, BalanceLossWeight = 0 }).Distinct());
        Assert.Equal(comparison.Arms.Count, comparison.Arms.Select(arm => arm.Name).Distinct().Count());
        Assert.Equal(comparison.Arms.Count, comparison.Arms.Select(arm => arm.FeedForward).Distinct().Count());
        Assert.All(comparison.Arms, arm => arm.FeedForward.Validate());
        Assert.Equal(GlobalBatchPaper.Micro, comparison.Arms[0].Name);
    }

    [Theory]
    [MemberData(nameof(AllPresets))]
    public void Every_scope_is_searched_with_the_same_weights_on_seeds_of_its_own(string preset)
    {
        Comparison search = GlobalBatchPaper.Search(preset), comparison = Create(preset);

        string[][] weights = [.. search.Arms.GroupBy(arm => arm.Name.Split(", α = ")[0]).Select(scope => scope.Select(arm => arm.Name.Split(", α = ")[1]).ToArray())];
        Assert.Equal(comparison.Arms.Count - 6, weights.Length); // arms that change keep a weight, the light and the heavy one stand for themselves
        Assert.Single(weights.Select(grid => string.Join(' ', grid)).Distinct());
        Assert.Empty(search.Seeds.Intersect(comparison.Seeds));
        Assert.True(search.Text.Validate && comparison.Text.Validate);
    }

    [Theory]
    [MemberData(nameof(AllPresets))]
    public void A_micro_batch_is_of_one_domain_and_a_batch_of_all(string preset)
    {
        Comparison comparison = Create(preset);
        int block = comparison.Training.DomainBlock;

        Assert.Equal(block, ((RoutedConfig)comparison.Arms[0].FeedForward).Balance!.Sequences);
        Assert.Equal(0, comparison.Training.BatchSize / block % comparison.Text.Corpus!.Domains.Count);
        Assert.True(comparison.Text.Corpus!.Domains.Count >= 4);
    }

    [Fact]
    public void Balance_batch_sizes_grow_from_one_sequence_to_the_batch()
    {
        Assert.Equal(
            [("1 sequence", 1), ("micro-batch", 4), ("8 sequences", 8), ("whole batch", 16)], GlobalBatchPaper.BySize(Create("standard")));
        Assert.True(Create("standard").Seeds.Count >= Claim.MinimumObservations);
    }

    [Fact]
    public void A_control_that_chose_another_weight_than_the_whole_batch_is_trained_with_its_weight_too()
    {
        Comparison alike = Create("smoke"), other = GlobalBatchPaper.Create("smoke", [.. Choices("smoke").Select(choice => choice.Scope is GlobalBatchPaper.Micro or "1 sequence" ? choice with { Weight = 0.5 } : choice)]);

        Assert.Equal(GlobalBatchPaper.Micro, GlobalBatchPaper.WithWholesWeight(alike, GlobalBatchPaper.Micro));
        Assert.Equal(alike.Arms.Count + 1, other.Arms.Count);
        RoutedConfig trained = (RoutedConfig)other.Arms.Single(arm => arm.Name == GlobalBatchPaper.WithWholesWeight(other, GlobalBatchPaper.Micro)).FeedForward;
        Assert.Equal(0.03, trained.BalanceLossWeight);
        Assert.Equal(((RoutedConfig)other.Arms[0].FeedForward).Balance, trained.Balance);
        Assert.Equal(GlobalBatchPaper.Shuffled, GlobalBatchPaper.WithWholesWeight(other, GlobalBatchPaper.Shuffled));
    }

    [Fact]
    public void An_unknown_preset_is_named_with_those_that_exist()
    {
        Assert.Contains("'quick' is not a preset; use smoke, standard, full", Assert.Throws<ArgumentException>(() => GlobalBatchPaper.Search("quick")).Message);
    }

    [Fact]
    public void The_weight_with_the_lowest_validation_loss_is_chosen_scope_by_scope_whatever_the_test_says()
    {
        ComparisonResult search = Run(GlobalBatchPaper.Search("smoke")).WithRecords(record =>
        {
            bool wholeBatch = record.Config.Arm.StartsWith(GlobalBatchPaper.Global, StringComparison.Ordinal);
            bool heavy = ((RoutedConfig)record.Config.Model.FeedForward).BalanceLossWeight == 0.1;
            return record with { Validation = record.Validation! with { Loss = heavy == wholeBatch ? 2 : 3 }, Final = record.Final with { Loss = heavy ? 1 : 9 } };
        });

        IReadOnlyList<WeightChoice> choices = GlobalBatchPaper.Choose(search);

        Assert.Equal(0.1, choices.Single(choice => choice.Scope == GlobalBatchPaper.Global).Weight);
        Assert.Equal(0.01, choices.Single(choice => choice.Scope == GlobalBatchPaper.Micro).Weight);
        Assert.Equal([0.01, 0.1], choices[0].Tried);
        Assert.Equal([2, 3], choices[0].ValidationLosses);
    }

    [Fact]
    public void Claims_follow_the_measurements_whichever_way_they_fall()
    {
        ComparisonResult measured = Run(Create("smoke") with { Seeds = [1, 2, 3, 4, 5] });

        // Every seed gains `perDoubling` nats with each doubling of the balance batch, and the other arms lie beside the micro-batch.
        IReadOnlyList<Claim> Claims(double perDoubling)
        {
            Dictionary<string, int> sizes = GlobalBatchPaper.BySize(measured.Comparison).ToDictionary(size => size.Arm, size => size.Sequences);
            return GlobalBatchPaper.Judge(measured.WithRecords(record =>
            {
                double doublings = Math.Log2(sizes.GetValueOrDefault(record.Config.Arm, 2));
                return record with { Final = record.Final with { Loss = 3 + (0.01 * record.Config.Seed) + (perDoubling * doublings * (1 + (0.01 * record.Config.Seed))) } };
            }));
        }

        foreach ((double perDoubling, Verdict verdict) in new[] { (-0.1, Verdict.Supported), (0.1, Verdict.Contradicted), (0, Verdict.Inconclusive) })
        {
            IReadOnlyList<Claim> claims = Claims(perDoubling);
            Assert.Equal(verdict, claims[0].Verdict);
            Assert.Equal(verdict, claims[1].Verdict);
            Assert.Equal(perDoubling * 1.03, claims[1].Measured!.Estimate, 6);
        }

        Assert.Equal(3, Claims(0).Count(claim => claim.Verdict == Verdict.NotTestable));
        Assert.Equal(measured.Comparison.Arms.Count, GlobalBatchPaper.Summary(measured).Count);
    }

    [Fact]
    public void The_full_preset_trains_two_steps_on_a_processor_within_its_memory()
    {
        Comparison full = Create("full");
        RunConfig config = full.ConfigOf(full.Arms[0], 1);
        RunRecord record = TwoSteps(config);

        Assert.Equal(2 * 32 * 256, record.Tokens);
        Assert.All(record.Final.Routing, layer => Assert.Equal(64, layer.Load.Count));
        Assert.InRange(record.PeakMemory, 0, 6e9);
    }

    [Fact]
    public void Several_processes_have_the_curve_of_one_and_where_they_cannot_be_started_one_stands_alone_with_the_reason()
    {
        var notes = new List<string>();

        IReadOnlyList<ProcessesSummary> processes = GlobalBatchPaper.OverProcesses(Create("smoke"), TorchRuntime.Initialize("cpu"), new RunStore(Folder.File("runs")), fresh: false, notes.Add);

        string? why = MpiLaunch.WhyAbsent;
        Assert.Equal(why is null ? [1, 2] : [1], processes.Select(row => row.Processes));
        Assert.All(processes, row => Assert.InRange(row.LargestDifference, 0, 1e-5));
        Assert.Equal(why is null ? 0 : 1, notes.Count);
        Assert.All(notes, note => Assert.EndsWith(why!, note));
    }

    private static Comparison Create(string preset) => GlobalBatchPaper.Create(preset, Choices(preset));

    private static WeightChoice[] Choices(string preset) =>
        [.. GlobalBatchPaper.Search(preset).Arms.Select(arm => new WeightChoice(arm.Name.Split(", α = ")[0], 0.03, [], [])).DistinctBy(choice => choice.Scope)];

    // One step of every arm on a text of two domains.
    private ComparisonResult Run(Comparison comparison) => (comparison with
    {
        Model = TrainingFixtures.Comparison.Model,
        Text = TrainingFixtures.Comparison.Text with { Validate = true },
        Training = comparison.Training with { Steps = 1 },
    }).Run(Runtime, new RunStore(Folder.File("runs")), text: TrainingFixtures.Text(Folder));
}
