// UTF-8 as notebooks are stored: no byte order mark of our own, and one that a file has is kept.

using System.Text;

namespace PaperLab.Notebooks.Format;

internal static class Utf8
{
    public static readonly byte[] ByteOrderMark = [0xEF, 0xBB, 0xBF];

    public static readonly UTF8Encoding Plain = new(encoderShouldEmitUTF8Identifier: false);

    /// <exception cref="NotebookFormatException">The bytes are not UTF-8; the message names the first that is not.</exception>
    public static void Check(byte[] bytes, string file)
    {
        if (System.Text.Unicode.Utf8.IsValid(bytes))
        {
            return;
        }

        ReadOnlySpan<byte> rest = bytes;
        while (Rune.DecodeFromUtf8(rest, out _, out int length) == System.Buffers.OperationStatus.Done)
        {
            rest = rest[length..];
        }

        ReadOnlySpan<byte> before = bytes.AsSpan(0, bytes.Length - rest.Length);
        throw new NotebookFormatException(
            file,
            before.Count((byte)'\n') + 1,
            before.Length - before.LastIndexOf((byte)'\n'),
            "",
            $"the byte 0x{rest[0]:X2} is not UTF-8; save the notebook as UTF-8");
    }
}
