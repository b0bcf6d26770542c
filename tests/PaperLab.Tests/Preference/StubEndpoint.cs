// A chat server on loopback that speaks as much of OpenAI's API as PaperLab asks for: POST /v1/chat/completions. What it answers is a
// function of the request, so that it can also do what servers should not. One connection serves one request.

using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace PaperLab.Tests.Preference;

/// <summary>The server. Disposing it cuts every connection, as a server that is killed does.</summary>
internal sealed class StubEndpoint : IDisposable
{
    private readonly TcpListener _listener;
    private readonly Func<StubRequest, Task<StubReply>> _behaviour;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<TcpClient, bool> _open = [];
    private readonly ConcurrentQueue<StubRequest> _requests = [];
    private readonly Lock _gate = new();
    private int _underWay;

    /// <param name="behaviour">What a request is answered with; those under way at once are answered at once.</param>
    /// <param name="port">On which port of 127.0.0.1; 0 for any that is free.</param>
    public StubEndpoint(Func<StubRequest, Task<StubReply>> behaviour, int port = 0)
    {
        _behaviour = behaviour;
        _listener = new TcpListener(IPAddress.Loopback, port);
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _ = AcceptAsync();
    }

    /// <summary>A server that says these, in this order, and goes on as the scripted model.</summary>
    public StubEndpoint(params StubReply[] first)
        : this(Script(first))
    {
    }

    public int Port { get; }

    /// <summary>Where its API begins.</summary>
    public string Url => $"http://127.0.0.1:{Port}/v1";

    /// <summary>What was asked, in the order of arrival.</summary>
    public IReadOnlyList<StubRequest> Requests => [.. _requests];

    /// <summary>The most requests that were under way at once.</summary>
    public int Peak { get; private set; }

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Stop();
        foreach (TcpClient client in _open.Keys)
        {
            client.Client?.Close(timeout: 0); // null where it has just been served
        }
    }

    /// <summary>These replies, in this order, and then the scripted model's.</summary>
    private static Func<StubRequest, Task<StubReply>> Script(StubReply[] first)
    {
        var left = new ConcurrentQueue<StubReply>(first);
        return request => Task.FromResult(left.TryDequeue(out StubReply? next) ? next : ScriptedModel.Answer(request));
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                TcpClient client = await _listener.AcceptTcpClientAsync(_stop.Token);
                _open[client] = true;
                _ = Task.Run(() => ServeAsync(client));
            }
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The server is gone.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        try
        {
            using (client)
            {
                NetworkStream stream = client.GetStream();
                StubRequest request = await StubRequest.ReadAsync(stream, _stop.Token);
                _requests.Enqueue(request);
                Enter(1);
                StubReply reply = await _behaviour(request).WaitAsync(_stop.Token);
                if (reply.Hangs)
                {
                    await Task.Delay(Timeout.Infinite, _stop.Token);
                }

                Enter(-1); // before the client knows, so that its next request is not counted beside this one
                byte[] bytes = reply.ToBytes();
                await stream.WriteAsync(reply.Drops ? bytes.AsMemory(..^10) : bytes, _stop.Token);
            }
        }
        catch (Exception error) when (error is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
        {
            // The client, or the server, is gone.
        }
        finally
        {
            _open.TryRemove(client, out _);
        }
    }

    private void Enter(int requests)
    {
        lock (_gate)
        {
            _underWay += requests;
            Peak = Math.Max(Peak, _underWay);
        }
    }
}

/// <summary>What the server was asked.</summary>
/// <param name="Head">Request line and headers.</param>
/// <param name="Body">The JSON.</param>
internal sealed record StubRequest(string Head, JsonElement Body)
{
    public string Path => Head.Split(' ')[1];

    public string Authorization => Header("Authorization") ?? "";

    public string Model => Body.GetProperty("model").GetString()!;

    public long Seed => Body.GetProperty("seed").GetInt64();

    /// <summary>The text of the one message.</summary>
    public string Prompt => Body.GetProperty("messages").EnumerateArray().Single().GetProperty("content") switch
    {
        { ValueKind: JsonValueKind.String } text => text.GetString()!,
        { } parts => string.Concat(parts.EnumerateArray().Select(part => part.GetProperty("text").GetString())),
    };

    public static async Task<StubRequest> ReadAsync(Stream stream, CancellationToken cancellation)
    {
        var head = new StringBuilder();
        byte[] one = new byte[1];
        while (head.Length < 4 || head.ToString(head.Length - 4, 4) != "\r\n\r\n")
        {
            await stream.ReadExactlyAsync(one, cancellation);
            head.Append((char)one[0]);
        }

        var request = new StubRequest(head.ToString(), default);
        byte[] body = new byte[int.Parse(request.Header("Content-Length") ?? "0", CultureInfo.InvariantCulture)];
        await stream.ReadExactlyAsync(body, cancellation);
        using JsonDocument json = JsonDocument.Parse(body);
        return request with { Body = json.RootElement.Clone() };
    }

    private string? Header(string name) => Head.Split("\r\n").FirstOrDefault(line => line.StartsWith(name + ": ", StringComparison.OrdinalIgnoreCase))?[(name.Length + 2)..];
}

/// <summary>What the server answers, or how it fails to.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Body">The body.</param>
/// <param name="RetryAfter">The header of that name; null for none.</param>
/// <param name="Hangs">Never answers.</param>
/// <param name="Drops">Cuts the connection within the body.</param>
internal sealed record StubReply(int Status, string Body, string? RetryAfter = null, bool Hangs = false, bool Drops = false)
{
    public const int PromptTokens = 21, GeneratedTokens = 8;

    public static StubReply NoJson { get; } = new(200, "<html>Welcome</html>");

    public static StubReply NoChoices { get; } = new(200, """{"id":"x","object":"chat.completion","created":1,"model":"m","choices":[]}""");

    public static StubReply Hang { get; } = new(200, "", Hangs: true);

    public static StubReply Drop { get; } = Say("half of this") with { Drops = true };

    /// <summary>A chat completion.</summary>
    public static StubReply Say(string text, string finish = "stop", bool usage = true) => new(200, JsonSerializer.Serialize(new Dictionary<string, object?>
    {
        ["id"] = "chatcmpl-1",
        ["object"] = "chat.completion",
        ["created"] = 1737676800,
        ["model"] = "scripted",
        ["choices"] = new[] { new { index = 0, message = new { role = "assistant", content = text }, finish_reason = finish } },
        ["usage"] = usage ? new { prompt_tokens = PromptTokens, completion_tokens = GeneratedTokens, total_tokens = PromptTokens + GeneratedTokens } : null,
    }));

    /// <summary>An error in OpenAI's form.</summary>
    public static StubReply Error(int status, string message = "no", string? retryAfter = null) =>
        new(status, JsonSerializer.Serialize(new { error = new { message, type = "stub", code = (string?)null } }), retryAfter);

    public byte[] ToBytes()
    {
        byte[] body = Encoding.UTF8.GetBytes(Body);
        string wait = RetryAfter is null ? "" : $"Retry-After: {RetryAfter}\r\n";
        string head = $"HTTP/1.1 {Status} {(HttpStatusCode)Status}\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n{wait}Connection: close\r\n\r\n";
        return [.. Encoding.ASCII.GetBytes(head), .. body];
    }
}
