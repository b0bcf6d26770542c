// Reinforcement learning of a language model by answers that a rule can judge, DeepSeek-R1-Zero's way (arXiv 2501.12948). The whole loop,
// in order: rollout, reward, advantage, loss, step; REINFORCE differs in the objective alone.
//
// Differs from the paper: the sizes. Its settings, for comparison: learning rate 3e-6, β 0.001, temperature 1, 16 answers to each of 32
// questions a step, 16 minibatches, the reference replaced every 400 steps.
//
// A loss near zero is no error: with one minibatch the ratio is 1, and advantages sum to zero in every group. Look at the reward.

using System.Diagnostics;
using PaperLab.Generation;
using PaperLab.Models;
using PaperLab.Text;
using PaperLab.Training;
using static TorchSharp.torch;

namespace PaperLab.Reinforcement;

/// <summary>Everything that decides a training's numbers, but the model that it begins from, the task and the reward. Its steps are rollouts.</summary>
public sealed record PolicyConfig : PolicyStage
{
    /// <summary>Questions of a rollout.</summary>
    public int Questions { get; init; } = 32;

    /// <summary>G: answers to each question.</summary>
    public int Answers { get; init; } = 16;

    /// <summary>Longest answer, in tokens.</summary>
    public required int MaxNewTokens { get; init; }

    /// <summary>Temperature of the rollouts, and of the log-probabilities.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>What the policy is improved by.</summary>
    public PolicyObjective Objective { get; init; } = PolicyObjective.Grpo;

    /// <summary>Optimizer steps that one rollout is used for, each on a part of its answers; from the second on, the ratio is not 1.</summary>
    public int Minibatches { get; init; } = 1;

    /// <summary>Answers of a forward pass; 0 for those of a minibatch. It decides memory, not numbers.</summary>
    public int MicroBatchSize { get; init; }

    /// <summary>AdamW's η.</summary>
    public double LearningRate { get; init; } = 3e-4;

    /// <summary>AdamW's λ.</summary>
    public double WeightDecay { get; init; }

    /// <summary>Largest norm of a gradient.</summary>
    public double GradientClip { get; init; } = 1;

    /// <summary>Steps after which the reference becomes a copy of the policy.</summary>
    public int ReferenceInterval { get; init; } = 400;

    /// <inheritdoc/>
    public override void Validate()
    {
        base.Validate();
        Require.AtLeast(Questions, 1, nameof(Questions));
        Require.AtLeast(Answers, 2, nameof(Answers));
        Require.AtLeast(MaxNewTokens, 1, nameof(MaxNewTokens));
        Require.That(Temperature > 0 && double.IsFinite(Temperature), nameof(Temperature), Temperature, "above 0: a policy that never tries anything learns nothing");
        Require.That(Minibatches >= 1 && Questions * Answers % Minibatches == 0, nameof(Minibatches), Minibatches, $"a divisor of the {Questions * Answers} answers of a rollout");
        Require.AtLeast(MicroBatchSize, 0, nameof(MicroBatchSize));
        Require.AtLeast(ReferenceInterval, 1, nameof(ReferenceInterval));
        Objective.Validate();
    }
}

/// <summary>What one step did; means over its answers unless it says otherwise.</summary>
/// <param name="Step">1-based.</param>
/// <param name="Reward">Reward.</param>
/// <param name="Verifiers">Value of every verifier, by name, without its weight.</param>
/// <param name="Length">Tokens of an answer.</param>
/// <param name="Truncated">Share of the answers that were cut off.</param>
/// <param name="DeadGroups">Share of the questions whose answers all have the same reward: they teach nothing.</param>
/// <param name="Entropy">Entropy of the distribution that a token was drawn from, nats, over tokens, before the step.</param>
/// <param name="Kl">Divergence from the reference, over tokens; 0 where the objective has none.</param>
/// <param name="ClipShare">Share of the tokens whose ratio was clipped, over the minibatches.</param>
/// <param name="Loss">Loss, over the minibatches.</param>
/// <param name="GradientNorm">Norm of the gradient before it was clipped, over the minibatches.</param>
/// <param name="RolloutSeconds">Time of drawing the answers.</param>
/// <param name="RewardSeconds">Time of judging them.</param>
/// <param name="TrainingSeconds">Time of the optimizer steps.</param>
public sealed record PolicyStep(
    int Step,
    double Reward,
    IReadOnlyDictionary<string, double> Verifiers,
    double Length,
    double Truncated,
    double DeadGroups,
    double Entropy,
    double Kl,
    double ClipShare,
    double Loss,
    double GradientNorm,
    double RolloutSeconds,
    double RewardSeconds,
    double TrainingSeconds)
{
    private const int Digits = 6;

    /// <summary>As records hold it: six significant digits.</summary>
    internal PolicyStep Rounded() => new(
        Step,
        Round(Reward),
        Verifiers.ToDictionary(verifier => verifier.Key, verifier => Round(verifier.Value)),
        Round(Length),
        Round(Truncated),
        Round(DeadGroups),
        Round(Entropy),
        Round(Kl),
        Round(ClipShare),
        Round(Loss),
        Round(GradientNorm),
        Round(RolloutSeconds),
        Round(RewardSeconds),
        Round(TrainingSeconds));

    internal static double Round(double value) => double.Parse(value.ToString($"G{Digits}"));
}

/// <summary>Improves a policy in place.</summary>
public sealed class PolicyTrainer : IStageTrainer
{
    private const string ReferencePrefix = "reference/";

    private readonly PolicyConfig _config;
    private readonly Transformer _policy;
    private readonly ITokenizer _tokenizer;
    private readonly int _end;
    private readonly ITask _task;
    private readonly CombinedReward _reward;
    private readonly TextGenerator _generator;
    private readonly AdamW _optimizer;
    private readonly PolicyReference? _reference;

    /// <param name="config">How.</param>
    /// <param name="policy">The model to improve.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="end">The token that ends an answer.</param>
    /// <param name="task">What is asked.</param>
    /// <param name="reward">What is wanted.</param>
    /// <exception cref="ArgumentException">A field of the config is out of range.</exception>
    public PolicyTrainer(PolicyConfig config, Transformer policy, ITokenizer tokenizer, int end, ITask task, CombinedReward reward)
    {
        config.Validate();
        (_config, _policy, _tokenizer, _end, _task, _reward) = (config, policy, tokenizer, end, task, reward);
        _generator = new TextGenerator(policy);
        _optimizer = new AdamW(policy.named_parameters(), config.LearningRate, config.WeightDecay);
        _reference = config.Objective.KlWeight > 0 ? new PolicyReference(policy) : null;
    }

    /// <summary>Trains from the first step to the last; each as it is done.</summary>
    /// <exception cref="VerifierException">A verifier failed; the message names the sample.</exception>
    /// <exception cref="TrainingDivergedException">The loss or a gradient is no longer a number.</exception>
    public IEnumerable<PolicyStep> Train(CancellationToken cancellation = default)
    {
        for (int step = 1; step <= _config.Steps; step++)
        {
            yield return Take(step, cancellation);
        }
    }

    /// <summary>Takes one step. Everything that it draws follows from the config's seed and the step.</summary>
    /// <param name="step">1-based.</param>
    /// <param name="cancellation">Ends it before the policy is changed.</param>
    /// <exception cref="VerifierException">A verifier failed; the message names the sample.</exception>
    /// <exception cref="TrainingDivergedException">The loss or a gradient is no longer a number.</exception>
    public PolicyStep Take(int step, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        var clock = Stopwatch.StartNew();
        (Rollout rollout, ulong order) = Roll(step, cancellation);
        TimeSpan rolled = clock.Elapsed;
        JudgedBatch judged = _reward.Judge(rollout.Samples, cancellation);
        TimeSpan rewarded = clock.Elapsed;
        double[] rewards = [.. judged.Samples.Select(sample => sample.Reward)];
        Improvement done = Improve(rollout, order, rewards, step);
        if (step % _config.ReferenceInterval == 0)
        {
            _reference?.Renew();
        }

        return new PolicyStep(
            step,
            judged.MeanReward,
            _reward.Parts.ToDictionary(part => part.Verifier.Name, part => judged.Mean(part.Verifier.Name)),
            rollout.Answers.Average(answer => answer.Tokens.Count),
            judged.Truncated / (double)rewards.Length,
            rewards.Chunk(_config.Answers).Average(group => PolicyObjective.IsDead(group) ? 1.0 : 0),
            done.Entropy,
            done.Kl,
            done.ClipShare,
            done.Loss,
            done.GradientNorm,
            rolled.TotalSeconds,
            (rewarded - rolled).TotalSeconds,
            (clock.Elapsed - rewarded).TotalSeconds);
    }

    StageStep IStageTrainer.Take(int step, CancellationToken cancellation)
    {
        PolicyStep taken = Take(step, cancellation);
        return new StageStep(taken.Loss, taken);
    }

    IReadOnlyDictionary<string, Tensor> IStageTrainer.State()
    {
        var state = new Dictionary<string, Tensor>(_optimizer.State());
        foreach ((string name, Tensor value) in _reference?.State() ?? [])
        {
            state.Add(ReferencePrefix + name, value);
        }

        return state;
    }

    void IStageTrainer.Load(IReadOnlyDictionary<string, Tensor> state)
    {
        _optimizer.Load(state.Where(named => !named.Key.StartsWith(ReferencePrefix, StringComparison.Ordinal)).ToDictionary());
        using var noGrad = no_grad();
        foreach ((string name, Tensor value) in _reference?.State() ?? [])
        {
            value.copy_(state[ReferencePrefix + name]);
        }
    }

    /// <summary>Frees the optimizer and the reference; the policy stays.</summary>
    public void Dispose()
    {
        _optimizer.ZeroGradients();
        _optimizer.Dispose();
        _reference?.Dispose();
    }

    // Rollout: G answers to each of the step's questions, and a seed for their order in the minibatches. All of it follows from seed and step.
    private (Rollout Rollout, ulong Order) Roll(int step, CancellationToken cancellation)
    {
        var random = new SplitMix64(((ulong)_config.Seed << 32) + (ulong)step);
        ulong draws = random.NextBits();
        Problem[] problems = new Problem[_config.Questions];
        for (int i = 0; i < problems.Length; i++)
        {
            problems[i] = _task.Draw(Split.Train, _task.Difficulties[random.Next(_task.Difficulties.Count)], random.NextBits());
        }

        var options = new SamplingOptions { MaxNewTokens = _config.MaxNewTokens, Temperature = _config.Temperature, StopTokens = [_end], Seed = draws };
        return (Rollout.Draw(_generator, _tokenizer, problems, _config.Answers, options, cancellation), random.NextBits());
    }

    // Advantage, loss, step: each minibatch moves the policy once.
    private Improvement Improve(Rollout rollout, ulong order, double[] rewards, int step)
    {
        using var scope = NewDisposeScope();
        double[] advantages = _config.Objective.Advantages(rewards, _config.Answers);
        int[] rows = _config.Objective.Kept(rewards, _config.Answers);
        new SplitMix64(order).Shuffle(rows.AsSpan());

        // The policy that drew them, before it moves; with one minibatch it is the policy that is moved.
        Tensor[]? old = _config.Minibatches == 1 ? null : Before(rollout, rows);
        var read = new List<Improvement>();
        foreach (int[] minibatch in rows.Chunk(rewards.Length / _config.Minibatches))
        {
            using var stepScope = NewDisposeScope();
            _optimizer.ZeroGradients();
            int[] lengths = [.. minibatch.Select(row => rollout.Answers[row].Tokens.Count)];
            Dictionary<int, double> weights = minibatch.Zip(_config.Objective.Weights(lengths)).ToDictionary(pair => pair.First, pair => pair.Second);
            double tokens = lengths.Sum();
            Tensor sums = zeros(4, device: _policy.Device); // loss; clip share, divergence and entropy, each times its share of the tokens

            foreach (int[] micro in rollout.MicroBatches(minibatch, _config.MicroBatchSize))
            {
                using var microScope = NewDisposeScope();
                AnswerBatch batch = rollout.Batch(micro, _policy.Device);
                (Tensor logProbs_N, Tensor entropy_N) = batch.Score(_policy, _config.Temperature);
                Tensor old_N = old is null ? logProbs_N.detach() : cat([.. micro.Select(row => old[row])]);
                Tensor? reference_N = _reference is null ? null : Frozen(() => _reference.With(model => batch.Score(model, _config.Temperature).LogProbs_N));
                PolicyLoss loss = PolicyLoss.Of(
                    logProbs_N, old_N, reference_N, batch.PerToken([.. micro.Select(row => advantages[row])]), batch.PerToken([.. micro.Select(row => weights[row])]), _config.Objective);
                loss.Loss.backward();
                double share = logProbs_N.shape[0] / tokens;
                sums.add_(stack([loss.Loss.detach(), loss.ClipShare * share, loss.Kl * share, entropy_N.mean() * share]));
            }

            Tensor norm = _optimizer.ClipGradients(_config.GradientClip);
            Tensor all = cat([sums, norm.to(ScalarType.Float32).view(1)]);
            _optimizer.Step(unless: all.isfinite().all().logical_not().to(ScalarType.Float32));
            float[] values = all.cpu().data<float>().ToArray();
            if (!values.All(float.IsFinite))
            {
                throw new TrainingDivergedException(
                    $"Step {step} of the policy's training, seed {_config.Seed}, has loss {values[0]} and a gradient of norm {values[4]}. The step was not taken. Try a smaller LearningRate (it is {_config.LearningRate}) or a larger KlWeight (it is {_config.Objective.KlWeight}).");
            }

            read.Add(new Improvement(values[0], values[1], values[2], values[3], values[4]));
        }

        // Every group was dead and dropped: there was nothing to learn from.
        return read.Count == 0
            ? new Improvement(0, 0, 0, 0, 0)
            : new Improvement(read.Average(i => i.Loss), read.Average(i => i.ClipShare), read.Average(i => i.Kl), read[0].Entropy, read.Average(i => i.GradientNorm));
    }

    // log π_old of the answers' tokens, by the row of each answer.
    private Tensor[] Before(Rollout rollout, int[] rows)
    {
        var old = new Tensor[rollout.Answers.Count];
        foreach (int[] micro in rollout.MicroBatches(rows, _config.MicroBatchSize))
        {
            AnswerBatch batch = rollout.Batch(micro, _policy.Device);
            Tensor[] parts = Frozen(() => batch.Score(_policy, _config.Temperature).LogProbs_N).split([.. batch.Lengths.Select(length => (long)length)]);
            foreach ((int row, Tensor part) in micro.Zip(parts))
            {
                old[row] = part;
            }
        }

        return old;
    }

    private static Tensor Frozen(Func<Tensor> compute)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        return compute().MoveToOuterDisposeScope();
    }

    private readonly record struct Improvement(double Loss, double ClipShare, double Kl, double Entropy, double GradientNorm);
}
