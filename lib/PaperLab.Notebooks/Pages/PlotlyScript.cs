// plotly.js as a caller hands it to the pages. Plotly.NET carries a copy as an embedded resource; it is read from the
// file's metadata, so that neither Plotly.NET nor its F# dependencies are loaded for it.

using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text;

namespace PaperLab.Notebooks.Pages;

/// <summary>The source of plotly.js and, where it is known, its version.</summary>
public sealed record PlotlyScript(string Source, string Version)
{
    private const string Prefix = "plotly-";
    private const string Suffix = ".min.js";

    /// <summary>Reads the copy embedded in an assembly such as Plotly.NET.dll, without loading the assembly.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is no .NET assembly, or none that carries plotly.js.</exception>
    public static PlotlyScript FromAssembly(string path)
    {
        using FileStream file = File.OpenRead(path);
        using var image = new PEReader(file);
        try
        {
            MetadataReader metadata = image.GetMetadataReader();
            foreach (ManifestResource resource in metadata.ManifestResources.Select(metadata.GetManifestResource))
            {
                string name = metadata.GetString(resource.Name);
                int start = name.LastIndexOf(Prefix, StringComparison.Ordinal);
                if (start >= 0 && resource.Implementation.IsNil && name.EndsWith(Suffix, StringComparison.Ordinal))
                    return new PlotlyScript(ReadText(image, resource), name[(start + Prefix.Length)..^Suffix.Length]);
            }
        }
        catch (Exception error) when (error is BadImageFormatException or InvalidOperationException)
        {
            throw new InvalidDataException($"{path} is not a .NET assembly that can be read: {error.Message}", error);
        }
        throw new InvalidDataException($"{path} carries no resource named {Prefix}VERSION{Suffix}; take the Plotly.NET.dll of package Plotly.NET.");
    }

    /// <summary>A resource is its length in four bytes, then its bytes (ECMA-335, II.24.2.4).</summary>
    private static string ReadText(PEReader image, ManifestResource resource)
    {
        int resources = image.PEHeaders.CorHeader!.ResourcesDirectory.RelativeVirtualAddress;
        BlobReader reader = image.GetSectionData(resources).GetReader();
        reader.Offset = checked((int)resource.Offset);
        return Encoding.UTF8.GetString(reader.ReadBytes(reader.ReadInt32()));
    }
}
