// Direct preference optimization (arXiv 2305.18290): the policy learns from comparisons as if its own log-probabilities were the reward,
// without a reward model and without drawing answers. Equation 7, the mean over pairs of
//
//   −log σ(r(x, y_c) − r(x, y_r)),   r(x, y) = β (log π(y | x) − log π_ref(y | x))
//
// π_ref is the policy as it was at the start. The pairs are given once and for all, so its log-probabilities are computed once, and no
// second model is kept.
//
// Differs from the paper: the sizes, AdamW for RMSprop, and no warm-up. Its settings, for comparison: learning rate 1e-6, β 0.1, 64 pairs
// a step.
//
// The chosen answers' own probability may fall while the loss does: only the difference counts. Look at both rewards.
// Shapes: P pairs.

using PaperLab.Models;
using PaperLab.Reinforcement;
using PaperLab.Text;
using PaperLab.Training;
using static TorchSharp.torch;

namespace PaperLab.Preference;

/// <summary>Everything that decides a training's numbers, but the policy that it begins from and the pairs.</summary>
public sealed record DpoConfig
{
    /// <summary>Seed of the order of the pairs.</summary>
    public required int Seed { get; init; }

    /// <summary>Steps.</summary>
    public required int Steps { get; init; }

    /// <summary>Pairs of a step. Every pair comes once before any comes again.</summary>
    public int BatchSize { get; init; } = 32;

    /// <summary>Pairs of a forward pass, those of like length together; 0 for all of a step. It decides memory and time, not numbers.</summary>
    public int MicroBatchSize { get; init; }

    /// <summary>β: how dear it is to leave the policy of the start.</summary>
    public double Beta { get; init; } = 0.1;

    /// <summary>AdamW's η.</summary>
    public double LearningRate { get; init; } = 3e-4;

    /// <summary>AdamW's λ.</summary>
    public double WeightDecay { get; init; }

    /// <summary>Largest norm of a gradient.</summary>
    public double GradientClip { get; init; } = 1;

    /// <summary>Throws with the field, its value and the allowed range.</summary>
    /// <exception cref="ArgumentException">A field is out of range.</exception>
    public void Validate()
    {
        Require.AtLeast(Steps, 1, nameof(Steps));
        Require.AtLeast(BatchSize, 1, nameof(BatchSize));
        Require.AtLeast(MicroBatchSize, 0, nameof(MicroBatchSize));
        Require.That(Beta > 0 && double.IsFinite(Beta), nameof(Beta), Beta, "a finite number above 0");
        Require.That(LearningRate > 0 && double.IsFinite(LearningRate), nameof(LearningRate), LearningRate, "a finite number above 0");
        Require.That(WeightDecay >= 0 && double.IsFinite(WeightDecay), nameof(WeightDecay), WeightDecay, "a finite number, 0 or more");
        Require.That(GradientClip > 0, nameof(GradientClip), GradientClip, "above 0");
    }
}

/// <summary>A comparison as the policy's tokens.</summary>
/// <param name="Prompt">x, as the policy is asked.</param>
/// <param name="Chosen">y_c, the token that ends it included.</param>
/// <param name="Rejected">y_r, the token that ends it included.</param>
public sealed record TokenPair(IReadOnlyList<int> Prompt, IReadOnlyList<int> Chosen, IReadOnlyList<int> Rejected)
{
    /// <summary>Tokens that a forward pass of both answers reads: each after its prompt, and nothing is read after a last token.</summary>
    public int TokensRead => (2 * Prompt.Count) + Chosen.Count + Rejected.Count - 2;

    internal int Longest => Prompt.Count + Math.Max(Chosen.Count, Rejected.Count) - 1;

    /// <summary>A comparison of texts.</summary>
    /// <param name="pair">The texts.</param>
    /// <param name="prompt">What the policy is given when it is to answer the pair's query.</param>
    /// <param name="tokenizer">The policy's.</param>
    /// <param name="end">The token that ends an answer.</param>
    public static TokenPair Of(PreferencePair pair, string prompt, ITokenizer tokenizer, int end) =>
        new(tokenizer.Encode(prompt), [.. tokenizer.Encode(pair.Chosen), end], [.. tokenizer.Encode(pair.Rejected), end]);
}

/// <summary>One step, as it was before the policy moved.</summary>
/// <param name="Step">1-based.</param>
/// <param name="Loss">Mean over the step's pairs; log 2 for the policy of the start.</param>
/// <param name="Accuracy">Share of the pairs whose chosen answer has the higher implicit reward; of the first step, where both are 0, rounding alone decides it.</param>
/// <param name="ChosenReward">Mean r(x, y_c).</param>
/// <param name="RejectedReward">Mean r(x, y_r).</param>
/// <param name="GradientNorm">Norm of the gradient before it was clipped.</param>
/// <param name="TokensRead">Tokens of the step's pairs, padding left out: each went through a forward and a backward pass.</param>
public sealed record DpoStep(int Step, double Loss, double Accuracy, double ChosenReward, double RejectedReward, double GradientNorm, int TokensRead)
{
    /// <summary>Mean r(x, y_c) − r(x, y_r).</summary>
    public double Margin => ChosenReward - RejectedReward;
}

/// <summary>Loss and implicit rewards of pairs, [P] each; only the loss has a gradient.</summary>
internal readonly record struct DpoLoss(Tensor Loss_P, Tensor Chosen_P, Tensor Rejected_P)
{
    /// <param name="logProbs_2P">log π of the chosen answers, then of the rejected ones in the same order.</param>
    /// <param name="reference_2P">log π_ref of the same.</param>
    /// <param name="beta">β.</param>
    public static DpoLoss Of(Tensor logProbs_2P, Tensor reference_2P, double beta)
    {
        Tensor[] rewards_P = ((logProbs_2P - reference_2P) * beta).chunk(2);
        return new DpoLoss(BradleyTerry.Loss(rewards_P[0], rewards_P[1]), rewards_P[0].detach(), rewards_P[1].detach());
    }
}

/// <summary>Improves a policy in place, on pairs that are given.</summary>
public sealed class DpoTrainer : IDisposable
{
    private readonly DpoConfig _config;
    private readonly Transformer _policy;
    private readonly IReadOnlyList<TokenPair> _pairs;
    private readonly (float Chosen, float Rejected)[] _reference;
    private readonly AdamW _optimizer;
    private readonly int[] _order;
    private long _epoch = -1; // whose order it is

    /// <summary>Scores every pair with the policy as it is, which costs a forward pass of <see cref="ReferenceTokens"/> tokens.</summary>
    /// <param name="config">How.</param>
    /// <param name="policy">The model to improve.</param>
    /// <param name="pairs">One or more.</param>
    /// <exception cref="ArgumentException">A field is out of range, or a pair has a text without tokens, one longer than the policy's context, a token that the policy does not know, or a log-probability that is not finite; the message names the pair.</exception>
    public DpoTrainer(DpoConfig config, Transformer policy, IReadOnlyList<TokenPair> pairs)
    {
        config.Validate();
        Require.AtLeast(pairs.Count, 1, "the number of pairs");
        for (int i = 0; i < pairs.Count; i++)
        {
            RequireFits(pairs[i], i, policy.Config);
        }

        (_config, _policy, _pairs) = (config, policy, pairs);
        _order = new int[pairs.Count];
        _reference = Reference();
        ReferenceTokens = pairs.Sum(pair => (long)pair.TokensRead);
        _optimizer = new AdamW(policy.named_parameters(), config.LearningRate, config.WeightDecay);
    }

    /// <summary>Tokens that the reference's log-probabilities cost: each went through a forward pass.</summary>
    public long ReferenceTokens { get; }

    /// <summary>Trains from the first step to the last; each as it is done.</summary>
    /// <exception cref="TrainingDivergedException">The loss or a gradient is no longer a number.</exception>
    public IEnumerable<DpoStep> Train(CancellationToken cancellation = default)
    {
        for (int step = 1; step <= _config.Steps; step++)
        {
            yield return Take(step, cancellation);
        }
    }

    /// <summary>Takes one step. Its pairs follow from the config's seed and the step.</summary>
    /// <param name="step">1-based.</param>
    /// <param name="cancellation">Ends it before the policy is changed.</param>
    /// <exception cref="TrainingDivergedException">The loss or a gradient is no longer a number; the step was not taken.</exception>
    public DpoStep Take(int step, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        using var scope = NewDisposeScope();
        int[] drawn = Draw(step);
        _optimizer.ZeroGradients();
        Tensor means = zeros(4, device: _policy.Device); // loss, accuracy, rewards of the chosen and of the rejected
        foreach (int[] micro in MicroBatches(drawn))
        {
            using var microScope = NewDisposeScope();
            Tensor reference_2P = tensor([.. micro.Select(i => _reference[i].Chosen), .. micro.Select(i => _reference[i].Rejected)], device: _policy.Device);
            DpoLoss pairs = DpoLoss.Of(LogProbs(micro), reference_2P, _config.Beta);
            Tensor loss = pairs.Loss_P.sum() / drawn.Length;
            loss.backward();
            Tensor right = pairs.Chosen_P.gt(pairs.Rejected_P).to(ScalarType.Float32).sum();
            means.add_(stack([loss.detach(), right / drawn.Length, pairs.Chosen_P.sum() / drawn.Length, pairs.Rejected_P.sum() / drawn.Length]));
        }

        Tensor norm = _optimizer.ClipGradients(_config.GradientClip);
        Tensor all = cat([means, norm.to(ScalarType.Float32).view(1)]);
        _optimizer.Step(unless: all.isfinite().all().logical_not().to(ScalarType.Float32));
        float[] values = all.cpu().data<float>().ToArray();
        return values.All(float.IsFinite)
            ? new DpoStep(step, values[0], values[1], values[2], values[3], values[4], drawn.Sum(i => _pairs[i].TokensRead))
            : throw new TrainingDivergedException(
                $"Step {step} of DPO, seed {_config.Seed}, has loss {values[0]} and a gradient of norm {values[4]}. The step was not taken. Try a smaller LearningRate (it is {_config.LearningRate}).");
    }

    /// <summary>Frees the optimizer; the policy stays.</summary>
    public void Dispose()
    {
        _optimizer.ZeroGradients();
        _optimizer.Dispose();
    }

    // Epoch after epoch of all pairs, each in an order of its own; a step takes its part of that row.
    private int[] Draw(int step)
    {
        int[] drawn = new int[_config.BatchSize];
        for (int i = 0; i < drawn.Length; i++)
        {
            (long epoch, long place) = Math.DivRem(((long)(step - 1) * drawn.Length) + i, _order.Length);
            if (epoch != _epoch)
            {
                _epoch = epoch;
                Array.Copy(Enumerable.Range(0, _order.Length).ToArray(), _order, _order.Length);
                new SplitMix64(((ulong)_config.Seed << 32) + (ulong)epoch).Shuffle(_order.AsSpan());
            }

            drawn[i] = _order[place];
        }

        return drawn;
    }

    private IEnumerable<int[]> MicroBatches(int[] rows) =>
        rows.OrderBy(i => _pairs[i].Longest).Chunk(_config.MicroBatchSize > 0 ? _config.MicroBatchSize : _config.BatchSize);

    // log π(y | x), summed over the answer's tokens: of the chosen answers, then of the rejected ones, [2P].
    private Tensor LogProbs(int[] rows)
    {
        TokenPair[] pairs = [.. rows.Select(i => _pairs[i])];
        var batch = new AnswerBatch([.. pairs.Concat(pairs).Select(pair => pair.Prompt)], [.. pairs.Select(pair => pair.Chosen), .. pairs.Select(pair => pair.Rejected)], _policy.Device);
        return batch.PerRow(batch.Score(_policy, temperature: 1).LogProbs_N);
    }

    private (float Chosen, float Rejected)[] Reference()
    {
        using var noGrad = no_grad();
        var reference = new (float Chosen, float Rejected)[_pairs.Count];
        foreach (int[] micro in MicroBatches([.. Enumerable.Range(0, _pairs.Count)]))
        {
            using var scope = NewDisposeScope();
            float[] logProbs = LogProbs(micro).cpu().data<float>().ToArray();
            for (int i = 0; i < micro.Length; i++)
            {
                reference[micro[i]] = (logProbs[i], logProbs[micro.Length + i]);
            }
        }

        int bad = Array.FindIndex(reference, pair => !float.IsFinite(pair.Chosen + pair.Rejected));
        Require.That(bad < 0, $"the policy's log-probabilities of pair {bad}'s answers", bad < 0 ? null : reference[bad], "finite numbers; look whether the policy's weights are");
        return reference;
    }

    private static void RequireFits(TokenPair pair, int i, TransformerConfig policy)
    {
        Require.AtLeast(pair.Prompt.Count, 1, $"the number of tokens of pair {i}'s prompt");
        Require.AtLeast(pair.Chosen.Count, 1, $"the number of tokens of pair {i}'s chosen answer");
        Require.AtLeast(pair.Rejected.Count, 1, $"the number of tokens of pair {i}'s rejected answer");
        Require.That(pair.Longest <= policy.ContextLength, $"the length of pair {i}, in tokens", pair.Longest, $"up to {policy.ContextLength}, the policy's context");
        int[] unknown = [.. pair.Prompt.Concat(pair.Chosen).Concat(pair.Rejected).Where(token => token < 0 || token >= policy.VocabularySize).Take(1)];
        Require.That(unknown.Length == 0, $"a token of pair {i}", string.Join("", unknown), $"0 to {policy.VocabularySize - 1}, the policy's vocabulary");
    }
}
