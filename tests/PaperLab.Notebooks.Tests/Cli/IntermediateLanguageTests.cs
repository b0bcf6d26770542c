// Precompiled assemblies without their native code, as a portable bundle has them.

using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Runtime.Loader;
using PaperLab.Cli.Bundling;

namespace PaperLab.Notebooks.Tests.Cli;

public sealed class IntermediateLanguageTests
{
    private static readonly string Tool = Path.Combine(Batch.Tool.Repository, "lib", "out");

    [Fact]
    public void An_assembly_without_its_native_code_says_and_does_the_same()
    {
        byte[] original = File.ReadAllBytes(Path.Combine(Tool, "Markdig.dll")), left = IntermediateLanguage.Only(original);

        using PEReader before = new(new MemoryStream(original)), after = new(new MemoryStream(left));
        Assert.NotEqual(0, before.PEHeaders.CorHeader!.ManagedNativeHeaderDirectory.Size);
        Assert.Equal(0, after.PEHeaders.CorHeader!.ManagedNativeHeaderDirectory.Size);
        Assert.Equal(CorFlags.ILOnly, after.PEHeaders.CorHeader.Flags & (CorFlags.ILOnly | CorFlags.ILLibrary));
        Assert.Equal(before.GetMetadata().GetContent(), after.GetMetadata().GetContent());
        Assert.Equal(Bodies(before), Bodies(after));
        Assert.True(left.Count(value => value == 0) > original.Count(value => value == 0) + (original.Length / 4), "native code was taken out");

        var context = new AssemblyLoadContext("stripped", isCollectible: true);
        Assembly markdig = context.LoadFromStream(new MemoryStream(left));
        MethodInfo toHtml = markdig.GetType("Markdig.Markdown", throwOnError: true)!.GetMethods().First(method => method.Name == "ToHtml" && method.ReturnType == typeof(string) && method.GetParameters()[0].ParameterType == typeof(string));
        Assert.Equal("<p><em>a</em> &amp; <strong>b</strong></p>\n", toHtml.Invoke(null, ["*a* & **b**", .. new object?[toHtml.GetParameters().Length - 1]]));
        context.Unload();
    }

    [Theory]
    [InlineData("TorchSharp.dll")]
    [InlineData("libSkiaSharp.so")]
    public void What_has_no_native_code_beside_its_own_and_what_is_no_assembly_stays(string file)
    {
        byte[] original = File.ReadAllBytes(Path.Combine(Tool, file));

        Assert.Same(original, IntermediateLanguage.Only(original));
    }

    private static List<byte[]> Bodies(PEReader image)
    {
        MetadataReader metadata = image.GetMetadataReader();
        return [.. metadata.MethodDefinitions.Select(handle => metadata.GetMethodDefinition(handle).RelativeVirtualAddress).Where(address => address != 0).Select(address => image.GetMethodBody(address).GetILBytes()!)];
    }
}
