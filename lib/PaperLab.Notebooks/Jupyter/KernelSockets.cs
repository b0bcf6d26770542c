// The kernel's five ZeroMQ sockets, on a thread of their own: they answer however busy a cell is.

using System.Net;
using System.Net.Sockets;
using NetMQ;
using NetMQ.Sockets;

namespace PaperLab.Notebooks.Jupyter;

/// <summary>Receives and sends frames. Handlers are called on the sockets' thread and must not block; sending is safe from any thread.</summary>
internal sealed class KernelSockets : IDisposable
{
    // How long what was sent last may take to leave when the kernel ends.
    private static readonly TimeSpan Linger = TimeSpan.FromSeconds(1);

    private readonly NetMQQueue<(NetMQSocket Socket, NetMQMessage Message)> _outgoing = new();
    private readonly RouterSocket _shell = new();
    private readonly RouterSocket _control = new();
    private readonly RouterSocket _stdin = new();
    private readonly ResponseSocket _heartbeat = new();
    private readonly XPublisherSocket _iopub = new();
    private readonly NetMQPoller _poller;

    /// <summary>Listens where <paramref name="connection"/> says; what comes waits for <see cref="Begin"/>.</summary>
    /// <param name="connection">The addresses.</param>
    /// <param name="onShell">Receives requests.</param>
    /// <param name="onControl">Receives requests that do not wait.</param>
    /// <param name="onStdin">Receives answers to questions.</param>
    /// <param name="onSubscribed">Receives the topic of each new subscription.</param>
    /// <exception cref="KernelStartException">A port is taken.</exception>
    public KernelSockets(ConnectionFile connection, Action<NetMQMessage> onShell, Action<NetMQMessage> onControl, Action<NetMQMessage> onStdin, Action<byte[]> onSubscribed)
    {
        Bind(_shell, connection.Address, connection.Shell, "shell_port");
        Bind(_control, connection.Address, connection.Control, "control_port");
        Bind(_stdin, connection.Address, connection.Stdin, "stdin_port");
        Bind(_iopub, connection.Address, connection.IOPub, "iopub_port");
        Bind(_heartbeat, connection.Address, connection.Heartbeat, "hb_port");
        Receive(_shell, onShell);
        Receive(_control, onControl);
        Receive(_stdin, onStdin);
        Receive(_heartbeat, message => _heartbeat.TrySendMultipartMessage(message));
        _iopub.Options.XPubVerbose = true; // every subscription, the second of the same topic too
        Receive(_iopub, message =>
        {
            // A subscription is a 1 and its topic.
            if (message.First.ToByteArray() is [1, .. var topic])
            {
                onSubscribed(topic);
            }
        });
        _outgoing.ReceiveReady += (_, queue) =>
        {
            while (queue.Queue.TryDequeue(out (NetMQSocket Socket, NetMQMessage Message) next, TimeSpan.Zero))
            {
                next.Socket.TrySendMultipartMessage(next.Message);
            }
        };
        _poller = [_shell, _control, _stdin, _iopub, _heartbeat, _outgoing];
    }

    /// <summary>Begins to receive and to send.</summary>
    public void Begin() => _poller.RunAsync("jupyter sockets");

    public void SendShell(NetMQMessage message) => _outgoing.Enqueue((_shell, message));

    public void SendControl(NetMQMessage message) => _outgoing.Enqueue((_control, message));

    public void SendStdin(NetMQMessage message) => _outgoing.Enqueue((_stdin, message));

    public void Publish(NetMQMessage message) => _outgoing.Enqueue((_iopub, message));

    /// <summary>Sends what is still to be sent, and stops listening.</summary>
    public void Dispose()
    {
        for (long end = Environment.TickCount64 + (long)Linger.TotalMilliseconds; _outgoing.Count > 0 && Environment.TickCount64 < end;)
        {
            Thread.Sleep(1);
        }

        _poller.Dispose();
        _outgoing.Dispose();
        foreach (NetMQSocket socket in (NetMQSocket[])[_shell, _control, _stdin, _iopub, _heartbeat])
        {
            socket.Dispose();
        }

        NetMQConfig.Cleanup(block: true);
    }

    private static void Bind(NetMQSocket socket, IPAddress address, int port, string name)
    {
        // No message is dropped because a front end is slow to read: without the end of a cell it would wait for ever.
        (socket.Options.SendHighWatermark, socket.Options.ReceiveHighWatermark) = (0, 0);
        socket.Options.Linger = Linger;
        socket.Options.IPv4Only = address.AddressFamily == AddressFamily.InterNetwork;
        try
        {
            socket.Bind($"tcp://{new IPEndPoint(address, port)}");
        }
        catch (NetMQException error)
        {
            throw new KernelStartException($"The kernel cannot listen on {new IPEndPoint(address, port)} ({name} of its connection file): {error.Message}");
        }
    }

    private static void Receive(NetMQSocket socket, Action<NetMQMessage> onMessage) => socket.ReceiveReady += (_, _) =>
    {
        NetMQMessage? message = null;
        while (socket.TryReceiveMultipartMessage(ref message))
        {
            onMessage(message!);
            message = null;
        }
    };
}
