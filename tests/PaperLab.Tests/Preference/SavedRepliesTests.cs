using PaperLab.Preference;

namespace PaperLab.Tests.Preference;

public sealed class SavedRepliesTests : EndpointTest
{
    [Fact]
    public async Task A_reply_that_is_saved_is_not_asked_for_again_and_one_that_differs_in_anything_is()
    {
        using var server = new StubEndpoint();
        IReadOnlyList<PolicyReply> first = await Ask(server, Generates(3));
        IReadOnlyList<PolicyReply> again = await Ask(server, Generates(3));
        Assert.Equal(first, again);
        Assert.Equal(3, server.Requests.Count);

        await Ask(server, [Generate(1) with { Draw = 99 }]);
        await Ask(server, [new GenerateRequest(new Query("Another?")) { Draw = 1 }]);
        await Ask(server, [Generate(1)], model: "another");
        await Ask(server, [Generate(1)], sampling: new ChatSampling { Temperature = 0.8 });
        Assert.Equal(7, server.Requests.Count);
        Assert.Equal(7, File.ReadAllLines(RepliesFile).Length);
    }

    [Fact]
    public async Task A_reply_that_cannot_be_used_is_saved_too_and_counts_again_when_it_is_reused()
    {
        using var server = new StubEndpoint(StubReply.Say("no tags"), StubReply.Say("cut", finish: "length"));
        PolicyRequest[] requests = [new CompareRequest(new Query("?"), "a", "b") { Draw = 1 }, new GradientRequest(new Query("?"), "a", "b") { Draw = 1 }];
        IReadOnlyList<PolicyReply> first = await Ask(server, requests, concurrency: 1);
        using SavedReplies replies = OpenReplies();
        using var endpoint = ChatEndpoint.Open(server.Url, "scripted", replies, Options);

        Assert.Equal(first, await new ChatPolicy(endpoint).ReplyAsync(requests));
        Assert.All(first, reply => Assert.NotNull(reply.Failure));
        Assert.Equal((0, 2, 2), (endpoint.Account.Calls, endpoint.Account.Reused, endpoint.Account.Unusable));
    }

    [Fact]
    public async Task A_judge_and_a_policy_share_a_file()
    {
        using var server = new StubEndpoint();
        for (int i = 0; i < 2; i++)
        {
            using SavedReplies replies = OpenReplies();
            using var endpoint = ChatEndpoint.Open(server.Url, "scripted", replies, Options);
            PolicyReply reply = (await new ChatPolicy(endpoint).ReplyAsync([Generate(1)]))[0];
            await new ChatJudge(endpoint).ScoreAsync([new Candidate(Generate(1).Query, reply.Text!)]);
        }

        Assert.Equal(2, server.Requests.Count);
    }

    [Fact]
    public async Task Equal_requests_get_equal_replies_also_from_a_server_that_draws_as_it_likes()
    {
        int drawn = 0;
        using var server = new StubEndpoint(_ => Task.FromResult(StubReply.Say($"{Interlocked.Increment(ref drawn)}")));
        IReadOnlyList<PolicyReply> replies = await Ask(server, [Generate(1), Generate(1), Generate(1), Generate(1)]);

        Assert.Single(replies.Select(reply => reply.Text).Distinct());
        Assert.Single(File.ReadAllLines(RepliesFile));
    }

    [Fact]
    public async Task A_line_is_on_the_disk_before_its_neighbours_are_answered()
    {
        var last = new TaskCompletionSource();
        using var server = new StubEndpoint(async request =>
        {
            if (request.Prompt == "last")
            {
                await last.Task;
            }

            return StubReply.Say("said");
        });
        using SavedReplies replies = OpenReplies();
        using var endpoint = ChatEndpoint.Open(server.Url, "a-model", replies, Options);
        Task<IReadOnlyList<PolicyReply>> asking = new ChatPolicy(endpoint).ReplyAsync([new GenerateRequest(new Query("last")) { Draw = 1 }, Generate(1), Generate(2)]);
        while (replies.Count < 2)
        {
            await Task.Delay(1);
        }

        Assert.False(asking.IsCompleted);
        Assert.Equal(2, ReadShared().Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        last.SetResult();
        await asking;
    }

    [Theory]
    [InlineData(1)]
    [InlineData(9)]
    [InlineData(60)]
    [InlineData(-2)]
    public async Task Half_a_line_at_the_end_is_dropped_and_the_file_goes_on_valid(int written)
    {
        using var server = new StubEndpoint();
        IReadOnlyList<PolicyReply> first = await Ask(server, Generates(3));
        byte[] whole = File.ReadAllBytes(RepliesFile);
        int lastLine = Array.LastIndexOf(whole, (byte)'\n', whole.Length - 2) + 1;
        File.WriteAllBytes(RepliesFile, whole[..(written > 0 ? lastLine + written : whole.Length + written)]);

        IReadOnlyList<PolicyReply> again = await Ask(server, Generates(3));

        Assert.Equal(first, again);
        Assert.Equal(4, server.Requests.Count);
        Assert.Contains("replies.jsonl, line 3: only its beginning was written", Assert.Single(Notes));
        Assert.Equal(whole, File.ReadAllBytes(RepliesFile));
    }

    [Fact]
    public async Task A_last_line_that_lacks_nothing_but_its_end_is_kept()
    {
        using var server = new StubEndpoint();
        await Ask(server, Generates(2));
        byte[] whole = File.ReadAllBytes(RepliesFile);
        File.WriteAllBytes(RepliesFile, whole[..^1]);

        await Ask(server, Generates(2));

        Assert.Equal(2, server.Requests.Count);
        Assert.Equal(whole, File.ReadAllBytes(RepliesFile));
        Assert.Empty(Notes);
    }

    [Fact]
    public async Task A_damaged_line_is_named_and_skipped_and_stays()
    {
        using var server = new StubEndpoint();
        await Ask(server, Generates(3));
        string[] lines = File.ReadAllLines(RepliesFile);
        File.WriteAllLines(RepliesFile, [lines[0], lines[1].Replace("\"text\":", "\"txet\":"), "not json at all", lines[2]]);
        string damaged = File.ReadAllText(RepliesFile);

        await Ask(server, Generates(3));

        Assert.Equal(4, server.Requests.Count);
        Assert.Equal(2, Notes.Count);
        Assert.Contains("replies.jsonl, line 2, is no saved reply", Notes.First());
        Assert.Contains("replies.jsonl, line 3, is no saved reply", Notes.Last());
        Assert.StartsWith(damaged, File.ReadAllText(RepliesFile));
        Assert.Equal(5, File.ReadAllLines(RepliesFile).Length);
    }

    [Fact]
    public async Task A_file_of_something_else_is_not_cut()
    {
        using var server = new StubEndpoint();
        Directory.CreateDirectory(Path.GetDirectoryName(RepliesFile)!);
        File.WriteAllText(RepliesFile, "a diary\nwithout a last line break");

        await Ask(server, Generates(1));

        string[] lines = File.ReadAllLines(RepliesFile);
        Assert.Equal(3, lines.Length);
        Assert.Equal(["a diary", "without a last line break"], lines[..2]);
    }

    [Fact]
    public void Another_process_is_told_that_the_file_is_in_use()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(RepliesFile)!);
        using (new FileStream(RepliesFile + ".lock", FileMode.Create, FileAccess.ReadWrite, FileShare.None)) // as another process has it
        {
            Assert.Contains("replies.jsonl is in use by another process", Assert.Throws<IOException>(OpenReplies).Message);
        }

        OpenReplies().Dispose();
    }

    [Fact]
    public void A_cell_that_runs_again_gets_the_store_that_it_had()
    {
        using SavedReplies first = OpenReplies();

        Assert.Same(first, OpenReplies());
    }

    private async Task<IReadOnlyList<PolicyReply>> Ask(StubEndpoint server, PolicyRequest[] requests, string model = "scripted", ChatSampling? sampling = null, int concurrency = 4)
    {
        using SavedReplies replies = OpenReplies();
        using var endpoint = ChatEndpoint.Open(server.Url, model, replies, Options with { Concurrency = concurrency });
        return await new ChatPolicy(endpoint, sampling).ReplyAsync(requests);
    }

    private string ReadShared()
    {
        using var reader = new StreamReader(new FileStream(RepliesFile, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
        return reader.ReadToEnd();
    }
}
