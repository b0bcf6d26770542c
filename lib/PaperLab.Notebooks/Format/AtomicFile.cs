// Writing a file so that a crash, a full disk or a killed process leaves either the old content or the new, never half of it.

namespace PaperLab.Notebooks.Format;

/// <summary>All-or-nothing file writes.</summary>
public static class AtomicFile
{
    /// <summary>
    /// Writes <paramref name="content"/> to a temporary file beside <paramref name="path"/>, flushes it to disk and renames it over the target.
    /// A link is followed, so that the file it names is replaced and not the link. The target keeps its access mode.
    /// </summary>
    /// <exception cref="IOException">The folder cannot be written or the disk is full; the target is then as it was.</exception>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        var file = new FileInfo(path); // asking a file that is not there for its link target would throw
        string target = file.LinkTarget is null ? file.FullName : file.ResolveLinkTarget(returnFinalTarget: true)!.FullName;
        string temporary = Path.Combine(Path.GetDirectoryName(target)!, $".{Path.GetFileName(target)}.{Environment.ProcessId}.{Guid.NewGuid():N}.tmp");
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None))
            {
                stream.Write(content);
                stream.Flush(flushToDisk: true);
            }

            if (!OperatingSystem.IsWindows() && File.Exists(target))
            {
                File.SetUnixFileMode(temporary, File.GetUnixFileMode(target));
            }

            File.Move(temporary, target, overwrite: true);
        }
        catch (ArgumentOutOfRangeException error)
        {
            // So .NET reports a file that grows past the limit of the file system or of the process (EFBIG).
            File.Delete(temporary);
            throw new IOException($"{target} would be larger than a file may be here.", error);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }
}
