// Writes a picture as a PNG with a palette: a chart has few colours, and one byte a pixel instead of four is what keeps a page of
// charts small. Colours beyond the palette (edges of smoothed letters) go to their nearest neighbour.

using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace PaperLab.Display.Rendering;

internal static class IndexedPng
{
    private static readonly uint[] s_crcTable = CrcTable();

    /// <summary>Encodes opaque pixels, 0xRRGGBB, row by row.</summary>
    /// <param name="pixels">The picture.</param>
    /// <param name="width">Pixels in a row.</param>
    /// <param name="height">Rows.</param>
    /// <param name="exact">Colours that mean something and stay as they are.</param>
    /// <param name="others">How many more colours the palette may have, for smoothed edges; 256 with the exact ones at most.</param>
    public static byte[] Encode(ReadOnlySpan<uint> pixels, int width, int height, IReadOnlyList<uint> exact, int others)
    {
        uint[] palette = PaletteOf(pixels, exact, others);
        byte[] rows = Rows(pixels, width, height, palette);

        using var png = new MemoryStream();
        png.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]);
        byte[] header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9]) = (8, 3); // Eight bits a pixel, indexed colour.
        WriteChunk(png, "IHDR", header);
        WriteChunk(png, "PLTE", [.. palette.SelectMany(color => new[] { (byte)(color >> 16), (byte)(color >> 8), (byte)color })]);
        WriteChunk(png, "IDAT", Compress(rows));
        WriteChunk(png, "IEND", []);
        return png.ToArray();
    }

    // After the exact ones, the commonest colours, but none so close to an earlier one that the eye would not tell: shades of smoothed edges would
    // otherwise crowd out the colours that mean something.
    private static uint[] PaletteOf(ReadOnlySpan<uint> pixels, IReadOnlyList<uint> exact, int others)
    {
        var counts = new Dictionary<uint, int>();
        foreach (uint pixel in pixels)
        {
            counts[pixel] = counts.GetValueOrDefault(pixel) + 1;
        }

        uint[] common = [.. counts.OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key).Select(pair => pair.Key)];
        var palette = new List<uint>(exact.Distinct().Where(counts.ContainsKey));
        int colors = Math.Min(256, palette.Count + others);
        foreach (int apart in new[] { 24 * 24, 10 * 10, 1 })
        {
            foreach (uint color in common)
            {
                if (palette.Count == colors)
                {
                    break;
                }

                if (palette.TrueForAll(kept => Distance(kept, color) >= apart))
                {
                    palette.Add(color);
                }
            }
        }

        return [.. palette];
    }

    private static byte[] Rows(ReadOnlySpan<uint> pixels, int width, int height, uint[] palette)
    {
        var nearest = new Dictionary<uint, byte>();
        byte[] rows = new byte[height * (width + 1)];
        for (int y = 0; y < height; y++)
        {
            // The first byte of a row names its filter; 0 is none, the best for a palette.
            int start = (y * (width + 1)) + 1;
            for (int x = 0; x < width; x++)
            {
                uint color = pixels[(y * width) + x];
                if (!nearest.TryGetValue(color, out byte index))
                {
                    nearest[color] = index = Nearest(palette, color);
                }

                rows[start + x] = index;
            }
        }

        return rows;
    }

    private static byte Nearest(uint[] palette, uint color)
    {
        int best = 0;
        for (int i = 1; i < palette.Length; i++)
        {
            best = Distance(palette[i], color) < Distance(palette[best], color) ? i : best;
        }

        return (byte)best;
    }

    private static int Distance(uint a, uint b)
    {
        int red = (int)(a >> 16 & 255) - (int)(b >> 16 & 255), green = (int)(a >> 8 & 255) - (int)(b >> 8 & 255), blue = (int)(a & 255) - (int)(b & 255);
        return (red * red) + (green * green) + (blue * blue);
    }

    private static byte[] Compress(byte[] rows)
    {
        using var compressed = new MemoryStream();
        using (var zlib = new ZLibStream(compressed, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            zlib.Write(rows);
        }

        return compressed.ToArray();
    }

    private static void WriteChunk(MemoryStream png, string type, byte[] data)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        png.Write(number);
        byte[] body = [.. Encoding.ASCII.GetBytes(type), .. data];
        png.Write(body);
        BinaryPrimitives.WriteUInt32BigEndian(number, Crc(body));
        png.Write(number);
    }

    private static uint Crc(byte[] bytes)
    {
        uint crc = 0xFFFFFFFF;
        foreach (byte value in bytes)
        {
            crc = s_crcTable[(crc ^ value) & 255] ^ (crc >> 8);
        }

        return ~crc;
    }

    private static uint[] CrcTable() =>
        [.. Enumerable.Range(0, 256).Select(n => Enumerable.Range(0, 8).Aggregate((uint)n, (c, _) => (c & 1) != 0 ? 0xEDB88320 ^ (c >> 1) : c >> 1))];
}
