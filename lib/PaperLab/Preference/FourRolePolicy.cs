// The model of AttributeLanguage behind the interface that searches ask through.

using PaperLab.Generation;
using PaperLab.Models;
using PaperLab.Reinforcement;

namespace PaperLab.Preference;

/// <summary>A model that was trained on the four roles.</summary>
/// <param name="model">The model.</param>
/// <param name="temperature">Of all that it writes; at 1 it draws from the distribution that it has learned.</param>
public sealed class FourRolePolicy(Transformer model, double temperature = 1) : ITextPolicy
{
    // Rows of one pass: more are no faster on a CPU, and their cache is memory touched for the first time.
    private const int Rows = 256;

    private readonly TextGenerator _generator = new(model);

    /// <inheritdoc/>
    public string Name => $"{model.TotalParameters / 1e6:0.0#}M parameters";

    /// <inheritdoc/>
    public Task<IReadOnlyList<PolicyReply>> ReplyAsync(IReadOnlyList<PolicyRequest> requests, CancellationToken cancellation = default)
    {
        int[][] prompts = [.. requests.Select(request => AttributeLanguage.Tokenizer.Encode(AttributeLanguage.PromptOf(request)))];
        var replies = new PolicyReply[requests.Count];

        // Prompts of like length together, so that little is padded; a reply does not depend on those beside it.
        foreach (int[] rows in Enumerable.Range(0, prompts.Length).OrderBy(row => prompts[row].Length).Chunk(Rows))
        {
            var options = new SamplingOptions
            {
                MaxNewTokens = AttributeLanguage.MostTokens,
                Temperature = temperature,
                StopTokens = [SymbolTokenizer.End],
                RowSeeds = [.. rows.Select(row => requests[row].Draw)],
            };
            IReadOnlyList<Continuation> written = _generator.Generate([.. rows.Select(row => prompts[row])], options, cancellation: cancellation);
            for (int i = 0; i < rows.Length; i++)
            {
                replies[rows[i]] = ReplyOf(requests[rows[i]], prompts[rows[i]].Length, written[i]);
            }
        }

        return Task.FromResult<IReadOnlyList<PolicyReply>>(replies);
    }

    private static PolicyReply ReplyOf(PolicyRequest request, int read, Continuation written)
    {
        string text = Completion.Of(written, AttributeLanguage.Tokenizer).Text;
        string? fault = written.Truncated ? "it was cut off" : AttributeLanguage.Fault(request, text);
        return new PolicyReply(fault is null ? text : null, read, written.Tokens.Count, fault);
    }
}
