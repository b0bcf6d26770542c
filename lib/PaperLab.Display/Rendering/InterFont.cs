// The typeface of every picture: Inter (SIL Open Font License), from a file beside this assembly. A chart then looks the same, to
// the byte, on a workstation and in a container that has no fonts. The file is the assembly of a font package; only the resource
// that holds the .ttf files is read from it.

using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text;
using ScottPlot;
using SkiaSharp;

namespace PaperLab.Display.Rendering;

/// <summary>Inter in the two weights that figures use.</summary>
internal sealed class InterFont : IFontResolver
{
    public const string Family = "Inter";

    private const string FileName = "Avalonia.Fonts.Inter.dll";
    private const string ResourceName = "!AvaloniaResources";

    private static readonly Lazy<InterFont> s_instance = new(() => new InterFont());

    private InterFont()
    {
        string path = Path.Combine(Path.GetDirectoryName(typeof(InterFont).Assembly.Location)!, FileName);
        byte[] resource = ReadResource(path);
        Dictionary<string, (int Offset, int Size)> files = ReadIndex(resource);
        Regular = Open("Regular");
        SemiBold = Open("SemiBold");

        SKTypeface Open(string weight)
        {
            (int offset, int size) = files[$"/Assets/Inter-{weight}.ttf"];
            return SKTypeface.FromData(SKData.CreateCopy(resource.AsSpan(offset, size)))
                ?? throw new InvalidDataException($"{path}: Inter-{weight}.ttf is not a typeface that Skia can read.");
        }
    }

    public static InterFont Instance => s_instance.Value;

    public SKTypeface Regular { get; }

    public SKTypeface SemiBold { get; }

    /// <summary>The typeface at a size, spaced as its designer meant: hinting would widen small letters.</summary>
    public SKFont Of(float size, bool bold = false) =>
        new(bold ? SemiBold : Regular, size) { Edging = SKFontEdging.Antialias, Subpixel = true, Hinting = SKFontHinting.None, LinearMetrics = true };

    public SKTypeface? CreateTypeface(string fontName, FontWeight weight, FontSlant slant, FontSpacing spacing) =>
        fontName == Family ? (weight >= FontWeight.SemiBold ? SemiBold : Regular) : null;

    public SKTypeface? CreateTypeface(string fontName, bool bold, bool italic) =>
        fontName == Family ? (bold ? SemiBold : Regular) : null;

    // A manifest resource lies in the CLI header's resources directory: a length, then the bytes.
    private static byte[] ReadResource(string path)
    {
        if (!File.Exists(path))
        {
            throw new FileNotFoundException($"The charts' typeface is missing: {path}. Build PaperLab.Display again, which puts it there.", path);
        }

        using var file = new PEReader(File.OpenRead(path));
        MetadataReader metadata = file.GetMetadataReader();
        ManifestResource resource = metadata.ManifestResources.Select(metadata.GetManifestResource).First(item => metadata.StringComparer.Equals(item.Name, ResourceName));
        BlobReader bytes = file.GetSectionData(file.PEHeaders.CorHeader!.ResourcesDirectory.RelativeVirtualAddress).GetReader();
        bytes.Offset = (int)resource.Offset;
        return bytes.ReadBytes(bytes.ReadInt32());
    }

    // The resource is an archive: the index's length, a version, the number of files, then name, offset and size of each;
    // offsets count from the end of the index.
    private static Dictionary<string, (int Offset, int Size)> ReadIndex(byte[] resource)
    {
        using var reader = new BinaryReader(new MemoryStream(resource), Encoding.UTF8);
        int indexLength = reader.ReadInt32();
        reader.ReadInt32();
        int count = reader.ReadInt32();
        var files = new Dictionary<string, (int, int)>();
        for (int i = 0; i < count; i++)
        {
            string name = reader.ReadString();
            files[name] = (reader.ReadInt32() + indexLength + sizeof(int), reader.ReadInt32());
        }

        return files;
    }
}
