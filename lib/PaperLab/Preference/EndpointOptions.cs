// How a chat endpoint is asked. What decides the replies (ChatSampling) is a part of their name when they are saved; the rest
// (EndpointOptions) decides only how long they take, so it can change between two runs that share their replies.

namespace PaperLab.Preference;

/// <summary>How a reply is drawn. Null leaves a setting to the server, for models that do not take it.</summary>
public sealed record ChatSampling
{
    /// <summary>Temperature; 0 takes the likeliest token.</summary>
    public double? Temperature { get; init; } = 0.7;

    /// <summary>Share of the probability that tokens are drawn from.</summary>
    public double? TopP { get; init; } = 0.95;

    /// <summary>Longest reply, in tokens, with what the model thinks before it. A reply that reaches it is cut off and cannot be used.</summary>
    public int MaxTokens { get; init; } = 2048;

    /// <exception cref="ArgumentException">A field is out of range.</exception>
    public void Validate()
    {
        Require.That(Temperature is null or (>= 0 and <= 2), nameof(Temperature), Temperature, "0 to 2, or null");
        Require.That(TopP is null or (> 0 and <= 1), nameof(TopP), TopP, "above 0, up to 1, or null");
        Require.AtLeast(MaxTokens, 1, nameof(MaxTokens));
    }
}

/// <summary>How patiently a server is asked, and how fast.</summary>
public sealed record EndpointOptions
{
    /// <summary>
    /// Environment variable with the key; a server without one needs none. Where it is not set and the server is OpenAI's own,
    /// OPENAI_API_KEY serves; that key goes nowhere else.
    /// </summary>
    public string KeyVariable { get; init; } = "PAPERLAB_API_KEY";

    /// <summary>Time for one try of one call.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Further tries after what may pass by itself: 408, 425, 429, 5xx, no connection, a broken one, no reply in time, a reply that is no chat completion.</summary>
    public int Retries { get; init; } = 6;

    /// <summary>Wait before the second try; it doubles from try to try, with some chance in it. A server's Retry-After replaces it.</summary>
    public TimeSpan FirstWait { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest wait before a try. A server that asks for a longer one is not waited for.</summary>
    public TimeSpan LongestWait { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Calls under way at once.</summary>
    public int Concurrency { get; init; } = 4;

    /// <summary>Tries begun in a minute, evenly spaced; 0 for no limit.</summary>
    public int RequestsPerMinute { get; init; }

    /// <summary>Told of every change to the account, one at a time.</summary>
    public IProgress<ChatAccount>? Progress { get; init; }

    /// <summary>Told of retries and their waits, and of what is unusual about the key.</summary>
    public Action<string>? Note { get; init; }

    /// <summary>The clock of waits and timeouts.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <exception cref="ArgumentException">A field is out of range.</exception>
    public void Validate()
    {
        Require.That(!string.IsNullOrWhiteSpace(KeyVariable), nameof(KeyVariable), $"'{KeyVariable}'", "the name of an environment variable");
        Require.That(Timeout >= TimeSpan.FromMilliseconds(10) && Timeout <= TimeSpan.FromDays(1), nameof(Timeout), Timeout, "10 ms to a day");
        Require.That(Retries is >= 0 and <= 100, nameof(Retries), Retries, "0 to 100");
        Require.That(FirstWait > TimeSpan.Zero && FirstWait <= LongestWait, nameof(FirstWait), FirstWait, $"above 0, up to {nameof(LongestWait)} ({LongestWait})");
        Require.That(LongestWait <= TimeSpan.FromDays(1), nameof(LongestWait), LongestWait, "up to a day");
        Require.AtLeast(Concurrency, 1, nameof(Concurrency));
        Require.AtLeast(RequestsPerMinute, 0, nameof(RequestsPerMinute));
    }
}
