// What a search did for one query, and what each answer had cost by the time it was there: so any two searches can be compared at equal
// samples, or at equal tokens, after the fact.

namespace PaperLab.Preference;

/// <summary>What a search spends. Everything that was asked counts, used or not.</summary>
/// <param name="Samples">Answers that could be used, equal ones included.</param>
/// <param name="Calls">Requests to the policy, tries again included.</param>
/// <param name="PromptTokens">Tokens that it read.</param>
/// <param name="GeneratedTokens">Tokens that it wrote: answers, critiques and instructions.</param>
/// <param name="Failures">Replies that could not be used.</param>
/// <param name="Duplicates">Answers that were there already.</param>
public sealed record SearchCost(int Samples, int Calls, long PromptTokens, long GeneratedTokens, int Failures, int Duplicates)
{
    /// <summary>Nothing yet.</summary>
    public static SearchCost None { get; } = new(0, 0, 0, 0, 0, 0);

    internal SearchCost Plus(SearchCost other) => new(
        Samples + other.Samples,
        Calls + other.Calls,
        PromptTokens + other.PromptTokens,
        GeneratedTokens + other.GeneratedTokens,
        Failures + other.Failures,
        Duplicates + other.Duplicates);

    internal SearchCost Plus(PolicyReply reply) => this with
    {
        Calls = Calls + 1,
        PromptTokens = PromptTokens + reply.PromptTokens,
        GeneratedTokens = GeneratedTokens + reply.GeneratedTokens,
        Failures = Failures + (reply.Text is null ? 1 : 0),
    };
}

/// <summary>An answer with its score.</summary>
/// <param name="Iteration">0 for the start.</param>
/// <param name="Text">The answer.</param>
/// <param name="Score">The reward model's.</param>
/// <param name="Cost">What the search had spent when it was there.</param>
public sealed record ScoredSample(int Iteration, string Text, double Score, SearchCost Cost);

/// <summary>What an iteration went by.</summary>
/// <param name="Iteration">1 for the first after the start.</param>
/// <param name="Chosen">The best answer up to there.</param>
/// <param name="Rejected">The worst.</param>
/// <param name="Critique">Textual loss; null without feedback.</param>
/// <param name="Instruction">Textual gradient, the one that was followed; null without feedback.</param>
public sealed record SearchStep(int Iteration, ScoredSample Chosen, ScoredSample Rejected, string? Critique, string? Instruction);

/// <summary>The search for one query.</summary>
/// <param name="Query">The query.</param>
/// <param name="Samples">Answers in the order in which they were drawn, equal ones included.</param>
/// <param name="Steps">The iterations.</param>
/// <param name="After">All that was spent after every iteration that was begun, the start first.</param>
/// <param name="Stopped">Why it ended before its depth; null where it did not.</param>
public sealed record SearchTrace(Query Query, IReadOnlyList<ScoredSample> Samples, IReadOnlyList<SearchStep> Steps, IReadOnlyList<SearchCost> After, string? Stopped)
{
    /// <summary>All that was spent.</summary>
    public SearchCost Cost => After[^1];

    /// <summary>What had been spent after an iteration; of one that the query did not reach, all.</summary>
    public SearchCost CostAfter(int iteration) => After[Math.Min(iteration, After.Count - 1)];

    /// <summary>The answer of the search: the best score, of equal ones the first; null where no answer could be used.</summary>
    public ScoredSample? Best => Bests.LastOrDefault();

    /// <summary>The answer that it would have given at each time, whenever that changed.</summary>
    public IEnumerable<ScoredSample> Bests
    {
        get
        {
            double best = double.NegativeInfinity;
            foreach (ScoredSample sample in Samples)
            {
                if (sample.Score > best)
                {
                    best = sample.Score;
                    yield return sample;
                }
            }
        }
    }
}
