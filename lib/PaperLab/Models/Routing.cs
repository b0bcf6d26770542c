// How a layer of experts distributed a batch: what the balance loss and every routing plot are made from.
// Shapes: N tokens, E experts, K experts per token.

using static TorchSharp.torch;

namespace PaperLab.Models;

/// <summary>One layer's routing of one batch.</summary>
/// <param name="Experts_NK">The chosen experts of each token, best first.</param>
/// <param name="Weights_NK">p̂: their weights; with normalised weights they sum to 1 for each token. Carries gradients.</param>
/// <param name="Scores_NE">What the choice was made from: router logits (MoE) or activation norms (AoE). Carries gradients.</param>
/// <param name="Counts_E">Tokens that chose each expert.</param>
public sealed record Routing(Tensor Experts_NK, Tensor Weights_NK, Tensor Scores_NE, Tensor Counts_E)
{
    /// <summary>
    /// The load-balancing loss E·Σᵢ fᵢ·Pᵢ (arXiv 2501.13074, section 2.3, after Switch Transformer): fᵢ is the share of tokens whose
    /// top-K holds i (the f sum to K), Pᵢ the mean softmax score of i. Its minimum, at perfect balance, is K. The gradient flows
    /// through P only: f is a count.
    /// </summary>
    public Tensor BalanceLoss()
    {
        long tokens = Scores_NE.shape[0], experts = Scores_NE.shape[1];
        Tensor f_E = Counts_E.to(ScalarType.Float32) / (float)tokens;
        Tensor p_E = Scores_NE.softmax(-1).mean([0]);
        return (f_E * p_E).sum() * (float)experts;
    }

    /// <summary>Chooses the K highest scores of each token; weighs them by a softmax over the chosen, or by their part of a softmax over all.</summary>
    public static Routing TopK(Tensor scores_NE, int k, bool normalizeWeights = true)
    {
        (Tensor chosen_NK, Tensor experts_NK) = scores_NE.topk(k, dim: -1);
        Tensor counts_E = experts_NK.reshape(-1).bincount(null, scores_NE.shape[1]);
        Tensor weights_NK = normalizeWeights ? chosen_NK.softmax(-1) : scores_NE.softmax(-1).gather(-1, experts_NK);
        return new Routing(experts_NK, weights_NK, scores_NE, counts_E);
    }
}
