// What is left of a precompiled assembly when its native code goes. .NET's own libraries and the notebook engine carry both: intermediate
// code, from which the runtime can always compile, and native code, which saves it from that at the start. The native code is two thirds of
// the bytes and hardly packs.
//
// The metadata names every piece of intermediate code and data; what it names stays where it is, byte for byte, and all else becomes zero.
// So nothing that a notebook's cell could name or call is lost; the file keeps its size and packs to a fraction.
//
// ECMA-335, partition II.25, and the format of precompiled images: https://github.com/dotnet/runtime/blob/main/docs/design/coreclr/botr/readytorun-format.md

using System.Buffers.Binary;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace PaperLab.Cli.Bundling;

/// <summary>Takes precompiled native code out of assemblies.</summary>
internal static class IntermediateLanguage
{
    // Of the COFF header, from the signature on; of the optional header's directories; of the COR header.
    private const int Machine = 4, Exceptions = 3, Relocations = 5, Debugging = 6, Flags = 16, NativeHeader = 64;
    private const ushort Amd64 = 0x8664;

    /// <summary>The assembly without native code; the very bytes where there is none, or where they are no assembly.</summary>
    /// <exception cref="InvalidDataException">Its metadata names data whose size cannot be told.</exception>
    public static byte[] Only(byte[] assembly)
    {
        using var image = new PEReader(new MemoryStream(assembly));
        if (!assembly.AsSpan().StartsWith("MZ"u8) || !image.HasMetadata || image.PEHeaders.CorHeader!.ManagedNativeHeaderDirectory.Size == 0)
        {
            return assembly;
        }

        PEHeaders headers = image.PEHeaders;
        CorHeader cor = headers.CorHeader;
        MetadataReader metadata = image.GetMetadataReader();
        var left = new byte[assembly.Length];
        assembly.AsSpan(0, headers.PEHeader!.SizeOfHeaders).CopyTo(left);
        foreach (DirectoryEntry directory in new[] { headers.PEHeader.CorHeaderTableDirectory, headers.PEHeader.ResourceTableDirectory, cor.MetadataDirectory, cor.ResourcesDirectory, cor.StrongNameSignatureDirectory })
        {
            Keep(directory.RelativeVirtualAddress, directory.Size);
        }

        foreach (int address in metadata.MethodDefinitions.Select(handle => metadata.GetMethodDefinition(handle).RelativeVirtualAddress).Where(address => address != 0))
        {
            Keep(address, image.GetMethodBody(address).Size);
        }

        foreach (FieldDefinition field in metadata.FieldDefinitions.Select(metadata.GetFieldDefinition).Where(field => field.GetRelativeVirtualAddress() != 0))
        {
            Keep(field.GetRelativeVirtualAddress(), SizeOf(metadata, field));
        }

        BinaryPrimitives.WriteUInt16LittleEndian(left.AsSpan(headers.CoffHeaderStartOffset - 4 + Machine), Amd64); // the native code's own mark goes
        int directories = headers.PEHeaderStartOffset + (headers.PEHeader.Magic == PEMagic.PE32Plus ? 112 : 96);
        foreach (int directory in new[] { Exceptions, Relocations, Debugging })
        {
            left.AsSpan(directories + (8 * directory), 8).Clear();
        }

        left.AsSpan(headers.CorHeaderStartOffset + NativeHeader, 8).Clear();
        CorFlags flags = (cor.Flags & ~CorFlags.ILLibrary) | CorFlags.ILOnly;
        BinaryPrimitives.WriteInt32LittleEndian(left.AsSpan(headers.CorHeaderStartOffset + Flags), (int)flags);
        return left;

        void Keep(int address, int size)
        {
            if (size > 0)
            {
                SectionHeader section = headers.SectionHeaders[headers.GetContainingSectionIndex(address)];
                int offset = address - section.VirtualAddress + section.PointerToRawData;
                assembly.AsSpan(offset, size).CopyTo(left.AsSpan(offset));
            }
        }
    }

    // Constant data is a number, or a type that the compiler made for its size.
    private static int SizeOf(MetadataReader metadata, FieldDefinition field)
    {
        BlobReader signature = metadata.GetBlobReader(field.Signature);
        signature.ReadSignatureHeader();
        SignatureTypeCode type = signature.ReadSignatureTypeCode();
        int size = type switch
        {
            SignatureTypeCode.Boolean or SignatureTypeCode.SByte or SignatureTypeCode.Byte => 1,
            SignatureTypeCode.Char or SignatureTypeCode.Int16 or SignatureTypeCode.UInt16 => 2,
            SignatureTypeCode.Int32 or SignatureTypeCode.UInt32 or SignatureTypeCode.Single => 4,
            SignatureTypeCode.Int64 or SignatureTypeCode.UInt64 or SignatureTypeCode.Double => 8,
            SignatureTypeCode.TypeHandle when signature.ReadTypeHandle() is { Kind: HandleKind.TypeDefinition } handle =>
                metadata.GetTypeDefinition((TypeDefinitionHandle)handle).GetLayout().Size,
            _ => 0,
        };
        return size > 0 ? size : throw new InvalidDataException($"the size of the constant data of {metadata.GetString(field.Name)} is not known");
    }
}
