// A language model as test-time preference optimisation sees it (arXiv 2501.12895, section 3): it writes answers, compares two of them,
// says what to change, and changes it. A model of one's own and a chat endpoint stand behind the same interface, and best-of-N, revision
// and the search itself ask through it, so that samples, calls and tokens are counted alike.

namespace PaperLab.Preference;

/// <summary>Something that is asked, by somebody with a taste.</summary>
/// <param name="Text">The question.</param>
/// <param name="Preference">Whose: tells the tastes of an experiment apart.</param>
public sealed record Query(string Text, int Preference = 0);

/// <summary>What a policy is to write. Equal requests get equal replies; what shall differ differs in <see cref="Draw"/>.</summary>
/// <param name="Query">What it is about.</param>
public abstract record PolicyRequest(Query Query)
{
    /// <summary>Seed of what is drawn for the reply.</summary>
    public required ulong Draw { get; init; }
}

/// <summary>An answer to the query.</summary>
public sealed record GenerateRequest(Query Query) : PolicyRequest(Query);

/// <summary>The textual loss: what makes one answer better than the other.</summary>
/// <param name="Query">The query.</param>
/// <param name="Chosen">The better answer.</param>
/// <param name="Rejected">The worse one; null asks for a critique of the better one alone, as revision does.</param>
public sealed record CompareRequest(Query Query, string Chosen, string? Rejected) : PolicyRequest(Query);

/// <summary>The textual gradient: what to change in the better answer.</summary>
/// <param name="Query">The query.</param>
/// <param name="Chosen">The better answer.</param>
/// <param name="Critique">What was said of it.</param>
public sealed record GradientRequest(Query Query, string Chosen, string Critique) : PolicyRequest(Query);

/// <summary>The textual update: the better answer, changed.</summary>
/// <param name="Query">The query.</param>
/// <param name="Chosen">The better answer.</param>
/// <param name="Instruction">What to change; null leaves it to the policy.</param>
public sealed record UpdateRequest(Query Query, string Chosen, string? Instruction) : PolicyRequest(Query);

/// <summary>What a policy wrote, and what it cost.</summary>
/// <param name="Text">The text; null where it cannot be used.</param>
/// <param name="PromptTokens">Tokens that were read.</param>
/// <param name="GeneratedTokens">Tokens that were written, used or not.</param>
/// <param name="Failure">Why the text cannot be used; null where it can.</param>
public sealed record PolicyReply(string? Text, int PromptTokens, int GeneratedTokens, string? Failure = null);

/// <summary>A language model in four roles.</summary>
public interface ITextPolicy
{
    /// <summary>As tables show it.</summary>
    string Name { get; }

    /// <summary>One reply to every request, in their order. A text that cannot be used is a reply with its reason; only what no other try can mend is an exception.</summary>
    Task<IReadOnlyList<PolicyReply>> ReplyAsync(IReadOnlyList<PolicyRequest> requests, CancellationToken cancellation = default);
}
