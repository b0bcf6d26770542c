// Autonomy-of-Experts (arXiv 2501.13074): the comparison, the measurement of cost, the toy and the claims.
//
// The paper: d = 768, 12 layers, d_ffn = 3072, 8 experts, top-2, 100B tokens; AoE's total parameters equal the MoE's.
// Differs from the paper: models of about two million parameters on half a million tokens; held-out loss in place of eight downstream
// tasks, which are at chance at this size; an arm that the paper lacks, AoE with the MoE's FLOPs per token; and 64 experts beside 8 where
// cost is measured. d_low has the paper's ratios to the width: a twelfth, a sixth, a third, two thirds. The large router has two layers
// with as many weights as AoE chooses by; the paper gives its size alone.
//
// Experts that choose their tokens look at the whole batch, later tokens too. That is how they are trained; on held-out text every token
// takes its K highest-scored experts, so that no loss knows what comes later.
//
// The learning rate is chosen for every arm apart, by one grid, on seeds of their own and a half of the held-out text that the comparison
// does not report.

using PaperLab.Evaluation;
using PaperLab.Models;
using PaperLab.Text;
using PaperLab.Training;

namespace PaperLab.Papers;

/// <summary>Experts that choose themselves against experts behind a router, each with the controls that its claim needs.</summary>
public static class AutonomyOfExpertsPaper
{
    public const string Name = "autonomy-of-experts";
    public const string Moe = "MoE", MoeAux = "MoE + aux";
    public const string Factorised = "factorised MoE", FactorisedAux = "factorised MoE + aux";
    public const string LargeRouter = "large-router MoE + aux";
    public const string Aoe = "AoE", AoeAux = "AoE + aux";
    public const string EqualFlops = "AoE + aux, equal FLOPs";
    public const string MoeTopP = "MoE, top-P", AoeTopP = "AoE, top-P";
    public const string MoeExpertChoice = "MoE, expert choice", AoeExpertChoice = "AoE, expert choice";

    private const double BalanceLossWeight = 0.01; // the paper's α
    private const int FewExperts = 8, ManyExperts = 64;

    /// <summary>The presets by name.</summary>
    public static IReadOnlyList<string> Presets { get; } = ["smoke", "standard", "full"];

    /// <summary>The search for every arm's learning rate; its comparison holds all arms, MoE with the balance loss first.</summary>
    /// <param name="preset">One of <see cref="Presets"/>.</param>
    /// <param name="firstSeed">Seeds count up from it.</param>
    /// <exception cref="ArgumentException">There is no such preset.</exception>
    public static LearningRateSearch Search(string preset, int firstSeed = 1)
    {
        Preset sizes = Of(preset);
        return new LearningRateSearch(
            new Comparison
            {
                Paper = Name,
                Preset = preset,
                Arms = Arms(sizes),
                Seeds = [.. Enumerable.Range(firstSeed, sizes.Seeds)],
                Model = sizes.Model,
                Training = new TrainingConfig { Steps = sizes.Steps, BatchSize = sizes.Batch },
                Text = new TextConfig { Corpus = sizes.Corpus, VocabularySize = sizes.Model.VocabularySize, EvaluationWindows = sizes.EvaluationWindows, Validate = true },
                Threads = sizes.Threads,
            },
            sizes.Rates);
    }

    /// <summary>The measurement of time and memory: MoE and AoE with 8 and with 64 experts, and AoE with every d_low.</summary>
    /// <exception cref="ArgumentException">There is no such preset.</exception>
    public static ExpertCostGrid Cost(string preset)
    {
        Preset sizes = Of(preset);
        MixtureOfExpertsConfig moe = sizes.Moe with { BalanceLossWeight = BalanceLossWeight };
        return new ExpertCostGrid
        {
            Model = sizes.Model,
            Sequences = sizes.TimedSequences ?? sizes.Batch,
            Rounds = sizes.TimedRounds,
            Arms =
            [
                new ExpertCostArm(CostName(FewExperts, null), moe),
                .. sizes.Ranks.Select(rank => new ExpertCostArm(CostName(FewExperts, rank), Timed(FewExperts, rank))),
                new ExpertCostArm(CostName(ManyExperts, null), moe with { NumExperts = ManyExperts }),
                new ExpertCostArm(CostName(ManyExperts, sizes.Rank), Timed(ManyExperts, sizes.Rank)),
            ],
        };

        // Equal parameters, to the next multiple of eight: the grouped product, which both layers shall use, wants those.
        AutonomyOfExpertsConfig Timed(int experts, int rank)
        {
            AutonomyOfExpertsConfig aoe = sizes.Aoe(rank);
            return aoe with { NumExperts = experts, Hidden = (int)Math.Round(aoe.Hidden / 8.0) * 8, BalanceLossWeight = BalanceLossWeight };
        }
    }

    /// <summary>The Gaussian toy.</summary>
    /// <exception cref="ArgumentException">There is no such preset.</exception>
    public static GaussianToyConfig Toy(string preset, int firstSeed = 1) => new() { FirstSeed = firstSeed, Seeds = Of(preset).ToySeeds };

    /// <summary>The arms of the d_low sweep, smallest first, with their d_low.</summary>
    public static IReadOnlyList<(string Arm, int Rank)> ByRank(Comparison comparison)
    {
        Preset sizes = Of(comparison.Preset);
        return [.. sizes.Ranks.Select(rank => (RankName(sizes, rank), rank))];
    }

    /// <summary>What AoE costs against the MoE with as many experts: the name of each AoE that was measured, and of its baseline.</summary>
    public static IReadOnlyList<(string Aoe, string Moe)> CostPairs(ExpertCost cost) =>
    [
        .. cost.Grid.Arms.Where(arm => arm.FeedForward is AutonomyOfExpertsConfig)
            .Select(arm => (arm.Name, CostName(((AutonomyOfExpertsConfig)arm.FeedForward).NumExperts, null))),
    ];

    /// <summary>How the arms route held-out text: means over layers, with intervals over seeds.</summary>
    public static IReadOnlyList<AutonomySummary> Routing(ComparisonResult result) =>
    [
        .. result.Comparison.Arms.Select(arm =>
        {
            Interval Of(Func<LayerRouting, double> statistic) => result.Mean(arm.Name, run => Mean(run.Final, statistic));
            return new AutonomySummary(
                arm.Name,
                Of(layer => layer.LoadEntropy),
                Of(layer => RoutingStatistics.MaxViolation(layer.Load)),
                result.Mean(arm.Name, RelativeConfidenceEntropy),
                Of(layer => layer.ExpertsPerToken!.Value),
                Of(layer => Spread(layer.MeanScore)),
                Of(layer => layer.ScoreStd!.Average()));
        }),
    ];

    /// <summary>The claims that these measurements can speak to, each decided by its interval, and those that they cannot.</summary>
    /// <param name="runs">All arms.</param>
    /// <param name="toy">The Gaussian toy.</param>
    /// <param name="cost">Time and memory.</param>
    public static IReadOnlyList<Claim> Judge(ComparisonResult runs, GaussianToyComparison toy, ExpertCost cost)
    {
        RunRecord run = runs.Of(MoeAux)[0];
        IReadOnlyList<(string Arm, int Rank)> ranks = ByRank(runs.Comparison);
        ((string narrow, int r), (string wide, int R)) = (ranks[0], ranks[^1]);
        int rank = ranks.Single(arm => arm.Arm == AoeAux).Rank;
        string setting = $"{run.TotalParameters / 1e6:0.0}M parameters, {run.Tokens / 1e3:N0}k tokens, d_low {rank}, {runs.Comparison.Seeds.Count} seeds";
        string toySetting = $"two experts, three Gaussian classes, {toy.Config.Seeds} seeds";
        string costSetting = $"{cost.Grid.Rounds} rounds in which the models take turns, {cost.Environment.Device}";
        Claim Loss(string statement, string paper, string arm, string baseline, ClaimedSign sign = ClaimedSign.Negative) =>
            Claim.Test(statement, paper, setting, runs.Difference(arm, baseline, record => record.Final.Loss), sign, $"nats/token, {arm} − {baseline}");
        return
        [
            Loss("AoE models language better than MoE, both with the balance loss",
                "8-task average 43.68 → 44.46; reported by others at 92M parameters: perplexity 31.22 → 30.00, −0.040 nats", AoeAux, MoeAux),
            Loss("The same without the balance loss", "43.28 → 44.12 at this d_low to width, 44.39 at best", Aoe, Moe),
            Loss("AoE without the balance loss is better than MoE with it", "43.68 → 44.12 at this d_low to width, 44.39 at best", Aoe, MoeAux),
            Loss("The balance loss helps MoE", "43.28 → 43.68", MoeAux, Moe),
            Loss("The balance loss helps AoE", "44.12 → 44.46 at this d_low to width; at a sixth, to the contrary, 44.39 → 44.04", AoeAux, Aoe),
            Loss("The factorised gate alone helps MoE a little", "43.68 → 43.70", FactorisedAux, MoeAux),
            Loss("AoE is better than MoE with the same factorised gate: it is the choice that helps", "43.70 → 44.46", AoeAux, FactorisedAux),
            Loss("The same without the balance loss", "not in the paper", Aoe, Factorised),
            Loss("A router as large as AoE's choosing part helps MoE a little", "43.68 → 43.71", LargeRouter, MoeAux),
            Loss("AoE is better than MoE with that router: it is not the number of weights that choose", "43.71 → 44.46", AoeAux, LargeRouter),
            Loss("AoE is better at the MoE's FLOPs per token (our control; the paper matches parameters only)", "not in the paper", EqualFlops, MoeAux),
            Loss($"AoE with the smallest d_low, {r}, is better than MoE", "43.68 → 44.12", narrow, MoeAux),
            Loss($"AoE with the largest d_low, {R}, is better than MoE", "43.68 → 44.08", wide, MoeAux),
            Loss($"A d_low of a third of the width is better than the smallest, {r}", "44.12 → 44.46", AoeAux, narrow),
            Loss($"A d_low of a third of the width is better than the largest, {R}", "44.08 → 44.46", AoeAux, wide),
            Loss("AoE is better where each token takes experts until their share reaches P", "43.87 → 44.29", AoeTopP, MoeTopP),
            Loss("AoE is better where experts choose their tokens", "43.89 → 44.17", AoeExpertChoice, MoeExpertChoice),
            Claim.Test("AoE's experts are more evenly loaded", "load entropy 2.015 → 2.023, both with the balance loss", setting,
                runs.Difference(AoeAux, MoeAux, record => Mean(record.Final, layer => layer.LoadEntropy)), ClaimedSign.Positive, $"nats, {AoeAux} − {MoeAux}"),
            Claim.Test("AoE chooses with more confidence: its entropy falls further below its start", "much lower confidence entropy", setting,
                runs.Difference(AoeAux, MoeAux, RelativeConfidenceEntropy), ClaimedSign.Negative, $"share of the entropy at the start, {AoeAux} − {MoeAux}"),
            Claim.Test("Deeper layers of AoE choose with more confidence", "confidence entropy falls with depth", setting,
                runs.Mean(AoeAux, ConfidenceByDepth), ClaimedSign.Negative, "nats of confidence entropy a layer"),
            Claim.Test("An expert knows what it can do: of two, the one with the larger activation is the one with the smaller loss, more often than by chance",
                "the premise of the method", toySetting, toy.Aoe(result => result.Agreement - 0.5), ClaimedSign.Positive, "share of points, above one half"),
            Claim.Test("It is so more often than with a router's choice", "a router does not know what experts can do", toySetting,
                toy.Difference(result => result.Agreement), ClaimedSign.Positive, "share of points, AoE − MoE"),
            Claim.Test("Learning is more effective: over the whole training the loss is smaller", "a router learns by trial and error", toySetting,
                toy.Difference(result => result.TrainingLoss.Average()), ClaimedSign.Negative, "nats, AoE − MoE"),
            Claim.Test("AoE trains a little slower than MoE", "thousand tokens/s 51.42 → 46.07 to 49.79: −3 to −10 %", costSetting,
                Few(cost, rank, Speed), ClaimedSign.Negative, $"relative, n = {FewExperts}, d_low {rank}"),
            Claim.Test("The larger d_low, the slower", "−3.2 / −3.9 / −6.7 / −10.4 %", costSetting,
                Widening(cost, r, R, Speed), ClaimedSign.Negative, $"relative to MoE, d_low {R} − d_low {r}"),
            Claim.Test($"With {ManyExperts} experts it is slower still, for all of them begin to compute (our question)", "not in the paper", costSetting,
                Growth(cost, rank, Speed), ClaimedSign.Negative, $"relative to MoE, n = {ManyExperts} − n = {FewExperts}"),
            Memory("AoE needs more memory", "50.61 → 55.90 to 59.39 GB: +10 to +17 %", ClaimedSign.Positive, $"relative, n = {FewExperts}, d_low {rank}", memory => Few(cost, rank, memory)),
            Memory("The larger d_low, the less more", "+17.3 / +14.3 / +13.3 / +10.5 %", ClaimedSign.Negative, $"relative to MoE, d_low {R} − d_low {r}", memory => Widening(cost, r, R, memory)),
            Memory($"With {ManyExperts} experts it needs still more (our question)", "not in the paper", ClaimedSign.Positive, $"relative to MoE, n = {ManyExperts} − n = {FewExperts}", memory => Growth(cost, rank, memory)),
            Claim.NotTestable("The gains are those of the mean of eight downstream tasks", "43.28 to 44.46 at 100B tokens", "models of this size are at chance on those tasks; the arms are compared by held-out loss"),
            Claim.NotTestable("The gain grows at 4 billion parameters", "48.06 → 49.80", "models of billions of parameters need a cluster"),
            Claim.NotTestable("Others see it too, at 92 million parameters", "OpenWebText, d_low 16: perplexity 31.22 → 30.00", "that text and that budget are not here; the first row asks the same at a scale of its own"),
        ];

        Claim Memory(string statement, string paper, ClaimedSign sign, string unit, Func<Func<ExpertCost, string, string, IReadOnlyList<double>>, Interval> measured) => cost.KnowsMemory
            ? Claim.Test(statement, paper, costSetting, measured((c, arm, baseline) => c.Memory(arm, baseline)), sign, unit)
            : Claim.NotTestable(statement, paper, "this system does not tell how much memory a process held at most");
    }

    /// <summary>Mean over layers of a routing statistic.</summary>
    public static double Mean(HeldOutEvaluation evaluation, Func<LayerRouting, double> statistic) => evaluation.Routing.Average(statistic);

    /// <summary>Standard deviation over experts.</summary>
    internal static double Spread(IReadOnlyList<double> values) => Math.Sqrt(values.Average(value => Math.Pow(value - values.Average(), 2)));

    private static double RelativeConfidenceEntropy(RunRecord run) =>
        Mean(run.Final, layer => layer.ConfidenceEntropy) / Mean(run.Initial, layer => layer.ConfidenceEntropy);

    // Least-squares slope over the layers.
    private static double ConfidenceByDepth(RunRecord run)
    {
        double[] entropy = [.. run.Final.Routing.Select(layer => layer.ConfidenceEntropy)];
        double middle = (entropy.Length - 1) / 2.0;
        return entropy.Select((value, layer) => (layer - middle) * value).Sum() / entropy.Select((_, layer) => Math.Pow(layer - middle, 2)).Sum();
    }

    private static IReadOnlyList<double> Speed(ExpertCost cost, string arm, string baseline) => cost.Throughput(arm, baseline);

    private static Interval Few(ExpertCost cost, int rank, Func<ExpertCost, string, string, IReadOnlyList<double>> ratio) =>
        Interval.OfMean(ratio(cost, CostName(FewExperts, rank), CostName(FewExperts, null)));

    private static Interval Widening(ExpertCost cost, int narrow, int wide, Func<ExpertCost, string, string, IReadOnlyList<double>> ratio) =>
        Interval.OfPairedDifference(ratio(cost, CostName(FewExperts, wide), CostName(FewExperts, null)), ratio(cost, CostName(FewExperts, narrow), CostName(FewExperts, null)));

    private static Interval Growth(ExpertCost cost, int rank, Func<ExpertCost, string, string, IReadOnlyList<double>> ratio) =>
        Interval.OfPairedDifference(ratio(cost, CostName(ManyExperts, rank), CostName(ManyExperts, null)), ratio(cost, CostName(FewExperts, rank), CostName(FewExperts, null)));

    private static string CostName(int experts, int? rank) => rank is null ? $"MoE, n = {experts}" : $"AoE, n = {experts}, d_low {rank}";

    private static string RankName(Preset sizes, int rank) => rank == sizes.Rank ? AoeAux : $"AoE + aux, d_low {rank}";

    // Every arm has the parameters of the MoE, but EqualFlops, which has its FLOPs.
    private static IReadOnlyList<Arm> Arms(Preset sizes)
    {
        MixtureOfExpertsConfig moe = sizes.Moe;
        AutonomyOfExpertsConfig aoe = sizes.Aoe(sizes.Rank);
        MixtureOfExpertsConfig factorised = moe with { Hidden = aoe.Hidden, GateRank = sizes.Rank };
        int width = sizes.Model.Width;

        // Where experts choose, every one has as many tokens, and the balance loss is a constant.
        return
        [
            Balanced(MoeAux, moe),
            new Arm(Moe, moe),
            Balanced(FactorisedAux, factorised),
            new Arm(Factorised, factorised),
            Balanced(LargeRouter, moe.WithLargeRouter(width, sizes.Rank)),
            Balanced(AoeAux, aoe),
            new Arm(Aoe, aoe),
            Balanced(EqualFlops, aoe with { Hidden = AutonomyOfExpertsConfig.HiddenForEqualFlops(width, moe.Hidden, sizes.Rank, moe.NumExperts, moe.TopK) }),
            .. sizes.Ranks.Where(rank => rank != sizes.Rank).Select(rank => Balanced(RankName(sizes, rank), sizes.Aoe(rank))),
            Balanced(MoeTopP, moe with { Selection = ExpertSelection.TopP, TopP = sizes.TopP }),
            Balanced(AoeTopP, aoe with { Selection = ExpertSelection.TopP, TopP = sizes.TopP }),
            new Arm(MoeExpertChoice, moe with { Selection = ExpertSelection.ExpertChoice }),
            new Arm(AoeExpertChoice, aoe with { Selection = ExpertSelection.ExpertChoice }),
        ];

        static Arm Balanced(string name, RoutedConfig layer) => new(name, layer with { BalanceLossWeight = BalanceLossWeight });
    }

    private static Preset Of(string preset) => preset switch
    {
        // Proves the path: under a minute for the whole notebook on two CPU cores.
        "smoke" => new Preset
        {
            Model = Sizes(vocabulary: 512, width: 48, layers: 2, context: 16, hidden: 80),
            Ranks = [4, 8, 16, 32],
            Steps = 5,
            Batch = 4,
            Seeds = 2,
            Rates = [2e-3, 8e-3],
            Corpus = Domains(s_fourDomains),
            EvaluationWindows = 4,
            ToySeeds = 5,
            TimedSequences = 32,
            TimedRounds = 5,
            Threads = 1,
        },

        // Enough to decide: half an hour on one CPU core each of two processes.
        "standard" => new Preset
        {
            Model = Sizes(vocabulary: 1024, width: 96, layers: 3, context: 64, hidden: 192),
            Ranks = [8, 16, 32, 64],
            Steps = 300,
            Batch = 8,
            Seeds = 7,
            Rates = [2e-3, 4e-3, 8e-3],
            Corpus = Domains(s_fourDomains) with { HeldOutShare = 0.2 }, // a small difference needs much text to show in
            EvaluationWindows = 96,
            ToySeeds = 20,
            TimedSequences = 64, // with 64 experts every one has 128 tokens: computing takes longer than calling
            Threads = 1,
        },

        // Nearer to the paper's shape; meant for a GPU.
        "full" => new Preset
        {
            Model = Sizes(vocabulary: 8192, width: 384, layers: 6, context: 256, hidden: 768),
            Ranks = [32, 64, 128, 256],
            Steps = 1000,
            Batch = 32,
            Seeds = 5,
            Rates = [5e-4, 1e-3, 2e-3],
            Corpus = Domains([.. s_fourDomains, "messages-fr", "messages-es", "messages-ko", "messages-zh-Hans"], bytes: 8_000_000),
            EvaluationWindows = 64,
            ToySeeds = 20,
        },
        _ => throw new ArgumentException($"'{preset}' is not a preset; use {string.Join(", ", Presets)}.", nameof(preset)),
    };

    // Kinds of text that the SDK holds and that no commit of this repository changes.
    private static readonly string[] s_fourDomains = ["prose", "messages-de", "messages-ru", "messages-ja"];

    private static TransformerConfig Sizes(int vocabulary, int width, int layers, int context, int hidden) => new()
    {
        VocabularySize = vocabulary,
        Width = width,
        Layers = layers,
        Heads = Math.Max(1, width / 32),
        ContextLength = context,
        FeedForward = new MixtureOfExpertsConfig { NumExperts = FewExperts, Hidden = hidden },
    };

    private static CorpusOptions Domains(IReadOnlyList<string> domains, long bytes = 900_000) => CorpusOptions.Smoke with { Domains = domains, MaxBytesPerDomain = bytes };

    private sealed record Preset
    {
        /// <summary>The sizes, with the baseline's experts.</summary>
        public required TransformerConfig Model { get; init; }

        /// <summary>Every d_low: a twelfth, a sixth, a third, two thirds of the width.</summary>
        public required int[] Ranks { get; init; }

        public required int Steps { get; init; }

        /// <summary>Sequences of a batch.</summary>
        public required int Batch { get; init; }

        public required int Seeds { get; init; }

        /// <summary>The grid of learning rates, for every arm the same.</summary>
        public required double[] Rates { get; init; }

        public required CorpusOptions Corpus { get; init; }

        public required int EvaluationWindows { get; init; }

        public required int ToySeeds { get; init; }

        /// <summary>Sequences of a step whose cost is measured; null for those of a batch.</summary>
        public int? TimedSequences { get; init; }

        public int TimedRounds { get; init; } = 7;

        public int? Threads { get; init; }

        /// <summary>P of the arms that take experts until their share reaches it.</summary>
        public double TopP { get; init; } = 0.4;

        /// <summary>d_low of the arms that are not of the sweep: a third of the width, the paper's best with the balance loss.</summary>
        public int Rank => Ranks[2];

        public MixtureOfExpertsConfig Moe => (MixtureOfExpertsConfig)Model.FeedForward;

        public AutonomyOfExpertsConfig Aoe(int rank) => new()
        {
            NumExperts = Moe.NumExperts,
            TopK = Moe.TopK,
            GateRank = rank,
            Hidden = AutonomyOfExpertsConfig.HiddenForEqualParameters(Model.Width, Moe.Hidden, rank),
        };
    }
}

/// <summary>How one arm routes held-out text: means over layers, with intervals over seeds.</summary>
/// <param name="Arm">Its name.</param>
/// <param name="LoadEntropy">Nats; ln E is perfect balance.</param>
/// <param name="MaxViolation">(Largest load − mean load) / mean load.</param>
/// <param name="Confidence">Entropy of the softmax over all scores, as a share of what it was before training.</param>
/// <param name="ExpertsPerToken">Mean over tokens.</param>
/// <param name="BetweenExperts">Standard deviation over experts of their mean score: logits behind a router, norms else.</param>
/// <param name="WithinExpert">Standard deviation of an expert's scores over tokens, mean over experts.</param>
public sealed record AutonomySummary(
    string Arm, Interval LoadEntropy, Interval MaxViolation, Interval Confidence, Interval ExpertsPerToken, Interval BetweenExperts, Interval WithinExpert);
