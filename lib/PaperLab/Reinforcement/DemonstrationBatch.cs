// Demonstrations as a batch to train on: rows padded on the right, and only completions count, the token that ends them included.
//
//   inputs    p p p c c c e e        p prompt, c completion, e the end; e after the end is padding and never read by what counts
//   targets   – – c c c e – –        – not scored

using PaperLab.Text;

namespace PaperLab.Reinforcement;

/// <summary>Makes batches of demonstrations.</summary>
public static class DemonstrationBatch
{
    /// <summary>The batch of these demonstrations, as long as the longest of them.</summary>
    /// <param name="demonstrations">One or more, in the order of the rows.</param>
    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <param name="end">The token that ends a completion.</param>
    /// <param name="context">The most tokens that the model reads.</param>
    /// <exception cref="ArgumentException">A demonstration is longer than the context; the message says which.</exception>
    public static Batch Of(IReadOnlyList<Demonstration> demonstrations, ITokenizer tokenizer, int end, int context)
    {
        Require.AtLeast(demonstrations.Count, 1, "the number of demonstrations");
        (int[] Prompt, int[] Tokens)[] rows = [.. demonstrations.Select(demonstration =>
        {
            int[] prompt = tokenizer.Encode(demonstration.Problem.Prompt);
            return (prompt, (int[])[.. prompt, .. tokenizer.Encode(demonstration.Completion), end]);
        })];
        int longest = rows.Max(row => row.Tokens.Length) - 1;
        var inputs = new long[rows.Length * longest];
        var targets = new long[rows.Length * longest];
        Array.Fill(inputs, end);
        Array.Fill(targets, Batch.Ignored);
        for (int row = 0; row < rows.Length; row++)
        {
            (int[] prompt, int[] tokens) = rows[row];
            Require.That(tokens.Length - 1 <= context, $"the number of tokens to read of demonstration {row}", tokens.Length - 1, $"up to {context}, the model's context");
            for (int t = 0; t < tokens.Length - 1; t++)
            {
                inputs[(row * longest) + t] = tokens[t];
                targets[(row * longest) + t] = t + 1 < prompt.Length ? Batch.Ignored : tokens[t + 1];
            }
        }

        return new Batch(inputs, targets, new int[rows.Length], longest);
    }
}
