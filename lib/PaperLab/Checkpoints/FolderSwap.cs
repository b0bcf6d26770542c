// A checkpoint's folder is written whole beside the old one and then takes its place: what AtomicFile does for a file.

namespace PaperLab.Checkpoints;

internal static class FolderSwap
{
    /// <summary>A folder to write in, on the same file system.</summary>
    public static string NameBeside(string target) => Path.Combine(Path.GetDirectoryName(target)!, $".{Path.GetFileName(target)}.{Path.GetRandomFileName()}.tmp");

    /// <summary>Refuses a target that holds what may not go.</summary>
    /// <exception cref="CheckpointException">It is a file, or has content and <paramref name="overwrite"/> is false or the content is no checkpoint.</exception>
    public static void RequireReplaceable(string target, bool overwrite)
    {
        if (File.Exists(target))
        {
            throw new CheckpointException(target, "it is a file.", "Name a folder.");
        }

        if (!Directory.Exists(target) || !Directory.EnumerateFileSystemEntries(target).Any())
        {
            return;
        }

        if (!overwrite)
        {
            throw new CheckpointException(target, "it is not empty.", "Name a new folder, or replace the checkpoint that lies there with overwrite: true.");
        }

        if (!File.Exists(Path.Combine(target, HuggingFaceConfig.FileName)))
        {
            throw new CheckpointException(target, $"it holds no {HuggingFaceConfig.FileName}, so it is no checkpoint to replace.", "Name a new folder.");
        }
    }

    /// <summary>Puts the folder <paramref name="aside"/> in the place of <paramref name="target"/>: two renames, and the old folder comes back should the second fail.</summary>
    public static void Replace(string target, string aside)
    {
        string old = $"{aside}.old";
        if (!Directory.Exists(target))
        {
            Directory.Move(aside, target);
            return;
        }

        Directory.Move(target, old);
        try
        {
            Directory.Move(aside, target);
        }
        catch
        {
            Directory.Move(old, target);
            throw;
        }

        Directory.Delete(old, recursive: true);
    }
}
