// The comparisons of DeepSeek-R1-Zero at the smoke preset, from bases to claims and charts.

using PaperLab.Display;
using PaperLab.Evaluation;
using PaperLab.Papers;
using PaperLab.Reinforcement;
using PaperLab.Tests.Training;
using PaperLab.Training;

namespace PaperLab.Tests.Papers;

public sealed class R1ZeroPaperTests : TorchTest
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _notes = [];

    [Fact]
    public void Arms_differ_in_what_they_are_said_to_differ_in_and_share_their_base()
    {
        PolicyComparison parity = R1ZeroPaper.Parity("standard", firstSeed: 7), countdown = R1ZeroPaper.Countdown("standard", firstSeed: 7);
        PolicyRunConfig Of(PolicyComparison comparison, string arm) => comparison.Arms.Single(a => a.Name == arm).Config(7);

        Assert.Equal(Of(parity, R1ZeroPaper.Grpo).From, Of(parity, R1ZeroPaper.Dapo).From);
        Assert.Equal(0, ((ParityOptions)Of(parity, R1ZeroPaper.NoChains).Task).ChainShare);
        Assert.Equal([0, 0.05, 0.2, 0.5], R1ZeroPaper.ByShare(parity).Select(arm => arm.Share));
        Assert.All(R1ZeroPaper.ByShare(parity), arm => Assert.Equal(arm.Share, ((ParityOptions)Of(parity, arm.Arm).Task).ChainShare));

        PolicyRunConfig grpo = Of(countdown, R1ZeroPaper.FromBacktracking);
        foreach (string rival in new[] { R1ZeroPaper.Reinforce, R1ZeroPaper.RejectionSampling })
        {
            var (a, b) = ((PolicyConfig)grpo.Stage, (PolicyConfig)Of(countdown, rival).Stage);
            Assert.Equal(grpo.From!.Key, Of(countdown, rival).From!.Key);
            Assert.Equal(a with { Objective = b.Objective }, b);
        }

        Assert.Equal(R1ZeroPaper.Single, Of(countdown, R1ZeroPaper.FromColdStart).From!.From!.Arm);
        Assert.Equal(grpo.Key, ((ImitationConfig)Of(countdown, R1ZeroPaper.Distilled).Stage).Teacher!.Key);
        Assert.Equal(Of(countdown, R1ZeroPaper.FromStudent).From!.Key, Of(countdown, R1ZeroPaper.Distilled).From!.Key);
        Assert.All(
            R1ZeroPaper.Presets.SelectMany(preset => new[] { R1ZeroPaper.Parity(preset), R1ZeroPaper.Countdown(preset), R1ZeroPaper.Languages(preset) }).SelectMany(comparison => comparison.Arms),
            arm => arm.Config(7).Validate());
        Assert.Contains("there are smoke, standard, full", Assert.Throws<ArgumentException>(() => R1ZeroPaper.Parity("large")).Message);
    }

    [Fact]
    public void A_comparison_is_trained_once_read_again_and_judged_by_its_intervals()
    {
        RunStore store = TrainingChild.Store(_folder.File("store"));
        PolicyResults Run(PolicyComparison comparison) => Short(comparison).Run(TorchRuntime.Initialize("cpu", fastMath: false), store, note: _notes.Add);
        PolicyResults parity = Run(R1ZeroPaper.Parity("smoke")), countdown = Run(R1ZeroPaper.Countdown("smoke")), languages = Run(R1ZeroPaper.Languages("smoke"));
        int made = store.Sources.Count;
        Assert.Empty(_notes);
        PolicyResults again = Run(R1ZeroPaper.Parity("smoke"));

        Assert.Equal("8 of 8 runs were loaded from records of earlier runs; fresh = true trains them again.", Assert.Single(_notes));
        Assert.Equal(made, store.Sources.Count);
        Assert.Equal(parity.Records.Select(record => record.Config.Key), again.Records.Select(record => record.Config.Key));
        Assert.Equal(parity.Of(R1ZeroPaper.Grpo)[1].Config.From!.Key, parity.Before(parity.Of(R1ZeroPaper.Grpo)[1]).Config.Key);
        Assert.Contains("there are no chains, p = 0.2, GRPO", Assert.Throws<ArgumentException>(() => parity.Of("PPO")).Message);
        Assert.Contains("began from no run", Assert.Throws<ArgumentException>(() => parity.Before(parity.Of("no chains")[0])).Message);

        IReadOnlyList<Claim> claims = R1ZeroPaper.Judge(parity, countdown, languages);
        Assert.All(claims, claim => Assert.NotEqual(Verdict.Supported, claim.Verdict)); // two seeds decide nothing
        Assert.All(claims.Where(claim => claim.Measured is not null), claim => Assert.Equal(2, claim.Measured!.Observations));
        Assert.Equal([R1ZeroPaper.Grpo, R1ZeroPaper.NoChains], parity.Comparison.Continued);
        Assert.All(R1ZeroPaper.Summary(countdown), row => Assert.Equal(row.From == "new weights", row.Gain is null));

        string[] arms = [R1ZeroPaper.FromBacktracking, R1ZeroPaper.FromWrong];
        foreach (Figure figure in new[]
        {
            PolicyCharts.Learning(countdown, "title", arms),
            PolicyCharts.BeforeAndAfter(countdown, "title", "pass@1", R1ZeroPaper.PassAt1, arms),
            PolicyCharts.ByDifficulty(countdown, "title", level => $"{level}", arms),
            PolicyCharts.ByShare(parity),
            PolicyCharts.Steps(countdown, "title", arms),
            PolicyCharts.RewardAndLoss(countdown, "title", arms),
        })
        {
            Assert.Contains("their range (too few seeds for an interval)", figure.Caption);
            Assert.NotEmpty(figure.ToPng());
        }

        PolicyRecord grpo = parity.Of(R1ZeroPaper.Grpo)[0];
        string answers = AnswerTable.Of(grpo).ToHtml();
        Assert.Contains(grpo.Final.Examples[0].Prompt, answers);
        Assert.Contains("&lt;answer&gt;", answers);
        Assert.Contains("was not evaluated on its way", Assert.Throws<ArgumentException>(() => AnswerTable.Of(parity.Before(grpo))).Message);
    }

    // The same arms with a few steps each: what they reach is not the question here.
    private static PolicyComparison Short(PolicyComparison comparison)
    {
        static PolicyRunConfig Cut(PolicyRunConfig config) => config with
        {
            From = config.From is { } from ? Cut(from) : null,
            Stage = config.Stage switch
            {
                ImitationConfig imitation => imitation with { Steps = Math.Min(60, imitation.Steps), Demonstrations = 500 },
                _ => config.Stage with { Steps = 2 },
            },
            Evaluation = config.Evaluation with { Problems = 8 },
            EvaluationInterval = Math.Min(1, config.EvaluationInterval),
        };
        return comparison with { Arms = [.. comparison.Arms.Select(arm => arm with { Config = seed => Cut(arm.Config(seed)) })] };
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _folder.Dispose();
    }
}
