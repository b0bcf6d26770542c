// The file in which Jupyter tells a kernel where to listen and how to sign. Whoever can send to a kernel runs code as its user, so
// nothing but this machine's own addresses and signed messages is accepted.

using System.Net;
using System.Text;
using System.Text.Json;

namespace PaperLab.Notebooks.Jupyter;

/// <summary>Where a kernel listens.</summary>
/// <param name="Address">An address of the loopback network.</param>
/// <param name="Shell">Port for requests that are answered one after another.</param>
/// <param name="Control">Port for requests that do not wait for a running cell.</param>
/// <param name="IOPub">Port for what everybody sees.</param>
/// <param name="Stdin">Port for questions to the front end.</param>
/// <param name="Heartbeat">Port that echoes.</param>
/// <param name="Key">Signs messages, by HMAC-SHA256.</param>
internal sealed record ConnectionFile(IPAddress Address, int Shell, int Control, int IOPub, int Stdin, int Heartbeat, byte[] Key)
{
    private const string Scheme = "hmac-sha256";

    /// <summary>Reads a connection file.</summary>
    /// <exception cref="KernelStartException">It is not there, or asks for what this kernel does not do; the message says what is allowed.</exception>
    public static ConnectionFile Read(string path)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(path));
            return Read(path, json.RootElement);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new KernelStartException($"The connection file {path} cannot be read: {error.Message}");
        }
        catch (JsonException error)
        {
            throw new KernelStartException($"The connection file {path} is not JSON: {error.Message}");
        }
    }

    private static ConnectionFile Read(string path, JsonElement json)
    {
        RequireValue("transport", "tcp");
        RequireValue("signature_scheme", Scheme);
        string ip = Text("ip");
        if (!IPAddress.TryParse(ip == "localhost" ? "127.0.0.1" : ip, out IPAddress? address) || !IPAddress.IsLoopback(address))
        {
            throw Fault($"\"ip\" is \"{ip}\": this kernel listens on the loopback network only (127.0.0.1, ::1 or localhost). For another machine, run the Jupyter server there, or forward its port through ssh");
        }

        string key = Text("key");
        return key.Length == 0
            ? throw Fault("\"key\" is empty: without one, every user of this machine could run code here. Leave c.Session.key of the Jupyter configuration at its default")
            : new ConnectionFile(address, Port("shell_port"), Port("control_port"), Port("iopub_port"), Port("stdin_port"), Port("hb_port"), Encoding.UTF8.GetBytes(key));

        void RequireValue(string field, string value)
        {
            if (Text(field) is string found && found != value)
            {
                throw Fault($"\"{field}\" is \"{found}\"; this kernel knows \"{value}\"");
            }
        }

        string Text(string field) => json.ValueKind == JsonValueKind.Object && json.TryGetProperty(field, out JsonElement value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()!
            : throw Fault($"it has no text \"{field}\"");

        int Port(string field) => json.TryGetProperty(field, out JsonElement value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int port) && port is > 0 and <= IPEndPoint.MaxPort
            ? port
            : throw Fault($"it has no port \"{field}\" from 1 to {IPEndPoint.MaxPort}");

        KernelStartException Fault(string what) => new($"The connection file {path} cannot be used: {what}.");
    }
}

/// <summary>The kernel cannot start; the message is for the person who started it.</summary>
internal sealed class KernelStartException(string message) : Exception(message);
