using System.Text;
using PaperLab.Notebooks.Batch;

namespace PaperLab.Notebooks.Tests.Batch;

public sealed class NativeStreamReaderTests
{
    private const string Key = "key";

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(1000)]
    public void Marks_are_taken_out_however_the_bytes_are_cut(int piece)
    {
        string written = $"one{NativeStreams.Mark(Key, 1)}zwei ä{NativeStreams.Mark(Key, 2)}\u0002 is kept";
        var text = new StringBuilder();

        var reader = new NativeStreamReader(new Pieces(Encoding.UTF8.GetBytes(written), piece), Key, "test", chunk => text.Append(chunk));
        reader.Join(TimeSpan.FromSeconds(30));

        Assert.Equal("onezwei ä\u0002 is kept", text.ToString());
        Assert.True(reader.MarkAsync(2).IsCompleted);
        Assert.EndsWith("is kept", reader.Tail);
    }

    /// <summary>A stream that gives a few bytes at a time, as a pipe may.</summary>
    private sealed class Pieces(byte[] bytes, int piece) : MemoryStream(bytes)
    {
        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(piece, buffer.Length)]);

        public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(piece, count));
    }
}
