// What a reader types to name a server, and the key that goes to it. Mistakes are met here, before any call; a message never repeats an
// address that may hold a secret, and never a key.

namespace PaperLab.Preference;

/// <summary>A server, and the key for it.</summary>
/// <param name="Base">Where its API begins.</param>
/// <param name="Key">The key; null for none.</param>
/// <param name="KeyAdvice">What to do where the server does not take it.</param>
internal sealed record EndpointAddress(Uri Base, string? Key, string KeyAdvice)
{
    private const string OpenAiVariable = "OPENAI_API_KEY";
    private const string OpenAiDomain = "openai.com";
    private const string CallPath = "/chat/completions";
    private const string Allowed = "where the API of an OpenAI-compatible server begins, such as https://api.openai.com/v1 or http://localhost:11434/v1";

    /// <summary>Whether the server is OpenAI's own.</summary>
    public bool IsOpenAi => IsOpenAiHost(Base);

    /// <exception cref="ArgumentException">The address or the key cannot be used.</exception>
    public static EndpointAddress Of(string url, EndpointOptions options)
    {
        Uri address = Parse(url);
        (string variable, string? key) = (options.KeyVariable, KeyIn(options.KeyVariable));
        if (key is null && IsOpenAiHost(address))
        {
            (variable, key) = (OpenAiVariable, KeyIn(OpenAiVariable));
        }

        if (key is not null && address.Scheme == Uri.UriSchemeHttp && !address.IsLoopback)
        {
            options.Note?.Invoke($"The key in {variable} travels to {address.Authority} unencrypted: its address begins with http://.");
        }

        string advice = key is not null
            ? $"It got the key in {variable}: does that belong to this server, and may it use this model?"
            : $"It got no key: set the environment variable {options.KeyVariable} to one that this server knows"
                + (IsOpenAiHost(address) || KeyIn(OpenAiVariable) is null ? "." : $" ({OpenAiVariable} is set, but goes to {OpenAiDomain} alone).");
        return new EndpointAddress(address, key, advice);
    }

    private static bool IsOpenAiHost(Uri address) =>
        address.Scheme == Uri.UriSchemeHttps && (address.Host == OpenAiDomain || address.Host.EndsWith("." + OpenAiDomain, StringComparison.Ordinal));

    private static Uri Parse(string url)
    {
        url = url.Trim().TrimEnd('/');
        string shown = url.AsSpan().ContainsAny('@', '?', '#') ? "not shown, for it may hold a secret" : $"'{url}'";
        if (!Uri.TryCreate(url, UriKind.Absolute, out Uri? address) || (address.Scheme != Uri.UriSchemeHttp && address.Scheme != Uri.UriSchemeHttps))
        {
            throw new ArgumentException($"The endpoint is {shown}, which is no http:// or https:// address; allowed: {Allowed}.", nameof(url));
        }

        if (address.UserInfo.Length > 0 || address.Query.Length > 0 || address.Fragment.Length > 0)
        {
            throw new ArgumentException($"The endpoint at {address.Host} has {(address.UserInfo.Length > 0 ? "a name or password" : "a query or fragment")} in its address; allowed: {Allowed}. A key goes into an environment variable.", nameof(url));
        }

        return !address.AbsolutePath.EndsWith(CallPath, StringComparison.OrdinalIgnoreCase)
            ? address
            : throw new ArgumentException($"The endpoint is {shown}; allowed: {Allowed}. Leave out {CallPath}, which is added.", nameof(url));
    }

    // An empty variable is one that is not set; a line break at the end comes from a file.
    private static string? KeyIn(string variable)
    {
        string? key = Environment.GetEnvironmentVariable(variable)?.Trim();
        return string.IsNullOrEmpty(key) ? null
            : key.All(c => c is > ' ' and <= '~') ? key
            : throw new ArgumentException($"The key in {variable} holds a space, a line break or another character that a key cannot have. Copy it again.", variable);
    }
}
