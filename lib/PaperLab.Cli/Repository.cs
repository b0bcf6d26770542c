// Where the repository is, and which notebooks it has.

namespace PaperLab.Cli;

/// <summary>The folder that holds PaperLab.sln.</summary>
public sealed class Repository
{
    private const string Marker = "PaperLab.sln";

    private Repository(string root) => Root = root;

    /// <summary>Full path of the repository's root.</summary>
    public string Root { get; }

    /// <summary>Full path of the folder of notebooks.</summary>
    public string Notebooks => Path.Combine(Root, "notebooks");

    /// <summary>Finds the repository: upwards from the current folder, then from the tool itself; null when there is none.</summary>
    public static Repository? Find() =>
        (Above(Directory.GetCurrentDirectory()) ?? Above(AppContext.BaseDirectory)) is string root ? new Repository(root) : null;

    /// <summary>As <see cref="Find"/>; there must be one.</summary>
    public static Repository Require() => Find()
        ?? throw new UsageException($"no folder above {Directory.GetCurrentDirectory()} holds {Marker}; go into the repository, or name the notebook by its path.");

    private static string? Above(string start)
    {
        for (DirectoryInfo? folder = new(start); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, Marker)))
            {
                return folder.FullName;
            }
        }

        return null;
    }
}
