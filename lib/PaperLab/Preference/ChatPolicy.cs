// The four roles of test-time preference optimisation (arXiv 2501.12895, section 3) as prompts to a chat model, in words of our own; the
// paper's appendix has its own. A prompt is one message of the user, for some models know no other.
//
// A reply whose form matters comes between tags, and what it is about stands between other tags, so neither is taken for the other.

namespace PaperLab.Preference;

/// <summary>A chat model that writes answers and improves them. It does not know whose taste it serves: that is in what it is shown.</summary>
/// <param name="endpoint">The model. Its account counts what was asked.</param>
/// <param name="sampling">How replies are drawn; the paper's temperature and top-p by default.</param>
public sealed class ChatPolicy(ChatEndpoint endpoint, ChatSampling? sampling = null) : ITextPolicy
{
    private readonly ChatSampling _sampling = Checked(sampling ?? new ChatSampling());

    /// <inheritdoc/>
    public string Name => endpoint.Model;

    /// <inheritdoc/>
    /// <exception cref="EndpointException">The server refused, or did not mend in time; replies that came are saved.</exception>
    public async Task<IReadOnlyList<PolicyReply>> ReplyAsync(IReadOnlyList<PolicyRequest> requests, CancellationToken cancellation = default) =>
        await endpoint.AskAllAsync(requests, ReplyAsync, cancellation);

    internal static ChatSampling Checked(ChatSampling sampling)
    {
        sampling.Validate();
        return sampling;
    }

    private async Task<PolicyReply> ReplyAsync(PolicyRequest request, CancellationToken cancellation)
    {
        (string prompt, string? tag) = Render(request);
        ChatAnswer answer = await endpoint.AskAsync(prompt, _sampling, request.Draw, cancellation);
        string? text = tag is null ? answer.Spoken : answer.Between(tag);
        string? failure = answer.Failure ?? (text is null ? $"nothing between <{tag}> and </{tag}>" : null);
        if (failure is not null)
        {
            endpoint.CountUnusable();
        }

        return new PolicyReply(failure is null ? text : null, answer.PromptTokens, answer.GeneratedTokens, failure);
    }

    // What is asked, and the tag that the reply is wanted in; null for the plain text.
    private static (string Prompt, string? Tag) Render(PolicyRequest request) => request switch
    {
        GenerateRequest => (request.Query.Text, null),
        CompareRequest { Rejected: { } rejected } compare => (
            $"""
            Somebody asked a question, got two answers, and liked one of them better.

            <question>
            {compare.Query.Text}
            </question>

            <liked>
            {compare.Chosen}
            </liked>

            <disliked>
            {rejected}
            </disliked>

            What makes the liked answer better to this reader, and where does it still fall short? Name what is in the texts: content, order,
            length, tone. Use at most 150 words, and write no new answer.

            Put what you have to say between <critique> and </critique>.
            """, "critique"),
        CompareRequest revise => (
            $"""
            Somebody asked a question and got an answer.

            <question>
            {revise.Query.Text}
            </question>

            <liked>
            {revise.Chosen}
            </liked>

            What is good about the answer, and where does it fall short? Name what is in the text: content, order, length, tone. Use at most
            150 words, and write no new answer.

            Put what you have to say between <critique> and </critique>.
            """, "critique"),
        GradientRequest gradient => (
            $"""
            Somebody asked a question, got an answer, and a reader made remarks.

            <question>
            {gradient.Query.Text}
            </question>

            <liked>
            {gradient.Chosen}
            </liked>

            <remarks>
            {gradient.Critique}
            </remarks>

            Which changes to the answer follow from the remarks? List at most five, the most important first, each on a line of its own and
            concrete enough to be made. Keep what the remarks praise. Write no new answer.

            Put the list between <changes> and </changes>.
            """, "changes"),
        UpdateRequest update => (
            $"""
            Somebody asked a question and got an answer, which is to be improved.

            <question>
            {update.Query.Text}
            </question>

            <liked>
            {update.Chosen}
            </liked>

            {(update.Instruction is { } wanted ? $"""
            <wanted>
            {wanted}
            </wanted>

            Write the answer again with these changes made. What they do not touch stays as good as it is.
            """ : "Write the answer again, in whatever way makes it better.")}

            Put the whole new answer, and nothing but it, between <answer> and </answer>.
            """, "answer"),
        _ => throw new ArgumentException($"A {request.GetType().Name} is none of the four roles.", nameof(request)),
    };
}
