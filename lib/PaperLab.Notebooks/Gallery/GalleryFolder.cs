// The folder of a gallery: replaced as a whole, and only where what is there is a gallery that was written here.

using System.Text.Json;

namespace PaperLab.Notebooks.Gallery;

internal static class GalleryFolder
{
    /// <summary>The file that tells a gallery from other folders, and which files are its own.</summary>
    public const string Marker = "paperlab-gallery.json";

    /// <summary>
    /// Puts a gallery where <paramref name="folder"/> names: writes it beside, then renames it to its place, so that there is the earlier one
    /// or the new one, never half of either. Returns where a folder went that was no gallery, and was moved aside; null where there was none.
    /// </summary>
    /// <param name="folder">The folder; the one that it links to, where it is a link.</param>
    /// <param name="files">Its files by their path in it.</param>
    /// <param name="force">Move aside what is there and is not a gallery.</param>
    /// <exception cref="GalleryException">Something else is there, and <paramref name="force"/> is not given, or it is where the program runs.</exception>
    /// <exception cref="IOException">The folder cannot be written; what was there is unchanged.</exception>
    public static string? Replace(string folder, IReadOnlyDictionary<string, byte[]> files, bool force)
    {
        string target = Target(folder);
        string? foreign = ForeignIn(target);
        if (foreign is not null && $"{Directory.GetCurrentDirectory()}{Path.DirectorySeparatorChar}".StartsWith(target + Path.DirectorySeparatorChar, StringComparison.Ordinal))
        {
            throw new GalleryException($"{target} is the folder that you are in, or above it, and no gallery; name another folder.");
        }

        if (foreign is not null && !force)
        {
            throw new GalleryException($"{target} holds {foreign}, which no gallery wrote; name another folder, or give --force to move it aside.");
        }

        string beside = $"{target}.{Guid.NewGuid():N}"[..^24];
        string written = beside + ".new", earlier = beside + ".before";
        try
        {
            Write(written, files);
            if (!Directory.Exists(target))
            {
                Directory.Move(written, target);
                return null;
            }

            Directory.Move(target, earlier);
            try
            {
                Directory.Move(written, target);
            }
            catch
            {
                Directory.Move(earlier, target);
                throw;
            }
        }
        finally
        {
            if (Directory.Exists(written))
            {
                Directory.Delete(written, recursive: true);
            }
        }

        if (foreign is not null)
        {
            return earlier;
        }

        Directory.Delete(earlier, recursive: true);
        return null;
    }

    private static string Target(string folder)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        return File.Exists(full) ? throw new GalleryException($"{full} is a file; a gallery is a folder.")
            : Path.GetDirectoryName(full) is null ? throw new GalleryException($"{full} is the root of a file system; a gallery is a folder in one.")
            : Directory.Exists(full) && new DirectoryInfo(full).ResolveLinkTarget(returnFinalTarget: true) is { } linked ? linked.FullName
            : full;
    }

    /// <summary>A file in the folder that is not of a gallery; null where all are, or where there are none.</summary>
    private static string? ForeignIn(string target)
    {
        if (!Directory.Exists(target))
        {
            return null;
        }

        HashSet<string> own = OwnFiles(Path.Combine(target, Marker));
        return Directory.EnumerateFiles(target, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(target, path).Replace('\\', '/')).FirstOrDefault(path => !own.Contains(path));
    }

    private static HashSet<string> OwnFiles(string marker)
    {
        try
        {
            return File.Exists(marker) ? [.. JsonSerializer.Deserialize<string[]>(File.ReadAllBytes(marker))!, Marker] : [];
        }
        catch (JsonException)
        {
            return []; // not written here
        }
    }

    private static void Write(string folder, IReadOnlyDictionary<string, byte[]> files)
    {
        foreach ((string name, byte[] content) in files.Append(KeyValuePair.Create(Marker, JsonSerializer.SerializeToUtf8Bytes(files.Keys.Order(StringComparer.Ordinal)))))
        {
            string path = Path.Combine(folder, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            using var stream = new FileStream(path, FileMode.CreateNew, FileAccess.Write);
            stream.Write(content);
            stream.Flush(flushToDisk: true);
        }
    }
}
