// What can happen to a file on a disk.

namespace PaperLab.Tests.Text;

/// <summary>Damaged copies of a file's content.</summary>
internal static class Damage
{
    public static byte[] Truncate(byte[] content) => content[..(content.Length / 2)];

    public static byte[] Flip(byte[] content)
    {
        byte[] flipped = [.. content];
        flipped[^(content.Length / 3)] ^= 0x20;
        return flipped;
    }
}
