// TorchSharp's native library asks the dynamic loader for GLIBCXX_3.4.32 (GCC 13). Debian 12, Ubuntu 22.04 and RHEL 9 have
// 3.4.30, so it does not load there, although nothing of that version is ever used: the one symbol behind it,
// std::ios_base_library_init, is only a link-time anchor and has no relocation. Marking that single version need as weak
// (VER_FLG_WEAK) makes the loader accept the file. This is done on a copy; the file itself is never changed.
//
// ELF64 layout: https://refspecs.linuxfoundation.org/LSB_5.0.0/LSB-Core-generic/LSB-Core-generic/symversion.html

using System.Buffers.Binary;
using System.Text;

namespace PaperLab.Native;

/// <summary>Marks the need for GLIBCXX_3.4.32 as weak in a copy of an ELF library.</summary>
internal static class GlibcxxCorrection
{
    public const string Version = "GLIBCXX_3.4.32";
    private const string Anchor = "_ZSt21ios_base_library_initv";
    private const ushort WeakFlag = 0x2;
    private const uint DynamicSymbols = 11, VersionNeeds = 0x6ffffffe, SymbolVersions = 0x6fffffff;

    /// <summary>The corrected bytes, or null when the file does not need the correction (no such need, or it is weak already).</summary>
    /// <exception cref="TorchRuntimeException">The file is not a 64-bit ELF library, or a symbol that is really used carries the version.</exception>
    public static byte[]? Correct(byte[] library, string path)
    {
        try
        {
            return CorrectElf(library, path);
        }
        catch (ArgumentOutOfRangeException error)
        {
            throw new TorchRuntimeException($"{path} is damaged: an ELF table points outside the file. Delete the folder's build output and build again.", error);
        }
    }

    private static byte[]? CorrectElf(byte[] library, string path)
    {
        ReadOnlySpan<byte> file = library;
        if (file.Length < 64 || !file[..6].SequenceEqual("\u007fELF\u0002\u0001"u8))
        {
            throw new TorchRuntimeException($"{path} is not a 64-bit little-endian ELF library. Delete the build output and build again.");
        }

        (Section needs, Section strings)? found = FindSection(file, VersionNeeds);
        if (found is not { } table || FindNeed(file, table.needs, table.strings) is not { } need)
        {
            return null;
        }

        ushort flags = BinaryPrimitives.ReadUInt16LittleEndian(file[(need + 4)..]);
        if ((flags & WeakFlag) != 0)
        {
            return null;
        }

        ushort versionIndex = BinaryPrimitives.ReadUInt16LittleEndian(file[(need + 6)..]);
        RequireOnlyTheAnchor(file, versionIndex, path);
        byte[] corrected = [.. library];
        BinaryPrimitives.WriteUInt16LittleEndian(corrected.AsSpan(need + 4), (ushort)(flags | WeakFlag));
        return corrected;
    }

    /// <summary>Offset of the Vernaux entry (hash, flags, other, name, next) that names the version.</summary>
    private static int? FindNeed(ReadOnlySpan<byte> file, Section needs, Section strings)
    {
        int entry = needs.Offset;
        for (int file_ = 0; file_ < needs.Info; file_++)
        {
            int count = BinaryPrimitives.ReadUInt16LittleEndian(file[(entry + 2)..]);
            int auxiliary = entry + (int)BinaryPrimitives.ReadUInt32LittleEndian(file[(entry + 8)..]);
            for (int i = 0; i < count; i++)
            {
                int name = (int)BinaryPrimitives.ReadUInt32LittleEndian(file[(auxiliary + 8)..]);
                if (ReadString(file, strings, name) == Version)
                {
                    return auxiliary;
                }

                auxiliary += (int)BinaryPrimitives.ReadUInt32LittleEndian(file[(auxiliary + 12)..]);
            }

            entry += (int)BinaryPrimitives.ReadUInt32LittleEndian(file[(entry + 12)..]);
        }

        return null;
    }

    private static void RequireOnlyTheAnchor(ReadOnlySpan<byte> file, ushort versionIndex, string path)
    {
        if (FindSection(file, DynamicSymbols) is not (Section symbols, Section names) || FindSection(file, SymbolVersions) is not (Section versions, _))
        {
            throw new TorchRuntimeException($"{path} has no dynamic symbol table, so it cannot be corrected for this system's libstdc++.");
        }

        for (int i = 0; i < versions.Size / 2; i++)
        {
            if (BinaryPrimitives.ReadUInt16LittleEndian(file[(versions.Offset + (2 * i))..]) != versionIndex)
            {
                continue;
            }

            string symbol = ReadString(file, names, (int)BinaryPrimitives.ReadUInt32LittleEndian(file[(symbols.Offset + (24 * i))..]));
            if (symbol != Anchor)
            {
                throw new TorchRuntimeException($"{path} uses {symbol} of {Version}, which this system's libstdc++ lacks. Install a libstdc++ from GCC 13 or newer.");
            }
        }
    }

    private static (Section Section, Section Linked)? FindSection(ReadOnlySpan<byte> file, uint type)
    {
        int count = BinaryPrimitives.ReadUInt16LittleEndian(file[60..]);
        for (int i = 0; i < count; i++)
        {
            if (ReadSection(file, i) is var section && section.Type == type)
            {
                return (section, ReadSection(file, section.Link));
            }
        }

        return null;
    }

    private static Section ReadSection(ReadOnlySpan<byte> file, int index)
    {
        int headers = (int)BinaryPrimitives.ReadUInt64LittleEndian(file[40..]);
        int size = BinaryPrimitives.ReadUInt16LittleEndian(file[58..]);
        ReadOnlySpan<byte> header = file.Slice(headers + (index * size), size);
        return new Section(
            Type: BinaryPrimitives.ReadUInt32LittleEndian(header[4..]),
            Offset: (int)BinaryPrimitives.ReadUInt64LittleEndian(header[24..]),
            Size: (int)BinaryPrimitives.ReadUInt64LittleEndian(header[32..]),
            Link: (int)BinaryPrimitives.ReadUInt32LittleEndian(header[40..]),
            Info: (int)BinaryPrimitives.ReadUInt32LittleEndian(header[44..]));
    }

    private static string ReadString(ReadOnlySpan<byte> file, Section strings, int offset)
    {
        ReadOnlySpan<byte> text = file.Slice(strings.Offset, strings.Size)[offset..];
        return Encoding.ASCII.GetString(text[..text.IndexOf((byte)0)]);
    }

    private readonly record struct Section(uint Type, int Offset, int Size, int Link, int Info);
}
