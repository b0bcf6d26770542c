// How a layer of experts distributed a batch: what the experts compute from, and what every balance loss and routing plot is
// made from. An assignment is one token at one expert; assignments are kept in the order of the experts, so that an expert's
// tokens are one contiguous slice. No token is dropped, and nothing here waits for the device, except top-P, whose number of
// assignments only the device knows.
// Shapes: N tokens, E experts, K experts per token, A assignments.

using static TorchSharp.torch;

namespace PaperLab.Models;

/// <summary>One layer's routing of one batch.</summary>
/// <param name="Scores_NE">What the choice was made from: router logits (MoE) or activation norms (AoE). Carries gradients.</param>
/// <param name="Counts_E">Assignments of each expert.</param>
/// <param name="Tokens_A">Token of each assignment, in expert order.</param>
/// <param name="Experts_A">Expert of each assignment: ascending.</param>
/// <param name="Weights_A">p̂ of each assignment. Carries gradients.</param>
/// <param name="Places_NK">Where in expert order the K assignments of each token are, best expert first; null when a token's number of experts varies.</param>
public sealed record Routing(Tensor Scores_NE, Tensor Counts_E, Tensor Tokens_A, Tensor Experts_A, Tensor Weights_A, Tensor? Places_NK)
{
    /// <summary>The chosen experts of each token, best first.</summary>
    /// <exception cref="InvalidOperationException">The number of experts varies by token.</exception>
    public Tensor Experts_NK => Experts_A.index_select(0, Places.view(-1)).view_as(Places);

    /// <summary>Their weights.</summary>
    /// <exception cref="InvalidOperationException">The number of experts varies by token.</exception>
    public Tensor Weights_NK => Weights_A.index_select(0, Places.view(-1)).view_as(Places);

    private Tensor Places => Places_NK ?? throw new InvalidOperationException("The number of experts varies by token: read Tokens_A, Experts_A and Weights_A.");

    /// <summary>Routes by <paramref name="scores_NE"/> as <paramref name="config"/> says.</summary>
    /// <param name="bias_E">Added to a token's softmax when experts are chosen, never to a weight; null for none.</param>
    /// <param name="causal">Whether a token's experts must not depend on other tokens: in evaluation they must not.</param>
    public static Routing Of(Tensor scores_NE, RoutedConfig config, Tensor? bias_E = null, bool causal = false) => config.Selection switch
    {
        ExpertSelection.TopP => TopP(scores_NE, config.TopP, config.NormalizeWeights),
        ExpertSelection.ExpertChoice when causal => TopK(scores_NE, config.TopK, normalizeWeights: false),
        ExpertSelection.ExpertChoice => ExpertChoice(scores_NE, config.TopK),
        _ => TopK(scores_NE, config.TopK, config.NormalizeWeights, bias_E),
    };

    /// <summary>Gives every token the experts <paramref name="experts_NK"/> with the weights <paramref name="weights_NK"/>.</summary>
    public static Routing Fixed(Tensor experts_NK, Tensor weights_NK, Tensor scores_NE)
    {
        long k = experts_NK.shape[1];
        Tensor flat_A = experts_NK.reshape(-1);
        (Tensor experts_A, Tensor order_A) = sort(flat_A, 0, stable: true);
        Tensor places_A = empty_like(order_A).scatter_(0, order_A, arange(order_A.shape[0], device: order_A.device));
        return new Routing(
            scores_NE,
            flat_A.bincount(null, scores_NE.shape[1]),
            order_A.div(k, RoundingMode.floor),
            experts_A,
            weights_NK.reshape(-1).index_select(0, order_A),
            places_A.view_as(experts_NK));
    }

    /// <summary>
    /// The K highest scores of each token; weights are a softmax over the chosen, or their part of a softmax over all.
    /// </summary>
    public static Routing TopK(Tensor scores_NE, int k, bool normalizeWeights = true, Tensor? bias_E = null)
    {
        (Tensor chosen_NK, Tensor experts_NK) = (bias_E is null ? scores_NE : scores_NE.detach().softmax(-1) + bias_E).topk(k, dim: -1);
        if (bias_E is not null)
        {
            chosen_NK = scores_NE.gather(-1, experts_NK);
        }

        return Fixed(experts_NK, normalizeWeights ? chosen_NK.softmax(-1) : scores_NE.softmax(-1).gather(-1, experts_NK), scores_NE);
    }

    // The fewest of each token's highest-scored experts whose softmax reaches P; at least one.
    private static Routing TopP(Tensor scores_NE, double p, bool normalizeWeights)
    {
        (Tensor shares_NE, Tensor experts_NE) = scores_NE.softmax(-1).sort(-1, descending: true);
        Tensor before_NE = shares_NE.detach().cumsum(-1) - shares_NE.detach();
        Tensor taken_NE = before_NE.lt(p);
        Tensor kept_NE = shares_NE.masked_fill(taken_NE.logical_not(), 0);
        Tensor weights_NE = normalizeWeights ? kept_NE / kept_NE.sum([-1], keepdim: true) : kept_NE;

        // In the order of the experts: assignments are the chosen cells of the transposed table, row by row.
        Tensor weights_EN = zeros_like(weights_NE).scatter(1, experts_NE, weights_NE).t().contiguous();
        Tensor chosen_EN = zeros(weights_NE.shape, ScalarType.Bool, weights_NE.device).scatter_(1, experts_NE, taken_NE).t().contiguous();
        return OfTable(scores_NE, weights_EN, chosen_EN.view(-1).nonzero().view(-1), chosen_EN.sum(1));
    }

    // Every expert takes the same number of tokens: those that give it the largest part of their softmax, with that part as weight.
    private static Routing ExpertChoice(Tensor scores_NE, int k)
    {
        (long n, long e) = (scores_NE.shape[0], scores_NE.shape[1]);
        long capacity = Math.Min(n, ((n * k) + e - 1) / e);
        Tensor weights_EN = scores_NE.softmax(-1).t().contiguous();
        Tensor tokens_EC = weights_EN.detach().topk((int)capacity, dim: -1).indexes;
        Tensor cells_A = (tokens_EC + (arange(e, device: scores_NE.device).unsqueeze(1) * n)).view(-1);
        return OfTable(scores_NE, weights_EN, cells_A, full([e], capacity, ScalarType.Int64, scores_NE.device));
    }

    private static Routing OfTable(Tensor scores_NE, Tensor weights_EN, Tensor cells_A, Tensor counts_E)
    {
        long n = scores_NE.shape[0];
        Tensor experts_A = cells_A.div(n, RoundingMode.floor);
        return new Routing(scores_NE, counts_E, cells_A - (experts_A * n), experts_A, weights_EN.view(-1).index_select(0, cells_A), null);
    }

    /// <summary>
    /// The same computation with more assignments: each expert that has any gets more of weight 0, of the first token, until they are a
    /// multiple of <paramref name="multiple"/>. They add nothing to an output or a gradient. Waits for the device.
    /// </summary>
    internal Routing Padded(int multiple)
    {
        long[] counts = Counts_E.cpu().data<long>().ToArray();
        long[] padded = [.. counts.Select(count => (count + multiple - 1) / multiple * multiple)];
        long[] places = new long[padded.Sum()], experts = new long[places.Length];
        long none = counts.Sum(), from = 0, to = 0;
        for (int e = 0; e < counts.Length; e++)
        {
            for (int i = 0; i < padded[e]; i++, to++)
            {
                (places[to], experts[to]) = (i < counts[e] ? from + i : none, e);
            }

            from += counts[e];
        }

        Device device = Weights_A.device;
        Tensor places_P = tensor(places, device: device);
        Tensor With0(Tensor values_A) => cat([values_A, zeros(1, values_A.dtype, device)], 0).index_select(0, places_P);
        return new Routing(Scores_NE, tensor(padded, device: device), With0(Tokens_A), tensor(experts, device: device), With0(Weights_A), null);
    }

    /// <summary>All its tensors, one dispose scope further out.</summary>
    internal Routing MoveToOuterDisposeScope()
    {
        Array.ForEach([Scores_NE, Counts_E, Tokens_A, Experts_A, Weights_A], tensor => tensor.MoveToOuterDisposeScope());
        Places_NK?.MoveToOuterDisposeScope();
        return this;
    }

    /// <summary>
    /// The load-balancing loss E·Σᵢ fᵢ·Pᵢ (arXiv 2501.13074, section 2.3, after Switch Transformer): fᵢ is the share of tokens whose
    /// experts include i (with top-K the f sum to K), Pᵢ the mean softmax score of i. Its minimum, at perfect balance, is K. The
    /// gradient flows through P only: f is a count.
    /// </summary>
    public Tensor BalanceLoss()
    {
        long tokens = Scores_NE.shape[0], experts = Scores_NE.shape[1];
        Tensor f_E = Counts_E.to(ScalarType.Float32) / (float)tokens;
        Tensor p_E = Scores_NE.to(ScalarType.Float32).softmax(-1).mean([0]);
        return (f_E * p_E).sum() * (float)experts;
    }

    /// <summary>
    /// The same statistics sequence by sequence, [S, E], fp32: the assignments that each expert got from a sequence (a count), and the
    /// mean softmax score of its tokens (which carries gradients). Tokens lie sequence after sequence.
    /// </summary>
    /// <param name="sequences">S: sequences of equal length.</param>
    public (Tensor Counts_SE, Tensor P_SE) BySequence(int sequences)
    {
        long experts = Scores_NE.shape[1], tokens = Scores_NE.shape[0] / sequences;
        Tensor cells_A = (Tokens_A.div(tokens, RoundingMode.floor) * experts) + Experts_A;
        Tensor counts_SE = cells_A.bincount(null, sequences * experts).view(sequences, experts).to(ScalarType.Float32);
        return (counts_SE, Scores_NE.to(ScalarType.Float32).softmax(-1).view(sequences, tokens, experts).mean([1]));
    }

    /// <summary>The router z-loss (arXiv 2202.08906): the mean over tokens of logsumexp(scores)².</summary>
    public Tensor ZLoss() => Scores_NE.to(ScalarType.Float32).logsumexp(-1).square().mean();
}
