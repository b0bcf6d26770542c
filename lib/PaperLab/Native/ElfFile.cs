// What a shared library of Linux says of itself, read from its file: whether it is whole, what it needs from others and what it
// offers. Nothing is loaded, because the system's loader ends the process where a library is cut short, and finds out that a
// function is missing only when it is called. Tables are read one by one: a libtorch with CUDA has gigabytes.
//
// ELF64: https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html; symbol versions: LSB-Core-generic, "symversion".

using System.Buffers.Binary;
using System.Text;

namespace PaperLab.Native;

/// <summary>A 64-bit little-endian ELF library.</summary>
internal sealed class ElfFile : IDisposable
{
    public const uint DynamicSymbols = 11, VersionNeeds = 0x6ffffffe, SymbolVersions = 0x6fffffff;
    private const uint WithoutBytes = 8, Loaded = 1;
    private const int SymbolSize = 24, Global = 1, Weak = 2, Unique = 10;

    private readonly Stream _file;
    private readonly Section[] _sections;

    /// <param name="file">Its bytes; disposed of with this.</param>
    /// <exception cref="InvalidDataException">It is not such a library, or it is cut short.</exception>
    public ElfFile(Stream file)
    {
        _file = file;
        byte[] header = file.Length < 64 ? [] : ReadAt(0, 64);
        if (!header.AsSpan().StartsWith("\u007fELF\u0002\u0001"u8))
        {
            throw new InvalidDataException("is not a 64-bit little-endian ELF library");
        }

        Machine = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(18));
        byte[][] segments = ReadTable(header, offset: 32, size: 54, count: 56);
        foreach (byte[] segment in segments.Where(segment => BinaryPrimitives.ReadUInt32LittleEndian(segment) == Loaded))
        {
            RequireInside((long)BinaryPrimitives.ReadUInt64LittleEndian(segment.AsSpan(8)), (long)BinaryPrimitives.ReadUInt64LittleEndian(segment.AsSpan(32)));
        }

        _sections = [.. ReadTable(header, offset: 40, size: 58, count: 60).Select(Section.Of)];
    }

    /// <summary>The processor it is for, by ELF's number: 62 is x86-64, 183 is AArch64.</summary>
    public int Machine { get; }

    /// <summary>Opens a file.</summary>
    /// <exception cref="InvalidDataException">It is not such a library, or it is cut short.</exception>
    public static ElfFile Open(string path)
    {
        FileStream file = File.OpenRead(path);
        try
        {
            return new ElfFile(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public void Dispose() => _file.Dispose();

    /// <summary>The section of a type, and the one that it links to, which holds its strings or its symbols; null when there is none.</summary>
    public (Section Section, Section Linked)? Find(uint type)
    {
        int index = Array.FindIndex(_sections, section => section.Type == type);
        return index < 0 ? null : _sections[index].Link < _sections.Length
            ? (_sections[index], _sections[_sections[index].Link])
            : throw new InvalidDataException($"is damaged: one of its sections names section {_sections[index].Link}, and it has {_sections.Length}");
    }

    /// <summary>
    /// Symbols that another library must bring, those left out that may be absent (weak), and those that name a version: the C and C++
    /// libraries have versions, libtorch has none.
    /// </summary>
    public HashSet<string> ImportsWithoutVersion()
    {
        byte[] versions = Find(SymbolVersions) is (Section table, _) ? Read(table) : [];
        var names = new HashSet<string>();
        ForEachSymbol((index, symbol, name) =>
        {
            int version = 2 * index < versions.Length ? BinaryPrimitives.ReadUInt16LittleEndian(versions.AsSpan(2 * index)) & 0x7fff : 0;
            if (!IsDefined(symbol) && Binding(symbol) == Global && version <= 1)
            {
                names.Add(name.ToString());
            }
        });
        return names;
    }

    /// <summary>Takes out of <paramref name="names"/> the symbols that this library offers to others.</summary>
    public void StrikeExports(HashSet<string> names)
    {
        HashSet<string>.AlternateLookup<ReadOnlySpan<char>> left = names.GetAlternateLookup<ReadOnlySpan<char>>();
        ForEachSymbol((_, symbol, name) =>
        {
            bool isVisible = (symbol[5] & 3) is 0 or 3; // default, protected
            if (IsDefined(symbol) && isVisible && Binding(symbol) is Global or Weak or Unique)
            {
                left.Remove(name);
            }
        });
    }

    /// <summary>The bytes of a section.</summary>
    public byte[] Read(Section section) => section.Type == WithoutBytes ? [] : ReadAt(section.Offset, section.Size);

    /// <summary>The text that begins at an offset of a section of strings.</summary>
    public static ReadOnlySpan<byte> Text(ReadOnlySpan<byte> strings, uint offset)
    {
        ReadOnlySpan<byte> rest = offset < strings.Length ? strings[(int)offset..] : [];
        int end = rest.IndexOf((byte)0);
        return end >= 0 ? rest[..end] : throw new InvalidDataException("is damaged: a name lies outside its table of names");
    }

    private static bool IsDefined(ReadOnlySpan<byte> symbol) => BinaryPrimitives.ReadUInt16LittleEndian(symbol[6..]) != 0;

    private static int Binding(ReadOnlySpan<byte> symbol) => symbol[4] >> 4;

    private delegate void Symbol(int index, ReadOnlySpan<byte> symbol, ReadOnlySpan<char> name);

    private void ForEachSymbol(Symbol see)
    {
        if (Find(DynamicSymbols) is not (Section table, Section names))
        {
            throw new InvalidDataException("has no table of dynamic symbols");
        }

        byte[] symbols = Read(table), strings = Read(names);
        char[] name = new char[256];
        for (int i = 0; i < symbols.Length / SymbolSize; i++)
        {
            ReadOnlySpan<byte> symbol = symbols.AsSpan(i * SymbolSize, SymbolSize), text = Text(strings, BinaryPrimitives.ReadUInt32LittleEndian(symbol));
            if (text.Length > name.Length)
            {
                name = new char[2 * text.Length];
            }

            see(i, symbol, name.AsSpan(0, Encoding.Latin1.GetChars(text, name)));
        }
    }

    // A table of the header: where it begins, the size of an entry, and how many there are.
    private byte[][] ReadTable(byte[] header, int offset, int size, int count)
    {
        long start = (long)BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(offset));
        (int bytes, int entries) = (BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(size)), BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(count)));
        return entries == 0 ? [] : bytes < 56 ? throw new InvalidDataException($"is damaged: its header gives {bytes} bytes to an entry of a table")
            : [.. ReadAt(start, (long)bytes * entries).Chunk(bytes)];
    }

    private byte[] ReadAt(long offset, long count)
    {
        RequireInside(offset, count);
        var bytes = new byte[count];
        _file.Position = offset;
        _file.ReadExactly(bytes);
        return bytes;
    }

    private void RequireInside(long offset, long count)
    {
        if (offset < 0 || count < 0 || offset > _file.Length - count)
        {
            throw new InvalidDataException($"is damaged: it should reach to byte {(ulong)offset + (ulong)count}, and it has {_file.Length}");
        }
    }

    /// <summary>A piece of the file.</summary>
    /// <param name="Type">What it holds.</param>
    /// <param name="Offset">Its first byte.</param>
    /// <param name="Size">Its bytes.</param>
    /// <param name="Link">Index of the section that it refers to.</param>
    /// <param name="Info">Depends on the type; for version needs, the number of files.</param>
    public readonly record struct Section(uint Type, long Offset, long Size, int Link, int Info)
    {
        public static Section Of(byte[] header) => new(
            BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(4)),
            (long)BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(24)),
            (long)BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(32)),
            (int)BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(40)),
            (int)BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(44)));
    }
}
