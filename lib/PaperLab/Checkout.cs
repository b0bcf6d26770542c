// The working copy that a notebook, test or tool runs in: a clone, or a portable bundle of one.

namespace PaperLab;

/// <summary>Finds the repository's folder and its git revision.</summary>
public static class Checkout
{
    /// <summary>In a portable bundle, the file at its root that names the commit which it was made of.</summary>
    public const string RevisionFile = "REVISION";

    /// <summary>The nearest folder that holds PaperLab.sln, from the current folder up and then from this library up; null outside a checkout.</summary>
    public static string? Root { get; } = RootAbove(Directory.GetCurrentDirectory()) ?? RootAbove(AppContext.BaseDirectory) ?? RootAbove(Path.GetDirectoryName(typeof(Checkout).Assembly.Location));

    /// <summary>The nearest folder that holds PaperLab.sln, from <paramref name="folder"/> up; null outside a checkout.</summary>
    public static string? RootAbove(string? folder)
    {
        for (DirectoryInfo? current = folder is { Length: > 0 } ? new DirectoryInfo(folder) : null; current is not null; current = current.Parent)
        {
            if (File.Exists(Path.Combine(current.FullName, "PaperLab.sln")))
            {
                return current.FullName;
            }
        }

        return null;
    }

    /// <summary>The commit that HEAD names, read from .git without running git; in a portable bundle, the one that it was made of; else "unknown".</summary>
    public static string Revision()
    {
        if (Root is null || GitFolder(Root) is not { } git || !File.Exists(Path.Combine(git, "HEAD")))
        {
            string bundled = Path.Combine(Root ?? "", RevisionFile);
            return Root is not null && File.Exists(bundled) ? File.ReadAllText(bundled).Trim() : "unknown";
        }

        string head = File.ReadAllText(Path.Combine(git, "HEAD")).Trim();
        if (!head.StartsWith("ref: ", StringComparison.Ordinal))
        {
            return head;
        }

        string reference = head[5..];
        string shared = File.Exists(Path.Combine(git, "commondir")) ? Path.GetFullPath(Path.Combine(git, File.ReadAllText(Path.Combine(git, "commondir")).Trim())) : git;
        foreach (string folder in new[] { git, shared })
        {
            if (File.Exists(Path.Combine(folder, reference)))
            {
                return File.ReadAllText(Path.Combine(folder, reference)).Trim();
            }
        }

        string packed = Path.Combine(shared, "packed-refs");
        return (File.Exists(packed) ? File.ReadLines(packed).FirstOrDefault(line => line.EndsWith(' ' + reference)) : null)?.Split(' ')[0] ?? "unknown";
    }

    // In a linked worktree .git is a file that names the folder.
    private static string? GitFolder(string root)
    {
        string path = Path.Combine(root, ".git");
        return Directory.Exists(path) ? path
            : File.Exists(path) && File.ReadAllText(path).Trim() is var text && text.StartsWith("gitdir: ", StringComparison.Ordinal) ? Path.GetFullPath(Path.Combine(root, text[8..]))
            : null;
    }
}
