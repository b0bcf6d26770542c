// Why a call brought no reply, in words for a person, and whether another try may mend it.

using System.ClientModel;
using System.ClientModel.Primitives;
using System.Globalization;
using System.Text.Json;
using Polly.Timeout;

namespace PaperLab.Preference;

/// <summary>A call that failed.</summary>
/// <param name="What">What happened, as the server or the system says it.</param>
/// <param name="MayPass">Whether another try may succeed.</param>
/// <param name="Status">The HTTP status; null where no answer came.</param>
/// <param name="RetryAfter">How long the server asks to wait; null where it does not.</param>
internal sealed record CallFailure(string What, bool MayPass, int? Status = null, TimeSpan? RetryAfter = null)
{
    private const int LongestQuote = 300;

    /// <param name="error">What the client threw.</param>
    /// <param name="now">The time, for a server that names the moment to come back.</param>
    public static CallFailure Of(Exception error, DateTimeOffset now) => error switch
    {
        TimeoutRejectedException late => new($"no reply within {late.Timeout.TotalSeconds:0.###} s", MayPass: true),
        ClientResultException { Status: > 0 } answered when answered.GetRawResponse() is { } response => Answered(answered.Status, response, now),
        HttpRequestException { StatusCode: { } status } => new($"HTTP {(int)status}", Passes((int)status), (int)status),
        HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } => new($"no secure connection: {Quote(Innermost(error).Message)}", MayPass: false),
        ClientResultException { InnerException: { } cause } => Of(cause, now),
        AggregateException { InnerException: { } cause } => Of(cause, now),
        HttpRequestException or IOException or OperationCanceledException => new($"no answer: {Quote(Innermost(error).Message)}", MayPass: true),
        JsonException => new("what came is no JSON", MayPass: true),
        _ => new($"what came is no chat completion ({error.GetType().Name}: {Quote(error.Message)})", MayPass: true),
    };

    private static CallFailure Answered(int status, PipelineResponse response, DateTimeOffset now) =>
        new($"HTTP {status}{(Said(response.Content) is { Length: > 0 } said ? $"; the server says: {said}" : "")}", Passes(status), status, Wait(response.Headers, now));

    private static bool Passes(int status) => status is 408 or 425 or 429 or >= 500;

    // RFC 9110, section 10.2.3: seconds, or a date.
    private static TimeSpan? Wait(PipelineResponseHeaders headers, DateTimeOffset now)
    {
        if (!headers.TryGetValue("Retry-After", out string? value))
        {
            return null;
        }

        TimeSpan? wait = double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double seconds) && seconds < TimeSpan.MaxValue.TotalSeconds ? TimeSpan.FromSeconds(seconds)
            : DateTimeOffset.TryParse(value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset moment) ? moment - now
            : null;
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait;
    }

    // {"error":{"message":"…"}} is OpenAI's form; others write {"error":"…"}, {"message":"…"}, {"detail":"…"} or plain text.
    private static string Said(BinaryData body)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(body.ToMemory());
            return Quote(Message(json.RootElement) ?? body.ToString());
        }
        catch (JsonException)
        {
            return Quote(body.ToString());
        }
    }

    private static string? Message(JsonElement json)
    {
        if (json.ValueKind == JsonValueKind.String)
        {
            return json.GetString();
        }

        foreach (string name in json.ValueKind == JsonValueKind.Object ? new[] { "error", "message", "detail" } : [])
        {
            if (json.TryGetProperty(name, out JsonElement part) && Message(part) is { } message)
            {
                return message;
            }
        }

        return null;
    }

    private static Exception Innermost(Exception error) => error.InnerException is { } cause ? Innermost(cause) : error;

    // On one line, without control characters, which a terminal would obey.
    private static string Quote(string text)
    {
        string line = string.Join(' ', string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c)).Split(' ', StringSplitOptions.RemoveEmptyEntries));
        return line.Length <= LongestQuote ? line : line[..LongestQuote] + "…";
    }
}
