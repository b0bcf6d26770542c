// A safetensors file: opened without reading the weights, written without holding them twice.

using System.IO.MemoryMappedFiles;
using static TorchSharp.torch;

namespace PaperLab.Checkpoints;

/// <summary>Named tensors in a file. Tensors taken from it live on after it is disposed of.</summary>
public sealed class SafetensorsFile : IDisposable
{
    // Tensors that have to be copied on the way are copied in pieces of this size.
    private const long PieceBytes = 16 << 20;

    private readonly FileStream _stream;
    private readonly long _dataStart;
    private readonly Dictionary<string, SafetensorsEntry> _entries;
    private readonly MemoryMappedFile _mapping;

    private SafetensorsFile(FileStream stream, long dataStart, SafetensorsHeader header)
    {
        _stream = stream;
        _mapping = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.CopyOnWrite, HandleInheritability.None, leaveOpen: true);
        _dataStart = dataStart;
        _entries = header.Entries.ToDictionary(entry => entry.Name);
        Names = [.. header.Entries.Select(entry => entry.Name)];
        Metadata = header.Metadata;
    }

    /// <summary>The file.</summary>
    public string Path => _stream.Name;

    /// <summary>The tensors' names, in the order of their bytes.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Free text pairs that were saved with the tensors.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Reads and checks the header; the weights stay on the disk.</summary>
    /// <exception cref="CheckpointException">The file is missing, cannot be read, or is not a sound safetensors file.</exception>
    public static SafetensorsFile Open(string path)
    {
        FileStream? stream = null;
        try
        {
            stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
            (SafetensorsHeader header, long dataStart) = ReadHeader(stream);
            return new SafetensorsFile(stream, dataStart, header);
        }
        catch (Exception error)
        {
            stream?.Dispose();
            throw error is IOException or UnauthorizedAccessException
                ? new CheckpointException(path, $"it cannot be read ({error.Message}).", "Check the path and the permissions.", error)
                : error;
        }
    }

    /// <summary>Replaces <paramref name="path"/> with the given tensors; what was there stays until the new file is whole. Tensors of any device and stride.</summary>
    /// <param name="path">The file; its folder is created.</param>
    /// <param name="tensors">Names, each once, and tensors.</param>
    /// <param name="metadata">Free text pairs to save with them.</param>
    /// <exception cref="ArgumentException">A name occurs twice or is reserved, or a tensor has a type that the format does not name.</exception>
    public static void Write(string path, IEnumerable<(string Name, Tensor Tensor)> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        List<(string Name, Tensor Tensor)> listed = [.. tensors];
        SafetensorsHeader header = SafetensorsHeader.Layout(listed, metadata);
        Dictionary<string, Tensor> named = listed.ToDictionary(tensor => tensor.Name, tensor => tensor.Tensor);
        AtomicFile.Write(path, stream =>
        {
            stream.Write(header.ToBytes());
            foreach (SafetensorsEntry entry in header.Entries)
            {
                WriteData(stream, named[entry.Name]);
            }
        });
    }

    /// <summary>Sizes of a tensor.</summary>
    public long[] Shape(string name) => [.. Entry(name).Shape];

    /// <summary>Element type of a tensor.</summary>
    public ScalarType Dtype(string name) => Entry(name).Dtype;

    /// <summary>
    /// The tensor, on the mapped file and without a copy; only where the file's layout leaves its elements unaligned (no known
    /// writer does) it is copied. Writing to it changes neither the file nor another tensor of the same name.
    /// </summary>
    public Tensor Tensor(string name)
    {
        SafetensorsEntry entry = Entry(name);
        if (entry.Begin == entry.End)
        {
            return empty(entry.Shape, entry.Dtype);
        }

        ObjectDisposedException.ThrowIf(!_stream.CanRead, this);
        long offset = _dataStart + entry.Begin;
        try
        {
            return offset % SafetensorsHeader.BytesOf(entry.Dtype) == 0
                ? MappedTensor.Create(_mapping, offset, entry.End - entry.Begin, entry.Shape, entry.Dtype)
                : Copied(entry, offset);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(Path, $"tensor '{name}' cannot be read ({error.Message}).", "Check that the file system allows mapping, and the free memory.", error);
        }
    }

    public void Dispose()
    {
        _mapping.Dispose();
        _stream.Dispose();
    }

    private SafetensorsEntry Entry(string name) => _entries.TryGetValue(name, out SafetensorsEntry? entry) ? entry : throw new CheckpointException(
        Path, $"there is no tensor '{name}'.", $"It holds {Names.Count}: {string.Join(", ", Names.Take(5))}{(Names.Count > 5 ? ", …" : ".")}");

    private static (SafetensorsHeader Header, long DataStart) ReadHeader(FileStream stream)
    {
        const string Remedy = "It is not a safetensors file, or only the beginning of one (a Git LFS pointer, an interrupted download): get it again.";
        Span<byte> prefix = stackalloc byte[SafetensorsHeader.LengthBytes];
        if (stream.Length < prefix.Length)
        {
            throw new CheckpointException(stream.Name, $"it holds {stream.Length} bytes, fewer than the {prefix.Length} that tell the header's length.", Remedy);
        }

        stream.ReadExactly(prefix);
        ulong length = BitConverter.ToUInt64(prefix);
        long rest = stream.Length - prefix.Length;
        if (length > (ulong)Math.Min(rest, SafetensorsHeader.MaxBytes))
        {
            throw new CheckpointException(stream.Name, $"its first 8 bytes give a header of {length} bytes; {rest} follow, and {SafetensorsHeader.MaxBytes} are allowed.", Remedy);
        }

        var json = new byte[length];
        stream.ReadExactly(json);
        return (SafetensorsHeader.Parse(stream.Name, json, rest - json.Length), prefix.Length + json.Length);
    }

    private Tensor Copied(SafetensorsEntry entry, long offset)
    {
        Tensor copy = empty(entry.Shape, entry.Dtype);
        using Tensor flat = copy.view(-1);
        long step = PieceBytes / copy.ElementSize;
        for (long at = 0; at < flat.shape[0]; at += step)
        {
            using Tensor piece = flat.narrow(0, at, Math.Min(step, flat.shape[0] - at));
            lock (_stream)
            {
                _stream.Position = offset + (at * copy.ElementSize);
                _stream.ReadExactly(piece.bytes);
            }
        }

        return copy;
    }

    private static void WriteData(Stream stream, Tensor tensor)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Tensor source = tensor.is_contiguous() ? tensor.view(-1) : tensor;
        long bytes = source.numel() * source.ElementSize;
        if (bytes > PieceBytes)
        {
            // Rows of the first dimension that has several, as many as fit; a single row that does not fit is cut further.
            long dimension = Array.FindIndex(source.shape, size => size > 1);
            long rows = source.shape[dimension];
            long step = Math.Max(1, rows * PieceBytes / bytes);
            for (long at = 0; at < rows; at += step)
            {
                WriteData(stream, source.narrow(dimension, at, Math.Min(step, rows - at)));
            }
        }
        else if (bytes > 0)
        {
            stream.Write(source.cpu().contiguous().bytes);
        }
    }
}
