// What the tool knows of the repository it runs in.

namespace PaperLab.Cli;

/// <summary>The checkout as the tool uses it.</summary>
public sealed class Repository
{
    private Repository(string root) => Root = root;

    /// <summary>Full path of the repository's root.</summary>
    public string Root { get; }

    /// <summary>Full path of the folder of notebooks.</summary>
    public string Notebooks => Path.Combine(Root, "notebooks");

    /// <summary>The repository of <see cref="Checkout.Root"/>; null when there is none.</summary>
    public static Repository? Find() => Checkout.Root is { } root ? new Repository(root) : null;

    /// <summary>As <see cref="Find"/>; there must be one.</summary>
    public static Repository Require() => Find()
        ?? throw new UsageException($"no folder above {Directory.GetCurrentDirectory()} holds PaperLab.sln; go into the repository, or name the notebook by its path.");

    /// <summary>A path as messages and reports show it: from the repository's folder, with slashes, where it lies below that.</summary>
    public static string ShortPath(string path)
    {
        string? relative = Find() is { } repository ? Path.GetRelativePath(repository.Root, path) : null;
        return relative is null || relative.StartsWith("..", StringComparison.Ordinal) || Path.IsPathRooted(relative) ? path : relative.Replace('\\', '/');
    }
}
