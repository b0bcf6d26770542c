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

    /// <summary>The corrected bytes, or null when the file does not need the correction (no such need, or it is weak already).</summary>
    /// <exception cref="TorchRuntimeException">The file is not a 64-bit ELF library, or a symbol that is really used carries the version.</exception>
    public static byte[]? Correct(byte[] library, string path)
    {
        try
        {
            return CorrectElf(library, path);
        }
        catch (Exception error) when (error is InvalidDataException or ArgumentOutOfRangeException)
        {
            string fault = error is InvalidDataException ? error.Message : "is damaged: an ELF table points outside the file";
            throw new TorchRuntimeException($"{path} {fault}. Delete the folder's build output and build again.", error);
        }
    }

    private static byte[]? CorrectElf(byte[] library, string path)
    {
        ReadOnlySpan<byte> file = library;
        using var elf = new ElfFile(new MemoryStream(library, writable: false));
        if (elf.Find(ElfFile.VersionNeeds) is not (ElfFile.Section needs, ElfFile.Section strings) || FindNeed(file, needs, elf.Read(strings)) is not { } need)
        {
            return null;
        }

        ushort flags = BinaryPrimitives.ReadUInt16LittleEndian(file[(need + 4)..]);
        if ((flags & WeakFlag) != 0)
        {
            return null;
        }

        ushort versionIndex = BinaryPrimitives.ReadUInt16LittleEndian(file[(need + 6)..]);
        RequireOnlyTheAnchor(elf, versionIndex, path);
        byte[] corrected = [.. library];
        BinaryPrimitives.WriteUInt16LittleEndian(corrected.AsSpan(need + 4), (ushort)(flags | WeakFlag));
        return corrected;
    }

    /// <summary>Offset of the Vernaux entry (hash, flags, other, name, next) that names the version.</summary>
    private static int? FindNeed(ReadOnlySpan<byte> file, ElfFile.Section needs, ReadOnlySpan<byte> strings)
    {
        int entry = (int)needs.Offset;
        for (int file_ = 0; file_ < needs.Info; file_++)
        {
            int count = BinaryPrimitives.ReadUInt16LittleEndian(file[(entry + 2)..]);
            int auxiliary = entry + (int)BinaryPrimitives.ReadUInt32LittleEndian(file[(entry + 8)..]);
            for (int i = 0; i < count; i++)
            {
                if (ElfFile.Text(strings, BinaryPrimitives.ReadUInt32LittleEndian(file[(auxiliary + 8)..])).SequenceEqual(Encoding.ASCII.GetBytes(Version)))
                {
                    return auxiliary;
                }

                auxiliary += (int)BinaryPrimitives.ReadUInt32LittleEndian(file[(auxiliary + 12)..]);
            }

            entry += (int)BinaryPrimitives.ReadUInt32LittleEndian(file[(entry + 12)..]);
        }

        return null;
    }

    private static void RequireOnlyTheAnchor(ElfFile elf, ushort versionIndex, string path)
    {
        if (elf.Find(ElfFile.DynamicSymbols) is not (ElfFile.Section symbolTable, ElfFile.Section names) || elf.Find(ElfFile.SymbolVersions) is not (ElfFile.Section versionTable, _))
        {
            throw new TorchRuntimeException($"{path} has no dynamic symbol table, so it cannot be corrected for this system's libstdc++.");
        }

        ReadOnlySpan<byte> symbols = elf.Read(symbolTable), versions = elf.Read(versionTable), strings = elf.Read(names);
        for (int i = 0; i < versions.Length / 2; i++)
        {
            if (BinaryPrimitives.ReadUInt16LittleEndian(versions[(2 * i)..]) != versionIndex)
            {
                continue;
            }

            string symbol = Encoding.ASCII.GetString(ElfFile.Text(strings, BinaryPrimitives.ReadUInt32LittleEndian(symbols[(24 * i)..])));
            if (symbol != Anchor)
            {
                throw new TorchRuntimeException($"{path} uses {symbol} of {Version}, which this system's libstdc++ lacks. Install a libstdc++ from GCC 13 or newer.");
            }
        }
    }
}
