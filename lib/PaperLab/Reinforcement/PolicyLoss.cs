// The loss of GRPO and its relatives, over the tokens of answers.
// Shapes: B answers, T tokens of the longest prompt and answer, N answer tokens of all rows in row order, C width, V vocabulary.

using PaperLab.Generation;
using PaperLab.Models;
using static TorchSharp.torch;

namespace PaperLab.Reinforcement;

/// <summary>Answers as a model reads them: each after its prompt, padded on the right, where no token looks.</summary>
internal sealed class AnswerBatch
{
    private readonly Tensor _tokens_BT;
    private readonly Tensor _places_N;  // of the token before, in the flattened batch
    private readonly Tensor _answers_N;
    private readonly Tensor _rows_N;

    /// <param name="prompts">Of every row.</param>
    /// <param name="answers">Of every row, at least one token each, the one that ended it included.</param>
    /// <param name="device">Where the model is.</param>
    public AnswerBatch(IReadOnlyList<IReadOnlyList<int>> prompts, IReadOnlyList<IReadOnlyList<int>> answers, Device device)
    {
        int longest = prompts.Zip(answers, (prompt, answer) => prompt.Count + answer.Count).Max() - 1; // nothing follows a row's last token
        long[] tokens = new long[prompts.Count * longest];
        var places = new List<long>();
        for (int row = 0; row < prompts.Count; row++)
        {
            (IReadOnlyList<int> prompt, IReadOnlyList<int> answer) = (prompts[row], answers[row]);
            for (int t = 0; t < prompt.Count + answer.Count - 1; t++)
            {
                tokens[(row * longest) + t] = t < prompt.Count ? prompt[t] : answer[t - prompt.Count];
            }

            places.AddRange(Enumerable.Range((row * longest) + prompt.Count - 1, answer.Count).Select(place => (long)place));
        }

        Lengths = [.. answers.Select(answer => answer.Count)];
        _tokens_BT = tensor(tokens, [prompts.Count, longest], device: device);
        _places_N = tensor(places.ToArray(), device: device);
        _answers_N = tensor(answers.SelectMany(answer => answer).Select(token => (long)token).ToArray(), device: device);
        _rows_N = tensor(Lengths.SelectMany((length, row) => Enumerable.Repeat((long)row, length)).ToArray(), device: device);
    }

    /// <summary>|o| of every row.</summary>
    public IReadOnlyList<int> Lengths { get; }

    /// <summary>A number of every row as one of each of its tokens, [N].</summary>
    public Tensor PerToken(IReadOnlyList<double> values) =>
        tensor(values.Select(value => (float)value).ToArray(), device: _rows_N.device).index_select(0, _rows_N);

    /// <summary>The sum over each row's answer tokens, [B].</summary>
    /// <param name="values_N">A number of every answer token.</param>
    public Tensor PerRow(Tensor values_N) => zeros(Lengths.Count, values_N.dtype, values_N.device).index_add(0, _rows_N, values_N, 1);

    /// <summary>The log-probability of every answer token, as <see cref="Continuation.LogProbs"/> defines it, and the entropy of the distribution it was drawn from, [N] each.</summary>
    /// <param name="model">The policy.</param>
    /// <param name="temperature">Of the sampling.</param>
    public (Tensor LogProbs_N, Tensor Entropy_N) Score(Transformer model, double temperature)
    {
        // One tensor of N·V lives on for the gradients; each of the others is as large, so none is kept longer than it is needed.
        using var scope = NewDisposeScope();
        Tensor hidden_NC = model.Hidden(_tokens_BT).Hidden_BTC.flatten(0, 1).index_select(0, _places_N);
        Tensor logits_NV = model.Logits(hidden_NC).to(ScalarType.Float32);
        Tensor logProbs_NV = (temperature == 1 ? logits_NV : logits_NV / (float)temperature).log_softmax(-1);
        Tensor entropy_N;
        using (no_grad())
        {
            entropy_N = -logProbs_NV.exp().mul_(logProbs_NV).sum(-1);
        }

        return (logProbs_NV.gather(-1, _answers_N.unsqueeze(-1)).squeeze(-1).MoveToOuterDisposeScope(), entropy_N.MoveToOuterDisposeScope());
    }
}

/// <summary>The loss, and what is told of it; each a tensor without dimensions.</summary>
/// <param name="Loss">To be made small.</param>
/// <param name="ClipShare">Share of the tokens whose ratio was clipped.</param>
/// <param name="Kl">Mean divergence from the reference over the tokens; 0 without one.</param>
internal readonly record struct PolicyLoss(Tensor Loss, Tensor ClipShare, Tensor Kl)
{
    /// <summary>
    /// −Σ w (min(ρA, clip(ρ, 1 − ε, 1 + ε) A) − β KL), with ρ = π/π_old and the estimate KL = π_ref/π − log(π_ref/π) − 1
    /// (arXiv 2501.12948, equations 1 and 2).
    /// </summary>
    /// <param name="logProbs_N">log π of every token, with its gradient.</param>
    /// <param name="old_N">log π_old: that of the policy which drew them.</param>
    /// <param name="reference_N">log π_ref; null where β is 0.</param>
    /// <param name="advantages_N">A of every token's answer.</param>
    /// <param name="weights_N">w of every token.</param>
    /// <param name="objective">ε and β.</param>
    public static PolicyLoss Of(Tensor logProbs_N, Tensor old_N, Tensor? reference_N, Tensor advantages_N, Tensor weights_N, PolicyObjective objective)
    {
        Tensor ratio_N = (logProbs_N - old_N).exp();
        Tensor free_N = ratio_N * advantages_N;
        Tensor clipped_N = ratio_N.clamp(1 - objective.ClipLow, 1 + objective.ClipHigh) * advantages_N;
        Tensor gain_N = minimum(free_N, clipped_N);
        Tensor kl = zeros([], device: logProbs_N.device);
        if (objective.KlWeight > 0)
        {
            Tensor difference_N = reference_N! - logProbs_N;
            Tensor kl_N = difference_N.exp() - difference_N - 1;
            gain_N -= objective.KlWeight * kl_N;
            kl = kl_N.detach().mean();
        }

        return new PolicyLoss(-(weights_N * gain_N).sum(), clipped_N.detach().lt(free_N.detach()).to(ScalarType.Float32).mean(), kl);
    }
}
