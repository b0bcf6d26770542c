// Global-batch load balancing ("Demons in the Detail", arXiv 2501.11873): the comparison and its claims.
//
// The paper: models of 3.4B to 43B parameters, 64 experts and more, top-4, up to 400B tokens; f of the balance loss is counted in a
// micro-batch of 4 sequences, or over ever more of them until it is counted over the whole batch.
// Differs from the paper: models of half a million parameters on 300 thousand tokens, a batch of 16 sequences. Every arm makes the
// same forward and backward pass over the same batch, and only the grouping of the statistic differs; so what the arms differ in is the
// scope and nothing else. A group holds texts of one kind, as a long document or a sorted shard does on one machine.
//
// The balance loss's weight is chosen for every scope apart, by one grid, on seeds of their own and a half of the held-out text that the
// comparison does not report. An arm that changes its scope on the way keeps the weight that it began with. The learning rate is one for
// all: the arms are the same model. A scope may choose a weaker loss and specialise for that reason; so where a control chose another
// weight than the whole batch, it is trained with that one too, and what the scope does can be told from what its weight does.

using PaperLab.Evaluation;
using PaperLab.Models;
using PaperLab.Text;
using PaperLab.Training;

namespace PaperLab.Papers;

/// <summary>One balance loss, its load counted over more and more sequences.</summary>
public static class GlobalBatchPaper
{
    public const string Name = "global-batch-load-balancing";
    public const string Micro = "micro-batch";
    public const string Global = "whole batch";
    public const string Shuffled = "micro, shuffled";
    public const string Buffered = "micro, buffered";
    public const string SwitchEarly = "micro, then whole at 10 %";
    public const string SwitchLate = "micro, then whole at 50 %";
    public const string SwitchBack = "whole, then micro at 50 %";
    public const string Local = "whole + 1 % micro";
    public const string LightMicro = "micro, smallest α";
    public const string HeavyMicro = "micro, largest α";

    private const string WholesWeight = ", whole batch's α";

    // Seeds of the search: far from those of a comparison.
    private const int FirstSearchSeed = 1_000_001;

    // Kinds of text that the SDK holds and that no commit of this repository changes.
    private static readonly string[] s_fourDomains = ["prose", "messages-de", "messages-ru", "messages-ja"];

    /// <summary>The presets by name.</summary>
    public static IReadOnlyList<string> Presets { get; } = ["smoke", "standard", "full"];

    /// <summary>
    /// The search for each scope's weight: every scope with every weight of the grid. Arms are named SCOPE, α = WEIGHT.
    /// </summary>
    /// <exception cref="ArgumentException">There is no such preset.</exception>
    public static Comparison Search(string preset)
    {
        Preset sizes = Of(preset);
        return sizes.Comparison(
            preset,
            [.. Scopes(sizes).SelectMany(scope => sizes.Weights.Select(weight => sizes.Arm(SearchName(scope.Name, weight), scope.Scope, weight)))],
            [.. Enumerable.Range(FirstSearchSeed, sizes.SearchSeeds)]);
    }

    /// <summary>What the search found, scope by scope: the weight with the lowest mean validation loss.</summary>
    public static IReadOnlyList<WeightChoice> Choose(ComparisonResult search)
    {
        Preset sizes = Of(search.Comparison.Preset);
        return
        [
            .. Scopes(sizes).Select(scope =>
            {
                double[] losses = [.. sizes.Weights.Select(weight => search.Of(SearchName(scope.Name, weight)).Average(run => run.Validation!.Loss))];
                return new WeightChoice(scope.Name, sizes.Weights[Array.IndexOf(losses, losses.Min())], sizes.Weights, losses);
            }),
        ];
    }

    /// <summary>The comparison of a preset, each scope with its own weight; the micro-batch is the baseline.</summary>
    /// <param name="preset">One of <see cref="Presets"/>.</param>
    /// <param name="weights">What <see cref="Choose"/> found.</param>
    /// <param name="firstSeed">Seeds count up from it.</param>
    /// <exception cref="ArgumentException">There is no such preset.</exception>
    public static Comparison Create(string preset, IReadOnlyList<WeightChoice> weights, int firstSeed = 1)
    {
        Preset sizes = Of(preset);
        (BalanceScope micro, BalanceScope whole) = (sizes.Micro, BalanceScope.WholeBatch);
        double Weight(string scope) => weights.Single(choice => choice.Scope == scope).Weight;
        return sizes.Comparison(
            preset,
            [
                .. Scopes(sizes).Select(scope => sizes.Arm(scope.Name, scope.Scope, Weight(scope.Name))),
                sizes.Arm(SwitchEarly, micro with { Then = whole, SwitchAfter = 0.1 }, Weight(Micro)),
                sizes.Arm(SwitchLate, micro with { Then = whole, SwitchAfter = 0.5 }, Weight(Micro)),
                sizes.Arm(SwitchBack, whole with { Then = micro, SwitchAfter = 0.5 }, Weight(Global)),
                sizes.Arm(Local, whole with { LocalWeight = 0.01, LocalSequences = sizes.Block }, Weight(Global)),
                sizes.Arm(LightMicro, sizes.Micro, sizes.Weights.Min()),
                sizes.Arm(HeavyMicro, sizes.Micro, sizes.Weights.Max()),
                .. Scopes(sizes).Where(scope => scope.Name is Micro or Shuffled or Buffered && Weight(scope.Name) != Weight(Global))
                    .Select(scope => sizes.Arm(scope.Name + WholesWeight, scope.Scope, Weight(Global))),
            ],
            [.. Enumerable.Range(firstSeed, sizes.Seeds)]);
    }

    /// <summary>The arm of the micro-batch or of one of its controls that has the weight which the whole batch chose; perhaps the scope's own arm.</summary>
    /// <param name="comparison">The comparison.</param>
    /// <param name="scope">Micro, shuffled or buffered.</param>
    public static string WithWholesWeight(Comparison comparison, string scope) =>
        comparison.Arms.FirstOrDefault(arm => arm.Name == scope + WholesWeight)?.Name ?? scope;

    /// <summary>The arms that differ in the balance batch size alone, smallest first, with that size in sequences.</summary>
    public static IReadOnlyList<(string Arm, int Sequences)> BySize(Comparison comparison)
    {
        Preset sizes = Of(comparison.Preset);
        return [.. sizes.Sizes.Select(sequences => (NameOf(sizes, sequences), sequences))];
    }

    /// <summary>How the arms balance and specialise, on held-out text: means over layers, with intervals over seeds.</summary>
    public static IReadOnlyList<ScopeSummary> Summary(ComparisonResult result) =>
    [
        .. result.Comparison.Arms.Select(arm =>
        {
            Interval Of(Func<LayerRouting, double> statistic) => result.Mean(arm.Name, run => Mean(run.Final, statistic));
            return new ScopeSummary(
                arm.Name,
                ((RoutedConfig)result.Of(arm.Name)[0].Config.Model.FeedForward).BalanceLossWeight,
                result.Mean(arm.Name, run => run.Final.Loss),
                Of(Information),
                Of(Frequency),
                Of(layer => layer.Balance!.SequenceLoss),
                Of(layer => layer.Balance!.GlobalLoss),
                Of(layer => layer.Balance!.SequenceMaxViolation),
                Of(layer => RoutingStatistics.MaxViolation(layer.Load)),
                Of(layer => layer.Balance!.TopKScore));
        }),
    ];

    /// <summary>The claims that these runs can speak to, each decided by its interval, and those that they cannot.</summary>
    public static IReadOnlyList<Claim> Judge(ComparisonResult runs)
    {
        RunRecord run = runs.Of(Micro)[0];
        int batch = run.Config.Training.BatchSize, micro = run.Config.Training.DomainBlock;
        string setting = $"{run.TotalParameters / 1e6:0.0}M parameters, {run.Tokens / 1e3:N0}k tokens, {batch} sequences a batch, {runs.Comparison.Seeds.Count} seeds";
        (string microAlike, string shuffledAlike, string bufferedAlike) = (WithWholesWeight(runs.Comparison, Micro), WithWholesWeight(runs.Comparison, Shuffled), WithWholesWeight(runs.Comparison, Buffered));
        Interval Loss(string arm, string baseline) => runs.Difference(arm, baseline, r => r.Final.Loss);
        Interval Layers(string arm, string baseline, Func<LayerRouting, double> statistic) => runs.Difference(arm, baseline, r => Mean(r.Final, statistic));
        return
        [
            Claim.Test("Counting the load over the whole batch lowers the loss, each scope at its own best weight",
                "balance batch 4 → 512 sequences: perplexity 8.167 → 8.038, −0.016 nats", setting,
                Loss(Global, Micro), ClaimedSign.Negative, $"nats/token, whole batch − {micro} sequences"),
            Claim.Test("The loss falls as the balance batch grows",
                "4 → 32 → 512 sequences: 8.167 → 8.062 → 8.038", setting,
                Slope(runs, r => r.Final.Loss), ClaimedSign.Negative, "nats/token for each doubling"),
            Claim.Test("Under global balance the experts specialise by domain",
                "an expert's frequency in a domain stays below 0.15 with micro, is often above 0.2 with global balance", setting,
                Layers(Global, Micro, Frequency), ClaimedSign.Positive, "largest share of a domain's tokens at one expert, whole batch − micro-batch"),
            Claim.Test("The same with the same weight",
                "the paper gives every scope the same weight", setting,
                Layers(Global, microAlike, Frequency), ClaimedSign.Positive, "largest share of a domain's tokens at one expert, whole batch − micro-batch"),
            Claim.Test("An expert tells more about the domain under global balance",
                "the same figures; this statistic is ours", setting,
                Layers(Global, Micro, Information), ClaimedSign.Positive, "nats, I(domain; expert), whole batch − micro-batch"),
            Claim.Test("The same with the same weight",
                "the paper gives every scope the same weight", setting,
                Layers(Global, microAlike, Information), ClaimedSign.Positive, "nats, I(domain; expert), whole batch − micro-batch"),
            Claim.Test("Specialisation grows as the balance batch grows",
                "shown in figures", setting,
                Slope(runs, r => Mean(r.Final, Information)), ClaimedSign.Positive, "nats of I(domain; expert) for each doubling"),
            Claim.Test("The global loss leaves single sequences free: a model trained with it has a far larger micro loss",
                "the micro loss of the global model stays high, its global loss is as low as the micro model's", setting,
                runs.Difference(Global, Micro, r => Mean(r.Final, layer => layer.Balance!.SequenceLoss) - Mean(r.Final, layer => layer.Balance!.GlobalLoss)), ClaimedSign.Positive,
                "loss by sequence − loss over all, whole batch − micro-batch"),
            Claim.Test("The router is surer: the scores of the chosen experts sum to more",
                "shown in a figure", setting,
                Layers(Global, Micro, layer => layer.Balance!.TopKScore), ClaimedSign.Positive, "sum of the top-K softmax scores, whole batch − micro-batch"),
            Claim.Test("It is the mixture and not the number of tokens: shuffled micro-batches specialise more than those of one domain",
                "shuffled micro-batches ≈ global: 8.041 against 8.038", setting,
                Layers(Shuffled, Micro, Information), ClaimedSign.Positive, "nats of I(domain; expert), shuffled − micro-batch"),
            Claim.Test("The same with the same weight",
                "the paper gives every scope the same weight", setting,
                Layers(shuffledAlike, microAlike, Information), ClaimedSign.Positive, "nats of I(domain; expert), shuffled − micro-batch"),
            Claim.Test("Shuffled micro-batches have a lower loss than those of one domain",
                "8.167 → 8.041", setting,
                Loss(Shuffled, Micro), ClaimedSign.Negative, "nats/token, shuffled − micro-batch"),
            Claim.Test("A buffer over the accumulation steps gives back specialisation",
                "buffer at 128 sequences ≈ 512 sequences: 7.199 against 7.198", setting,
                Layers(Buffered, Micro, Information), ClaimedSign.Positive, "nats of I(domain; expert), buffered − micro-batch"),
            Claim.Test("The same with the same weight",
                "the paper gives every scope the same weight", setting,
                Layers(bufferedAlike, microAlike, Information), ClaimedSign.Positive, "nats of I(domain; expert), buffered − micro-batch"),
            Claim.Test("A buffer over the accumulation steps lowers the loss",
                "43A6.6B: 5.862 → 5.779", setting,
                Loss(Buffered, Micro), ClaimedSign.Negative, "nats/token, buffered − micro-batch"),
            Claim.Test("Switching to the whole batch halfway still helps",
                "at 50k of 100k steps: 7.347 → 7.322", setting,
                Loss(SwitchLate, Micro), ClaimedSign.Negative, "nats/token, switched − micro-batch"),
            Claim.Test("The earlier the switch, the better",
                "at 50k / 30k / 10k of 100k steps: 7.322 / 7.297 / 7.283", setting,
                Loss(SwitchEarly, SwitchLate), ClaimedSign.Negative, "nats/token, switch at 10 % − at 50 %"),
            Claim.Test("Switching back to micro-batches loses what was gained",
                "global → micro: 7.373, worse than micro throughout", setting,
                Loss(SwitchBack, Global), ClaimedSign.Positive, "nats/token, switched back − whole batch"),
            Claim.Test("With micro-batches a smaller weight is a little better",
                "α = .008 / .004 / .001 at 4 sequences: 8.167 / 8.154 / 8.159", setting,
                Loss(LightMicro, HeavyMicro), ClaimedSign.Negative, "nats/token, smallest weight of the grid − largest"),
            Claim.Test("Global balance leaves single sequences unbalanced, which is where its overhead comes from",
                "+5.8 % time a step", setting,
                Layers(Global, Micro, layer => layer.Balance!.SequenceMaxViolation), ClaimedSign.Positive, "MaxVio of a sequence, whole batch − micro-batch"),
            Claim.Test("The same with the same weight",
                "the paper gives every scope the same weight", setting,
                Layers(Global, microAlike, layer => layer.Balance!.SequenceMaxViolation), ClaimedSign.Positive, "MaxVio of a sequence, whole batch − micro-batch"),
            Claim.Test("A micro loss of 1 % of the weight beside it balances them somewhat",
                "overhead +5.8 % → +2.6 %", setting,
                Layers(Local, Global, layer => layer.Balance!.SequenceMaxViolation), ClaimedSign.Negative, "MaxVio of a sequence, with − without the micro loss"),
            Claim.NotTestable("The overhead itself is 5.8 %, or 2.6 %",
                "43A6.6B on many devices", "it is the time that devices wait for the one with the fullest expert; here one process computes all experts"),
            Claim.NotTestable("The gain saturates near 128 sequences",
                "128 → 7.214, 512 → 7.198", $"a batch here has {batch} sequences"),
            Claim.NotTestable("The gain holds for 15 and 43 billion parameters and on downstream tasks",
                "15A2.54B: 5.778 → 5.603; 43A6.6B: 5.862 → 5.779", "models of this size are at chance on those tasks"),
        ];
    }

    /// <summary>
    /// The whole-batch arm's first seed once more, its first steps, in one process and in several that MPI starts: the same curve, and what
    /// the exchange cost on the machine that measured it. Where there is no MPI, the one process alone, and a word why.
    /// </summary>
    /// <param name="comparison">The comparison.</param>
    /// <param name="runtime">Where to train.</param>
    /// <param name="store">Holds the measurement.</param>
    /// <param name="fresh">Measure anew, whatever is kept.</param>
    /// <param name="note">Told why there are not several processes.</param>
    public static IReadOnlyList<ProcessesSummary> OverProcesses(Comparison comparison, TorchRuntime runtime, RunStore store, bool fresh, Action<string> note)
    {
        RunConfig config = comparison.ConfigOf(comparison.Arms.Single(arm => arm.Name == Global), comparison.Seeds[0]) with
        {
            Training = comparison.Training with { Steps = Math.Min(50, comparison.Training.Steps) },
        };
        string? why = MpiLaunch.WhyAbsent;
        if (why is not null)
        {
            note($"Several processes cannot be shown here, one process stands alone: {why}");
        }

        int[] processes = why is null ? Of(comparison.Preset).Processes : [];
        return store.Measured(Name, new { Steps = config, Processes = processes }, () => Measure(config, processes, runtime.WithThreads(1)), fresh, note);
    }

    private static ProcessesSummary[] Measure(RunConfig config, int[] processes, TorchRuntime runtime)
    {
        RunRecord alone = new LanguageModelTrainer(config, config.Text.Load(), runtime).Run("processes");
        return
        [
            .. processes.Select(count => MpiLaunch.Train(config, count, runtime)).Prepend(alone).Select(record => new ProcessesSummary(
                record.Parallel?.Processes ?? 1,
                record.Final.Loss,
                record.TrainingLoss.Zip(alone.TrainingLoss, (many, one) => Math.Abs((many / one) - 1)).Max(),
                record.Parallel is { } parallel ? parallel.ExchangeSeconds / record.TrainingSeconds : 0,
                record.TrainingSeconds / config.Training.Steps * 1000)),
        ];
    }

    /// <summary>Mean over layers of a routing statistic.</summary>
    public static double Mean(HeldOutEvaluation evaluation, Func<LayerRouting, double> statistic) => evaluation.Routing.Average(statistic);

    /// <summary>I(domain; expert) of one layer.</summary>
    public static double Information(LayerRouting layer) => RoutingStatistics.MutualInformation(layer.LoadByDomain.Values);

    /// <summary>The largest share of a domain's assignments at one expert, averaged over domains.</summary>
    public static double Frequency(LayerRouting layer) => RoutingStatistics.MaxFrequency(layer.LoadByDomain.Values);

    // Least-squares slope over log₂ of the balance batch size, seed by seed.
    private static Interval Slope(ComparisonResult runs, Func<RunRecord, double> metric)
    {
        (double X, double[] BySeed)[] points = [.. BySize(runs.Comparison).Select(size => (Math.Log2(size.Sequences), runs.Of(size.Arm).Select(metric).ToArray()))];
        double mean = points.Average(point => point.X), spread = points.Sum(point => Math.Pow(point.X - mean, 2));
        return Interval.OfMean([.. runs.Comparison.Seeds.Select((_, seed) => points.Sum(point => (point.X - mean) * point.BySeed[seed]) / spread)]);
    }

    private static string SearchName(string scope, double weight) => $"{scope}, α = {weight}";

    private static string NameOf(Preset sizes, int sequences) =>
        sequences == sizes.Batch ? Global : sequences == sizes.Block ? Micro : sequences == 1 ? "1 sequence" : $"{sequences} sequences";

    // Those whose weight is searched; the micro-batch first, for it is the baseline.
    private static IReadOnlyList<(string Name, BalanceScope Scope)> Scopes(Preset sizes) =>
    [
        (Micro, sizes.Micro),
        .. sizes.Sizes.Where(sequences => sequences != sizes.Block && sequences != sizes.Batch).Select(sequences => (NameOf(sizes, sequences), new BalanceScope { Sequences = sequences })),
        (Global, BalanceScope.WholeBatch),
        (Shuffled, sizes.Micro with { Shuffled = true }),
        (Buffered, sizes.Micro with { Buffered = true }),
    ];

    private static Preset Of(string preset) => preset switch
    {
        // Proves the path: under a minute for the whole notebook on two CPU cores.
        "smoke" => new Preset
        {
            Model = new TransformerConfig { VocabularySize = 512, Width = 32, Layers = 2, Heads = 2, ContextLength = 16, FeedForward = Experts(hidden: 16) },
            Steps = 10,
            Batch = 8,
            Block = 2,
            Sizes = [1, 2, 8],
            Seeds = 2,
            SearchSeeds = 1,
            Weights = [0.01, 0.1],
            Corpus = Domains(s_fourDomains),
            EvaluationWindows = 4,
            Threads = 1,
            Processes = [2],
        },

        // Enough to decide: half an hour on one CPU core, or two processes at once.
        "standard" => new Preset
        {
            Model = new TransformerConfig { VocabularySize = 1024, Width = 64, Layers = 2, Heads = 2, ContextLength = 48, FeedForward = Experts(hidden: 48) },
            Steps = 400,
            Batch = 16,
            Block = 4,
            Sizes = [1, 4, 8, 16],
            Seeds = 8,
            SearchSeeds = 2,
            Weights = [0.001, 0.01, 0.1],
            Corpus = Domains(s_fourDomains) with { HeldOutShare = 0.2 }, // a small difference needs much text to show in
            EvaluationWindows = 192,
            Threads = 1,
        },

        // Nearer to the paper's shape; meant for a GPU.
        "full" => new Preset
        {
            Model = new TransformerConfig { VocabularySize = 8192, Width = 256, Layers = 4, Heads = 8, ContextLength = 256, FeedForward = Experts(hidden: 64, experts: 64, topK: 4) },
            Steps = 1000,
            Batch = 32,
            Block = 4,
            Sizes = [1, 2, 4, 8, 16, 32],
            Seeds = 5,
            SearchSeeds = 1,
            Weights = [0.001, 0.01, 0.1],
            Corpus = Domains([.. s_fourDomains, "messages-fr", "messages-es", "messages-ko", "messages-zh-Hans"], bytes: 8_000_000),
            EvaluationWindows = 64,
        },
        _ => throw new ArgumentException($"'{preset}' is not a preset; use {string.Join(", ", Presets)}.", nameof(preset)),
    };

    private static MixtureOfExpertsConfig Experts(int hidden, int experts = 16, int topK = 2) => new() { NumExperts = experts, TopK = topK, Hidden = hidden };

    private static CorpusOptions Domains(IReadOnlyList<string> domains, long bytes = 900_000) => CorpusOptions.Smoke with { Domains = domains, MaxBytesPerDomain = bytes };

    private sealed record Preset
    {
        public required TransformerConfig Model { get; init; }

        public required int Steps { get; init; }

        /// <summary>Sequences of a batch.</summary>
        public required int Batch { get; init; }

        /// <summary>Those of a micro-batch: of one domain.</summary>
        public required int Block { get; init; }

        /// <summary>The balance batch sizes that are compared, in sequences: from one to the batch, the micro-batch among them.</summary>
        public required int[] Sizes { get; init; }

        public required int Seeds { get; init; }

        public required int SearchSeeds { get; init; }

        /// <summary>The grid of α, for every scope the same.</summary>
        public required double[] Weights { get; init; }

        public required CorpusOptions Corpus { get; init; }

        public required int EvaluationWindows { get; init; }

        public int? Threads { get; init; }

        /// <summary>How many processes train the same over MPI, beside one.</summary>
        public int[] Processes { get; init; } = [2, 4];

        public BalanceScope Micro => new() { Sequences = Block };

        public Arm Arm(string name, BalanceScope scope, double weight) =>
            new(name, (MixtureOfExpertsConfig)Model.FeedForward with { Balance = scope, BalanceLossWeight = weight });

        public Comparison Comparison(string preset, IReadOnlyList<Arm> arms, IReadOnlyList<int> seeds) => new()
        {
            Paper = Name,
            Preset = preset,
            Arms = arms,
            Seeds = seeds,
            Model = Model,
            Training = new TrainingConfig { Steps = Steps, BatchSize = Batch, DomainBlock = Block, LearningRate = 3e-3 },
            Text = new TextConfig { Corpus = Corpus, VocabularySize = Model.VocabularySize, EvaluationWindows = EvaluationWindows, Validate = true },
            Threads = Threads,
        };
    }
}

/// <summary>The weight that was chosen for one scope.</summary>
/// <param name="Scope">The scope's arm.</param>
/// <param name="Weight">α with the lowest validation loss.</param>
/// <param name="Tried">All α of the grid.</param>
/// <param name="ValidationLosses">Their validation losses, means over the search's seeds.</param>
public sealed record WeightChoice(string Scope, double Weight, IReadOnlyList<double> Tried, IReadOnlyList<double> ValidationLosses);

/// <summary>One training in a number of processes.</summary>
/// <param name="Processes">How many.</param>
/// <param name="HeldOutLoss">After the last step, nats per token.</param>
/// <param name="LargestDifference">Largest relative difference of a step's training loss from that of one process.</param>
/// <param name="ExchangeShare">Share of the time of the steps that went into exchanges, waiting for each other included.</param>
/// <param name="StepMilliseconds">Mean time of a step.</param>
public sealed record ProcessesSummary(int Processes, double HeldOutLoss, double LargestDifference, double ExchangeShare, double StepMilliseconds);

/// <summary>One arm in a table: means over layers, with intervals over seeds.</summary>
/// <param name="Arm">Its name.</param>
/// <param name="Weight">α.</param>
/// <param name="TestLoss">Held-out loss, nats per token.</param>
/// <param name="Information">I(domain; expert), nats.</param>
/// <param name="Frequency">Largest share of a domain's assignments at one expert.</param>
/// <param name="MicroLoss">Balance loss, f counted in each sequence.</param>
/// <param name="GlobalLoss">Balance loss, f counted in all.</param>
/// <param name="SequenceViolation">MaxVio in a sequence.</param>
/// <param name="GlobalViolation">MaxVio over all.</param>
/// <param name="TopKScore">Sum of the softmax scores of a token's experts.</param>
public sealed record ScopeSummary(
    string Arm,
    double Weight,
    Interval TestLoss,
    Interval Information,
    Interval Frequency,
    Interval MicroLoss,
    Interval GlobalLoss,
    Interval SequenceViolation,
    Interval GlobalViolation,
    Interval TopKScore);
