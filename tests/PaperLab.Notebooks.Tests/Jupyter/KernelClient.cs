// A front end in small: starts the real kernel the way a kernelspec does, and speaks the messaging protocol with it. It shares no code
// with the kernel.

using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using NetMQ;
using NetMQ.Sockets;
using PaperLab.Notebooks.Tests.Batch;

namespace PaperLab.Notebooks.Tests.Jupyter;

/// <summary>A message from the kernel.</summary>
internal sealed record KernelMessage(string Type, string? ParentId, JsonObject Content)
{
    public string? Text(string field) => Content[field]?.GetValue<string>();
}

/// <summary>All that came of one request: the reply, and what was published while the kernel worked on it.</summary>
internal sealed record Answer(JsonObject Reply, IReadOnlyList<KernelMessage> Published)
{
    public string? Status => Reply["status"]?.GetValue<string>();

    public string Stdout => Printed("stdout");

    public string Stderr => Printed("stderr");

    /// <summary>The text of the value; there must be one.</summary>
    public string Value => Assert.Single(All("execute_result"))["data"]!["text/plain"]!.GetValue<string>();

    public IEnumerable<JsonObject> All(string type) => Published.Where(message => message.Type == type).Select(message => message.Content);

    private string Printed(string stream) =>
        string.Concat(All("stream").Where(content => content["name"]!.GetValue<string>() == stream).Select(content => content["text"]!.GetValue<string>()));
}

/// <summary>One kernel process and its sockets. Dispose ends it.</summary>
internal sealed class KernelClient : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5); // other tests keep the processor busy
    private static readonly string[] Ports = ["shell_port", "control_port", "stdin_port", "iopub_port", "hb_port"];

    // Below those that a system gives to whoever asks for any port, and each once: nobody takes one before the kernel listens.
    private static int s_port = 12_000 + (Environment.ProcessId % 1000 * 20);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("paperlab-kernel-");
    private readonly JsonObject _connection;
    private readonly List<KernelMessage> _published = [];
    private readonly StringBuilder _log = new();
    private DealerSocket _shell = null!;
    private DealerSocket _control = null!;
    private DealerSocket _stdin = null!;
    private SubscriberSocket _iopub = null!;
    private Process _process = null!;

    public KernelClient()
    {
        Key = Guid.NewGuid().ToString();
        _connection = new JsonObject { ["transport"] = "tcp", ["ip"] = "127.0.0.1", ["signature_scheme"] = "hmac-sha256", ["key"] = Key };
        foreach (string port in Ports)
        {
            _connection[port] = FreePort();
        }

        File.WriteAllText(ConnectionFile, _connection.ToJsonString());
        Start();
    }

    /// <summary>Signs messages.</summary>
    public string Key { get; }

    public Process Process => _process;

    /// <summary>What the kernel wrote to the server's log.</summary>
    public string Log
    {
        get
        {
            lock (_log)
            {
                return _log.ToString();
            }
        }
    }

    /// <summary>Where the kernel runs.</summary>
    public string Folder => _folder.FullName;

    private string ConnectionFile => Path.Combine(_folder.FullName, "connection.json");

    /// <summary>Starts the kernel, and waits until it answers and is heard. Again after it has ended, for a restart.</summary>
    public void Start()
    {
        (_shell, _control, _stdin, _iopub) = (new DealerSocket(), new DealerSocket(), new DealerSocket(), new SubscriberSocket());
        byte[] identity = Guid.NewGuid().ToByteArray();
        foreach ((NetMQSocket socket, string port) in new (NetMQSocket, string)[] { (_shell, "shell_port"), (_control, "control_port"), (_stdin, "stdin_port"), (_iopub, "iopub_port") })
        {
            socket.Options.Identity = [1, .. identity];
            socket.Options.Linger = TimeSpan.Zero;
            (socket.Options.ReceiveHighWatermark, socket.Options.SendHighWatermark) = (0, 0);
            socket.Connect($"tcp://127.0.0.1:{_connection[port]}");
        }

        _iopub.SubscribeToAnyTopic();
        var start = new ProcessStartInfo(Tool.Program, ["jupyter-kernel", ConnectionFile])
        {
            WorkingDirectory = _folder.FullName,
            RedirectStandardError = true,
        };
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, line) =>
        {
            lock (_log)
            {
                _log.AppendLine(line.Data);
            }
        };
        _process.BeginErrorReadLine();
        WaitFor("iopub_welcome", null);
    }

    /// <summary>Sends a request on the shell channel and waits for all that comes of it.</summary>
    public Answer Ask(string type, JsonObject? content = null) => AnswerTo(SendOnShell(type, content), _shell);

    /// <summary>Sends a request on the control channel and waits for all that comes of it.</summary>
    public Answer AskOnControl(string type, JsonObject? content = null) => AnswerTo(Send(_control, type, content ?? [], Key), _control);

    /// <summary>Runs a cell.</summary>
    public Answer Run(string code, Action<JsonObject>? change = null) => AnswerTo(Begin(code, change));

    /// <summary>Runs a cell that must succeed.</summary>
    public Answer Succeed(string code)
    {
        Answer answer = Run(code);
        Assert.True(answer.Status == "ok", answer.Reply.ToJsonString());
        return answer;
    }

    /// <summary>Sends a cell without waiting.</summary>
    /// <returns>The id of the request.</returns>
    public string Begin(string code, Action<JsonObject>? change = null)
    {
        var content = new JsonObject
        {
            ["code"] = code,
            ["silent"] = false,
            ["store_history"] = true,
            ["user_expressions"] = new JsonObject(),
            ["allow_stdin"] = true,
            ["stop_on_error"] = true,
        };
        change?.Invoke(content);
        return SendOnShell("execute_request", content);
    }

    /// <summary>Waits for all that comes of a request on the shell channel.</summary>
    public Answer AnswerTo(string id) => AnswerTo(id, _shell);

    /// <summary>Sends a request on the shell channel, signed with <paramref name="key"/>, without waiting.</summary>
    /// <returns>Its id.</returns>
    public string SendOnShell(string type, JsonObject? content = null, string? key = null) => Send(_shell, type, content ?? [], key ?? Key);

    /// <summary>Waits until what was sent on the shell channel lies in the kernel, even where a cell that runs holds it up: what is sent
    /// later, on another channel, is answered.</summary>
    public void WaitForArrival() => AskOnControl("kernel_info_request");

    /// <summary>Sends frames as they are on the shell channel.</summary>
    public void SendFrames(params byte[][] frames) => _shell.SendMultipartMessage(new NetMQMessage(frames));

    /// <summary>Sends bytes that are not even ZeroMQ's to the shell port.</summary>
    public void SendBytes(ReadOnlySpan<byte> bytes)
    {
        using var client = new TcpClient("127.0.0.1", _connection["shell_port"]!.GetValue<int>());
        client.GetStream().Write(bytes);
    }

    /// <summary>Waits for a message of this type that belongs to request <paramref name="parent"/>.</summary>
    public KernelMessage WaitFor(string type, string? parent, Func<KernelMessage, bool>? condition = null)
    {
        KernelMessage message;
        do
        {
            message = Receive(_iopub);
            _published.Add(message);
        }
        while (message.Type != type || message.ParentId != parent || condition?.Invoke(message) == false);
        return message;
    }

    /// <summary>Waits until the running cell has printed <paramref name="text"/>.</summary>
    public void WaitForText(string text, string parent) => WaitFor("stream", parent, message => message.Text("text")!.Contains(text));

    /// <summary>Waits for a question, and answers it.</summary>
    public JsonObject AnswerQuestion(string value)
    {
        KernelMessage question = Receive(_stdin);
        Assert.Equal("input_request", question.Type);
        Send(_stdin, "input_reply", new JsonObject { ["value"] = value }, Key);
        return question.Content;
    }

    /// <summary>Waits for the process's end.</summary>
    public void WaitForExit()
    {
        Assert.True(_process.WaitForExit(Limit), "The kernel goes on.");
        CloseSockets();
    }

    /// <summary>Resident memory of the kernel, in bytes.</summary>
    public long Memory()
    {
        _process.Refresh();
        return _process.WorkingSet64;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
        CloseSockets();
        _folder.Delete(recursive: true);
    }

    private static int FreePort()
    {
        while (true)
        {
            int port = Interlocked.Increment(ref s_port);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Somebody listens there.
            }
        }
    }

    private void CloseSockets()
    {
        foreach (NetMQSocket socket in (NetMQSocket[])[_shell, _control, _stdin, _iopub])
        {
            socket.Dispose();
        }
    }

    private Answer AnswerTo(string id, NetMQSocket socket)
    {
        KernelMessage reply;
        do
        {
            reply = Receive(socket);
        }
        while (reply.ParentId != id);

        if (!_published.Any(message => message.ParentId == id && message.Type == "status" && message.Text("execution_state") == "idle"))
        {
            WaitFor("status", id, message => message.Text("execution_state") == "idle");
        }

        List<KernelMessage> own = [.. _published.Where(message => message.ParentId == id)];
        _published.RemoveAll(message => message.ParentId == id);
        return new Answer(reply.Content, own);
    }

    private KernelMessage Receive(NetMQSocket socket)
    {
        NetMQMessage? message = null;
        Assert.True(socket.TryReceiveMultipartMessage(Limit, ref message), $"The kernel is silent. Its log: {Log}");
        List<byte[]> frames = [.. message!.Select(frame => frame.ToByteArray())];
        int delimiter = frames.FindIndex(frame => frame.AsSpan().SequenceEqual("<IDS|MSG>"u8));
        Assert.Equal(Sign(frames[(delimiter + 2)..(delimiter + 6)], Key), Encoding.ASCII.GetString(frames[delimiter + 1]));
        JsonObject Part(int index) => JsonNode.Parse(frames[delimiter + index])!.AsObject();
        Assert.Equal("5.4", Part(2)["version"]!.GetValue<string>());
        return new KernelMessage(Part(2)["msg_type"]!.GetValue<string>(), Part(3)["msg_id"]?.GetValue<string>(), Part(5));
    }

    private static string Send(NetMQSocket socket, string type, JsonObject content, string key)
    {
        string id = Guid.NewGuid().ToString();
        var header = new JsonObject
        {
            ["msg_id"] = id,
            ["session"] = "tests",
            ["username"] = "tests",
            ["date"] = DateTime.UtcNow.ToString("o", CultureInfo.InvariantCulture),
            ["msg_type"] = type,
            ["version"] = "5.4",
        };
        List<byte[]> parts = [.. new[] { header, [], [], content }.Select(part => Encoding.UTF8.GetBytes(part.ToJsonString()))];
        socket.SendMultipartMessage(new NetMQMessage([Encoding.ASCII.GetBytes("<IDS|MSG>"), Encoding.ASCII.GetBytes(Sign(parts, key)), .. parts]));
        return id;
    }

    private static string Sign(IEnumerable<byte[]> parts, string key) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(key), parts.SelectMany(part => part).ToArray()));
}
