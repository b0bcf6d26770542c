// C# source: the library and the tests of this repository, one document per file.

using System.Security.Cryptography;

namespace PaperLab.Text.Sources;

/// <summary>The <c>code</c> domain.</summary>
/// <param name="root">The repository's folder; its <c>lib</c> and <c>tests</c> are read.</param>
public sealed class CSharpFiles(string root) : ITextSource
{
    private static readonly string[] s_folders = ["lib", "tests"];
    private static readonly string[] s_built = ["bin", "obj", "out"];

    /// <inheritdoc/>
    public string Domain => "code";

    /// <inheritdoc/>
    public bool DropRepeatedLines => false;

    /// <inheritdoc/>
    public string Fingerprint() =>
        string.Join('\n', Files().Select(path => $"{Relative(path)} {Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path)))}"));

    /// <inheritdoc/>
    public IEnumerable<SourceDocument> Read() => Files().Select(path =>
        new SourceDocument(Relative(path), Relative(path), [new Section("", CleanText.Clean(File.ReadAllText(path)).Split('\n'))]));

    private IEnumerable<string> Files() => s_folders
        .Select(folder => Path.Combine(root, folder))
        .Where(Directory.Exists)
        .SelectMany(folder => Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories))
        .Where(path => !Relative(path).Split('/').Any(s_built.Contains))
        .OrderBy(Relative, StringComparer.Ordinal);

    private string Relative(string path) => Path.GetRelativePath(root, path).Replace('\\', '/');
}
