// Test-time preference optimisation (arXiv 2501.12895): the comparison and the claims.
//
// The paper: a language model of 70 (22) billion parameters is told, by itself, why its best answer is better than its worst by a reward
// model's score, and writes new ones; no weight changes. After two rounds an unaligned model matches one that was trained on preferences.
// Differs from the paper: a transformer of 0.4 million parameters that was trained on the four roles in a made-up language, with no
// preference among what it saw (AttributeLanguage.cs). Its skill as a critic is trained in, so this tests the search, not the critic.
// Answers are measured by the preference itself, which no arm sees; the paper measures by reward models and judges. All is drawn at
// temperature 1, the distribution that was learned; the paper draws at 0.7 with top-p 0.95.
//
//   all tastes "the more the better": best of N, TPO, revision, and two controls: another taste's instruction, no instruction
//   widths and depths of TPO; a policy that was trained too little; a noisy reward model
//   tastes with an optimum in between, where "more" is no direction: the case in which TPO should fail
//   DPO on the same policy and reward model

using PaperLab.Evaluation;
using PaperLab.Models;
using PaperLab.Preference;
using PaperLab.Reinforcement;

namespace PaperLab.Papers;

/// <summary>Search at test time against tastes drawn after training.</summary>
public static class TpoPaper
{
    public const string Name = "test-time-preference-optimization";

    public const string BestOf = "best of 60", Tpo = "TPO", Revision = "revision", Shuffled = "shuffled critique", NoCritique = "no critique";
    public const string InteriorBestOf = "best of 60, interior", InteriorTpo = "TPO, interior", InteriorNoCritique = "no critique, interior";
    public const string NoisyBestOf = "best of 60, noisy reward", NoisyTpo = "TPO, noisy reward";
    public const string Dpo = "DPO";

    /// <summary>The paper's depth, D2; a search of more iterations has been there on its way.</summary>
    public const int PaperDepth = 2;

    /// <summary>The paper's width, N5.</summary>
    public const int PaperWidth = 5;

    /// <summary>The presets by name.</summary>
    public static IReadOnlyList<string> Presets { get; } = ["smoke", "standard", "full"];

    /// <summary>TPO at another width.</summary>
    public static string Wide(int width) => width == PaperWidth ? Tpo : $"TPO, N = {width}";

    /// <summary>The widths of a preset, rising, the paper's among them.</summary>
    public static IReadOnlyList<int> Widths(string preset) => [.. Of(preset).Widths.Append(PaperWidth).Order()];

    /// <summary>A search with a policy that was trained for fewer steps.</summary>
    public static string Under(string search, int steps) => $"{search}, {steps} steps";

    /// <summary>Steps of the policies that are trained too little, rising.</summary>
    public static IReadOnlyList<int> WeakSteps(string preset) => Of(preset).WeakSteps;

    /// <summary>All searches and the training.</summary>
    /// <param name="preset">smoke, standard or full.</param>
    /// <param name="firstSeed">The others count up from it.</param>
    /// <exception cref="ArgumentException">There is no such preset.</exception>
    public static PreferenceComparison Compare(string preset, int firstSeed = 1)
    {
        Preset sizes = Of(preset);
        FourRoleConfig Policy(int seed) => new()
        {
            Paper = Name,
            Arm = "trained",
            Model = new TransformerConfig
            {
                VocabularySize = AttributeLanguage.Tokenizer.VocabularySize,
                Width = sizes.Width,
                Layers = sizes.Layers,
                Heads = 4,
                ContextLength = AttributeLanguage.ContextLength,
                FeedForward = new DenseConfig(3 * sizes.Width),
            },
            Stage = new ImitationConfig { Seed = seed, Steps = sizes.Steps, BatchSize = 64, MicroBatchSize = 32, LearningRate = 3e-3, Demonstrations = 100_000 },
            Examined = sizes.Examined,
        };
        FourRoleConfig Weak(int seed, int steps)
        {
            FourRoleConfig policy = Policy(seed);
            return policy with { Arm = $"{steps} steps", Stage = policy.Stage with { Steps = steps } };
        }

        TasteOptions Tastes(int seed) => new() { Seed = (ulong)seed, Tastes = sizes.Tastes, Prompts = sizes.Prompts };
        RewardOptions Reward(int seed) => new() { Seed = (ulong)seed };
        SearchRunConfig Search(string arm, int seed, SearchOptions search) => new() { Paper = Name, Arm = arm, Policy = Policy(seed), Tastes = Tastes(seed), Reward = Reward(seed), Search = search };
        SearchOptions Deep(Feedback feedback) => new() { Feedback = feedback, Width = PaperWidth, Depth = sizes.Depth };
        SearchOptions Best() => SearchOptions.BestOf(sizes.Best);
        SearchArm Interior(string name, SearchOptions search) => new(name, seed => Search(name, seed, search) with { Tastes = Tastes(seed) with { Kind = TasteKind.Interior } });
        SearchArm ByWeak(string name, int steps, SearchOptions search) => new(Under(name, steps), seed => Search(Under(name, steps), seed, search) with { Policy = Weak(seed, steps) });
        SearchArm Noisy(string name, SearchOptions search) => new(name, seed => Search(name, seed, search) with
        {
            Reward = new RewardOptions { Seed = (ulong)seed, Comparisons = sizes.NoisyComparisons, Neural = new NeuralRewardOptions { Seed = seed } },
        });
        return new PreferenceComparison(
            preset,
            [
                new SearchArm(BestOf, seed => Search(BestOf, seed, Best())),
                new SearchArm(Tpo, seed => Search(Tpo, seed, Deep(Feedback.Comparison))),
                new SearchArm(Revision, seed => Search(Revision, seed, Deep(Feedback.Revision))),
                new SearchArm(Shuffled, seed => Search(Shuffled, seed, Deep(Feedback.Shuffled))),
                new SearchArm(NoCritique, seed => Search(NoCritique, seed, Deep(Feedback.None))),
                .. sizes.Widths.Select(width => new SearchArm(Wide(width), seed => Search(Wide(width), seed, Deep(Feedback.Comparison) with { Width = width, Depth = PaperDepth }))),
                Interior(InteriorBestOf, Best()),
                Interior(InteriorTpo, Deep(Feedback.Comparison)),
                Interior(InteriorNoCritique, Deep(Feedback.None)),
                .. sizes.WeakSteps.SelectMany(steps => new[]
                {
                    ByWeak(BestOf, steps, Best()),
                    ByWeak(Tpo, steps, Deep(Feedback.Comparison)),
                    ByWeak(NoCritique, steps, Deep(Feedback.None)),
                }),
                Noisy(NoisyBestOf, Best()),
                Noisy(NoisyTpo, Deep(Feedback.Comparison) with { Depth = sizes.NoisyDepth }),
            ],
            seed => new DpoRunConfig
            {
                Paper = Name,
                Arm = Dpo,
                Policy = Policy(seed),
                Tastes = Tastes(seed),
                Reward = Reward(seed),
                // As good as the best of those tried with the first policy on six tastes of seed 101, and the cheapest of them: η 3e-5, 1e-4 and
                // 3e-4, β 0.1 and 0.5, 256 and 1024 pairs, up to 160 steps. A larger η or more steps end in answers that nobody likes.
                Training = new DpoConfig { Seed = seed, Steps = sizes.DpoSteps, LearningRate = 1e-4, Beta = 0.5, MicroBatchSize = 16 },
                Pairs = sizes.DpoPairs,
                Interval = sizes.DpoInterval,
            },
            [.. Enumerable.Range(firstSeed, sizes.Seeds)]);
    }

    /// <summary>The claims that these runs can speak to, each decided by its interval, and those that they cannot.</summary>
    public static IReadOnlyList<Claim> Judge(PreferenceResults results)
    {
        string preset = results.Comparison.Preset;
        int best = Of(preset).Best, depth = Of(preset).Depth, samples = PaperWidth * (PaperDepth + 1);
        int narrow = Widths(preset)[0], wide = Widths(preset)[^1];
        string setting = Setting(results, Tpo);
        QueryValues tpo = results.After(Tpo, PaperDepth);
        Claim Better(string statement, string paper, Interval difference, string unit) => Claim.Test(statement, paper, setting, difference, ClaimedSign.Positive, $"gold, {unit}");
        return
        [
            Better($"Two rounds of feedback beat {samples} answers without", "not compared at equal samples", tpo.Minus(results.AtSamples(BestOf, samples)), $"TPO D2-N5 − best of {samples}"),
            .. new[] { (N: 30, Wins: "65.2 %"), (N: 60, Wins: "57.5 %") }.Where(rival => rival.N <= best).Select(rival =>
                Better($"They beat best-of-{rival.N}", $"wins {rival.Wins} (70B, HH-RLHF)", tpo.Minus(results.AtSamples(BestOf, rival.N)), $"TPO D2-N5 − best of {rival.N}")),
            Better("They beat as many tokens of plain answers", "not compared", tpo.Minus(results.AtTokensOf(BestOf, Tpo, PaperDepth)), "TPO D2-N5 − best within its tokens"),
            Better("They beat as many FLOPs of plain answers, reading included", "not compared", tpo.Minus(results.AtFlopsOf(BestOf, Tpo, PaperDepth)), "TPO D2-N5 − best within its FLOPs"),
            Better("Feedback on a contrast beats revision of the best alone", "TPO above revision at every depth (figure)", tpo.Minus(results.After(Revision, PaperDepth)), "TPO − revision, D2-N5"),
            Better("What the critique says matters: another taste's instruction does worse", "not tested; our control", tpo.Minus(results.After(Shuffled, PaperDepth)), "TPO − shuffled critique, D2-N5"),
            Better("A critique beats changes at random", "not tested; our control", tpo.Minus(results.After(NoCritique, PaperDepth)), "TPO − no critique, D2-N5"),
            .. depth > PaperDepth
                ? [Better($"Depth helps beyond two rounds", "D2 → D5 better on most benchmarks", results.After(Tpo, depth).Minus(tpo), $"TPO D{depth}-N5 − D2-N5")]
                : Array.Empty<Claim>(),
            Better("Width helps", "N = 5 → 20 better on most benchmarks", results.After(Wide(wide), PaperDepth).Minus(results.After(Wide(narrow), PaperDepth)), $"TPO D2, N = {wide} − N = {narrow}"),
            Claim.Test("Answers grow more alike in their reward: the search makes inference stable", "standard deviation of rewards falls (figure)", setting,
                Spread(results), ClaimedSign.Negative, "sd of a query's scores, last iteration − start"),
            Better("An untrained policy with feedback does as well as a trained one, or better", "70B-SFT + TPO over 70B-DPO: Arena-Hard 69.7 against 50.4", tpo.Minus(results.OfTrained()), "TPO D2-N5 − one answer of DPO"),
            .. WeakSteps(preset).Take(2).SelectMany(steps => new[]
            {
                Claim.Test($"With a weak policy ({steps} steps; {Critique(results, steps):0 %} of its critiques' words right) best-of-{best} is better", "8B-Instruct gets worse with TPO", Setting(results, Under(Tpo, steps)),
                    results.After(Under(Tpo, steps), PaperDepth).Minus(results.AtSamples(Under(BestOf, steps), best)), ClaimedSign.Negative, $"gold, TPO D2-N5 − best of {best}"),
                Claim.Test($"With it ({steps} steps) changes at random are better than feedback", "8B-Instruct gets worse with TPO", Setting(results, Under(Tpo, steps)),
                    results.After(Under(Tpo, steps), PaperDepth).Minus(results.After(Under(NoCritique, steps), PaperDepth)), ClaimedSign.Negative, "gold, TPO − no critique, D2-N5"),
            }),
            Claim.Test("Where “more” is no direction, best-of-N is better (our falsifying case)", "not tested", setting,
                results.After(InteriorTpo, PaperDepth).Minus(results.AtSamples(InteriorBestOf, best)), ClaimedSign.Negative, $"gold, TPO D2-N5 − best of {best}, interior optimum"),
            Claim.Test("A noisy reward model is over-optimised: by its score the answers gain more than they are worth", "not tested; arXiv 2210.10760 finds it of best-of-N", setting,
                Overoptimisation(results), ClaimedSign.Positive, "gain in score − gain in gold, start to end, each in standard deviations of the start's answers"),
            Claim.NotTestable("AlpacaEval 2, Arena-Hard, HH-RLHF, BeaverTails, XSTest, MATH-500", "27.8 → 33.0 / 44.1 → 69.7 / −4.1 → −0.6 / −7.2 → −4.8 / 87.8 → 90.4 / 61.8 → 71.2", "they are of a pretrained model of 70B parameters; with an endpoint of your own the last section but two runs the same search"),
            Claim.NotTestable("9.3 PFLOPs for a query against 72,840 to train", "D2-N5 against DPO of 70B", "the ratio depends on sizes; the figure shows it at this one"),
        ];
    }

    /// <summary>How much the scores of an iteration lie apart, last iteration − start; over seeds.</summary>
    public static Interval Spread(PreferenceResults results) =>
        Interval.OfPairedDifference([.. results.Of(Tpo).Select(run => run.Iterations[^1].Spread)], [.. results.Of(Tpo).Select(run => run.Iterations[0].Spread)]);

    /// <summary>What the noisy reward model's score gains beyond what gold gains, from the start to the last iteration; over seeds.</summary>
    public static Interval Overoptimisation(PreferenceResults results) =>
        Interval.OfPairedDifference(Gains(results, NoisyTpo, null).Score, Gains(results, NoisyTpo, null).Gold);

    /// <summary>What score and gold of the best answer have gained after an iteration, seed by seed, each in standard deviations of a query's answers at the start.</summary>
    /// <param name="results">The runs.</param>
    /// <param name="search">The search.</param>
    /// <param name="iteration">The iteration; null for the last.</param>
    public static (IReadOnlyList<double> Score, IReadOnlyList<double> Gold) Gains(PreferenceResults results, string search, int? iteration)
    {
        IReadOnlyList<double> Gain(Func<int?, QueryValues> values, Func<IterationAnswers, double> spread) =>
            [.. values(iteration).BySeed.Zip(values(0).BySeed, results.Of(search)).Select(seed => (seed.First - seed.Second) / spread(seed.Third.Iterations[0]))];

        return (Gain(d => results.ScoreAfter(search, d), answers => answers.Spread), Gain(d => results.After(search, d), answers => answers.GoldSpread));
    }

    /// <summary>Searches side by side after the paper's depth; best-of-N with all its samples.</summary>
    public static IReadOnlyList<SearchSummary> Summary(PreferenceResults results, params string[] searches) =>
    [
        .. searches.Select(search =>
        {
            IReadOnlyList<SearchRecord> runs = results.Of(search);
            SearchOptions options = runs[0].Config.Search;
            int iteration = Math.Min(PaperDepth, options.Depth);
            QueryValues gold = results.After(search, iteration);
            double queries = runs.Sum(run => run.Queries.Count);
            return new SearchSummary(
                search,
                options.Width * (iteration + 1),
                results.TokensAfter(search, iteration),
                results.FlopsAfter(search, iteration),
                gold.Mean,
                runs.Sum(run => run.Cost.Failures) / (double)runs.Sum(run => run.Cost.Calls),
                runs.Sum(run => run.Cost.Duplicates) / (double)runs.Sum(run => run.Cost.Samples),
                runs.Sum(run => run.Stopped) / queries,
                runs.Average(run => run.TrainingSeconds));
        }),
    ];

    /// <summary>What pleasing a taste costs by search and by training.</summary>
    public static IReadOnlyList<ComputeSummary> Compute(PreferenceResults results)
    {
        IReadOnlyList<DpoRecord> trained = results.Trained;
        DpoRunConfig dpo = trained[0].Config;
        double once = trained.Average(run => run.Points[^1].Flops), answer = trained.Average(run => run.FlopsPerAnswer);
        int depth = Of(results.Comparison.Preset).Depth;
        return
        [
            new ComputeSummary("one answer", 0, answer, results.AtSamples(BestOf, 1).Mean),
            new ComputeSummary($"best of {Of(results.Comparison.Preset).Best}", 0, results.FlopsAfter(BestOf, 0), results.After(BestOf).Mean),
            .. new[] { PaperDepth, depth }.Distinct().Select(d => new ComputeSummary($"TPO D{d}-N{PaperWidth}", 0, results.FlopsAfter(Tpo, d), results.After(Tpo, d).Mean)),
            new ComputeSummary("DPO, one answer", once, answer, results.OfTrained().Mean),
            new ComputeSummary($"DPO, best of {dpo.Answers}", once, dpo.Answers * answer, results.OfTrained(best: true).Mean),
        ];
    }

    private static double Critique(PreferenceResults results, int steps) => results.PoliciesOf(Under(Tpo, steps)).Average(policy => policy.Skills.Critique);

    private static string Setting(PreferenceResults results, string search)
    {
        SearchRecord run = results.Of(search)[0];
        FourRoleRecord policy = results.PoliciesOf(search)[0];
        return $"{policy.Parameters / 1e6:0.0#}M parameters, {run.Config.Tastes.Tastes} tastes × {run.Config.Tastes.Prompts} queries, {results.Comparison.Seeds.Count} seeds";
    }

    private static Preset Of(string preset) => preset switch
    {
        // Proves the path: under a minute for the whole notebook on two CPU cores.
        "smoke" => new Preset
        {
            Width = 32,
            Layers = 2,
            Steps = 120,
            WeakSteps = [20],
            Examined = 16,
            Seeds = 2,
            Tastes = 3,
            Prompts = 3,
            Depth = 2,
            Best = 30,
            Widths = [2],
            NoisyComparisons = 100,
            NoisyDepth = 3,
            DpoSteps = 6,
            DpoPairs = 24,
            DpoInterval = 3,
        },

        // Enough to decide: under three quarters of an hour on two CPU cores.
        "standard" => new Preset
        {
            Width = 96,
            Layers = 3,
            Steps = 2000,
            WeakSteps = [75, 150, 300, 600],
            Examined = 200,
            Seeds = 5,
            Tastes = 20,
            Prompts = 10,
            Depth = 5,
            Best = 60,
            Widths = [2, 10, 20],
            NoisyComparisons = 300,
            NoisyDepth = 10,
            DpoSteps = 60,
            DpoPairs = 256,
            DpoInterval = 10,
        },

        // A larger policy, more tastes, and the paper's deepest and widest setting; meant for a GPU.
        "full" => new Preset
        {
            Width = 256,
            Layers = 6,
            Steps = 6000,
            WeakSteps = [75, 150, 300, 600],
            Examined = 500,
            Seeds = 5,
            Tastes = 40,
            Prompts = 20,
            Depth = 5,
            Best = 60,
            Widths = [2, 10, 20],
            NoisyComparisons = 300,
            NoisyDepth = 20,
            DpoSteps = 200,
            DpoPairs = 1024,
            DpoInterval = 20,
        },

        _ => throw new ArgumentException($"There is no preset '{preset}'; there are {string.Join(", ", Presets)}.", nameof(preset)),
    };

    private sealed record Preset
    {
        public required int Width { get; init; }

        public required int Layers { get; init; }

        public required int Steps { get; init; }

        /// <summary>Steps of the policies that are trained too little: the first critic guesses, the last is nearly right.</summary>
        public required IReadOnlyList<int> WeakSteps { get; init; }

        public required int Examined { get; init; }

        public required int Seeds { get; init; }

        public required int Tastes { get; init; }

        public required int Prompts { get; init; }

        public required int Depth { get; init; }

        /// <summary>N of best-of-N.</summary>
        public required int Best { get; init; }

        /// <summary>Widths beside the paper's.</summary>
        public required IReadOnlyList<int> Widths { get; init; }

        public required int NoisyComparisons { get; init; }

        public required int NoisyDepth { get; init; }

        public required int DpoSteps { get; init; }

        public required int DpoPairs { get; init; }

        public required int DpoInterval { get; init; }
    }
}

/// <summary>A search in a table, after the paper's depth.</summary>
/// <param name="Search">Its name.</param>
/// <param name="Answers">Answers that it drew for a query.</param>
/// <param name="Tokens">Tokens that were written for a query, critiques and instructions included.</param>
/// <param name="Flops">FLOPs of a query, reading included.</param>
/// <param name="Gold">What its answer is worth.</param>
/// <param name="Failures">Share of all requests, to the last iteration, whose reply could not be used.</param>
/// <param name="Duplicates">Share of its answers that were there already.</param>
/// <param name="Stopped">Share of the queries that ended before their depth.</param>
/// <param name="Seconds">Time of the whole search, each seed.</param>
public sealed record SearchSummary(string Search, int Answers, double Tokens, double Flops, Interval Gold, double Failures, double Duplicates, double Stopped, double Seconds);

/// <summary>What a way to please a taste costs, and brings; FLOPs.</summary>
/// <param name="Way">The way.</param>
/// <param name="Once">For a taste, before the first query.</param>
/// <param name="PerQuery">For a query.</param>
/// <param name="Gold">What its answer is worth.</param>
public sealed record ComputeSummary(string Way, double Once, double PerQuery, Interval Gold)
{
    /// <summary>For a query, where a taste has so many.</summary>
    public double Over(int queries) => (Once / queries) + PerQuery;
}
