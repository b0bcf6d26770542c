// The per-user cache of what is costly to make: corpora, tokenizers, token streams, fetched packages.
// Every entry carries its SHA-256, is written beside its place and renamed, and is made again when it is damaged.

using System.Security.Cryptography;
using System.Text;

namespace PaperLab.Text;

/// <summary>A folder of cached results. Safe for several processes at once: an entry appears whole or not at all.</summary>
/// <param name="folder">Where it lies; made when first written to.</param>
/// <param name="notice">Told in one line when an entry was damaged or cannot be kept.</param>
public sealed class TextCache(string folder, Action<string> notice)
{
    private const string Magic = "paperlab-cache-1 ";
    private const int HeaderLength = 17 + 64 + 1;

    /// <summary>The user's cache; notices go to standard error.</summary>
    public static TextCache Default { get; } = new(UserCache.Folder, Console.Error.WriteLine);

    /// <summary>Where the cache lies.</summary>
    public string Folder { get; } = Path.GetFullPath(folder);

    /// <summary>Tells the user something about the cache.</summary>
    internal void Notice(string message) => notice(message);

    /// <summary>The entry's value: read where a sound entry exists, else built and kept.</summary>
    /// <param name="name">Path of the entry within the cache.</param>
    /// <param name="build">Makes the value.</param>
    /// <param name="write">Writes it.</param>
    /// <param name="read">Reads it back; throws <see cref="InvalidDataException"/> where the content is not what it should be.</param>
    internal T GetOrBuild<T>(string name, Func<T> build, Action<T, Stream> write, Func<Stream, T> read)
    {
        string path = Path.Combine(Folder, name);
        if (File.Exists(path))
        {
            try
            {
                return read(ReadSealed(path));
            }
            catch (InvalidDataException damage)
            {
                Notice($"The cached {path} is damaged ({damage.Message}); building it again.");
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                Notice($"The cached {path} cannot be read ({error.Message}); building it again.");
            }
        }

        T value = build();
        try
        {
            var payload = new MemoryStream();
            write(value, payload);
            WriteSealed(path, payload.GetBuffer().AsSpan(0, (int)payload.Length));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Notice($"{path} cannot be written ({error.Message}); going on without the cache. Set {UserCache.Variable} to a folder that can be written.");
        }

        return value;
    }

    // An entry is one header line with the SHA-256 of the rest, then the rest.
    private static void WriteSealed(string path, ReadOnlySpan<byte> payload)
    {
        var sealedContent = new byte[HeaderLength + payload.Length];
        Encoding.ASCII.GetBytes(Magic + Convert.ToHexStringLower(SHA256.HashData(payload)) + "\n", sealedContent);
        payload.CopyTo(sealedContent.AsSpan(HeaderLength));
        AtomicFile.WriteAllBytes(path, sealedContent);
    }

    private static MemoryStream ReadSealed(string path)
    {
        byte[] content = File.ReadAllBytes(path);
        if (content.Length < HeaderLength || !content.AsSpan().StartsWith(Encoding.ASCII.GetBytes(Magic)))
        {
            throw new InvalidDataException("its header is missing or cut short");
        }

        string recorded = Encoding.ASCII.GetString(content, Magic.Length, 64);
        string actual = Convert.ToHexStringLower(SHA256.HashData(content.AsSpan(HeaderLength)));
        if (recorded != actual)
        {
            throw new InvalidDataException("its content does not match its SHA-256");
        }

        return new MemoryStream(content, HeaderLength, content.Length - HeaderLength, writable: false);
    }
}
