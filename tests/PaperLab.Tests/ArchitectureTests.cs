// Which way imports point: held by what the compiled assemblies reference and by what the files use.

using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text.RegularExpressions;

namespace PaperLab.Tests;

public sealed partial class ArchitectureTests
{
    [Theory]
    [InlineData("PaperLab", "Plotly.NET", "Microsoft.DotNet.Interactive", "Microsoft.CodeAnalysis", "ScottPlot", "SkiaSharp", "Spectre.Console", "PaperLab.Display", "PaperLab.Notebooks", "PaperLab.Cli")]
    [InlineData("PaperLab.Display", "PaperLab.Notebooks", "PaperLab.Cli", "Microsoft.CodeAnalysis", "Spectre.Console")]
    [InlineData("PaperLab.Notebooks", "TorchSharp", "PaperLab", "PaperLab.Display", "PaperLab.Cli", "Plotly.NET", "ScottPlot", "Spectre.Console")]
    [InlineData("PaperLab.Cli", "xunit", "PaperLab.Tests")]
    public void An_assembly_references_nothing_that_it_may_not(string assembly, params string[] forbidden)
    {
        string[] references = ReferencesOf(assembly);

        Assert.NotEmpty(references);
        Assert.DoesNotContain(references, reference => forbidden.Any(name =>
            name.StartsWith("PaperLab", StringComparison.Ordinal) ? reference == name : reference.StartsWith(name, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("Text", "Models", "Checkpoints", "Training", "Generation", "Reinforcement", "Preference", "Search", "Agents", "Papers")]
    [InlineData("Models", "Text", "Checkpoints", "Training", "Generation", "Reinforcement", "Preference", "Search", "Agents", "Papers")]
    [InlineData("Checkpoints", "Training", "Generation", "Reinforcement", "Preference", "Search", "Agents", "Papers")]
    [InlineData("Generation", "Training", "Reinforcement", "Preference", "Search", "Agents", "Papers")]
    [InlineData("Evaluation", "Training", "Generation", "Reinforcement", "Preference", "Search", "Agents", "Papers")]
    [InlineData("Training", "Papers")]
    [InlineData("Reinforcement", "Preference", "Search", "Agents", "Papers")]
    [InlineData("Native", "Text", "Models", "Checkpoints", "Training", "Generation", "Evaluation", "Papers")]
    public void A_folder_of_the_library_uses_no_folder_above_it(string folder, params string[] forbidden)
    {
        string path = Path.Combine(Checkout.Root!, "lib", "PaperLab", folder);
        string[] files = Directory.GetFiles(path, "*.cs", SearchOption.AllDirectories);

        Assert.NotEmpty(files);
        foreach (string file in files)
        {
            IEnumerable<string> used = UsedNamespace().Matches(File.ReadAllText(file)).Select(match => match.Groups[1].Value);
            Assert.DoesNotContain(used, name => forbidden.Contains(name));
        }
    }

    private static string[] ReferencesOf(string assembly)
    {
        string[] candidates =
        [
            Path.Combine(Checkout.Root!, "lib", assembly, "bin", "Release", "net10.0", $"{assembly}.dll"),
            Path.Combine(Checkout.Root!, "lib", "out", $"{assembly}.dll"),
        ];
        using var reader = new PEReader(File.OpenRead(candidates.First(File.Exists)));
        MetadataReader metadata = reader.GetMetadataReader();
        return metadata.AssemblyReferences.Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name)).ToArray();
    }

    // "using PaperLab.Models;" and "PaperLab.Models.Gate" alike.
    [GeneratedRegex(@"\bPaperLab\.([A-Z]\w*)")]
    private static partial Regex UsedNamespace();
}
