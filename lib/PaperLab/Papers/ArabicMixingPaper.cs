// Arabic medical language mixing (arXiv 2501.09825): the comparison and the claims.
//
// The paper: Llama-3.1 of 8 and 70 billion parameters is fine-tuned on one budget of medical text, of which a share r is Arabic, most of it
// translated. Translating everything is not the best, the best share differs from task to task, and a large model with a tuned share wins.
// Its tables hold one run for each share; that pretraining in Arabic may be needed is inferred, without such a run.
// Differs from the paper: transformers of some hundred thousand parameters, a small medical world (MedicalKnowledge.cs) written by
// templates, diseases that each seed draws anew, and several seeds for each share. The base is pretrained on English with a trace of
// Arabic. Options are scored as whole statements (MixingRun.cs, Asking): models this small know a fact long before they can be asked.
//
//   the sweep      base → a stream with a share r of Arabic, for two sizes and two error rates ε of the translator
//   the arms       at equal tokens: questions only; documents, then questions; both languages from the start
//   the law        fitted to the small model's sweep, predicts the large model's best share of each task
//
// Tasks and their counterparts: recall of a fact (MMLU), reading a passage that contradicts what is known (PubMedQA), a case in two hops
// (MedQA).

using PaperLab.Evaluation;
using PaperLab.Evaluation.Mixing;
using PaperLab.Models;
using PaperLab.Text.Medical;

namespace PaperLab.Papers;

/// <summary>How much Arabic, for which task, at which size.</summary>
public static class ArabicMixingPaper
{
    public const string Name = "arabic-medical-language-mixing";

    public const string Small = "small", Large = "large";

    /// <summary>Trained on questions alone, on documents before, and in both languages from new weights: the large model, half Arabic.</summary>
    public const string FineTuned = "fine-tuned only", Continued = "continued", ContinuedTuned = "continued, then fine-tuned", Scratch = "bilingual from scratch";

    /// <summary>The share that needs no tuning.</summary>
    public const double Half = 0.5;

    /// <summary>The presets by name.</summary>
    public static IReadOnlyList<string> Presets { get; } = ["smoke", "standard", "full"];

    /// <summary>The tasks, in the order of pages.</summary>
    public static IReadOnlyList<MedicalTask> Tasks { get; } = Enum.GetValues<MedicalTask>();

    /// <summary>The share that the paper found best for a task's counterpart (8B base): MMLU 0, PubMedQA 1, MedQA 0.4.</summary>
    public static double PaperRatio(MedicalTask task) => PublishedFor(task).Best;

    /// <summary>The shares of Arabic of a preset, rising.</summary>
    public static IReadOnlyList<double> Ratios(string preset) => Of(preset).Ratios;

    /// <summary>The translator's error rates of a preset; the first is none.</summary>
    public static IReadOnlyList<double> Noises(string preset) => [0, Of(preset).Noise];

    /// <summary>The base of a size.</summary>
    public static string Base(string size) => $"{size} base";

    /// <summary>A cell of the sweep; without Arabic there is nothing that a translator could do.</summary>
    public static string Cell(string size, double ratio, double noise = 0) => ratio == 0 ? $"{size}, English only" : $"{size}, r = {ratio:0.0#}, ε = {noise:0.0#}";

    /// <summary>The cells of a size and an error rate, by rising share.</summary>
    public static IReadOnlyList<string> Cells(string preset, string size, double noise = 0) => [.. Ratios(preset).Select(ratio => Cell(size, ratio, noise))];

    /// <summary>Share of right Arabic statements, mean over tasks.</summary>
    public static double Arabic(MixingRecord run) => Mean(run, TextLanguage.Arabic);

    /// <summary>Share of right English statements, mean over tasks.</summary>
    public static double English(MixingRecord run) => Mean(run, TextLanguage.English);

    /// <summary>Share of Arabic statements that are right when a translator puts them into English first.</summary>
    public static double Translated(MixingRecord run) => Mean(run, TextLanguage.Arabic, Asking.TranslatedStatement);

    /// <summary>Share of Arabic questions that are right, by full text.</summary>
    public static double Asked(MixingRecord run) => Mean(run, TextLanguage.Arabic, Asking.InFull);

    /// <summary>What a share of Arabic can be tuned for: a task in Arabic, all of them, or both languages.</summary>
    public static IReadOnlyList<MixingMetric> Metrics { get; } =
    [
        .. Tasks.Select(OfTask),
        new("all tasks, Arabic", null, Arabic),
        BothLanguages,
    ];

    /// <summary>Share of right statements, mean over tasks and languages.</summary>
    public static MixingMetric BothLanguages => new("all tasks, both languages", null, run => (Arabic(run) + English(run)) / 2);

    /// <summary>Share of right Arabic statements of a task.</summary>
    public static MixingMetric OfTask(MedicalTask task) => new($"{task}, Arabic", task, run => run.Accuracy(task, TextLanguage.Arabic, Asking.AsStatement));

    /// <summary>All runs.</summary>
    /// <param name="preset">smoke, standard or full.</param>
    /// <param name="firstSeed">The others count up from it.</param>
    /// <exception cref="ArgumentException">There is no such preset.</exception>
    public static MixingComparison Compare(string preset, int firstSeed = 1)
    {
        Preset sizes = Of(preset);
        MixingRunConfig BaseOf(string size, int seed)
        {
            (int width, int layers) = size == Small ? sizes.Small : sizes.Large;
            return new MixingRunConfig
            {
                Paper = Name,
                Arm = Base(size),
                Data = new MedicalDataOptions
                {
                    Diseases = sizes.Diseases,
                    VocabularySize = sizes.VocabularySize,
                    Corpus = new MedicalCorpusOptions { Seed = (ulong)seed },
                },
                Model = new TransformerConfig
                {
                    VocabularySize = sizes.VocabularySize,
                    Width = width,
                    Layers = layers,
                    Heads = 4,
                    ContextLength = sizes.ContextLength,
                    FeedForward = new DenseConfig(3 * width),
                },
                Stream = new MedicalStreamOptions { ArabicShare = sizes.BaseArabic, Budget = sizes.BaseTokens, Seed = (ulong)seed },
                Questions = 0,
                Seed = seed,
                BatchSize = 8,
                LearningRate = 3e-3,
            };
        }

        MixingRunConfig From(MixingRunConfig start, string arm, double ratio, double noise, long tokens, double questions) => start with
        {
            Arm = arm,
            From = start,
            Stream = new MedicalStreamOptions { ArabicShare = ratio, Budget = tokens, TranslationErrorRate = noise, Seed = start.Stream.Seed + 1000 },
            Questions = questions,
        };
        MixingArm CellOf(string size, double ratio, double noise) => new(
            Cell(size, ratio, noise), seed => From(BaseOf(size, seed), Cell(size, ratio, noise), ratio, noise, sizes.Tokens, sizes.Questions));
        MixingRunConfig ContinuedOf(int seed) => From(BaseOf(Large, seed), Continued, Half, 0, sizes.Tokens - sizes.TuningTokens, 0);
        return new MixingComparison(
            preset,
            [
                .. new[] { Small, Large }.SelectMany(size => new[] { new MixingArm(Base(size), seed => BaseOf(size, seed)) }
                    .Concat(Noises(preset).SelectMany(noise => Ratios(preset).Where(ratio => ratio > 0 || noise == 0).Select(ratio => CellOf(size, ratio, noise))))),
                new MixingArm(FineTuned, seed => From(BaseOf(Large, seed), FineTuned, Half, 0, sizes.Tokens, questions: 1)),
                new MixingArm(Continued, ContinuedOf),
                new MixingArm(ContinuedTuned, seed => From(ContinuedOf(seed), ContinuedTuned, Half, 0, sizes.TuningTokens, questions: 1)),
                new MixingArm(Scratch, seed =>
                {
                    MixingRunConfig english = BaseOf(Large, seed);
                    return english with { Arm = Scratch, Stream = english.Stream with { ArabicShare = Half, Budget = sizes.BaseTokens + sizes.Tokens }, Questions = sizes.Questions };
                }),
            ],
            [.. Enumerable.Range(firstSeed, sizes.Seeds)]);
    }

    /// <summary>What laws fitted to the small model's sweep say of the large one, metric by metric.</summary>
    /// <param name="results">The runs.</param>
    /// <param name="noise">ε of the large model's cells.</param>
    public static IReadOnlyList<MixingReport> Laws(MixingResults results, double noise = 0) => [.. Metrics.SelectMany(metric => LawsOf(results, metric, noise))];

    /// <summary>The same of one metric: a regression, an exponential, and trees where LightGBM loads.</summary>
    public static IReadOnlyList<MixingReport> LawsOf(MixingResults results, MixingMetric metric, double noise = 0)
    {
        string preset = results.Comparison.Preset;
        IReadOnlyList<MixingObservation> small = results.Observations(Noises(preset).SelectMany(each => Cells(preset, Small, each)).Distinct(), metric);
        IReadOnlyList<MixingObservation> large = [.. results.Observations(Cells(preset, Large, noise), metric).Select(observation => observation with { Noise = noise })];
        IMixingLaw[] laws =
        [
            LinearMixingLaw.Fit(small),
            ExponentialMixingLaw.Fit(small),
            .. TreeMixingLaw.IsAvailable ? [TreeMixingLaw.Fit(small)] : Array.Empty<IMixingLaw>(),
        ];
        double[] rivals = metric.Task is { } task ? [Half, PaperRatio(task)] : [Half];
        return [.. laws.Select(law => MixingReport.Of(law, large, MixingGoal.Highest, rivals))];
    }

    /// <summary>
    /// The value of the cell whose share has the best mean over the other seeds, seed by seed: whoever tunes does not see what he is judged
    /// by.
    /// </summary>
    /// <param name="results">The runs.</param>
    /// <param name="size">The model.</param>
    /// <param name="metric">What is tuned for, and measured.</param>
    /// <param name="noise">ε.</param>
    public static IReadOnlyList<double> Tuned(MixingResults results, string size, Func<MixingRecord, double> metric, double noise = 0)
    {
        IReadOnlyList<double>[] cells = [.. Cells(results.Comparison.Preset, size, noise).Select(cell => results.Values(cell, metric))];
        return
        [
            .. Enumerable.Range(0, results.Comparison.Seeds.Count).Select(seed =>
                cells.MaxBy(values => values.Where((_, other) => other != seed).Average())![seed]),
        ];
    }

    /// <summary>The share with the best mean over seeds, and how far it moves when seeds are drawn again.</summary>
    public static BestRatio Best(MixingResults results, string size, MixingMetric metric, double noise = 0)
    {
        const int Draws = 2000;
        IReadOnlyList<double> ratios = Ratios(results.Comparison.Preset);
        double[][] values = [.. Cells(results.Comparison.Preset, size, noise).Select(cell => results.Values(cell, metric.Of).ToArray())];
        int seeds = values[0].Length;
        var random = new SplitMix64(1);
        double[] drawn = new double[Draws];
        for (int draw = 0; draw < Draws; draw++)
        {
            int[] some = new int[seeds];
            for (int i = 0; i < seeds; i++)
            {
                some[i] = random.Next(seeds);
            }

            drawn[draw] = ratios[BestOf(cell => some.Average(seed => values[cell][seed]))];
        }

        Array.Sort(drawn);
        return new BestRatio(metric.Name, size, noise, ratios[BestOf(cell => values[cell].Average())], drawn[Draws / 40], drawn[^(Draws / 40)]);

        int BestOf(Func<int, double> value) => Enumerable.Range(0, values.Length).MaxBy(value);
    }

    /// <summary>The claims that these runs can speak to, each decided by its interval, and those that they cannot.</summary>
    public static IReadOnlyList<Claim> Judge(MixingResults results)
    {
        string preset = results.Comparison.Preset;
        double noise = Noises(preset)[^1];
        string setting = $"{results.Of(Base(Small))[0].Parameters / 1e6:0.00}M and {results.Of(Base(Large))[0].Parameters / 1e6:0.00}M parameters, {results.Comparison.Seeds.Count} seeds";
        IReadOnlyList<double> At(double ratio, Func<MixingRecord, double> metric, double each = 0) => results.Values(Cell(Large, ratio, each), metric);
        double[] tunedByTask = Average([.. Tasks.Select(task => Tuned(results, Large, OfTask(task).Of))]);
        Claim Positive(string statement, string paper, Interval difference, string unit) => Claim.Test(statement, paper, setting, difference, ClaimedSign.Positive, unit);
        Claim Negative(string statement, string paper, Interval difference, string unit) => Claim.Test(statement, paper, setting, difference, ClaimedSign.Negative, unit);
        return
        [
            Positive("Translating everything is not enough: a tuned share is better than Arabic alone", "8B: best share 1, 0.8, 0.4, 0 on its four benchmarks; 70B: 1 on all",
                Interval.OfPairedDifference(Tuned(results, Large, Arabic), At(1, Arabic)), "right Arabic statements, tuned share − Arabic alone, large"),
            Positive("A translator before an English model is not enough: a tuned Arabic model is better than a perfect one", "not compared; our baseline",
                Interval.OfPairedDifference(Tuned(results, Large, Arabic, noise), At(0, Translated)), $"right, tuned share − English only asked through a perfect translator; large, data translated with {noise:0 %} errors"),
            Positive("The same where that translator errs as often as the one of the data", "not compared; our baseline",
                Interval.OfPairedDifference(Tuned(results, Large, Arabic, noise), At(Ratios(preset)[1], Translated, noise)), $"right, tuned share − {Ratios(preset)[1]:0 %} Arabic asked through a translator with {noise:0 %} errors; large"),
            Positive("Errors of the translator cost accuracy", "suspected, not tested",
                Interval.OfPairedDifference(Tuned(results, Large, Arabic), Tuned(results, Large, Arabic, noise)), $"right Arabic statements, ε = 0 − ε = {noise}, each at its tuned share, large"),
            Positive("The best share differs by task: a share for each task is better than one for all", "8B: 1, 0.8, 0.4, 0",
                Interval.OfPairedDifference(tunedByTask, Tuned(results, Large, Arabic)), "right Arabic statements, mean over tasks, large"),
            .. Tasks.Select(task =>
            {
                PublishedMixing published = PublishedFor(task);
                double alone = published.At(1), half = published.At(Half);
                bool better = alone > half; // the paper's sign: it differs by task
                return Claim.Test(
                    $"{task}: Arabic alone is {(better ? "better" : "worse")} than half", $"{published.Benchmark}, 8B: {100 * alone:0.0} against {100 * half:0.0}", setting,
                    results.Answers(Cell(Large, 1), task, TextLanguage.Arabic).Minus(results.Answers(Cell(Large, Half), task, TextLanguage.Arabic)),
                    better ? ClaimedSign.Positive : ClaimedSign.Negative, "right Arabic statements, Arabic alone − half, large");
            }),
            Positive("A larger model with a tuned share beats a smaller one with its own", "70B 76.8 against 8B 71.2 (PubMedQA); better on all four",
                Interval.OfPairedDifference(Tuned(results, Large, Arabic), Tuned(results, Small, Arabic)), "right Arabic statements, large − small"),
            Positive("Tuning the share is worth it beside always half", "8B: 71.2 against 61.2 (PubMedQA), others within 2",
                Interval.OfPairedDifference(Tuned(results, Large, Arabic), At(Half, Arabic)), "right Arabic statements, tuned − half, large"),
            Positive("Fine-tuning alone is not enough: documents before the questions help", "inferred, no such run",
                results.Difference(ContinuedTuned, FineTuned, Arabic), "right Arabic statements, continued then fine-tuned − fine-tuned only"),
            Positive("… also where the questions are asked that fine-tuning has trained", "inferred, no such run",
                results.Difference(ContinuedTuned, FineTuned, Asked), "right Arabic questions by full text, continued then fine-tuned − fine-tuned only"),
            Positive("Both languages from the start are better than English first, at equal tokens", "not tested",
                results.Difference(Scratch, Cell(Large, Half), Arabic), "right Arabic statements, from scratch − half, large"),
            Negative("Arabic data make the model forget English", "not reported",
                results.Difference(Cell(Large, 1), Base(Large), English), "right English statements, Arabic alone − base, large"),
            Positive("Half Arabic keeps what English knew", "not reported",
                results.Difference(Cell(Large, Half), Cell(Large, 1), English), "right English statements, half − Arabic alone, large"),
            .. LawsOf(results, BothLanguages).Select(report => Positive(
                $"A law fitted to the small model chooses better than always half ({report.Law})", "not tested; RegMix does so for losses",
                report.Baselines[0].Gain, $"right statements of both languages, predicted share {report.Predicted:0.00} − half, large")),
            Claim.NotTestable("71.2 (8B) and 76.8 (70B) on PubMedQA in Arabic, and the paper's other figures", "tables above", "they are of pretrained models of 8B and 70B parameters; BenchmarkReader runs the same evaluation on your own files and checkpoint"),
        ];
    }

    private static double Mean(MixingRecord run, TextLanguage language, Asking asked = Asking.AsStatement) => Tasks.Average(task => run.Accuracy(task, language, asked));

    private static double[] Average(IReadOnlyList<IReadOnlyList<double>> bySeed) => [.. bySeed[0].Select((_, seed) => bySeed.Average(values => values[seed]))];

    // The paper's 8B model on the task's counterpart.
    private static PublishedMixing PublishedFor(MedicalTask task)
    {
        string benchmark = task switch { MedicalTask.Recall => "MMLU medical", MedicalTask.Reading => "PubMedQA", _ => "MedQA" };
        return ArabicMixingTables.All.First(row => row.Model == ArabicMixingTables.Small && row.Benchmark == benchmark);
    }

    private static Preset Of(string preset) => preset switch
    {
        // Proves the path: under a minute for the whole notebook on two CPU cores.
        "smoke" => new Preset
        {
            Diseases = 10,
            VocabularySize = 512,
            ContextLength = 400,
            Small = (16, 1),
            Large = (24, 2),
            Ratios = [0, 0.5, 1],
            Noise = 0.3,
            BaseTokens = 4_000,
            Tokens = 2_000,
            TuningTokens = 800,
            Seeds = 2,
        },

        // Enough to decide: under an hour on two CPU cores.
        "standard" => new Preset
        {
            Diseases = 16,
            VocabularySize = 1536,
            ContextLength = 256,
            Small = (64, 2),
            Large = (96, 3),
            Ratios = [0, 0.2, 0.4, 0.5, 0.6, 0.8, 1],
            Noise = 0.3,
            BaseTokens = 640_000,
            Tokens = 160_000,
            TuningTokens = 50_000,
            Seeds = 5,
        },

        // More diseases, larger models, longer training; meant for a GPU.
        "full" => new Preset
        {
            Diseases = 120,
            VocabularySize = 2048,
            ContextLength = 256,
            Small = (128, 4),
            Large = (256, 8),
            Ratios = [0, 0.2, 0.4, 0.5, 0.6, 0.8, 1],
            Noise = 0.3,
            BaseTokens = 40_000_000,
            Tokens = 8_000_000,
            TuningTokens = 2_000_000,
            Seeds = 5,
        },

        _ => throw new ArgumentException($"There is no preset '{preset}'; there are {string.Join(", ", Presets)}.", nameof(preset)),
    };

    private sealed record Preset
    {
        public required int Diseases { get; init; }

        public required int VocabularySize { get; init; }

        public required int ContextLength { get; init; }

        /// <summary>Width and layers.</summary>
        public required (int Width, int Layers) Small { get; init; }

        /// <summary>Width and layers.</summary>
        public required (int Width, int Layers) Large { get; init; }

        public required IReadOnlyList<double> Ratios { get; init; }

        /// <summary>ε of the noisy translator.</summary>
        public required double Noise { get; init; }

        /// <summary>Share of Arabic in the base: a trace.</summary>
        public double BaseArabic { get; init; } = 0.05;

        public required long BaseTokens { get; init; }

        /// <summary>Tokens of a cell, and of each arm after its base.</summary>
        public required long Tokens { get; init; }

        /// <summary>Those of them that are questions, where documents come first.</summary>
        public required long TuningTokens { get; init; }

        /// <summary>Share of questions among a cell's documents.</summary>
        public double Questions { get; init; } = 0.2;

        public required int Seeds { get; init; }
    }
}

/// <summary>Something to tune a share of Arabic for.</summary>
/// <param name="Name">As tables and charts call it.</param>
/// <param name="Task">The task, if it is of one.</param>
/// <param name="Of">Its value for a run: the higher, the better.</param>
public sealed record MixingMetric(string Name, MedicalTask? Task, Func<MixingRecord, double> Of);

/// <summary>The share of Arabic that is best for something.</summary>
/// <param name="Metric">For what.</param>
/// <param name="Size">The model.</param>
/// <param name="Noise">ε.</param>
/// <param name="Ratio">The share with the best mean over seeds.</param>
/// <param name="Low">2.5 % of the draws of seeds have a smaller one.</param>
/// <param name="High">2.5 % have a larger one.</param>
public sealed record BestRatio(string Metric, string Size, double Noise, double Ratio, double Low, double High);
