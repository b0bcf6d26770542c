// DeepSeek-R1-Zero (arXiv 2501.12948): the comparisons and the claims.
//
// The paper: a base model of 671B parameters, mathematics and code that a rule can check, GRPO with accuracy and format as the only
// rewards. Its curves: accuracy and the length of the answers grow together.
// Differs from the paper: transformers of some hundred thousand parameters that are trained from nothing. What a pretrained model brings
// with it, habits of thought among others, is put in by hand: a base model imitates scripted completions, and which ones is what the
// arms differ in. So what reinforcement adds can be told from what the base had.
//
//   parity      a base that mostly answers directly, and writes a chain with probability p; the control has p = 0
//   countdown   a base that mostly guesses, and else searches and goes back, goes straight, or searches and answers wrongly; REINFORCE and
//               rejection sampling on the same number of answers; R1's cold start; a smaller student, distilled or reinforced
//   language    parity in words of two languages: the language-consistency reward of R1 (section 2.3.2)

using PaperLab.Evaluation;
using PaperLab.Models;
using PaperLab.Reinforcement;

namespace PaperLab.Papers;

/// <summary>Reinforcement by rules on parity and countdown.</summary>
public static class R1ZeroPaper
{
    public const string Name = "deepseek-r1-zero";

    public const string Grpo = "GRPO", DrGrpo = "Dr. GRPO", Dapo = "DAPO", NoChains = "GRPO, no chains";
    public const string Backtracking = "backtracking", Single = "single attempt", Wrong = "wrong answers";
    public const string FromBacktracking = "GRPO from backtracking", FromSingle = "GRPO from single attempt", FromWrong = "GRPO from wrong answers";
    public const string Reinforce = "REINFORCE", RejectionSampling = "rejection sampling";
    public const string ColdStart = "cold start", FromColdStart = "cold start + GRPO";
    public const string Student = "student", FromStudent = "GRPO on the student", Distilled = "distilled student";
    public const string TwoLanguages = "two languages", Unpaid = "accuracy + format", Paid = "+ language";

    /// <summary>Greedy accuracy from which a policy counts as having learned parity.</summary>
    public const double Learned = 0.95;

    /// <summary>The presets by name.</summary>
    public static IReadOnlyList<string> Presets { get; } = ["smoke", "standard", "full"];

    /// <summary>Parity: the three objectives on one base, and GRPO on bases with more and fewer chains.</summary>
    /// <exception cref="ArgumentException">There is no such preset.</exception>
    public static PolicyComparison Parity(string preset, int firstSeed = 1)
    {
        Preset sizes = Of(preset);
        PolicyRunConfig Base(double p, int seed) => sizes.Parity.Base(BaseName(p), sizes.Parity.Task with { ChainShare = p }, seed);
        PolicyArm From(string name, double p, PolicyObjective objective) => new(name, seed => sizes.Parity.Reinforced(name, Base(p, seed), objective));
        double main = sizes.MainShare;
        return new PolicyComparison(
            preset,
            "parity",
            [
                .. sizes.ChainShares.Select(p => new PolicyArm(BaseName(p), seed => Base(p, seed))),
                From(Grpo, main, PolicyObjective.Grpo),
                .. preset == "smoke" ? Array.Empty<PolicyArm>() : [From(DrGrpo, main, PolicyObjective.DrGrpo(sizes.Parity.Longest)), From(Dapo, main, PolicyObjective.Dapo)],
                .. sizes.ChainShares.Where(p => p != main).Select(p => From(GrpoName(p, main), p, PolicyObjective.Grpo)),
            ],
            Seeds(sizes, firstSeed));
    }

    /// <summary>The arms of <see cref="Parity"/> that differ in the share of chains alone, rising.</summary>
    public static IReadOnlyList<(string Arm, double Share)> ByShare(PolicyComparison parity)
    {
        Preset sizes = Of(parity.Preset);
        return [.. sizes.ChainShares.Order().Select(p => (GrpoName(p, sizes.MainShare), p))];
    }

    /// <summary>Countdown: three bases, GRPO on each; its rivals on the first; cold start; the student.</summary>
    /// <exception cref="ArgumentException">There is no such preset.</exception>
    public static PolicyComparison Countdown(string preset, int firstSeed = 1)
    {
        Preset sizes = Of(preset);
        PolicySizes<CountdownOptions> task = sizes.Countdown;
        PolicyRunConfig Base(TraceKind traces, int seed) => task.Base(NameOf(traces), task.Task with { Traces = traces }, seed);
        PolicyRunConfig Cold(int seed) => Base(TraceKind.SingleAttempt, seed) with
        {
            Arm = ColdStart,
            Task = task.Task with { Traces = TraceKind.Backtracking, ChainShare = 1 },
            From = Base(TraceKind.SingleAttempt, seed),
            Stage = task.Imitation(seed) with { Steps = sizes.ColdStartSteps, Demonstrations = sizes.ColdStartDemonstrations },
        };
        PolicyRunConfig SmallBase(int seed) => Base(TraceKind.Backtracking, seed) with { Arm = Student, Model = task.Model with { Width = sizes.StudentWidth, FeedForward = new DenseConfig(3 * sizes.StudentWidth) } };
        PolicyRunConfig Teacher(int seed) => task.Reinforced(FromBacktracking, Base(TraceKind.Backtracking, seed), PolicyObjective.Grpo);
        PolicyArm From(string name, Func<int, PolicyRunConfig> start, PolicyObjective objective) => new(name, seed => task.Reinforced(name, start(seed), objective));
        return new PolicyComparison(
            preset,
            "countdown",
            [
                .. new[] { TraceKind.Backtracking, TraceKind.SingleAttempt, TraceKind.WrongAnswer }.Select(traces => new PolicyArm(NameOf(traces), seed => Base(traces, seed))),
                From(FromBacktracking, seed => Base(TraceKind.Backtracking, seed), PolicyObjective.Grpo),
                From(FromSingle, seed => Base(TraceKind.SingleAttempt, seed), PolicyObjective.Grpo),
                From(FromWrong, seed => Base(TraceKind.WrongAnswer, seed), PolicyObjective.Grpo),
                From(Reinforce, seed => Base(TraceKind.Backtracking, seed), PolicyObjective.Reinforce),
                From(RejectionSampling, seed => Base(TraceKind.Backtracking, seed), PolicyObjective.RejectionSampling(accepted: 2)),
                new PolicyArm(ColdStart, Cold),
                From(FromColdStart, Cold, PolicyObjective.Grpo),
                .. preset == "smoke" ? Array.Empty<PolicyArm>() : // whose teacher has hardly a right answer to show
                [
                    new PolicyArm(Student, SmallBase),
                    From(FromStudent, SmallBase, PolicyObjective.Grpo),
                    new PolicyArm(Distilled, seed => SmallBase(seed) with
                    {
                        Arm = Distilled,
                        From = SmallBase(seed),
                        Stage = task.Imitation(seed) with { Steps = sizes.DistillationSteps, Demonstrations = sizes.DistillationDemonstrations, Teacher = Teacher(seed) },
                    }),
                ],
            ],
            Seeds(sizes, firstSeed));
    }

    /// <summary>Parity in words of two languages, with and without a reward for keeping to the one that is asked for.</summary>
    /// <exception cref="ArgumentException">There is no such preset.</exception>
    public static PolicyComparison Languages(string preset, int firstSeed = 1)
    {
        Preset sizes = Of(preset);
        PolicyRunConfig Base(int seed) => sizes.Language.Base(TwoLanguages, sizes.Language.Task, seed);
        PolicyArm Arm(string name, double weight) => new(name, seed => sizes.Language.Reinforced(name, Base(seed), PolicyObjective.Grpo) with { Reward = new RewardWeights { Language = weight } });
        return new PolicyComparison(preset, "two languages", [new PolicyArm(TwoLanguages, Base), Arm(Unpaid, 0), Arm(Paid, 1)], Seeds(sizes, firstSeed));
    }

    /// <summary>Held-out problems answered rightly by the greedy answer, share.</summary>
    public static double Greedy(PolicyRecord run) => run.Final.Mean.Greedy;

    /// <summary>By one sample.</summary>
    public static double PassAt1(PolicyRecord run) => run.Final.Mean.PassAt1!.Value;

    /// <summary>By the most frequent answer of k.</summary>
    public static double Consensus(PolicyRecord run) => run.Final.Mean.ConsensusAtK!.Value;

    /// <summary>Tokens of a greedy answer.</summary>
    public static double Length(PolicyRecord run) => run.Final.Mean.Length;

    /// <summary>The first evaluated step with greedy accuracy of <see cref="Learned"/> or more; null where there is none.</summary>
    public static int? LearnedAt(PolicyRecord run) => run.Evaluations.FirstOrDefault(point => point.Mean.Greedy >= Learned)?.Step;

    /// <summary>The claims that these runs can speak to, each decided by its interval, and those that they cannot.</summary>
    public static IReadOnlyList<Claim> Judge(PolicyResults parity, PolicyResults countdown, PolicyResults languages)
    {
        string onParity = Setting(parity, Grpo), onCountdown = Setting(countdown, FromBacktracking), onLanguages = Setting(languages, Paid);
        bool objectives = parity.Comparison.Has(DrGrpo), student = countdown.Comparison.Has(Student);
        return
        [
            Claim.Test("Rewards by rule alone teach a model to answer rightly, without any example of a right chain",
                "AIME 2024 pass@1: 15.6 % → 71.0 %", onParity,
                parity.Gain(Grpo, Greedy), ClaimedSign.Positive, "share of held-out parities, after − before"),
            Claim.Test("Answers grow longer by themselves as they become right",
                "mean length of answers rises through training, to thousands of tokens", onParity,
                parity.Gain(Grpo, Length), ClaimedSign.Positive, "tokens of a greedy answer, after − before"),
            .. objectives
                ?
                [
                    Claim.Test("The growth is not the work of GRPO's 1/|o|: it comes without it too",
                        "not separated in the paper; arXiv 2503.20783 blames 1/|o| for growth in wrong answers", onParity,
                        parity.Gain(DrGrpo, Length), ClaimedSign.Positive, "tokens of a greedy answer, Dr. GRPO, after − before"),
                ]
                : Array.Empty<Claim>(),
            Claim.Test("Reinforcement amplifies what the base does now and then; where it never does, nothing grows",
                "not tested: the base is the same throughout", onParity,
                parity.Difference(Grpo, NoChains, run => Greedy(run) - Greedy(parity.Before(run))), ClaimedSign.Positive, "gain in greedy accuracy, base with chains − base without"),
            Claim.Test("The same on countdown: one sample is right more often",
                "AIME 2024 pass@1: 15.6 % → 71.0 %", onCountdown,
                countdown.Gain(FromBacktracking, PassAt1), ClaimedSign.Positive, "pass@1 on held-out numbers, after − before"),
            Claim.Test("A vote among several answers is better than one of them, also after reinforcement",
                "AIME 2024: pass@1 71.0 %, cons@64 86.7 %", onCountdown,
                countdown.Mean(FromBacktracking, run => Consensus(run) - PassAt1(run)), ClaimedSign.Positive, "cons@k − pass@1"),
            Claim.Test("Answers grow longer on countdown too",
                "mean length rises through training", onCountdown,
                countdown.Gain(FromBacktracking, Length), ClaimedSign.Positive, "tokens of a greedy answer, after − before"),
            Claim.Test("Going back becomes more frequent",
                "the “aha moment”: reflection emerges", onCountdown,
                countdown.Gain(FromBacktracking, run => run.Final.Mean.GoesBack!.Value), ClaimedSign.Positive, "share of chains that go back, after − before"),
            Claim.Test("A base that searches gains more than one that goes straight",
                "not tested; arXiv 2503.01307 finds it of four behaviours", onCountdown,
                countdown.Difference(FromBacktracking, FromSingle, run => PassAt1(run) - PassAt1(countdown.Before(run))), ClaimedSign.Positive, "gain in pass@1, backtracking − single attempt"),
            Claim.Test("A base that searches but always answers wrongly gains all the same",
                "not tested; arXiv 2503.01307: wrong chains prime as well as right ones", onCountdown,
                countdown.Gain(FromWrong, PassAt1), ClaimedSign.Positive, "pass@1, after − before"),
            Claim.Test("GRPO beats REINFORCE on the same number of answers",
                "GRPO is used; other objectives are not compared", onCountdown,
                countdown.Difference(FromBacktracking, Reinforce, PassAt1), ClaimedSign.Positive, "pass@1, GRPO − REINFORCE"),
            Claim.Test("GRPO beats imitation of the model's own right answers on the same number of answers",
                "not compared", onCountdown,
                countdown.Difference(FromBacktracking, RejectionSampling, PassAt1), ClaimedSign.Positive, "pass@1, GRPO − rejection sampling"),
            Claim.Test("A cold start before reinforcement ends higher than reinforcement alone",
                "AIME 2024: R1-Zero 71.0 %, R1 79.8 % (with further stages)", onCountdown,
                countdown.Difference(FromColdStart, FromSingle, PassAt1), ClaimedSign.Positive, "pass@1, with − without cold start"),
            .. student
                ?
                [
                    Claim.Test("A small model learns more from the large one's answers than from reinforcement of its own",
                        "32B: distilled 72.6 %, reinforced 47.0 % on AIME 2024", onCountdown,
                        countdown.Difference(Distilled, FromStudent, PassAt1), ClaimedSign.Positive, "pass@1, distilled − reinforced"),
                ]
                : Array.Empty<Claim>(),
            Claim.Test("A reward for it keeps the chain in one language",
                "the reward lessens mixing; no figure", onLanguages,
                languages.Difference(Paid, Unpaid, run => run.Final.Mean.Language!.Value), ClaimedSign.Positive, "share of words in the language asked for, with − without the reward"),
            Claim.Test("At a slight cost in accuracy",
                "“a slight degradation”; no figure", onLanguages,
                languages.Difference(Paid, Unpaid, PassAt1), ClaimedSign.Negative, "pass@1, with − without the reward"),
            Claim.NotTestable("The figures on AIME, MATH-500, LiveCodeBench and Codeforces", "71.0 % / 95.9 % / 50.0 % / 1444", "they are of a pretrained model of 671B parameters"),
            Claim.NotTestable("Reflection appears in words of its own", "“Wait, wait. That's an aha moment”", "these models know no words but those of the scripted chains"),
        ];
    }

    /// <summary>Arms side by side, each with what it began from.</summary>
    public static IReadOnlyList<PolicySummary> Summary(PolicyResults results) =>
    [
        .. results.Comparison.Arms.Select(arm =>
        {
            PolicyRecord run = results.Of(arm.Name)[0];
            bool begins = run.Config.From is null;
            return new PolicySummary(
                arm.Name,
                begins ? "new weights" : results.Before(run).Config.Arm,
                results.Mean(arm.Name, Greedy),
                results.Mean(arm.Name, PassAt1),
                begins ? null : results.Gain(arm.Name, PassAt1),
                results.Mean(arm.Name, Consensus),
                results.Mean(arm.Name, Length),
                results.Mean(arm.Name, r => r.Final.Mean.Format),
                run.Samples,
                results.Of(arm.Name).Average(r => r.TrainingSeconds));
        }),
    ];

    private static string Setting(PolicyResults results, string arm)
    {
        PolicyRecord run = results.Of(arm)[0];
        return $"{run.Parameters / 1e6:0.0#}M parameters, {run.Config.Stage.Steps} steps, {run.Samples:N0} answers, {results.Comparison.Seeds.Count} seeds";
    }

    private static string BaseName(double p) => p == 0 ? "no chains" : $"p = {p}";

    private static string GrpoName(double p, double main) => p == 0 ? NoChains : p == main ? Grpo : $"{Grpo}, {BaseName(p)}";

    private static string NameOf(TraceKind traces) => traces switch
    {
        TraceKind.Backtracking => Backtracking,
        TraceKind.SingleAttempt => Single,
        _ => Wrong,
    };

    private static int[] Seeds(Preset sizes, int firstSeed) => [.. Enumerable.Range(firstSeed, sizes.Seeds)];

    private static Preset Of(string preset) => preset switch
    {
        // Proves the path: under a minute for the whole notebook on two CPU cores. Parity is real, the rest is not.
        "smoke" => new Preset
        {
            Parity = new PolicySizes<ParityOptions>
            {
                Task = new ParityOptions { Lengths = [10] },
                Model = Model(new ParityOptions(), width: 48, layers: 2, context: 32),
                BaseSteps = 200,
                BaseBatch = 32,
                Steps = 12,
                Questions = 16,
                Answers = 8,
                Longest = 18,
                LearningRate = 5e-4,
                Problems = 60,
                Samples = 2,
                Interval = 4,
            },
            Countdown = Tiny(new CountdownOptions { Difficulties = [1], Misses = 1, MaxNumber = 6, MinTarget = 10, MaxTarget = 14, MaxValue = 36, HeldOutShare = 0.5, ChainShare = 0.5 }, context: 160, longest: 72),
            Language = Tiny(new ParityOptions { Lengths = [8], ChainShare = 0.5, LanguageMix = 0.3 }, context: 40, longest: 20),
            ChainShares = [0, 0.2],
            MainShare = 0.2,
            Seeds = 2,
            ColdStartSteps = 2,
            ColdStartDemonstrations = 16,
        },

        // Enough to decide: under an hour on two CPU cores.
        "standard" => new Preset
        {
            Parity = Standard(new ParityOptions { Lengths = [16] }),
            Language = Standard(new ParityOptions { Lengths = [16], ChainShare = 0.5, LanguageMix = 0.3 }),
            Countdown = new PolicySizes<CountdownOptions>
            {
                Task = s_countdown,
                Model = Model(s_countdown, width: 96, layers: 4, context: 150),
                BaseSteps = 400,
                BaseRate = 3e-3,
                Steps = 40,
                Questions = 8,
                Answers = 16,
                Longest = 120,
                Problems = 60,
                Samples = 8,
                Interval = 10,
            },
            ChainShares = [0, 0.05, 0.2, 0.5],
            MainShare = 0.2,
            Seeds = 5,
            ColdStartSteps = 40,
            ColdStartDemonstrations = 256,
            DistillationSteps = 150,
            DistillationDemonstrations = 1024,
            StudentWidth = 64,
        },

        // Nearer to what others reinforce from nothing: four numbers, ten million parameters; meant for a GPU.
        "full" => new Preset
        {
            Parity = Wide(new ParityOptions { Lengths = [32] }),
            Language = Wide(new ParityOptions { Lengths = [32], ChainShare = 0.5, LanguageMix = 0.3 }),
            Countdown = new PolicySizes<CountdownOptions>
            {
                Task = new CountdownOptions { ChainShare = 0.3 },
                Model = Model(new CountdownOptions(), width: 384, layers: 6, context: 320),
                BaseSteps = 3000,
                BaseBatch = 128,
                BaseRate = 1e-3,
                Steps = 200,
                Questions = 32,
                Answers = 16,
                Longest = 280,
                LearningRate = 1e-4,
                Problems = 200,
                Samples = 16,
                Interval = 20,
            },
            ChainShares = [0, 0.01, 0.05, 0.2, 0.5],
            MainShare = 0.2,
            Seeds = 5,
            ColdStartSteps = 100,
            ColdStartDemonstrations = 1024,
            DistillationSteps = 600,
            DistillationDemonstrations = 8192,
            StudentWidth = 192,
        },

        _ => throw new ArgumentException($"There is no preset '{preset}'; there are {string.Join(", ", Presets)}.", nameof(preset)),
    };

    private static readonly CountdownOptions s_countdown = new()
    {
        Difficulties = [1, 2],
        MaxNumber = 9,
        MaxTarget = 50,
        MaxValue = 81,
        HeldOutShare = 0.3,
        ChainShare = 0.3,
        Misses = 2,
        MaxTokens = 140,
    };

    private static PolicySizes<ParityOptions> Standard(ParityOptions task) => new()
    {
        Task = task,
        Model = Model(task, width: 64, layers: 2, context: 48),
        BaseSteps = 500,
        Steps = 30,
        Questions = 16,
        Answers = 8,
        Longest = 26,
        Problems = 200,
        Samples = 8,
        Interval = 2,
    };

    private static PolicySizes<ParityOptions> Wide(ParityOptions task) => Standard(task) with
    {
        Model = Model(task, width: 128, layers: 3, context: 80),
        BaseSteps = 2000,
        Steps = 100,
        Longest = 42,
        Interval = 5,
    };

    private static PolicySizes<T> Tiny<T>(T task, int context, int longest)
        where T : TaskOptions => new()
        {
            Task = task,
            Model = Model(task, width: 32, layers: 1, context),
            BaseSteps = 40,
            BaseBatch = 16,
            BaseRate = 5e-3,
            Steps = 2,
            Questions = 2,
            Answers = 4,
            Longest = longest,
            Problems = 8,
            Samples = 2,
            Interval = 2,
        };

    private static TransformerConfig Model(TaskOptions task, int width, int layers, int context) => new()
    {
        VocabularySize = task.Create().Tokenizer.VocabularySize,
        Width = width,
        Layers = layers,
        Heads = 4,
        ContextLength = context,
        FeedForward = new DenseConfig(3 * width),
    };

    // The sizes of one task's runs.
    private sealed record PolicySizes<T>
        where T : TaskOptions
    {
        public required T Task { get; init; }

        public required TransformerConfig Model { get; init; }

        public required int BaseSteps { get; init; }

        public int BaseBatch { get; init; } = 64;

        public double BaseRate { get; init; } = 2e-3;

        public required int Steps { get; init; }

        public required int Questions { get; init; }

        public required int Answers { get; init; }

        public required int Longest { get; init; }

        public double LearningRate { get; init; } = 3e-4;

        public required int Problems { get; init; }

        public required int Samples { get; init; }

        public required int Interval { get; init; }

        public ImitationConfig Imitation(int seed) => new() { Seed = seed, Steps = BaseSteps, BatchSize = BaseBatch, LearningRate = BaseRate };

        public PolicyRunConfig Base(string name, T task, int seed) => new()
        {
            Paper = Name,
            Arm = name,
            Task = task,
            Model = Model,
            Stage = Imitation(seed),
            Evaluation = new PolicyEvaluationOptions { Problems = Problems, Samples = Samples, MaxNewTokens = Longest },
        };

        public PolicyRunConfig Reinforced(string name, PolicyRunConfig start, PolicyObjective objective) => start with
        {
            Arm = name,
            From = start,
            Stage = new PolicyConfig
            {
                Seed = start.Stage.Seed,
                Steps = Steps,
                Questions = Questions,
                Answers = Answers,
                MaxNewTokens = Longest,
                LearningRate = LearningRate,
                MicroBatchSize = 32, // memory that is touched for the first time is slow, so little of it is asked for
                Objective = objective,
            },
            EvaluationInterval = Interval,
        };
    }

    private sealed record Preset
    {
        public required PolicySizes<ParityOptions> Parity { get; init; }

        public required PolicySizes<CountdownOptions> Countdown { get; init; }

        public required PolicySizes<ParityOptions> Language { get; init; }

        /// <summary>p of the bases.</summary>
        public required IReadOnlyList<double> ChainShares { get; init; }

        /// <summary>p of the base that all objectives begin from.</summary>
        public required double MainShare { get; init; }

        public required int Seeds { get; init; }

        public required int ColdStartSteps { get; init; }

        public required int ColdStartDemonstrations { get; init; }

        public int DistillationSteps { get; init; }

        public int DistillationDemonstrations { get; init; }

        public int StudentWidth { get; init; }
    }
}

/// <summary>One arm in a table; means over seeds with t intervals.</summary>
/// <param name="Arm">Its name.</param>
/// <param name="From">What it began from.</param>
/// <param name="Greedy">Greedy accuracy.</param>
/// <param name="PassAt1">Accuracy of a sample.</param>
/// <param name="Gain">The same, after − before; null for a base.</param>
/// <param name="Consensus">Accuracy of the most frequent answer among k.</param>
/// <param name="Length">Tokens of a greedy answer.</param>
/// <param name="Format">Share in the answer format.</param>
/// <param name="Answers">Answers drawn to learn from, each seed.</param>
/// <param name="Seconds">Training time, each seed.</param>
public sealed record PolicySummary(
    string Arm, string From, Interval Greedy, Interval PassAt1, Interval? Gain, Interval Consensus, Interval Length, Interval Format, long Answers, double Seconds);
