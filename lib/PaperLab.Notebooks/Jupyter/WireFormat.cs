// Jupyter's messages as ZeroMQ frames: identities, a delimiter, the signature, then header, parent header, metadata and content as JSON.

using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using NetMQ;

namespace PaperLab.Notebooks.Jupyter;

/// <summary>Signs and checks, writes and reads messages. Safe from any thread.</summary>
internal sealed class WireFormat(byte[] key)
{
    /// <summary>The version of the messaging protocol.</summary>
    public const string Protocol = "5.4";

    private static readonly byte[] EmptyObject = "{}"u8.ToArray();
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly string _session = Guid.NewGuid().ToString("N");

    private static ReadOnlySpan<byte> Delimiter => "<IDS|MSG>"u8;

    /// <summary>A message.</summary>
    /// <param name="identities">Frames before the delimiter: a route, or a topic.</param>
    /// <param name="type">Its type.</param>
    /// <param name="parent">What it answers; null for nothing.</param>
    /// <param name="content">Writes the properties of its content.</param>
    public NetMQMessage Encode(IEnumerable<byte[]> identities, string type, KernelRequest? parent, Action<Utf8JsonWriter> content)
    {
        byte[][] parts =
        [
            Json(header =>
            {
                header.WriteString("msg_id", Guid.NewGuid().ToString());
                header.WriteString("session", _session);
                header.WriteString("username", Environment.UserName);
                header.WriteString("date", DateTime.UtcNow);
                header.WriteString("msg_type", type);
                header.WriteString("version", Protocol);
            }),
            parent?.Header ?? EmptyObject,
            EmptyObject,
            Json(content),
        ];
        var message = new NetMQMessage();
        foreach (byte[] identity in identities)
        {
            message.Append(identity);
        }

        message.Append(Delimiter.ToArray());
        message.Append(Sign(parts));
        foreach (byte[] part in parts)
        {
            message.Append(part);
        }

        return message;
    }

    /// <summary>Reads a message that arrived; null and a <paramref name="fault"/> when it is not one, or not signed with the key.</summary>
    public KernelRequest? Decode(NetMQMessage message, out string fault)
    {
        List<byte[]> frames = [.. message.Select(frame => frame.ToByteArray())];
        int delimiter = frames.FindIndex(frame => frame.AsSpan().SequenceEqual(Delimiter));
        if (delimiter < 0 || frames.Count < delimiter + 6)
        {
            fault = $"it has {frames.Count} frames, and not the delimiter and five more";
            return null;
        }

        byte[][] parts = [.. frames.Skip(delimiter + 2).Take(4)];
        if (!CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Sign(parts)), frames[delimiter + 1]))
        {
            fault = "its signature is not that of this kernel's key";
            return null;
        }

        try
        {
            fault = "";
            return new KernelRequest(frames[..delimiter], parts[0], parts[3]);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException) // the second: text with half a character
        {
            fault = error.Message;
            return null;
        }
    }

    private static byte[] Json(Action<Utf8JsonWriter> properties)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, Plain))
        {
            writer.WriteStartObject();
            properties(writer);
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private string Sign(byte[][] parts)
    {
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        foreach (byte[] part in parts)
        {
            hash.AppendData(part);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
