// The files of a Debian package, unpacked by Debian's own dpkg-deb, which is wherever apt-get is: the archives inside are compressed with
// xz, which .NET does not read.

using System.ComponentModel;
using System.Diagnostics;
using System.Formats.Tar;

namespace PaperLab.Text.Data;

/// <summary>Reads .deb files.</summary>
internal static class DebianPackage
{
    /// <summary>The files whose paths are wanted, by path from the root without a slash before it: <c>usr/share/…</c>.</summary>
    /// <exception cref="DataSetException">dpkg-deb is not on this machine.</exception>
    /// <exception cref="InvalidDataException">The package is damaged; the message has what dpkg-deb says.</exception>
    public static IReadOnlyDictionary<string, byte[]> Read(string package, Predicate<string> wanted)
    {
        using Process process = Start(package);
        Task<string> said = process.StandardError.ReadToEndAsync();
        var files = new Dictionary<string, byte[]>();
        Exception? cut = null;
        try
        {
            using var archive = new TarReader(process.StandardOutput.BaseStream, leaveOpen: true);
            while (archive.GetNextEntry() is { } entry)
            {
                string path = entry.Name.StartsWith("./", StringComparison.Ordinal) ? entry.Name[2..] : entry.Name;
                if (entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile && wanted(path))
                {
                    using var copy = new MemoryStream();
                    entry.DataStream?.CopyTo(copy); // an empty file has none
                    files[path] = copy.ToArray();
                }
            }
        }
        catch (Exception error) when (error is InvalidDataException or EndOfStreamException)
        {
            cut = error;
        }

        process.StandardOutput.BaseStream.CopyTo(Stream.Null); // what pads the archive: else dpkg-deb could not write it
        process.WaitForExit();
        return cut is null && process.ExitCode == 0 ? files : throw new InvalidDataException(
            $"{package} is not a whole Debian package: dpkg-deb ended with exit code {process.ExitCode} {said.GetAwaiter().GetResult().ReplaceLineEndings(" ").Trim()}", cut);
    }

    private static Process Start(string package)
    {
        try
        {
            return Process.Start(new ProcessStartInfo("dpkg-deb", ["--fsys-tarfile", package]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        }
        catch (Win32Exception error)
        {
            throw new DataSetException(
                DataSetProblem.ClientMissing, $"{package} is a Debian package, and dpkg-deb, which unpacks those, does not start: {error.Message}. It is part of Debian and Ubuntu; elsewhere install dpkg.");
        }
    }
}
