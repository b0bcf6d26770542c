// A whole step of GRPO on countdown, beside a plain PyTorch loop: rollout, reward, advantage, loss, update.
//
// Both sides do the same work on the same weights and questions. This side's step is the same in every round, since its learning rate
// is 0; the peer ends its answers at the lengths that came out here, so that both draw and train on the same number of tokens.
// Before any round the peer computes reward, loss and gradient of answers that were drawn here; a peer that finds others is none.

using System.Globalization;
using System.Text.Json;
using PaperLab.Checkpoints;
using PaperLab.Models;
using PaperLab.Reinforcement;
using PaperLab.Text;
using PaperLab.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace PaperLab.Benchmarks;

internal sealed class RolloutContest(TorchRuntime runtime, int rounds)
{
    private const int PromptTokens = 13;
    private const string WeightsAtFirst = "reference.safetensors", WeightsThatMoved = "policy.safetensors";

    // Of loss and gradient norm, relative: far above what fp32 arithmetic of two libraries leaves, far below what another formula makes.
    private const double Agreement = 0.01;

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private static readonly CountdownTask s_task = new(new CountdownOptions { Difficulties = [3, 4], Traces = TraceKind.SingleAttempt });

    private static readonly TransformerConfig s_model = new()
    {
        VocabularySize = s_task.Tokenizer.VocabularySize,
        Width = 144,
        Layers = 4,
        Heads = 4,
        ContextLength = 192,
        FeedForward = new DenseConfig(432),
    };

    // Micro-batches of 16 are the fastest, or next to it, on either side, on a CPU.
    private static readonly PolicyConfig s_step = new() { Seed = 1, Steps = 1, Questions = 16, Answers = 8, MaxNewTokens = 96, LearningRate = 0, MicroBatchSize = 16 };

    // The second step has a divergence, and a limit that cuts off about every second answer makes rewards differ.
    private static readonly PolicyConfig s_check = s_step with { Steps = 2, Questions = 4, MaxNewTokens = 56, LearningRate = 3e-4, Objective = PolicyObjective.Grpo with { KlWeight = 0.1 } };

    // So that answers have the lengths, and now and then the form, that they have in a training.
    private static readonly ImitationConfig s_priming = new() { Seed = 1, Steps = 120, BatchSize = 32, LearningRate = 3e-3, Demonstrations = 1000 };

    private readonly QuestionPool _questions = new(s_task, PromptTokens, count: 64);

    /// <summary>The whole step, the rollout and the training, each as a table.</summary>
    public IReadOnlyList<Table> Run()
    {
        string folder = Directory.CreateTempSubdirectory("paperlab-rollouts-").FullName;
        try
        {
            return Run(folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private List<Table> Run(string folder)
    {
        using Transformer policy = Primed();
        var answers = new AnswerLog();
        Write(policy, Path.Combine(folder, WeightsAtFirst));
        CheckCase? check = null;
        if (Peer.IsPresent)
        {
            check = Check(policy, folder);
            Checkpoint.ReadWeights(Path.Combine(folder, WeightsAtFirst), policy.state_dict(), "Run the benchmark again.");
        }

        using PolicyTrainer trainer = Trainer(s_step, policy, answers);
        trainer.Take(1); // draws the answers that every round draws again
        int[] lengths = [.. answers.Samples.Select(sample => sample.Completion.Tokens)];
        var here = new List<Parts>();
        var there = new List<Parts>();
        var ways = new List<Way>
        {
            Way.Timed("this library", runtime, () =>
            {
                PolicyStep step = trainer.Take(1);
                here.Add(new Parts(step.RolloutSeconds, step.RewardSeconds, step.TrainingSeconds));
            }),
        };
        using Peer? peer = check is null ? null : StartPeer(folder, answers.Prompts, lengths, check);
        string? agreed = peer is null ? null : Agreed(check!, Ask<CheckResult>(peer, "check"));
        if (peer is not null)
        {
            ways.Add(new Way("PyTorch eager", () =>
            {
                there.Add(Ask<Parts>(peer, "step"));
                return there[^1].Rollout + there[^1].Reward + there[^1].Training;
            }));
        }

        Times[] whole = Contest.Run(rounds, ways);
        List<Parts>[] parts = [here, there];
        Times[] Of(Func<Parts, double> part) => [.. whole.Select((times, way) => new Times(times.Name, [.. parts[way].Skip(1).Select(part)]))]; // the first warmed up
        Times[] rollout = Of(part => part.Rollout), reward = Of(part => part.Reward), training = Of(part => part.Training);
        string Shares(int way)
        {
            double Share(Times[] part) => part[way].Seconds.Sum() / whole[way].Seconds.Sum();
            return string.Create(CultureInfo.InvariantCulture, $"{whole[way].Name}: rollout {Share(rollout):P0} of the step, reward {Share(reward):P1}, training {Share(training):P0}");
        }

        string shape = $"prompts of {PromptTokens} tokens, answers of {lengths.Min()} to {lengths.Max()}, {lengths.Sum()} in all";
        Table Named(string title, Times[] times, string note) => new(title, "tokens", lengths.Sum(), times, Note: note);
        return
        [
            Named(
                $"GRPO step, {policy.TotalParameters / 1e6:0.00}M parameters, {s_step.Questions} questions × {s_step.Answers} answers",
                whole,
                string.Join(".\n", [shape, .. whole.Select((_, way) => Shares(way)), .. agreed is null ? Array.Empty<string>() : [agreed]])),
            Named("rollout of a GRPO step", rollout, shape),
            Named("training of a GRPO step", training, shape),
        ];
    }

    private Transformer Primed()
    {
        manual_seed(1);
        var policy = new Transformer(s_model);
        policy.to(runtime.Device);
        using var trainer = new ImitationTrainer(s_priming, policy, ImitationTrainer.LessonsOf(s_task, s_task.Tokenizer, SymbolTokenizer.End, s_priming));
        for (int step = 1; step <= s_priming.Steps; step++)
        {
            trainer.Take(step, CancellationToken.None);
        }

        return policy;
    }

    private PolicyTrainer Trainer(PolicyConfig config, Transformer policy, AnswerLog answers) =>
        new(config, policy, s_task.Tokenizer, SymbolTokenizer.End, _questions, new CombinedReward([.. CombinedReward.R1Zero().Parts, new WeightedVerifier(answers, Weight: 0)]));

    // The second step of a training, whose policy is no longer its reference, with the weights before it.
    private CheckCase Check(Transformer policy, string folder)
    {
        var answers = new AnswerLog();
        using PolicyTrainer trainer = Trainer(s_check, policy, answers);
        trainer.Take(1);
        Write(policy, Path.Combine(folder, WeightsThatMoved));
        PolicyStep step = trainer.Take(2);
        Require.That(step.DeadGroups < 1, "the share of groups without an advantage, in the check", step.DeadGroups, "below 1: choose another MaxNewTokens for the check");
        return new CheckCase(answers.Prompts, answers.Answers, s_check.Answers, s_check.Objective.KlWeight, new CheckResult(step.Reward, step.Loss, step.Kl, step.GradientNorm));
    }

    private Peer? StartPeer(string folder, int[][] prompts, int[] lengths, CheckCase check)
    {
        string[] symbols = [.. Enumerable.Range(0, s_model.VocabularySize).Select(id => s_task.Tokenizer.Decode([id]))];
        var step = new { symbols, prompts, lengths, group = s_step.Answers, beta = s_step.Objective.KlWeight, s_step.LearningRate, check };
        File.WriteAllText(Path.Combine(folder, "case.json"), JsonSerializer.Serialize(step, s_json));
        (string, int)[] sizes =
        [
            ("width", s_model.Width), ("layers", s_model.Layers), ("heads", s_model.Heads), ("hidden", ((DenseConfig)s_model.FeedForward).Hidden),
            ("vocabulary", s_model.VocabularySize), ("context", s_model.ContextLength), ("micro", s_step.MicroBatchSize),
        ];
        return Peer.Start("rollouts.py", runtime, ["--case", folder, .. sizes.SelectMany(size => new[] { $"--{size.Item1}", $"{size.Item2}" })]);
    }

    private static string Agreed(CheckCase check, CheckResult found)
    {
        CheckResult own = check.Own;
        bool Near(double a, double b) => Math.Abs(a - b) <= Agreement * Math.Abs(a);
        string both = string.Create(
            CultureInfo.InvariantCulture,
            $"On the same {check.Answers.Length} answers, here and there: reward {own.Reward:0.0000} and {found.Reward:0.0000}, loss {own.Loss:0.000000} and {found.Loss:0.000000}, divergence {own.Kl:0.00000} and {found.Kl:0.00000}, gradient norm {own.Norm:0.0000} and {found.Norm:0.0000}");
        return Math.Abs(own.Reward - found.Reward) < 1e-6 && Near(own.Loss, found.Loss) && Near(own.Kl, found.Kl) && Near(own.Norm, found.Norm)
            ? both
            : throw new InvalidOperationException($"The peer does not compute what this library does: {both}. Correct one of them before they are timed.");
    }

    private static T Ask<T>(Peer peer, string question) => JsonSerializer.Deserialize<T>(peer.Ask(question), s_json)!;

    private static void Write(Transformer model, string path) => SafetensorsFile.Write(path, model.state_dict().Select(named => (named.Key, named.Value)));

    /// <summary>Seconds of a step's parts.</summary>
    private sealed record Parts(double Rollout, double Reward, double Training);

    /// <summary>What a step finds.</summary>
    private sealed record CheckResult(double Reward, double Loss, double Kl, double Norm);

    /// <summary>Answers, and what this side finds on them.</summary>
    private sealed record CheckCase(int[][] Prompts, int[][] Answers, int Group, double Beta, CheckResult Own);

    /// <summary>Keeps the answers of the step that was judged last. It is a verifier because those see them.</summary>
    private sealed class AnswerLog : IVerifier
    {
        private readonly SortedList<int, Sample> _samples = [];

        public string Name => "answers";

        public IEnumerable<Sample> Samples => _samples.Values;

        public int[][] Prompts => [.. Samples.Select(sample => s_task.Tokenizer.Encode(sample.Problem.Prompt))];

        public int[][] Answers => [.. Samples.Select(sample => s_task.Tokenizer.Encode(sample.Completion.Text).Concat(sample.Completion.Truncated ? [] : [SymbolTokenizer.End]).ToArray())];

        public Score Judge(Sample sample)
        {
            _samples[sample.Index] = sample;
            return new Score(0, "kept");
        }
    }

    /// <summary>Countdowns whose prompts have the same number of tokens, drawn once, as a data set is.</summary>
    private sealed class QuestionPool : ITask
    {
        private readonly CountdownTask _task;
        private readonly Problem[] _problems;

        public QuestionPool(CountdownTask task, int tokens, int count)
        {
            _task = task;
            var random = new SplitMix64(1);
            IEnumerable<Problem> Drawn()
            {
                while (true)
                {
                    yield return task.Draw(Split.Train, task.Difficulties[random.Next(task.Difficulties.Count)], random.NextBits());
                }
            }

            _problems = [.. Drawn().Where(problem => task.Tokenizer.Encode(problem.Prompt).Length == tokens).Take(count)];
        }

        public string Name => _task.Name;

        public IReadOnlyList<int> Difficulties => _task.Difficulties;

        public Problem Draw(Split split, int difficulty, ulong seed) => _problems[seed % (ulong)_problems.Length];

        public Demonstration Demonstrate(int difficulty, ulong seed) => _task.Demonstrate(difficulty, seed);
    }
}
