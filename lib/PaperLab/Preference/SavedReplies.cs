// The replies of chat models on disk, one line of JSON each, so that no call is paid for twice. A line is written, and on the disk, before
// its reply is used: what has arrived stays, whatever happens to the batch, the process or the server. Lines are only ever added.
//
// A reply's key is a hash of everything that decides it: host, model, sampling, seed and the whole prompt. So a prompt in other words, or
// another model, finds nothing here, and several policies and judges can share one file.

using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using PaperLab.Training;

namespace PaperLab.Preference;

/// <summary>A file of replies. Open in one process at a time; in it, opened twice, it is the same store.</summary>
public sealed class SavedReplies : IDisposable
{
    private static readonly Dictionary<string, SavedReplies> s_open = new(StringComparer.Ordinal);

    private readonly Dictionary<string, SavedReply> _replies = new(StringComparer.Ordinal);
    private readonly FileStream _lock;
    private readonly FileStream _file;

    private SavedReplies(string path, FileStream held, Action<string> note)
    {
        (Path, _lock) = (path, held);
        _file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete, bufferSize: 0);
        try
        {
            Read(note);
        }
        catch
        {
            _file.Dispose();
            throw;
        }
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Replies in it.</summary>
    public int Count
    {
        get
        {
            lock (_replies)
            {
                return _replies.Count;
            }
        }
    }

    /// <summary>Opens the file, creating it and its folder.</summary>
    /// <param name="path">The file, by habit artifacts/preference/NAME.jsonl.</param>
    /// <param name="note">Told of lines that cannot be read, by their number; they stay as they are.</param>
    /// <exception cref="IOException">Another process has it open, or it cannot be read or written.</exception>
    public static SavedReplies Open(string path, Action<string>? note = null)
    {
        path = System.IO.Path.GetFullPath(path);
        lock (s_open)
        {
            if (s_open.TryGetValue(path, out SavedReplies? open))
            {
                return open; // a notebook's cell that runs again
            }

            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
            FileStream held = CheckpointFolder.TryLock(path + ".lock")
                ?? throw new IOException($"{path} is in use by another process, which saves its replies there. Wait until it has ended, or name another file.");
            try
            {
                return s_open[path] = new SavedReplies(path, held, note ?? (_ => { }));
            }
            catch
            {
                held.Dispose();
                throw;
            }
        }
    }

    /// <summary>Lets another process have the file.</summary>
    public void Dispose()
    {
        lock (s_open)
        {
            s_open.Remove(Path);
        }

        lock (_replies)
        {
            _file.Dispose();
            _lock.Dispose();
        }
    }

    internal bool TryFind(string key, [NotNullWhen(true)] out SavedReply? reply)
    {
        lock (_replies)
        {
            return _replies.TryGetValue(key, out reply);
        }
    }

    /// <summary>Saves a reply and returns it, or the one that equal requests got meanwhile: equal requests get equal replies.</summary>
    internal SavedReply Keep(SavedReply reply)
    {
        lock (_replies)
        {
            if (_replies.TryGetValue(reply.Key, out SavedReply? earlier))
            {
                return earlier;
            }

            byte[] line = [.. JsonSerializer.SerializeToUtf8Bytes(reply, SavedReply.Json), (byte)'\n'];
            long end = _file.Seek(0, SeekOrigin.End);
            try
            {
                _file.Write(line);
                _file.Flush(flushToDisk: true);
            }
            catch (IOException error)
            {
                _file.SetLength(end); // no half line for the next one to be glued to
                throw new IOException($"{Path}: a reply could not be saved ({error.Message}). Those before it are safe; running again goes on from them.", error);
            }

            _replies.Add(reply.Key, reply);
            return reply;
        }
    }

    private void Read(Action<string> note)
    {
        byte[] content = new byte[_file.Length];
        _file.ReadExactly(content);
        for (int begin = 0, number = 1; begin < content.Length; number++)
        {
            int end = Array.IndexOf(content, (byte)'\n', begin);
            ReadOnlySpan<byte> line = content.AsSpan(begin, (end < 0 ? content.Length : end) - begin);
            if (SavedReply.TryParse(line, out SavedReply? reply))
            {
                _replies.TryAdd(reply.Key, reply);
            }
            else if (end < 0 && SavedReply.IsTorn(line))
            {
                _file.SetLength(begin);
                note($"{Path}, line {number}: only its beginning was written before the process ended. It is dropped, and its reply is asked for again.");
                return;
            }
            else
            {
                note($"{Path}, line {number}, is no saved reply. It stays as it is and counts for nothing.");
            }

            if (end < 0)
            {
                _file.Write("\n"u8); // whatever it is, the next reply begins a line of its own
                return;
            }

            begin = end + 1;
        }
    }
}

/// <summary>A line of the file. The key comes first, so that a line that is half written can be told from something that is not ours.</summary>
/// <param name="Key">Hash of host, model, sampling, seed and prompt.</param>
/// <param name="Host">Who was asked.</param>
/// <param name="Model">Which model.</param>
/// <param name="Seed">The seed that was sent.</param>
/// <param name="Prompt">What was asked.</param>
/// <param name="Text">What came.</param>
/// <param name="Finish">Why it ended; null where the server did not say.</param>
/// <param name="PromptTokens">Tokens that were read; null where the server did not say.</param>
/// <param name="GeneratedTokens">Tokens that were written; null where the server did not say.</param>
internal sealed record SavedReply(
    string Key, string Host, string Model, long Seed, string Prompt, string Text, string? Finish = null, int? PromptTokens = null, int? GeneratedTokens = null)
{
    /// <summary>Readable in an editor, in any script.</summary>
    internal static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    private static ReadOnlySpan<byte> Beginning => "{\"key\":\""u8;

    public static string KeyOf(string host, string model, ChatSampling sampling, long seed, string prompt) =>
        Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(new { host, model, sampling, seed, prompt }, Json)))[..32];

    public static bool TryParse(ReadOnlySpan<byte> line, [NotNullWhen(true)] out SavedReply? reply)
    {
        try
        {
            reply = JsonSerializer.Deserialize<SavedReply>(line, Json);
        }
        catch (JsonException)
        {
            reply = null;
        }

        return reply is not null;
    }

    public static bool IsTorn(ReadOnlySpan<byte> line) => line.StartsWith(Beginning) || Beginning.StartsWith(line);
}
