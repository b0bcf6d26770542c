// A 64-bit string hash that is the same on every machine and run (string.GetHashCode is not), for ordering, splitting and shingles.

namespace PaperLab.Text;

/// <summary>FNV-1a over UTF-16 units with SplitMix64's finaliser. Not cryptographic: file integrity uses SHA-256.</summary>
internal static class StableHash
{
    private const ulong Offset = 0xCBF29CE484222325;
    private const ulong Prime = 0x100000001B3;

    public static ulong Of(ReadOnlySpan<char> text)
    {
        ulong hash = Offset;
        foreach (char c in text)
        {
            hash = (hash ^ c) * Prime;
        }

        return Mix(hash);
    }

    /// <summary>Spreads every input bit over all output bits.</summary>
    public static ulong Mix(ulong value) => new SplitMix64(value).NextBits();

    /// <summary>The hash as a number in [0, 1).</summary>
    public static double Fraction(ReadOnlySpan<char> text) => (Of(text) >> 11) * (1.0 / (1UL << 53));
}
