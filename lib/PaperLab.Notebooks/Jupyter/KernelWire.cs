// The kernel's side of the protocol: requests come in, checked and one at a time; replies, broadcasts and questions go out.

using System.Text;
using System.Text.Json;
using NetMQ;

namespace PaperLab.Notebooks.Jupyter;

/// <summary>Receives requests in the order of their arrival, and sends. Sending is safe from any thread.</summary>
internal sealed class KernelWire : IDisposable
{
    private readonly WireFormat _format;
    private readonly KernelSockets _sockets;
    private readonly Action<string> _log;

    /// <summary>Listens; what comes waits for <see cref="Begin"/>.</summary>
    /// <param name="connection">Where.</param>
    /// <param name="onShell">Receives requests that are answered in order; must not block.</param>
    /// <param name="onControl">Receives requests that are answered at once; must not block.</param>
    /// <param name="onAnswer">Receives answers to questions; must not block.</param>
    /// <param name="log">Receives a line on every message that is ignored.</param>
    /// <exception cref="KernelStartException">A port is taken.</exception>
    public KernelWire(ConnectionFile connection, Action<KernelRequest> onShell, Action<KernelRequest> onControl, Action<KernelRequest> onAnswer, Action<string> log)
    {
        _format = new WireFormat(connection.Key);
        _log = log;
        _sockets = new KernelSockets(connection, Checked("shell", onShell), Checked("control", onControl), Checked("stdin", onAnswer), Welcome);
    }

    /// <summary>Begins to receive and to send.</summary>
    public void Begin() => _sockets.Begin();

    /// <summary>Answers a request that came on the shell channel.</summary>
    public void ReplyOnShell(KernelRequest request, string type, Action<Utf8JsonWriter> content) =>
        _sockets.SendShell(_format.Encode(request.Identities, type, request, content));

    /// <summary>Answers a request that came on the control channel.</summary>
    public void ReplyOnControl(KernelRequest request, string type, Action<Utf8JsonWriter> content) =>
        _sockets.SendControl(_format.Encode(request.Identities, type, request, content));

    /// <summary>Asks the front end that sent <paramref name="request"/>.</summary>
    public void Ask(KernelRequest request, Action<Utf8JsonWriter> content) =>
        _sockets.SendStdin(_format.Encode(request.Identities, "input_request", request, content));

    /// <summary>Tells every front end.</summary>
    public void Publish(string type, KernelRequest? parent, Action<Utf8JsonWriter> content) =>
        _sockets.Publish(_format.Encode([Encoding.UTF8.GetBytes(type)], type, parent, content));

    /// <summary>Tells every front end whether the kernel works on <paramref name="request"/>.</summary>
    public void PublishStatus(string state, KernelRequest? request) => Publish("status", request, content => content.WriteString("execution_state", state));

    public void Dispose() => _sockets.Dispose();

    // Who has subscribed learns that nothing is missed from here on.
    private void Welcome(byte[] topic) => _sockets.Publish(_format.Encode(
        [topic], "iopub_welcome", null, content => content.WriteString("subscription", Encoding.UTF8.GetString(topic))));

    private Action<NetMQMessage> Checked(string channel, Action<KernelRequest> receive) => message =>
    {
        if (_format.Decode(message, out string fault) is { } request)
        {
            receive(request);
        }
        else
        {
            _log($"a message on the {channel} channel was ignored: {fault}");
        }
    };
}
