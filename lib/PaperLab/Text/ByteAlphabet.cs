// The 256 bytes as 256 printable characters, so that a vocabulary of byte strings can be written as JSON
// (the alphabet of GPT-2, Radford et al. 2019, which every reader of vocab.json and merges.txt expects).

namespace PaperLab.Text;

/// <summary>Bytes written as characters.</summary>
internal static class ByteAlphabet
{
    /// <summary>The character of each byte: printable Latin-1 stands for itself, the other 68 bytes for U+0100 onwards.</summary>
    public static IReadOnlyList<char> Characters { get; } = Make();

    private static readonly Dictionary<char, byte> s_bytes = Characters.Select((character, value) => (character, value)).ToDictionary(pair => pair.character, pair => (byte)pair.value);

    /// <summary>Byte strings as text in this alphabet.</summary>
    public static string Write(ReadOnlySpan<byte> bytes)
    {
        var text = new char[bytes.Length];
        for (int i = 0; i < bytes.Length; i++)
        {
            text[i] = Characters[bytes[i]];
        }

        return new string(text);
    }

    /// <summary>The bytes that a text in this alphabet stands for; null where it has other characters.</summary>
    public static byte[]? Read(string text)
    {
        var bytes = new byte[text.Length];
        for (int i = 0; i < text.Length; i++)
        {
            if (!s_bytes.TryGetValue(text[i], out bytes[i]))
            {
                return null;
            }
        }

        return bytes;
    }

    private static char[] Make()
    {
        var characters = new char[256];
        int shifted = 0;
        for (int b = 0; b < 256; b++)
        {
            bool printable = b is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or >= 0xAE;
            characters[b] = (char)(printable ? b : 256 + shifted++);
        }

        return characters;
    }
}
