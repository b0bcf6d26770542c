// DiffQKV attention (SIGMA, arXiv 2501.13629, sections 2 and 4): the comparisons, the decode measurement and the claims.
//
// The paper: models of about a billion parameters, 100B tokens, nine downstream tasks; 32 query heads whose keys and values are shared
// apart; a kernel of its own for the decode times, on a GPU.
// Differs from the paper: models of under a million parameters on two hundred thousand tokens, 8 query heads for its 32, held-out loss for
// downstream tasks; every arm of other sizes gets the baseline's parameters back in its feed-forward layers, where the paper lets them
// go. Associative recall is ours: a task that nothing but attention can do. Decode times are those of one layer of this library on
// this machine, with the heads of the paper and half the head width.
//
// The learning rate is chosen for every arm apart, by one grid, on seeds of their own and a half of the held-out text that the
// comparison does not report.

using PaperLab.Evaluation;
using PaperLab.Models;
using PaperLab.Text;
using PaperLab.Training;

namespace PaperLab.Papers;

/// <summary>Fewer heads for keys, fewer for values, narrower keys, selected values, augmented queries.</summary>
public static class DiffQkvPaper
{
    public const string Name = "diffqkv-attention";
    public const string Mha = "MHA";
    public const string HalfKeys = "K heads / 2", HalfValues = "V heads / 2";
    public const string HalfKeyWidth = "MHA, K width / 2";
    public const string Selected = "MHA, top values";
    public const string Half = "GQA 1/2", HalfOneKey = "GQA 1/2, K → 1", HalfOneValue = "GQA 1/2, V → 1";
    public const string HalfHalfKeyWidth = "GQA 1/2, K width / 2";
    public const string AugmentedQuery = "GQA 1/2 + AugQ", WideAugmentedQuery = "GQA 1/2 + wide AugQ", AugmentedFeedForward = "GQA 1/2 + AugF";
    public const string Quarter = "GQA 1/4", QuarterOneKey = "GQA 1/4, K → 1", QuarterOneValue = "GQA 1/4, V → 1";
    public const string Sigma = "SIGMA";
    public const string Gqa16 = "GQA-16", Gqa4 = "GQA-4";

    /// <summary>The presets by name.</summary>
    public static IReadOnlyList<string> Presets { get; } = ["smoke", "standard", "full"];

    /// <summary>The search for every arm's learning rate on running text; its comparison holds all arms, MHA first.</summary>
    /// <exception cref="ArgumentException">There is no such preset.</exception>
    public static LearningRateSearch Language(string preset, int firstSeed = 1)
    {
        Preset sizes = Of(preset);
        var comparison = new Comparison
        {
            Paper = Name,
            Preset = preset,
            Arms = Arms(sizes.Model, sizes.Selected),
            Seeds = [.. Enumerable.Range(firstSeed, sizes.Seeds)],
            Model = sizes.Model,
            Training = new TrainingConfig { Steps = sizes.Steps, BatchSize = sizes.Batch },
            Text = new TextConfig { Corpus = sizes.Corpus, VocabularySize = sizes.Model.VocabularySize, EvaluationWindows = sizes.EvaluationWindows, Validate = true },
            Threads = sizes.Threads,
        };
        return new LearningRateSearch(comparison, sizes.Rates);
    }

    /// <summary>The same on associative recall, without the arms that change the query.</summary>
    /// <exception cref="ArgumentException">There is no such preset.</exception>
    public static LearningRateSearch Recall(string preset, int firstSeed = 1)
    {
        Preset sizes = Of(preset);
        var comparison = new Comparison
        {
            Paper = Name,
            Preset = preset,
            Arms = RecallArms(sizes.RecallModel, sizes.Task.Pairs / 2),
            Seeds = [.. Enumerable.Range(firstSeed, sizes.RecallSeeds)],
            Model = sizes.RecallModel,
            Training = new TrainingConfig { Steps = sizes.RecallSteps, BatchSize = sizes.RecallBatch },
            Text = new TextConfig { Recall = sizes.Task, VocabularySize = AssociativeRecall.VocabularySize, EvaluationWindows = int.MaxValue, Validate = true },
            Threads = 1,
        };
        return new LearningRateSearch(comparison, sizes.RecallRates);
    }

    /// <summary>The decode measurement: one sequence at a time, and several.</summary>
    /// <exception cref="ArgumentException">There is no such preset.</exception>
    public static IReadOnlyList<DecodeGrid> Decoding(string preset)
    {
        Preset sizes = Of(preset);
        return [.. sizes.Rows.Select(rows => sizes.Decoding with { Rows = rows })];
    }

    /// <summary>The claims that these measurements can speak to, each decided by its interval, and those that they cannot.</summary>
    /// <param name="language">All arms on running text.</param>
    /// <param name="recall">Those of <see cref="Recall"/>.</param>
    /// <param name="single">Decoding one sequence.</param>
    /// <param name="several">Decoding several together.</param>
    public static IReadOnlyList<Claim> Judge(ComparisonResult language, ComparisonResult recall, DecodeCost single, DecodeCost several)
    {
        RunRecord run = language.Of(Mha)[0], task = recall.Of(Mha)[0];
        string text = $"{run.TotalParameters / 1e6:0.0}M parameters, {run.Tokens / 1e3:N0}k tokens, {language.Comparison.Seeds.Count} seeds";
        string pairs = $"recall of {task.Config.Text.Recall!.Pairs} pairs, {task.TotalParameters / 1e3:N0}k parameters, {recall.Comparison.Seeds.Count} seeds";
        Interval Loss(string arm, string baseline) => language.Difference(arm, baseline, r => r.Final.Loss);
        Interval Recalled(string arm, string baseline) => recall.Difference(arm, baseline, r => r.Final.Loss);
        Claim OnText(string statement, string paper, string arm, string baseline, ClaimedSign sign) =>
            Claim.Test(statement, paper, text, Loss(arm, baseline), sign, $"nats/token, {arm} − {baseline}");
        Claim OnRecall(string statement, string paper, string arm, string baseline, ClaimedSign sign) =>
            Claim.Test(statement, paper, pairs, Recalled(arm, baseline), sign, $"nats/answer, {arm} − {baseline}");
        string Decoded(DecodeCost cost) => $"{cost.Grid.Heads} query heads of width {cost.Grid.HeadWidth}, {(cost.Grid.Rows == 1 ? "one sequence" : $"{cost.Grid.Rows} sequences")}, {cost.Grid.Rounds} rounds, {cost.Environment.Device}";
        (int shortest, int longest) = (single.Grid.Lengths[0], single.Grid.Lengths[^1]);
        return
        [
            OnText("Halving the value heads of MHA costs more than halving its key heads", "9-task mean 52.40 → V 51.74, K 52.83", HalfValues, HalfKeys, ClaimedSign.Positive),
            OnRecall("The same where values have to be found and brought", "not in the paper", HalfValues, HalfKeys, ClaimedSign.Positive),
            OnText("One value head under half the key heads costs more than one key head under half the value heads", "GQA-16: 52.14 → V→4 51.76, K→4 51.97", HalfOneValue, HalfOneKey, ClaimedSign.Positive),
            OnRecall("The same where values have to be found and brought", "not in the paper", HalfOneValue, HalfOneKey, ClaimedSign.Positive),
            OnText("The same from a quarter of the heads", "GQA-4: 51.66 → V→1 51.03, K→1 51.67", QuarterOneValue, QuarterOneKey, ClaimedSign.Positive),
            OnText("Halving the key heads of MHA does no harm: it helps a little", "52.40 → 52.83", HalfKeys, Mha, ClaimedSign.Negative),
            OnText("Halving the value heads of MHA harms", "52.40 → 51.74", HalfValues, Mha, ClaimedSign.Positive),
            OnText("Halving the width of the keys of MHA does no harm: it helps a little", "52.40 → 52.56", HalfKeyWidth, Mha, ClaimedSign.Negative),
            OnText("Halving the width of the keys of GQA harms a little", "GQA-16: 52.14 → 52.06; GQA-4, to the contrary, 51.66 → 51.92", HalfHalfKeyWidth, Half, ClaimedSign.Positive),
            OnRecall("Halving the width of the keys costs less than halving the value heads", "52.56 against 51.74", HalfValues, HalfKeyWidth, ClaimedSign.Positive),
            OnText("An augmented query helps", "GQA-16: 52.14 → 53.38", AugmentedQuery, Half, ClaimedSign.Negative),
            OnText("An augmented query helps more than as many parameters in the feed-forward layer", "53.38 against AugF 53.26", AugmentedQuery, AugmentedFeedForward, ClaimedSign.Negative),
            OnText("A wider augmented query helps less", "inner width 3072 / 4096 / 5632: 53.38 / 52.93 / 53.07", WideAugmentedQuery, AugmentedQuery, ClaimedSign.Positive),
            OnText($"Reading only the {run.Config.Model.ContextLength / SelectedOf(language)}th part of the values harms a little", "top-100: MHA −0.3, GQA-16 −0.06, GQA-4 +0.01", Selected, Mha, ClaimedSign.Positive),
            OnRecall("Reading only the highest-scored values harms recall", "not in the paper", Selected, Mha, ClaimedSign.Positive),
            OnText("SIGMA, with fewer keys and an augmented query, is better than GQA with as many values", "a model of its own; no paired figure", Sigma, Half, ClaimedSign.Negative),
            Claim.Test("The cache is 37.5 % smaller than that of GQA-16", "37.5 % in theory, 36.57 % measured", "bytes allocated, at every length", Bytes(single, Gqa16), ClaimedSign.Positive, "share saved"),
            Claim.Test("Against GQA-4 it is smaller too (our question: the paper does not show it)", "not in the paper: 1280 elements a token against 512", "bytes allocated, at every length", Bytes(single, Gqa4), ClaimedSign.Positive, "share saved"),
            Claim.Test("Attention takes less time than with GQA-16 after a long prefix", "kernel at 4k / 16k / 32k: −18.02 / −23.35 / −25.31 %", $"{longest:N0} cached tokens, {Decoded(single)}",
                single.Saving(Sigma, Gqa16, longest, cost => cost.Attention), ClaimedSign.Positive, "share of the time saved"),
            Claim.Test("It takes less after a short one too, if hardly", "kernel at 2k: −1.39 %", $"{shortest:N0} cached tokens, {Decoded(single)}",
                single.Saving(Sigma, Gqa16, shortest, cost => cost.Attention), ClaimedSign.Positive, "share of the time saved"),
            Claim.Test("The saving grows with the prefix", "−1.39 → −25.31 %", $"{longest:N0} against {shortest:N0} cached tokens, {Decoded(single)}",
                Growth(single, shortest, longest), ClaimedSign.Positive, "difference of the shares saved"),
            Claim.Test("Store, attention and augmented query together take up to 33.36 % less than with GQA-16 in a long output", "−33.36 % at 64k tokens: events on the GPU around these three, not end to end", $"{longest:N0} tokens of output, {Decoded(single)}",
                single.Saving(Sigma, Gqa16, 0, longest, cost => cost.Sum), ClaimedSign.Positive, "share of the time saved"),
            Claim.Test("The same for several sequences, which share the augmented query's weights", "not in the paper", $"{longest:N0} tokens of output, {Decoded(several)}",
                several.Saving(Sigma, Gqa16, 0, longest, cost => cost.Sum), ClaimedSign.Positive, "share of the time saved"),
            Claim.Test("In short contexts SIGMA is the slower: the augmented query costs more than the cache saves", "by a figure", $"{shortest:N0} cached tokens, {Decoded(single)}",
                single.Saving(Sigma, Gqa16, shortest, cost => cost.Sum), ClaimedSign.Negative, "share of the time saved"),
            Claim.Test("Against GQA-4 the three together save time too (our question)", "not in the paper", $"{longest:N0} tokens of output, {Decoded(several)}",
                several.Saving(Sigma, Gqa4, 0, longest, cost => cost.Sum), ClaimedSign.Positive, "share of the time saved"),
            Claim.NotTestable("The order of the variants holds in the mean of nine downstream tasks", "51.03 to 53.38 at 1B parameters", "models of this size are at chance on those tasks; the arms are compared by held-out loss"),
            Claim.NotTestable("The times are those of a fused kernel that knows K and V apart", "FlexHeadFA on a GPU", "the library's own kernel is timed, on this machine"),
            Claim.NotTestable("SIGMA surpasses GPT-4 in the system domain by up to 52.5 %", "AIMICIUS benchmark", "6T tokens of pretraining, and a benchmark that is not public"),
        ];
    }

    private static int SelectedOf(ComparisonResult result) => result.Of(Selected)[0].Config.Model.Attention!.SelectedValues!.Value;

    private static Interval Bytes(DecodeCost cost, string baseline) =>
        Interval.OfMean([.. cost.Of(Sigma).Zip(cost.Of(baseline), (sigma, other) => 1 - ((double)sigma.CacheBytes / other.CacheBytes))]);

    private static Interval Growth(DecodeCost cost, int shortest, int longest)
    {
        double[] Savings(int length) => [.. cost.Of(Sigma).Single(cell => cell.Length == length).Rounds.Zip(cost.Of(Gqa16).Single(cell => cell.Length == length).Rounds, (sigma, other) => 1 - (sigma.Attention / other.Attention))];
        return Interval.OfPairedDifference(Savings(longest), Savings(shortest));
    }

    /// <summary>What the arms answer right, with intervals over seeds.</summary>
    public static IReadOnlyList<RecallRow> Answers(ComparisonResult recall) =>
    [
        .. recall.Comparison.Arms.Select(arm => new RecallRow(
            arm.Name,
            recall.Of(arm.Name)[0].TotalParameters,
            recall.Mean(arm.Name, run => run.Final.Loss),
            recall.Mean(arm.Name, run => run.Final.Accuracy!.Value),
            recall.Of(arm.Name).Count(run => run.Final.Accuracy > 0.9))),
    ];

    // H query heads; everything but the arms that add to a layer has the parameters of MHA.
    private static IReadOnlyList<Arm> Arms(TransformerConfig model, int selected)
    {
        int h = model.Heads, headWidth = model.Width / h, inner = model.Width * 3 / 2; // the paper's 3072 for 2048
        Arm Even(string name, AttentionConfig attention) => new(name, DenseConfig.ForEqualParameters(model, attention)) { Attention = attention };
        var half = new AttentionConfig { KeyHeads = h / 2, ValueHeads = h / 2 };
        Arm gqa = Even(Half, half);
        int ffn = ((DenseConfig)gqa.FeedForward).Hidden;
        return
        [
            new Arm(Mha, model.FeedForward),
            Even(HalfKeys, new AttentionConfig { KeyHeads = h / 2 }),
            Even(HalfValues, new AttentionConfig { ValueHeads = h / 2 }),
            Even(HalfKeyWidth, new AttentionConfig { KeyWidth = headWidth / 2 }),
            Even(Selected, new AttentionConfig { SelectedValues = selected }),
            gqa,
            Even(HalfOneKey, half with { KeyHeads = 1 }),
            Even(HalfOneValue, half with { ValueHeads = 1 }),
            Even(HalfHalfKeyWidth, half with { KeyWidth = headWidth / 2 }),
            gqa with { Name = AugmentedQuery, Attention = half with { QueryHidden = inner } },
            gqa with { Name = WideAugmentedQuery, Attention = half with { QueryHidden = inner * 2 } },
            new Arm(AugmentedFeedForward, new DenseConfig(ffn + inner)) { Attention = half },
            Even(Quarter, new AttentionConfig { KeyHeads = h / 4, ValueHeads = h / 4 }),
            Even(QuarterOneKey, new AttentionConfig { KeyHeads = 1, ValueHeads = h / 4 }),
            Even(QuarterOneValue, new AttentionConfig { KeyHeads = h / 4, ValueHeads = 1 }),
            Even(Sigma, half with { KeyHeads = h / 8, QueryHidden = inner }),
        ];
    }

    private static IReadOnlyList<Arm> RecallArms(TransformerConfig model, int selected)
    {
        string[] names = [Mha, HalfKeys, HalfValues, HalfKeyWidth, Selected, HalfOneKey, HalfOneValue];
        int h = model.Heads, headWidth = model.Width / h;
        AttentionConfig[] attentions =
        [
            new AttentionConfig(),
            new AttentionConfig { KeyHeads = h / 2 },
            new AttentionConfig { ValueHeads = h / 2 },
            new AttentionConfig { KeyWidth = headWidth / 2 },
            new AttentionConfig { SelectedValues = selected },
            new AttentionConfig { KeyHeads = 1, ValueHeads = h / 2 },
            new AttentionConfig { KeyHeads = h / 2, ValueHeads = 1 },
        ];
        return [.. names.Zip(attentions, (name, attention) => new Arm(name, DenseConfig.ForEqualParameters(model, attention)) { Attention = attention })];
    }

    private static Preset Of(string preset) => preset switch
    {
        // Proves the path: under a minute for the whole notebook on two CPU cores.
        "smoke" => new Preset
        {
            Model = new TransformerConfig { VocabularySize = 512, Width = 32, Layers = 1, Heads = 8, ContextLength = 16, FeedForward = new DenseConfig(64) },
            Steps = 6,
            Batch = 4,
            Selected = 4,
            Seeds = 2,
            Rates = [3e-3, 1e-2],
            Corpus = Domains(["prose", "messages-de", "messages-ru", "messages-ja"]),
            EvaluationWindows = 4,
            RecallModel = new TransformerConfig { VocabularySize = AssociativeRecall.VocabularySize, Width = 32, Layers = 2, Heads = 4, ContextLength = 16, FeedForward = new DenseConfig(64) },
            Task = new RecallOptions { Pairs = 4, Queries = 4, Symbols = 8, TrainSequences = 2000, HeldOutSequences = 64 },
            RecallSteps = 10,
            RecallBatch = 8,
            RecallSeeds = 2,
            RecallRates = [3e-3, 1e-2],
            Decoding = Grid([128, 512, 2048], headWidth: 16),
            Rows = [1, 2],
            Threads = 1,
        },

        // Enough to decide: five seeds and more, about half an hour on two CPU cores.
        "standard" => new Preset
        {
            Model = new TransformerConfig { VocabularySize = 1024, Width = 96, Layers = 2, Heads = 8, ContextLength = 64, FeedForward = new DenseConfig(256) },
            Steps = 400,
            Batch = 8,
            Selected = 8,
            Seeds = 5,
            Rates = [2e-3, 4e-3, 8e-3],
            Corpus = Domains(["prose", "messages-de", "messages-ru", "messages-ja"]),
            EvaluationWindows = 32,
            RecallModel = new TransformerConfig { VocabularySize = AssociativeRecall.VocabularySize, Width = 64, Layers = 2, Heads = 4, ContextLength = 36, FeedForward = new DenseConfig(128) },
            Task = new RecallOptions { Pairs = 6, Queries = 12, Symbols = 32 },
            RecallSteps = 600,
            RecallBatch = 32,
            RecallSeeds = 8,
            RecallRates = [2e-3, 4e-3],
            Decoding = Grid([256, 1024, 4096, 8192, 16384, 32768], headWidth: 32),
            Rows = [1, 4],
            Threads = 1,
        },

        // Nearer to the paper's shape; meant for a GPU.
        "full" => new Preset
        {
            Model = new TransformerConfig { VocabularySize = 8192, Width = 512, Layers = 6, Heads = 32, ContextLength = 512, FeedForward = new DenseConfig(1408) },
            Steps = 1500,
            Batch = 32,
            Selected = 32,
            Seeds = 5,
            Rates = [5e-4, 1e-3, 2e-3],
            Corpus = Domains(["prose", "messages-de", "messages-fr", "messages-ru", "messages-ja", "messages-ko", "messages-zh-Hans"], bytes: 8_000_000),
            EvaluationWindows = 32,
            RecallModel = new TransformerConfig { VocabularySize = AssociativeRecall.VocabularySize, Width = 128, Layers = 2, Heads = 8, ContextLength = 96, FeedForward = new DenseConfig(256) },
            Task = new RecallOptions { Pairs = 32, Queries = 16, Symbols = 47, TrainSequences = 100_000 },
            RecallSteps = 3000,
            RecallBatch = 64,
            RecallSeeds = 10,
            RecallRates = [1e-3, 2e-3, 4e-3],
            Decoding = Grid([2048, 4096, 16384, 32768, 65536], headWidth: 64),
            Rows = [1, 4],
        },
        _ => throw new ArgumentException($"'{preset}' is not a preset; use {string.Join(", ", Presets)}.", nameof(preset)),
    };

    private static CorpusOptions Domains(IReadOnlyList<string> domains, long bytes = 900_000) => CorpusOptions.Smoke with { Domains = domains, MaxBytesPerDomain = bytes };

    // The paper's heads: 32 of queries, 4 of keys, 16 of values, and 3072 of inner width for 2048.
    private static DecodeGrid Grid(IReadOnlyList<int> lengths, int headWidth) => new()
    {
        Heads = 32,
        HeadWidth = headWidth,
        QueryHidden = 48 * headWidth,
        Shapes = [new DecodeShape(Gqa16, 16, 16), new DecodeShape(Gqa4, 4, 4), new DecodeShape(Sigma, 4, 16, AugmentsQuery: true)],
        Lengths = lengths,
    };

    private sealed record Preset
    {
        public required TransformerConfig Model { get; init; }

        public required int Steps { get; init; }

        public required int Batch { get; init; }

        /// <summary>Values that the selective arm reads, far fewer than the context.</summary>
        public required int Selected { get; init; }

        public required int Seeds { get; init; }

        /// <summary>The grid of learning rates, for every arm the same.</summary>
        public required double[] Rates { get; init; }

        public required CorpusOptions Corpus { get; init; }

        public required int EvaluationWindows { get; init; }

        public required TransformerConfig RecallModel { get; init; }

        public required RecallOptions Task { get; init; }

        public required int RecallSteps { get; init; }

        public required int RecallBatch { get; init; }

        public required int RecallSeeds { get; init; }

        public required double[] RecallRates { get; init; }

        public required DecodeGrid Decoding { get; init; }

        /// <summary>Sequences that are decoded together: one, and several.</summary>
        public required int[] Rows { get; init; }

        public int? Threads { get; init; }
    }
}

/// <summary>One arm's answers on associative recall.</summary>
/// <param name="Arm">Its name.</param>
/// <param name="Parameters">Parameters in all.</param>
/// <param name="Loss">Held-out loss, nats per answer.</param>
/// <param name="Accuracy">Share of right answers.</param>
/// <param name="Learned">Seeds with more than nine answers in ten right.</param>
public sealed record RecallRow(string Arm, long Parameters, Interval Loss, Interval Accuracy, int Learned);
