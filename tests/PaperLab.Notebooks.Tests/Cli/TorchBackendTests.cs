// Which package -p:TorchBackend=… asks for. The packages with CUDA have gigabytes: nothing is restored.

using System.Text.Json.Nodes;
using PaperLab.Notebooks.Tests.Batch;

namespace PaperLab.Notebooks.Tests.Cli;

public sealed class TorchBackendTests
{
    [Theory]
    [InlineData("cuda", "linux-x64", "TorchSharp-cuda-linux")]
    [InlineData("external", "linux-x64")]
    public async Task A_backend_brings_its_own_libtorch_and_no_other(string backend, string platform, params string[] packages)
    {
        using var tool = new Tool();
        tool.Start("dotnet", ["msbuild", "lib/PaperLab.Cli", "-getItem:PackageReference", $"-p:TorchBackend={backend}", $"-p:RuntimeIdentifier={platform}"]);

        ToolResult result = await tool.EndAsync();

        IEnumerable<string> names = JsonNode.Parse(result.Stdout)!["Items"]!["PackageReference"]!.AsArray().Select(package => (string)package!["Identity"]!);
        Assert.Equal(packages, names.Where(name => name.Contains("torch", StringComparison.OrdinalIgnoreCase)));
    }
}
