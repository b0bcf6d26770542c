// Autonomy-of-Experts (arXiv 2501.13074): the comparison and its claims.
//
// The paper: d = 768, 12 layers, d_ffn = 3072, 8 experts, top-2, 100B tokens; AoE's total parameters equal the MoE's.
// Differs from the paper: models of a few million parameters on a few million tokens of technical text; held-out loss in place of
// eight downstream tasks, which are at chance at this size; and an arm that the paper lacks, AoE with the MoE's FLOPs per token.

using PaperLab.Evaluation;
using PaperLab.Models;
using PaperLab.Text;
using PaperLab.Training;

namespace PaperLab.Papers;

/// <summary>MoE against AoE.</summary>
public static class AutonomyOfExpertsPaper
{
    public const string Name = "autonomy-of-experts";
    public const string Moe = "MoE";
    public const string FactorisedMoe = "MoE, factorised gate";
    public const string Aoe = "AoE";
    public const string EqualFlops = "AoE, equal FLOPs";

    private const double BalanceLossWeight = 0.01; // the paper's α

    /// <summary>The presets by name.</summary>
    public static IReadOnlyList<string> Presets { get; } = ["smoke", "standard", "full"];

    /// <summary>The comparison of a preset.</summary>
    /// <param name="preset">One of <see cref="Presets"/>.</param>
    /// <param name="firstSeed">Seeds count up from it.</param>
    /// <exception cref="ArgumentException">There is no such preset.</exception>
    public static Comparison Create(string preset, int firstSeed = 1) => preset switch
    {
        // Proves the path: under a minute for the whole notebook on two CPU cores.
        "smoke" => Build(preset, firstSeed, seeds: 2, width: 96, layers: 2, context: 64, hidden: 128, rank: 24, steps: 25, batch: 16, vocabulary: 1024, corpus: CorpusOptions.Smoke, evaluationWindows: 8) with { Threads = 1 },

        // Enough to decide: five seeds, an hour on two CPU cores.
        "standard" => Build(preset, firstSeed, seeds: 5, width: 128, layers: 4, context: 128, hidden: 192, rank: 32, steps: 300, batch: 16, vocabulary: 2048, corpus: CorpusOptions.Smoke, evaluationWindows: 32),

        // Nearer to the paper's shape; meant for a GPU.
        "full" => Build(preset, firstSeed, seeds: 5, width: 512, layers: 8, context: 512, hidden: 1024, rank: 128, steps: 4000, batch: 32, vocabulary: 16384, corpus: CorpusOptions.Full, evaluationWindows: 64),
        _ => throw new ArgumentException($"'{preset}' is not a preset; use {string.Join(", ", Presets)}.", nameof(preset)),
    };

    private static Comparison Build(
        string preset, int firstSeed, int seeds, int width, int layers, int context, int hidden, int rank, int steps, int batch, int vocabulary, CorpusOptions corpus, int evaluationWindows)
    {
        var moe = new MixtureOfExpertsConfig { Hidden = hidden, BalanceLossWeight = BalanceLossWeight };
        int equalParameters = AutonomyOfExpertsConfig.HiddenForEqualParameters(width, hidden, rank);
        var aoe = new AutonomyOfExpertsConfig { Hidden = equalParameters, GateRank = rank, BalanceLossWeight = BalanceLossWeight };
        return new Comparison
        {
            Paper = Name,
            Preset = preset,
            Arms =
            [
                new Arm(Moe, moe),
                new Arm(FactorisedMoe, moe with { Hidden = equalParameters, GateRank = rank }),
                new Arm(Aoe, aoe),
                new Arm(EqualFlops, aoe with { Hidden = AutonomyOfExpertsConfig.HiddenForEqualFlops(width, hidden, rank, moe.NumExperts, moe.TopK) }),
            ],
            Seeds = [.. Enumerable.Range(firstSeed, seeds)],
            Model = new TransformerConfig { VocabularySize = vocabulary, Width = width, Layers = layers, Heads = width / 32, ContextLength = context, FeedForward = moe },
            Training = new TrainingConfig { Steps = steps, BatchSize = batch },
            Text = new TextConfig { Corpus = corpus, VocabularySize = vocabulary, EvaluationWindows = evaluationWindows },
        };
    }

    /// <summary>
    /// Relative difference in training throughput, AoE against MoE: the arms take turns, so that a machine whose speed drifts
    /// slows both. Always measured, never recorded: it belongs to the machine and the moment.
    /// </summary>
    public static Interval Throughput(Comparison comparison, TorchRuntime runtime, int rounds = 5, int steps = 4)
    {
        Comparison brief = comparison with { Training = comparison.Training with { Steps = steps }, Text = comparison.Text with { EvaluationWindows = 1 } };
        TokenizedCorpus text = brief.LoadText();
        runtime = comparison.Prepare(runtime);
        double TokensPerSecond(string arm) =>
            new LanguageModelTrainer(brief.ConfigOf(brief.Arms.Single(a => a.Name == arm), seed: 1), text, runtime).Run("throughput").TokensPerSecond;

        TokensPerSecond(Moe); // the first run pays for the code being compiled
        return Interval.OfMean([.. Enumerable.Range(0, rounds).Select(_ => (TokensPerSecond(Aoe) / TokensPerSecond(Moe)) - 1)]);
    }

    /// <summary>The claims that these runs can speak to, each decided by its interval, and those that they cannot.</summary>
    public static IReadOnlyList<Claim> Judge(ComparisonResult runs, Interval toyAgreement, Interval throughput)
    {
        RunRecord moe = runs.Of(Moe)[0];
        string setting = $"{moe.TotalParameters / 1e6:0.0}M parameters, {moe.Tokens / 1e3:N0}k tokens, {runs.Comparison.Seeds.Count} seeds";
        return
        [
            Claim.Test("AoE models language better than MoE at equal total parameters",
                "8-task average 43.68 → 44.46 (both with balance loss, 100B tokens)", setting,
                runs.Difference(Aoe, Moe, r => r.Final.Loss), ClaimedSign.Negative, "nats/token, AoE − MoE"),
            Claim.Test("AoE is better than MoE with the same factorised gate: the choice itself helps",
                "MoE with factorised gate 43.70, AoE 44.46", setting,
                runs.Difference(Aoe, FactorisedMoe, r => r.Final.Loss), ClaimedSign.Negative, "nats/token, AoE − factorised MoE"),
            Claim.Test("AoE is better at the MoE's FLOPs per token (our control; the paper matches parameters only)",
                "not in the paper", setting,
                runs.Difference(EqualFlops, Moe, r => r.Final.Loss), ClaimedSign.Negative, "nats/token, AoE at equal FLOPs − MoE"),
            Claim.Test("AoE's experts are at least as evenly loaded",
                "load entropy 2.015 → 2.023 (with balance loss)", setting,
                runs.Difference(Aoe, Moe, r => Mean(r.Final, layer => layer.LoadEntropy)), ClaimedSign.Positive, "nats, AoE − MoE"),
            Claim.Test("AoE chooses with more confidence: its confidence entropy falls further below its start",
                "much lower confidence entropy, falling with depth", setting,
                runs.Difference(Aoe, Moe, RelativeConfidenceEntropy), ClaimedSign.Negative, "share of the entropy at the start, AoE − MoE"),
            Claim.Test("An expert knows what it can do: the one with the larger activation has the smaller loss, more often than a router's choice",
                "the premise of the method", $"two experts, three Gaussian classes, {toyAgreement.Observations} seeds",
                toyAgreement, ClaimedSign.Positive, "share of points, AoE − MoE"),
            Claim.Test("AoE trains a little slower than MoE",
                "51.42 → 46.07 to 49.79 thousand tokens/s: −3 to −10 %", $"{throughput.Observations} rounds, one arm after the other",
                throughput, ClaimedSign.Negative, "relative difference, AoE − MoE"),
            Claim.NotTestable("The gain holds on eight downstream tasks and grows at 4B parameters",
                "48.06 → 49.80 at 4B", "models of this size are at chance on those tasks"),
        ];
    }

    /// <summary>Mean over layers of a routing statistic.</summary>
    public static double Mean(HeldOutEvaluation evaluation, Func<LayerRouting, double> statistic) => evaluation.Routing.Average(statistic);

    private static double RelativeConfidenceEntropy(RunRecord run) =>
        Mean(run.Final, layer => layer.ConfidenceEntropy) / Mean(run.Initial, layer => layer.ConfidenceEntropy);
}
