using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using PaperLab.Notebooks.Pages;

namespace PaperLab.Notebooks.Tests.Pages;

public sealed class PlotlyScriptTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("paperlab-plotly-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void The_script_is_found_in_an_assembly_by_its_name_with_its_version()
    {
        string path = Assembly(("Other.txt", "other"), ("Plotly.NET.plotly-9.8.7.min.js", "var Plotly = 'é';"));

        Assert.Equal(new PlotlyScript("var Plotly = 'é';", "9.8.7"), PlotlyScript.FromAssembly(path));
    }

    [Fact]
    public void An_assembly_without_the_script_is_named_with_what_to_take_instead()
    {
        string path = Assembly(("Other.txt", "other"));

        string message = Assert.Throws<InvalidDataException>(() => PlotlyScript.FromAssembly(path)).Message;

        Assert.Contains(path, message);
        Assert.Contains("Plotly.NET.dll", message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("not an assembly")]
    public void A_file_that_is_no_assembly_is_named(string content)
    {
        string path = Path.Combine(_folder.FullName, "broken.dll");
        File.WriteAllText(path, content);

        Assert.Contains(path, Assert.Throws<InvalidDataException>(() => PlotlyScript.FromAssembly(path)).Message);
    }

    [Fact]
    public void A_missing_file_is_named()
    {
        string path = Path.Combine(_folder.FullName, "absent.dll");

        Assert.Contains(path, Assert.Throws<FileNotFoundException>(() => PlotlyScript.FromAssembly(path)).Message);
    }

    private string Assembly(params (string Name, string Text)[] resources)
    {
        string path = Path.Combine(_folder.FullName, "library.dll");
        var compilation = CSharpCompilation.Create(
            "library",
            references: [MetadataReference.CreateFromFile(typeof(object).Assembly.Location)],
            options: new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary));
        var descriptions = resources.Select(resource =>
            new ResourceDescription(resource.Name, () => new MemoryStream(System.Text.Encoding.UTF8.GetBytes(resource.Text)), isPublic: true));
        Assert.True(compilation.Emit(path, manifestResources: descriptions).Success);
        return path;
    }
}
