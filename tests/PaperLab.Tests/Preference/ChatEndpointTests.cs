using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.AI;
using PaperLab.Preference;

namespace PaperLab.Tests.Preference;

public sealed class ChatEndpointTests : EndpointTest
{
    private const string Key = "sk-very-secret-4711";

    public static TheoryData<string> Passing { get; } = ["408", "429", "500", "503", "no json", "no choices", "drop", "hang"];

    [Theory]
    [MemberData(nameof(Passing))]
    public async Task What_may_pass_is_tried_again_and_counted_once(string trouble)
    {
        int asked = 0;
        using var server = new StubEndpoint(_ => Task.FromResult(++asked > 2 ? StubReply.Say("at last") : Trouble(trouble)));
        using var endpoint = ChatEndpoint.Open(server.Url, "a-model", options: Options);

        Assert.Equal("at last", (await new ChatPolicy(endpoint).ReplyAsync([Generate(1)]))[0].Text);
        Assert.Equal(3, server.Requests.Count);
        Assert.Equal((1, 2), (endpoint.Account.Calls, endpoint.Account.Retries));
        Assert.Equal(2, Clock.Waits.Count);
        Assert.Contains($"a-model at {endpoint.Host}: ", Notes.First());
        Assert.Contains("Try 2 of 5 in ", Notes.First());
        Assert.Contains("Try 3 of 5 in ", Notes.Last());
    }

    [Theory]
    [MemberData(nameof(Passing))]
    public async Task What_does_not_pass_ends_with_where_what_and_what_to_do(string trouble)
    {
        using var server = new StubEndpoint(_ => Task.FromResult(Trouble(trouble)));
        using var endpoint = ChatEndpoint.Open(server.Url, "a-model", options: Options);
        EndpointException error = await Assert.ThrowsAsync<EndpointException>(() => new ChatPolicy(endpoint).ReplyAsync([Generate(1)]));

        Assert.Equal(5, server.Requests.Count);
        Assert.Equal(int.TryParse(trouble, out int status) ? status : null, error.Status);
        Assert.StartsWith($"a-model at {server.Url}: ", error.Message);
        Assert.Contains("(5 tries)", error.Message);
        Assert.Contains(
            trouble switch
            {
                "no json" => "what came is no JSON",
                "no choices" => "what came is no chat completion (",
                "drop" => "no answer: ",
                "hang" => "no reply within 30 s",
                _ => $"HTTP {trouble}; the server says: trouble on one line",
            },
            error.Message);
        Assert.EndsWith("0 calls had succeeded; their replies were not saved.", error.Message);
    }

    [Fact]
    public async Task Waits_grow_by_themselves_up_to_the_longest()
    {
        using var server = new StubEndpoint([.. Enumerable.Repeat(StubReply.Error(500), 12)]);
        using var endpoint = ChatEndpoint.Open(server.Url, "a-model", options: Options with { Retries = 12, FirstWait = TimeSpan.FromSeconds(1), LongestWait = TimeSpan.FromSeconds(20) });
        await new ChatPolicy(endpoint).ReplyAsync([Generate(1)]);

        TimeSpan[] waits = [.. Clock.Waits];
        Assert.Equal(12, waits.Length);
        Assert.InRange(waits[0], TimeSpan.FromTicks(1), TimeSpan.FromSeconds(4));
        Assert.All(waits[^4..], wait => Assert.Equal(20, wait.TotalSeconds));
    }

    [Theory]
    [InlineData("7", 7)]
    [InlineData("0.5", 0.5)]
    [InlineData("Fri, 24 Jan 2025 00:00:09 GMT", 9)]
    public async Task A_server_that_says_when_to_come_back_is_obeyed(string retryAfter, double seconds)
    {
        using var server = new StubEndpoint(StubReply.Error(429, "slow down", retryAfter), StubReply.Error(503, "busy", retryAfter));
        using var endpoint = ChatEndpoint.Open(server.Url, "a-model", options: Options);
        await new ChatPolicy(endpoint).ReplyAsync([Generate(1)]);

        Assert.Equal([seconds, seconds], Clock.Waits.Select(wait => wait.TotalSeconds));
        Assert.Contains($"HTTP 429; the server says: slow down. Try 2 of 5 in {seconds} s.", Notes.First());
    }

    [Fact]
    public async Task A_server_that_asks_for_too_long_a_wait_is_not_waited_for()
    {
        using var server = new StubEndpoint(StubReply.Error(429, "quota", "3600"));
        using var endpoint = ChatEndpoint.Open(server.Url, "a-model", options: Options);
        EndpointException error = await Assert.ThrowsAsync<EndpointException>(() => new ChatPolicy(endpoint).ReplyAsync([Generate(1)]));

        Assert.Single(server.Requests);
        Assert.Contains("It asks to wait 3600 s, longer than LongestWait (60 s): run again then.", error.Message);
    }

    [Theory]
    [InlineData(400, "set that field of ChatSampling to null")]
    [InlineData(401, "set the environment variable PAPERLAB_TEST_KEY")]
    [InlineData(403, "set the environment variable PAPERLAB_TEST_KEY")]
    [InlineData(404, "Does the server have a model named 'a-model', and does its API begin at this address (most end in /v1)?")]
    [InlineData(405, "Is this the address of an OpenAI-compatible API?")]
    public async Task What_no_other_try_mends_is_tried_once_and_says_what_to_do(int status, string advice)
    {
        using var server = new StubEndpoint(StubReply.Error(status, "because"));
        using var endpoint = ChatEndpoint.Open(server.Url, "a-model", options: Options);
        EndpointException error = await Assert.ThrowsAsync<EndpointException>(() => new ChatPolicy(endpoint).ReplyAsync([Generate(1)]));

        Assert.Single(server.Requests);
        Assert.Equal(status, error.Status);
        Assert.StartsWith($"a-model at {server.Url}: HTTP {status}; the server says: because (1 try). ", error.Message);
        Assert.Contains(advice, error.Message);
    }

    [Theory]
    [InlineData("""{"error":"plain"}""", "says: plain (")]
    [InlineData("""{"object":"error","message":"flat"}""", "says: flat (")]
    [InlineData("""{"detail":[1]}""", """says: {"detail":[1]} (""")]
    [InlineData("<h1>\r\n\tNot\u001b[31m found</h1>", "says: <h1> Not [31m found</h1> (")]
    [InlineData("", "HTTP 404 (1 try)")]
    public async Task What_a_server_says_is_found_in_whatever_form_it_says_it(string body, string said)
    {
        using var server = new StubEndpoint(new StubReply(404, body));
        using var endpoint = ChatEndpoint.Open(server.Url, "a-model", options: Options);

        Assert.Contains(said, (await Assert.ThrowsAsync<EndpointException>(() => new ChatPolicy(endpoint).ReplyAsync([Generate(1)]))).Message);
    }

    [Fact]
    public async Task Any_chat_client_serves_and_its_errors_are_understood()
    {
        using var endpoint = new ChatEndpoint(
            new OtherClient(new HttpRequestException("busy", null, HttpStatusCode.ServiceUnavailable), new HttpRequestException(HttpRequestError.ConnectionError, "reset"), new HttpRequestException("who?", null, HttpStatusCode.Unauthorized), new HttpRequestException(HttpRequestError.SecureConnectionError, "expired")),
            "a-model",
            options: Options with { Retries = 2, Concurrency = 1 });
        var policy = new ChatPolicy(endpoint);

        EndpointException refused = await Assert.ThrowsAsync<EndpointException>(() => policy.ReplyAsync([Generate(1)]));
        Assert.Equal("a-model at OtherClient: HTTP 401 (3 tries). Give the client a key that this server knows. 0 calls had succeeded; their replies were not saved.", refused.Message);
        Assert.Equal(2, Clock.Waits.Count);
        Assert.Contains("no secure connection: expired (1 try)", (await Assert.ThrowsAsync<EndpointException>(() => policy.ReplyAsync([Generate(1)]))).Message);
        Assert.Equal("What makes a good answer?", (await policy.ReplyAsync([Generate(1)]))[0].Text);
    }

    [Fact]
    public async Task No_more_calls_are_under_way_than_allowed_whoever_makes_them()
    {
        int waiting = 0;
        var three = new TaskCompletionSource();
        using var server = new StubEndpoint(async request =>
        {
            if (Interlocked.Increment(ref waiting) == 3)
            {
                await Task.Delay(100); // in which a fourth would arrive
                three.SetResult();
            }

            await three.Task;
            return ScriptedModel.Answer(request);
        });
        using var endpoint = ChatEndpoint.Open(server.Url, "a-model", options: Options with { Concurrency = 3 });
        var policy = new ChatPolicy(endpoint);
        await Task.WhenAll(policy.ReplyAsync(Generates(6)), policy.ReplyAsync(Generates(6)));

        Assert.Equal(12, server.Requests.Count);
        Assert.Equal(3, server.Peak);
    }

    [Fact]
    public async Task Calls_are_spaced_by_the_limit_of_a_minute()
    {
        using var server = new StubEndpoint();
        using var endpoint = ChatEndpoint.Open(server.Url, "a-model", options: Options with { RequestsPerMinute = 1200 });
        var clock = Stopwatch.StartNew();
        await new ChatPolicy(endpoint).ReplyAsync(Generates(5));

        Assert.True(clock.Elapsed > TimeSpan.FromMilliseconds(150), $"{clock.Elapsed}"); // 4 spaces of 50 ms, but for a timer's coarseness
    }

    [Fact]
    public async Task A_cancelled_batch_keeps_what_arrived()
    {
        using var cancellation = new CancellationTokenSource();
        var progress = new Reports(account =>
        {
            if (account.Calls == 3)
            {
                cancellation.Cancel();
            }
        });
        int asked = 0;
        using var server = new StubEndpoint(request => Task.FromResult(Interlocked.Increment(ref asked) > 3 ? StubReply.Hang : ScriptedModel.Answer(request)));
        using SavedReplies replies = OpenReplies();
        using var endpoint = ChatEndpoint.Open(server.Url, "a-model", replies, Options with { Progress = progress });

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => new ChatPolicy(endpoint).ReplyAsync(Generates(8), cancellation.Token));
        Assert.Equal(3, replies.Count);
        Assert.Empty(Notes);
        Assert.Equal([1, 2, 3], progress.Seen.Select(account => account.Calls));
    }

    [Fact]
    public async Task One_request_that_is_refused_ends_the_batch_and_what_arrived_is_kept()
    {
        var others = new TaskCompletionSource();
        using SavedReplies replies = OpenReplies();
        using var server = new StubEndpoint(async request =>
        {
            if (request.Prompt != "poison")
            {
                return ScriptedModel.Answer(request);
            }

            await others.Task;
            return StubReply.Error(400, "context too long");
        });
        var progress = new Reports(account =>
        {
            if (account.Calls == 2)
            {
                others.SetResult();
            }
        });
        using var endpoint = ChatEndpoint.Open(server.Url, "a-model", replies, Options with { Progress = progress });
        EndpointException error = await Assert.ThrowsAsync<EndpointException>(() => new ChatPolicy(endpoint).ReplyAsync([Generate(1), new GenerateRequest(new Query("poison")) { Draw = 1 }, Generate(2)]));

        Assert.Contains("context too long", error.Message);
        Assert.Equal(2, replies.Count);
    }

    [Fact]
    public async Task A_server_that_is_killed_midway_costs_only_the_calls_that_it_did_not_answer()
    {
        int port, answered = 0;
        string message;
        var died = new TaskCompletionSource();
        using (SavedReplies replies = OpenReplies())
        {
            using var server = new StubEndpoint(async request =>
            {
                if (Interlocked.Increment(ref answered) > 4)
                {
                    died.TrySetResult();
                    await Task.Delay(Timeout.Infinite);
                }

                return ScriptedModel.Answer(request);
            });
            port = server.Port;
            using var endpoint = ChatEndpoint.Open(server.Url, "a-model", replies, Options with { Concurrency = 1 });
            Task<IReadOnlyList<PolicyReply>> asking = new ChatPolicy(endpoint).ReplyAsync(Generates(10));
            await died.Task;
            server.Dispose();
            message = (await Assert.ThrowsAsync<EndpointException>(() => asking)).Message;
            Assert.Equal(replies.Count, endpoint.Account.Calls);
        }

        const int kept = 4;
        Assert.Equal(kept, File.ReadAllLines(RepliesFile).Length);
        Assert.StartsWith($"a-model at http://127.0.0.1:{port}/v1: no answer: ", message);
        Assert.Contains("(5 tries). Is the server running, at this address,", message);
        Assert.EndsWith($"{kept} replies are saved in {RepliesFile}, and running again goes on from them.", message);

        using SavedReplies again = OpenReplies();
        using var back = new StubEndpoint(request => Task.FromResult(ScriptedModel.Answer(request)), port);
        using var second = ChatEndpoint.Open(back.Url, "a-model", again, Options);
        IReadOnlyList<PolicyReply> all = await new ChatPolicy(second).ReplyAsync(Generates(10));

        Assert.All(all, reply => Assert.NotNull(reply.Text));
        Assert.Equal((10 - kept, kept), (second.Account.Calls, second.Account.Reused));
        Assert.Equal(10 - kept, back.Requests.Count);
    }

    [Fact]
    public async Task A_key_travels_in_the_header_of_authorization_and_shows_nowhere_else()
    {
        Environment.SetEnvironmentVariable(KeyVariable, Key + "\n");
        var accounts = new Reports(_ => { });
        var echoes = new Queue<Func<string, StubReply>>([
            header => StubReply.Error(500, $"you sent {header}"),
            header => StubReply.Say($"you sent {header}"),
            header => StubReply.Error(401, $"you sent {header}"),
        ]);
        using var server = new StubEndpoint(request => Task.FromResult(echoes.Dequeue()(request.Authorization)));
        using SavedReplies replies = OpenReplies();
        using var endpoint = ChatEndpoint.Open(server.Url, "a-model", replies, Options with { Progress = accounts });
        var policy = new ChatPolicy(endpoint);
        string said = (await policy.ReplyAsync([new GenerateRequest(new Query($"Is it {Key}?")) { Draw = 1 }]))[0].Text!;
        EndpointException error = await Assert.ThrowsAsync<EndpointException>(() => policy.ReplyAsync([Generate(2)]));
        replies.Dispose();

        Assert.All(server.Requests, request => Assert.Equal($"Bearer {Key}", request.Authorization));
        Assert.Single(server.Requests[2].Head.Split(Key)[1..]);
        Assert.Equal("you sent Bearer [key]", said);
        Assert.Contains("you sent Bearer [key]", error.Message);
        Assert.Contains($"It got the key in {KeyVariable}", error.Message);
        string[] shown = [said, error.ToString(), $"{endpoint}", $"{policy}", $"{Options}", $"{endpoint.Account}", File.ReadAllText(RepliesFile), .. Notes, .. accounts.Seen.Select(account => $"{account}")];
        Assert.All(shown, text => Assert.DoesNotContain("secret", text));
    }

    [Theory]
    [InlineData("localhost:8000/v1", "'localhost:8000/v1', which is no http:// or https:// address")]
    [InlineData("ftp://localhost/v1", "'ftp://localhost/v1', which is no http:// or https:// address")]
    [InlineData("not an address", "'not an address', which is no http://")]
    [InlineData("", "'', which is no http://")]
    [InlineData("https://me:secret@host/v1", "The endpoint at host has a name or password in its address")]
    [InlineData("https://host/v1?key=secret", "The endpoint at host has a query or fragment in its address")]
    [InlineData("me:secret@host/v1", "not shown, for it may hold a secret")]
    [InlineData("https://host/v1/chat/completions", "Leave out /chat/completions, which is added.")]
    public void An_address_that_cannot_be_used_is_refused_before_any_call(string url, string message)
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => ChatEndpoint.Open(url, "a-model", options: Options));

        Assert.Contains(message, error.Message);
        Assert.Contains("such as https://api.openai.com/v1 or http://localhost:11434/v1", error.Message);
        Assert.DoesNotContain("secret@", error.Message);
        Assert.DoesNotContain("key=", error.Message);
    }

    [Fact]
    public void A_key_that_cannot_be_one_is_refused_without_being_shown()
    {
        Environment.SetEnvironmentVariable(KeyVariable, "sk-one\nsk-two");
        ArgumentException error = Assert.Throws<ArgumentException>(() => ChatEndpoint.Open("http://localhost/v1", "a-model", options: Options));

        Assert.Contains($"The key in {KeyVariable} holds a space, a line break", error.Message);
        Assert.DoesNotContain("sk-", error.Message);
    }

    [Fact]
    public void OpenAIs_own_key_goes_to_OpenAI_alone_and_any_other_wherever_it_is_meant_for()
    {
        string? own = Environment.GetEnvironmentVariable("OPENAI_API_KEY");
        try
        {
            Environment.SetEnvironmentVariable("OPENAI_API_KEY", Key);
            Assert.Equal(Key, EndpointAddress.Of("https://api.openai.com/v1", Options).Key);
            Assert.Equal(Key, EndpointAddress.Of("https://eu.api.openai.com/v1", Options).Key);
            Assert.All(["http://api.openai.com/v1", "https://openai.com.example.org/v1", "https://notopenai.com/v1", "http://localhost:8000/v1"], url => Assert.Null(EndpointAddress.Of(url, Options).Key));
            Assert.EndsWith("(OPENAI_API_KEY is set, but goes to openai.com alone).", EndpointAddress.Of("https://example.org/v1", Options).KeyAdvice);

            Environment.SetEnvironmentVariable(KeyVariable, "mine-for-here");
            Assert.All(["https://api.openai.com/v1", "https://example.org/v1", "http://localhost:8000/v1"], url => Assert.Equal("mine-for-here", EndpointAddress.Of(url, Options).Key));
            Assert.Empty(Notes);
            Assert.Equal("mine-for-here", EndpointAddress.Of("http://example.org/v1", Options).Key);
            Assert.Equal([$"The key in {KeyVariable} travels to example.org unencrypted: its address begins with http://."], Notes);
        }
        finally
        {
            Environment.SetEnvironmentVariable("OPENAI_API_KEY", own);
        }
    }

    [Fact]
    public void Options_that_make_no_sense_are_refused()
    {
        Assert.Contains("Concurrency is 0;", Refusal(options => options with { Concurrency = 0 }));
        Assert.Contains("Retries is -1;", Refusal(options => options with { Retries = -1 }));
        Assert.Contains("RequestsPerMinute is -1;", Refusal(options => options with { RequestsPerMinute = -1 }));
        Assert.Contains("Timeout is 00:00:00;", Refusal(options => options with { Timeout = TimeSpan.Zero }));
        Assert.Contains("FirstWait is 00:02:00; allowed: above 0, up to LongestWait (00:01:00)", Refusal(options => options with { FirstWait = TimeSpan.FromMinutes(2) }));
        Assert.Contains("KeyVariable is '';", Refusal(options => options with { KeyVariable = "" }));
        Assert.Contains("model is ' ';", Assert.Throws<ArgumentException>(() => ChatEndpoint.Open("http://localhost/v1", " ")).Message);

        string Refusal(Func<EndpointOptions, EndpointOptions> change) =>
            Assert.Throws<ArgumentException>(() => ChatEndpoint.Open("http://localhost/v1", "a-model", options: change(Options))).Message;
    }

    [Fact]
    public async Task The_scripted_model_runs_as_a_program_and_dies_when_told_to()
    {
        string program = Path.Combine(AppContext.BaseDirectory, "PaperLab.Tests" + (OperatingSystem.IsWindows() ? ".exe" : ""));
        using Process server = Process.Start(new ProcessStartInfo(program, [StubEndpointChild.Command, "--fail-after", "3"]) { RedirectStandardOutput = true })!;
        try
        {
            string url = (await server.StandardOutput.ReadLineAsync())!;
            using SavedReplies replies = OpenReplies();
            using var endpoint = ChatEndpoint.Open(url, "scripted", replies, Options with { Concurrency = 1 });
            await Assert.ThrowsAsync<EndpointException>(() => new ChatPolicy(endpoint).ReplyAsync(Generates(5)));

            await server.WaitForExitAsync();
            Assert.Equal(3, replies.Count);
        }
        finally
        {
            server.Kill();
        }
    }

    private StubReply Trouble(string name)
    {
        if (name == "hang")
        {
            Clock.Expire();
            return StubReply.Hang;
        }

        return name switch
        {
            "no json" => StubReply.NoJson,
            "no choices" => StubReply.NoChoices,
            "drop" => StubReply.Drop,
            _ => StubReply.Error(int.Parse(name), "trouble\non one line"),
        };
    }

    // Fails in these ways, and then says what it hears.
    private sealed class OtherClient(params Exception[] failures) : IChatClient
    {
        private readonly Queue<Exception> _failures = new(failures);

        public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
            _failures.TryDequeue(out Exception? failure) ? Task.FromException<ChatResponse>(failure) : Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, messages.Single().Text)));

        public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }

    private sealed class Reports(Action<ChatAccount> then) : IProgress<ChatAccount>
    {
        public ConcurrentQueue<ChatAccount> Seen { get; } = [];

        public void Report(ChatAccount value)
        {
            Seen.Enqueue(value);
            then(value);
        }
    }
}
