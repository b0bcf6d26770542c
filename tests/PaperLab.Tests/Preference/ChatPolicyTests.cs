using PaperLab.Preference;

namespace PaperLab.Tests.Preference;

public sealed class ChatPolicyTests : EndpointTest
{
    private static readonly Query s_query = new("Why is the {sky} blue?");

    public static TheoryData<PolicyRequest, string[], string> Roles { get; } = new()
    {
        { new CompareRequest(s_query, "Light scatters.", "Magic.") { Draw = 1 }, ["Light scatters.", "Magic."], "critique" },
        { new CompareRequest(s_query, "Light scatters.", null) { Draw = 1 }, ["Light scatters."], "critique" },
        { new GradientRequest(s_query, "Light scatters.", "Too short.") { Draw = 1 }, ["Light scatters.", "Too short."], "changes" },
        { new UpdateRequest(s_query, "Light scatters.", "Say how.") { Draw = 1 }, ["Light scatters.", "Say how."], "answer" },
        { new UpdateRequest(s_query, "Light scatters.", null) { Draw = 1 }, ["Light scatters."], "answer" },
    };

    [Fact]
    public async Task A_question_is_asked_as_it_is_and_answered_in_plain_text()
    {
        using var server = new StubEndpoint(StubReply.Say(" Rayleigh scattering.\n"));
        using var endpoint = ChatEndpoint.Open(server.Url + "/", "a-model", options: Options);
        PolicyReply reply = Assert.Single(await new ChatPolicy(endpoint, new ChatSampling { MaxTokens = 77 }).ReplyAsync([new GenerateRequest(s_query) { Draw = 3 }]));

        StubRequest asked = Assert.Single(server.Requests);
        Assert.Equal(new PolicyReply("Rayleigh scattering.", StubReply.PromptTokens, StubReply.GeneratedTokens), reply);
        Assert.StartsWith("POST /v1/chat/completions ", asked.Head);
        Assert.Equal(s_query.Text, asked.Prompt);
        Assert.Equal("a-model", asked.Model);
        Assert.Equal(0.7, asked.Body.GetProperty("temperature").GetDouble());
        Assert.Equal(0.95, asked.Body.GetProperty("top_p").GetDouble());
        Assert.Equal(77, asked.Body.GetProperty("max_tokens").GetInt32());
        Assert.False(asked.Body.TryGetProperty("max_completion_tokens", out _));
    }

    [Fact]
    public async Task A_setting_that_is_null_is_not_sent()
    {
        using var server = new StubEndpoint();
        using var endpoint = ChatEndpoint.Open(server.Url, "a-model", options: Options);
        await new ChatPolicy(endpoint, new ChatSampling { Temperature = null, TopP = null }).ReplyAsync([Generate(1)]);

        Assert.False(server.Requests[0].Body.TryGetProperty("temperature", out _));
        Assert.False(server.Requests[0].Body.TryGetProperty("top_p", out _));
    }

    [Theory]
    [MemberData(nameof(Roles), DisableDiscoveryEnumeration = true)]
    public async Task A_role_shows_all_it_is_about_once_and_reads_what_stands_between_its_tags(PolicyRequest request, string[] shown, string tag)
    {
        using var server = new StubEndpoint(StubReply.Say($"I put it between <{tag}> and </{tag}>:\n<{tag}>\n The <b>text</b>.\n</{tag.ToUpperInvariant()}> Anything else?"));
        using var endpoint = ChatEndpoint.Open(server.Url, "a-model", options: Options);
        PolicyReply reply = Assert.Single(await new ChatPolicy(endpoint).ReplyAsync([request]));

        string prompt = Assert.Single(server.Requests).Prompt;
        Assert.Equal("The <b>text</b>.", reply.Text);
        Assert.Null(reply.Failure);
        Assert.All([s_query.Text, .. shown], text => Assert.Equal(2, prompt.Split($">\n{text}\n</").Length));
        Assert.DoesNotContain("{", prompt.Replace(s_query.Text, ""));
        Assert.EndsWith($"between <{tag}> and </{tag}>.", prompt);
        Assert.Equal(request is CompareRequest { Rejected: null } or UpdateRequest { Instruction: null }, !prompt.Contains("<disliked>") && !prompt.Contains("<wanted>") && !prompt.Contains("<remarks>"));
    }

    [Theory]
    [InlineData("", "stop", "empty")]
    [InlineData(" \n", "stop", "empty")]
    [InlineData("<think>Where to begin", "stop", "empty")]
    [InlineData("It is better.", "stop", "nothing between <critique> and </critique>")]
    [InlineData("<critique> </critique>", "stop", "nothing between <critique> and </critique>")]
    [InlineData("</critique>It is better.<critique>", "stop", "nothing between <critique> and </critique>")]
    [InlineData("<think><critique>A try.</critique></think>It is better.", "stop", "nothing between <critique> and </critique>")]
    [InlineData("<critique>It is better.</critique> And", "length", "cut off at MaxTokens")]
    [InlineData("<critique>It is better.</critique>", "content_filter", "withheld by the server's content filter")]
    public async Task A_text_that_cannot_be_used_is_a_reply_with_its_reason_and_its_cost(string text, string finish, string failure)
    {
        using var server = new StubEndpoint(StubReply.Say(text, finish));
        using var endpoint = ChatEndpoint.Open(server.Url, "a-model", options: Options);
        PolicyReply reply = Assert.Single(await new ChatPolicy(endpoint).ReplyAsync([new CompareRequest(s_query, "a", "b") { Draw = 1 }]));

        Assert.Equal(new PolicyReply(null, StubReply.PromptTokens, StubReply.GeneratedTokens, failure), reply);
        Assert.Equal(new ChatAccount("a-model", endpoint.Host, 1, 0, 0, 1, StubReply.PromptTokens, StubReply.GeneratedTokens, 0), endpoint.Account);
    }

    [Theory]
    [InlineData("<think>Hm.</think>\n\nBlue scatters.")]
    [InlineData("Hm.</think>Blue scatters.")]
    public async Task What_a_model_thinks_aloud_is_no_part_of_its_answer(string text)
    {
        using var server = new StubEndpoint(StubReply.Say(text));
        using var endpoint = ChatEndpoint.Open(server.Url, "a-model", options: Options);

        Assert.Equal("Blue scatters.", (await new ChatPolicy(endpoint).ReplyAsync([Generate(1)]))[0].Text);
    }

    [Fact]
    public async Task Draws_that_differ_are_seeds_that_differ_and_small_enough_for_any_server()
    {
        ulong[] draws = [0, 1, 2, ulong.MaxValue, 1UL << 32, 1UL << 63];
        using var server = new StubEndpoint();
        using var endpoint = ChatEndpoint.Open(server.Url, "a-model", options: Options);
        await new ChatPolicy(endpoint).ReplyAsync([.. draws.Select(draw => Generate(1) with { Draw = draw })]);
        await new ChatPolicy(endpoint).ReplyAsync([Generate(1)]);

        long[] seeds = [.. server.Requests.Select(request => request.Seed)];
        Assert.Equal(draws.Length, seeds.Distinct().Count());
        Assert.Contains(seeds[^1], seeds[..^1]); // the same draw again
        Assert.All(seeds, seed => Assert.InRange(seed, 0, int.MaxValue));
    }

    [Fact]
    public async Task Replies_stand_in_the_order_of_their_requests_whatever_order_they_came_in()
    {
        var last = new TaskCompletionSource();
        using var server = new StubEndpoint(async request =>
        {
            if (request.Prompt == "0")
            {
                await last.Task;
            }
            else if (request.Prompt == "2")
            {
                last.SetResult();
            }

            return StubReply.Say($"to {request.Prompt}");
        });
        using var endpoint = ChatEndpoint.Open(server.Url, "a-model", options: Options);
        IReadOnlyList<PolicyReply> replies = await new ChatPolicy(endpoint).ReplyAsync([.. Enumerable.Range(0, 3).Select(i => new GenerateRequest(new Query($"{i}")) { Draw = 1 })]);

        Assert.Equal(["to 0", "to 1", "to 2"], replies.Select(reply => reply.Text));
    }

    [Fact]
    public async Task Tokens_that_a_server_does_not_report_are_estimated_and_the_account_says_so()
    {
        using var server = new StubEndpoint(StubReply.Say("123456789", usage: false), StubReply.Say("1"));
        using var endpoint = ChatEndpoint.Open(server.Url, "a-model", options: Options with { Concurrency = 1 });
        IReadOnlyList<PolicyReply> replies = await new ChatPolicy(endpoint).ReplyAsync([new GenerateRequest(new Query("12345678")) { Draw = 1 }, Generate(2)]);

        Assert.Equal((2, 3), (replies[0].PromptTokens, replies[0].GeneratedTokens));
        Assert.Equal(1, endpoint.Account.Estimated);
        Assert.Equal($"a-model at {endpoint.Host}: 2 calls (0 retries), 0 replies reused, 0 unusable; {2 + StubReply.PromptTokens} tokens read, {3 + StubReply.GeneratedTokens} written (estimated for 1 calls)", endpoint.Account.ToString());
    }

    [Fact]
    public void Sampling_that_no_server_takes_is_refused()
    {
        using var endpoint = ChatEndpoint.Open("http://localhost:1/v1", "a-model", options: Options);

        Assert.Contains("Temperature is -1; allowed: 0 to 2", Assert.Throws<ArgumentException>(() => new ChatPolicy(endpoint, new ChatSampling { Temperature = -1 })).Message);
        Assert.Contains("TopP is 0;", Assert.Throws<ArgumentException>(() => new ChatPolicy(endpoint, new ChatSampling { TopP = 0 })).Message);
        Assert.Contains("MaxTokens is 0;", Assert.Throws<ArgumentException>(() => new ChatJudge(endpoint, new ChatSampling { MaxTokens = 0 })).Message);
    }

    // The loop has tests of its own; this is about prompts and parsing, all the way round.
    [Fact]
    public async Task On_the_scripted_model_a_search_that_compares_gets_further_than_as_many_samples_or_changes_at_random()
    {
        using var server = new StubEndpoint();
        using var writer = ChatEndpoint.Open(server.Url, "scripted", options: Options);
        using var reader = ChatEndpoint.Open(server.Url, "scripted-judge", options: Options);
        Query[] queries = [.. Enumerable.Range(1, 6).Select(i => new Query($"Question {i}?"))];
        async Task<double> Score(SearchOptions options) =>
            (await new TestTimeSearch(new ChatPolicy(writer), new ChatJudge(reader), options).RunAsync(queries)).Average(trace => trace.Best!.Score);

        double compared = await Score(new SearchOptions());
        double sampled = await Score(SearchOptions.BestOf(15));
        double random = await Score(new SearchOptions { Feedback = Feedback.None });

        Assert.True(compared >= Math.Max(sampled, random) + 0.5, $"{compared:0.00} against {sampled:0.00} and {random:0.00}");
        Assert.Equal((6 * ((15 + 4) + 15 + 15), 0), (writer.Account.Calls, writer.Account.Unusable));
    }
}
