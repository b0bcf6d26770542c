// #r "nuget:…" against a package source in a folder: no network, the SDK's own restore.

using System.IO.Compression;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using PaperLab.Notebooks.Script;

namespace PaperLab.Notebooks.Tests.Script;

[Collection(nameof(SessionCollection))]
public sealed class PackageTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("paperlab-packages-");
    private readonly string _id = $"Example{Guid.NewGuid():N}";

    public PackageTests()
    {
        Environment.SetEnvironmentVariable("PAPERLAB_CACHE", Path.Combine(_folder.FullName, "cache"));
        // Only the folder is a source, and restored packages stay in the test's own folder.
        File.WriteAllText(Path.Combine(_folder.FullName, "nuget.config"), """
            <configuration>
              <packageSources><clear /></packageSources>
              <config><add key="globalPackagesFolder" value="global" /></config>
            </configuration>
            """);
        Directory.CreateDirectory(Path.Combine(_folder.FullName, "feed"));
    }

    public void Dispose()
    {
        Environment.SetEnvironmentVariable("PAPERLAB_CACHE", null);
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task A_package_is_restored_once_and_found_again_without_a_process()
    {
        Pack(_id, "1.2.3", "public static class Example { public static int Value => 9; }");
        string cell = $"#i \"nuget:feed\"\n#r \"nuget: {_id}, 1.2.3\"\nExample.Value";
        var sink = new RecordingSink();

        CellResult first = await RunAsync(sink, cell);
        Assert.Equal("9", first.Value?.PlainText);
        Assert.Contains($"{_id}, 1.2.3", sink.Displays.Single().Data.PlainText);

        // With the source gone only the kept answer can serve.
        Directory.Delete(Path.Combine(_folder.FullName, "feed"), recursive: true);
        CellResult second = await RunAsync(new RecordingSink(), cell);
        Assert.Equal("9", second.Value?.PlainText);
    }

    [Fact]
    public async Task A_package_that_does_not_exist_is_an_error_with_cell_line_and_reason()
    {
        CellResult result = await RunAsync(new RecordingSink(), $"var a = 1;\n#i \"nuget:feed\"\n#r \"nuget:{_id}, 4.0.0\"");

        Assert.Equal("PackageError", result.Error!.Name);
        Assert.StartsWith($"cell 1, line 3: the packages {_id}, 4.0.0 cannot be restored: ", result.Error.Message);
        Assert.Contains("NU1101", result.Error.Message);
    }

    private async Task<CellResult> RunAsync(RecordingSink sink, string cell)
    {
        using var session = new ScriptSession(_folder.FullName, sink);
        CellResult result = await session.RunAsync(cell, 1, cancel: TestContext.Current.CancellationToken);
        return result;
    }

    private void Pack(string id, string version, string code)
    {
        using ZipArchive package = ZipFile.Open(Path.Combine(_folder.FullName, "feed", $"{id}.{version}.nupkg"), ZipArchiveMode.Create);
        using (var nuspec = new StreamWriter(package.CreateEntry($"{id}.nuspec").Open()))
        {
            nuspec.Write($"""
                <package><metadata><id>{id}</id><version>{version}</version><authors>tests</authors><description>for a test</description></metadata></package>
                """);
        }

        using Stream dll = package.CreateEntry($"lib/net8.0/{id}.dll").Open();
        using var bytes = new MemoryStream();
        string framework = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        CSharpCompilation compilation = CSharpCompilation.Create(
            id,
            [CSharpSyntaxTree.ParseText(code, cancellationToken: TestContext.Current.CancellationToken)],
            [MetadataReference.CreateFromFile(typeof(object).Assembly.Location), MetadataReference.CreateFromFile(Path.Combine(framework, "System.Runtime.dll"))],
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary));
        Assert.True(compilation.Emit(bytes, cancellationToken: TestContext.Current.CancellationToken).Success);
        bytes.Position = 0;
        bytes.CopyTo(dll);
    }
}
