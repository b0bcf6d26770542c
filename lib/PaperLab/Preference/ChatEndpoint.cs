// One chat model on a server: everything between a prompt and its reply. A reply that is saved is taken; else the call waits for its turn,
// is made, is made again where that may help, is counted and is saved. ChatPolicy and ChatJudge only write prompts and read replies.

using System.ClientModel;
using System.ClientModel.Primitives;
using System.Threading.RateLimiting;
using Microsoft.Extensions.AI;
using OpenAI;
using OpenAI.Chat;
using Polly;
using Polly.Retry;

namespace PaperLab.Preference;

/// <summary>A chat model, asked with patience. Safe for many calls at once; those of all its policies and judges share its limits.</summary>
public sealed class ChatEndpoint : IDisposable
{
    private const int ShortestSecret = 8; // "none" and "EMPTY", which local servers like to get, are no secrets, and occur in texts
    private const int CharactersPerToken = 4;

    private readonly IChatClient _client;
    private readonly SavedReplies? _saved;
    private readonly EndpointOptions _options;
    private readonly string? _secret;
    private readonly string _address;
    private readonly string _keyAdvice;
    private readonly RateLimiter? _rate;
    private readonly ResiliencePipeline _pipeline;
    private readonly Lock _gate = new();
    private ChatAccount _account;

    /// <param name="client">Any client; it should not retry by itself, for its retries would not be counted.</param>
    /// <param name="model">The model's name.</param>
    /// <param name="saved">Where replies are saved and found; null for nowhere.</param>
    /// <param name="options">How patiently and how fast.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public ChatEndpoint(IChatClient client, string model, SavedReplies? saved = null, EndpointOptions? options = null)
        : this(client, model, saved, options, secret: null, "Give the client a key that this server knows.")
    {
    }

    private ChatEndpoint(IChatClient client, string model, SavedReplies? saved, EndpointOptions? options, string? secret, string keyAdvice)
    {
        options ??= new EndpointOptions();
        options.Validate();
        Require.That(!string.IsNullOrWhiteSpace(model), nameof(model), $"'{model}'", "the name of a model that the server has");
        (_client, Model, _saved, _options, _secret, _keyAdvice) = (client, model, saved, options, secret, keyAdvice);
        ChatClientMetadata? known = client.GetService<ChatClientMetadata>();
        Host = known?.ProviderUri?.Authority ?? known?.ProviderName ?? client.GetType().Name;
        _address = known?.ProviderUri is { } at ? at.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped) : Host;
        _account = new ChatAccount(model, Host, 0, 0, 0, 0, 0, 0, 0);
        _rate = options.RequestsPerMinute == 0 ? null : new TokenBucketRateLimiter(new TokenBucketRateLimiterOptions
        {
            TokenLimit = 1,
            TokensPerPeriod = 1,
            ReplenishmentPeriod = TimeSpan.FromMinutes(1) / options.RequestsPerMinute,
            QueueLimit = int.MaxValue,
        });
        _pipeline = Pipeline();
    }

    /// <summary>The model's name.</summary>
    public string Model { get; }

    /// <summary>Where it runs: host and port.</summary>
    public string Host { get; }

    /// <summary>What was asked up to now, and what it cost.</summary>
    public ChatAccount Account
    {
        get
        {
            lock (_gate)
            {
                return _account;
            }
        }
    }

    /// <summary>A model of an OpenAI-compatible server. Nothing is sent yet.</summary>
    /// <param name="url">Where the server's API begins, usually ending in /v1.</param>
    /// <param name="model">The model's name there.</param>
    /// <param name="saved">Where replies are saved and found; null for nowhere.</param>
    /// <param name="options">The key's variable; how patiently and how fast.</param>
    /// <exception cref="ArgumentException">The address, the key or an option cannot be used; the message holds no secret.</exception>
    public static ChatEndpoint Open(string url, string model, SavedReplies? saved = null, EndpointOptions? options = null)
    {
        options ??= new EndpointOptions();
        options.Validate();
        Require.That(!string.IsNullOrWhiteSpace(model), nameof(model), $"'{model}'", "the name of a model that the server has");
        EndpointAddress address = EndpointAddress.Of(url, options);
        var client = new ChatClient(model, new ApiKeyCredential(address.Key ?? "none"), new OpenAIClientOptions
        {
            Endpoint = address.Base,
            RetryPolicy = new ClientRetryPolicy(maxRetries: 0), // retried here, and counted once
            NetworkTimeout = Timeout.InfiniteTimeSpan, // limited here
        });
        IChatClient chat = client.AsIChatClient();
        return new ChatEndpoint(
            address.IsOpenAi ? chat : chat.AsBuilder().ConfigureOptions(NameTokenLimitAsMostDo).Build(),
            model,
            saved,
            options,
            address.Key is { Length: >= ShortestSecret } ? address.Key : null,
            address.KeyAdvice);
    }

    /// <summary>Lets the client go. What is saved stays open.</summary>
    public void Dispose()
    {
        _rate?.Dispose();
        _client.Dispose();
    }

    /// <summary>Model and host.</summary>
    public override string ToString() => $"{Model} at {Host}";

    /// <summary>Asks about every item, some at once. The first failure ends the others; replies that came are saved by then.</summary>
    internal async Task<T[]> AskAllAsync<TItem, T>(IReadOnlyList<TItem> items, Func<TItem, CancellationToken, Task<T>> ask, CancellationToken cancellation)
    {
        var answers = new T[items.Count];
        var atOnce = new ParallelOptions { MaxDegreeOfParallelism = _options.Concurrency, CancellationToken = cancellation };
        await Parallel.ForAsync(0, answers.Length, atOnce, async (i, token) => answers[i] = await ask(items[i], token));
        return answers;
    }

    /// <summary>The reply to one prompt: the saved one, else the server's.</summary>
    /// <param name="prompt">The whole of what is asked.</param>
    /// <param name="sampling">How it is drawn.</param>
    /// <param name="draw">Seed of the draw.</param>
    /// <param name="cancellation">Ends waiting and calling.</param>
    /// <exception cref="EndpointException">The server refused, or did not mend in time.</exception>
    internal async Task<ChatAnswer> AskAsync(string prompt, ChatSampling sampling, ulong draw, CancellationToken cancellation)
    {
        long seed = SeedOf(draw);
        string key = SavedReply.KeyOf(Host, Model, sampling, seed, prompt);
        SavedReply? reply = null;
        bool isSaved = _saved?.TryFind(key, out reply) == true;
        if (reply is null)
        {
            ChatResponse response = await CallAsync(prompt, sampling, seed, cancellation);
            reply = new SavedReply(key, Host, Model, seed, Scrub(prompt), Scrub(response.Text), response.FinishReason?.Value, Reported(response.Usage?.InputTokenCount), Reported(response.Usage?.OutputTokenCount));
            reply = _saved?.Keep(reply) ?? reply;
        }

        var answer = new ChatAnswer(reply.Text, reply.Finish, reply.PromptTokens ?? Estimate(prompt), reply.GeneratedTokens ?? Estimate(reply.Text));
        bool isEstimated = reply.PromptTokens is null || reply.GeneratedTokens is null;
        Count(was => isSaved
            ? was with { Reused = was.Reused + 1 }
            : was with
            {
                Calls = was.Calls + 1,
                PromptTokens = was.PromptTokens + answer.PromptTokens,
                GeneratedTokens = was.GeneratedTokens + answer.GeneratedTokens,
                Estimated = was.Estimated + (isEstimated ? 1 : 0),
            });
        return answer;
    }

    /// <summary>Counts a reply whose text cannot be used.</summary>
    internal void CountUnusable() => Count(was => was with { Unusable = was.Unusable + 1 });

    private async Task<ChatResponse> CallAsync(string prompt, ChatSampling sampling, long seed, CancellationToken cancellation)
    {
        var message = new Microsoft.Extensions.AI.ChatMessage(ChatRole.User, prompt);
        var options = new ChatOptions
        {
            Temperature = (float?)sampling.Temperature,
            TopP = (float?)sampling.TopP,
            MaxOutputTokens = sampling.MaxTokens,
            Seed = seed,
        };
        int tries = 0;
        try
        {
            return await _pipeline.ExecuteAsync(
                async token =>
                {
                    Interlocked.Increment(ref tries);
                    ChatResponse response = await _client.GetResponseAsync(message, options, token);
                    _ = response.Text; // a reply that cannot be read is one to ask for again
                    return response;
                },
                cancellation);
        }
        catch (Exception error) when (!cancellation.IsCancellationRequested)
        {
            throw Refused(CallFailure.Of(error, _options.Time.GetUtcNow()), tries);
        }
    }

    // From outside to inside: a call's turn, its tries, a try's turn, a try's time.
    private ResiliencePipeline Pipeline()
    {
        var pipeline = new ResiliencePipelineBuilder { TimeProvider = _options.Time };
        pipeline.AddConcurrencyLimiter(_options.Concurrency, queueLimit: int.MaxValue);
        if (_options.Retries > 0)
        {
            pipeline.AddRetry(new RetryStrategyOptions
            {
                MaxRetryAttempts = _options.Retries,
                Delay = _options.FirstWait,
                MaxDelay = _options.LongestWait,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                DelayGenerator = attempt => ValueTask.FromResult(FailureOf(attempt.Outcome)!.RetryAfter),
                ShouldHandle = attempt => ValueTask.FromResult(
                    !attempt.Context.CancellationToken.IsCancellationRequested && FailureOf(attempt.Outcome) is { MayPass: true } failure && !AsksTooMuch(failure)),
                OnRetry = attempt =>
                {
                    Count(was => was with { Retries = was.Retries + 1 });
                    _options.Note?.Invoke(Scrub($"{this}: {FailureOf(attempt.Outcome)!.What}. Try {attempt.AttemptNumber + 2} of {_options.Retries + 1} in {attempt.RetryDelay.TotalSeconds:0.#} s."));
                    return default;
                },
            });
        }

        if (_rate is not null)
        {
            pipeline.AddRateLimiter(_rate);
        }

        return pipeline.AddTimeout(_options.Timeout).Build();
    }

    private CallFailure? FailureOf(Outcome<object> outcome) => outcome.Exception is { } error ? CallFailure.Of(error, _options.Time.GetUtcNow()) : null;

    private bool AsksTooMuch(CallFailure failure) => failure.RetryAfter > _options.LongestWait;

    private EndpointException Refused(CallFailure failure, int tries)
    {
        ChatAccount account = Account;
        string advice = failure.Status switch
        {
            401 or 403 => _keyAdvice,
            404 => $"Does the server have a model named '{Model}', and does its API begin at this address (most end in /v1)?",
            400 or 422 => $"Where it names a setting that the model does not take, set that field of {nameof(ChatSampling)} to null.",
            429 when AsksTooMuch(failure) => $"It asks to wait {failure.RetryAfter!.Value.TotalSeconds:0} s, longer than {nameof(EndpointOptions.LongestWait)} ({_options.LongestWait.TotalSeconds:0} s): run again then.",
            429 => $"Lower {nameof(EndpointOptions.Concurrency)} (it is {_options.Concurrency}) or set {nameof(EndpointOptions.RequestsPerMinute)} (it is {_options.RequestsPerMinute}), or look at the account's quota.",
            >= 400 and < 500 => "Is this the address of an OpenAI-compatible API?",
            >= 500 => "The server has trouble of its own; run again later.",
            _ => $"Is the server running, at this address, and faster than {nameof(EndpointOptions.Timeout)} ({_options.Timeout.TotalSeconds:0.###} s)?",
        };
        string kept = _saved is null
            ? $"{account.Calls} calls had succeeded; their replies were not saved."
            : $"{_saved.Count} replies are saved in {_saved.Path}, and running again goes on from them.";
        return new EndpointException(Scrub($"{Model} at {_address}: {failure.What} ({(tries == 1 ? "1 try" : $"{tries} tries")}). {advice} {kept}"), failure.Status);
    }

    private void Count(Func<ChatAccount, ChatAccount> change)
    {
        lock (_gate)
        {
            _account = change(_account);
            _options.Progress?.Report(_account);
        }
    }

    // A server may repeat what it was sent, in an error or in a reply.
    private string Scrub(string text) => _secret is null ? text : text.Replace(_secret, "[key]", StringComparison.Ordinal);

    // 31 bits: what every server takes. Mixed first, so that draws that differ in any bits give seeds that differ.
    private static long SeedOf(ulong draw) => (long)(new SplitMix64(draw).NextBits() >> 33);

    private static int? Reported(long? tokens) => tokens is > 0 and <= int.MaxValue ? (int)tokens : null;

    private static int Estimate(string text) => (text.Length + CharactersPerToken - 1) / CharactersPerToken;

    // The SDK sends max_completion_tokens, which OpenAI's newer models want. Other servers, local ones above all, know max_tokens and
    // pass over the other name, so that a reply would have no limit.
    private static void NameTokenLimitAsMostDo(ChatOptions options)
    {
        int limit = options.MaxOutputTokens!.Value;
        options.MaxOutputTokens = null;
        options.RawRepresentationFactory = _ =>
        {
            var sent = new ChatCompletionOptions();
#pragma warning disable SCME0001 // a field that the SDK has no name for
            sent.Patch.Set("$.max_tokens"u8, limit);
#pragma warning restore SCME0001
            return sent;
        };
    }
}
