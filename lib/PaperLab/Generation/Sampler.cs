// From logits to tokens. One uniform number decides a row's token by inverting the cumulative distribution, so a row needs no noise
// of the vocabulary's size and its choice depends on nothing but its own logits and number.
// Shapes: B rows, V vocabulary.

using static TorchSharp.torch;

namespace PaperLab.Generation;

internal static class Sampler
{
    /// <summary>Draws a token for every row.</summary>
    /// <param name="logits_BV">Logits of the next token.</param>
    /// <param name="uniform_B">One number in [0, 1) for each row; not read at temperature 0.</param>
    /// <returns>Tokens [B], and their log-probabilities [B] as <see cref="Continuation.LogProbs"/> defines them.</returns>
    public static (Tensor Tokens_B, Tensor LogProbs_B) Draw(Tensor logits_BV, Tensor uniform_B, SamplingOptions options)
    {
        bool greedy = options.Temperature == 0;
        Tensor scaled_BV = logits_BV.to(ScalarType.Float32);
        scaled_BV = greedy || options.Temperature == 1 ? scaled_BV : scaled_BV / (float)options.Temperature;
        Tensor logProbs_BV = scaled_BV.log_softmax(-1);
        Tensor tokens_B = greedy ? logProbs_BV.argmax(-1) : Inverted(Filtered(logProbs_BV.exp(), options), uniform_B);
        return (tokens_B, logProbs_BV.gather(-1, tokens_B.unsqueeze(-1)).squeeze(-1));
    }

    /// <summary>Probabilities with the tokens that the filters exclude at 0; not normalised again. The likeliest token always stays.</summary>
    internal static Tensor Filtered(Tensor probs_BV, SamplingOptions options)
    {
        if (options.TopK > 0 && options.TopK < probs_BV.shape[1])
        {
            Tensor lowest_B1 = probs_BV.topk(options.TopK, -1).values.narrow(-1, options.TopK - 1, 1);
            probs_BV = probs_BV.masked_fill(probs_BV.lt(lowest_B1), 0);
        }

        if (options.TopP < 1)
        {
            (Tensor sorted_BV, Tensor order_BV) = probs_BV.sort(-1, descending: true);
            Tensor before_BV = sorted_BV.cumsum(-1) - sorted_BV;
            Tensor needed_B1 = sorted_BV.sum([-1], keepdim: true) * (float)options.TopP;
            probs_BV = zeros_like(probs_BV).scatter_(-1, order_BV, sorted_BV.masked_fill(before_BV.ge(needed_B1), 0));
        }

        if (options.MinP > 0)
        {
            Tensor least_B1 = probs_BV.amax([-1], keepdim: true) * (float)options.MinP;
            probs_BV = probs_BV.masked_fill(probs_BV.lt(least_B1), 0);
        }

        return probs_BV;
    }

    // The first token whose cumulative probability passes the row's number; one of probability 0 adds nothing and is never first.
    private static Tensor Inverted(Tensor probs_BV, Tensor uniform_B)
    {
        Tensor cumulative_BV = probs_BV.cumsum(-1);
        Tensor target_B1 = uniform_B.unsqueeze(-1) * cumulative_BV.narrow(-1, cumulative_BV.shape[1] - 1, 1);
        return cumulative_BV.le(target_B1).sum(-1).clamp_max(cumulative_BV.shape[1] - 1);
    }
}
