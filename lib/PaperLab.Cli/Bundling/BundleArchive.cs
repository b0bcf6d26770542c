// A bundle as one file: a tar, packed by xz. Python can unpack it (python3 -m tarfile -e FILE), so the machine that has Python's torch
// needs no other program.

using System.ComponentModel;
using System.Diagnostics;
using System.Formats.Tar;

namespace PaperLab.Cli.Bundling;

/// <summary>Writes bundles.</summary>
internal static class BundleArchive
{
    // Native code and intermediate code pack best after the first filter; the second is the usual one at its most thorough.
    private static readonly string[] s_packing = ["--compress", "--stdout", "--x86", "--lzma2=preset=9e"];

    /// <summary>Writes <paramref name="files"/> and the link to the tool, in a folder of the archive's name.</summary>
    /// <exception cref="EnvironmentException">There is no xz here, or it failed.</exception>
    public static void Write(string path, string folder, DateTimeOffset time, IEnumerable<BundleFile> files) => AtomicFile.Write(path, output =>
    {
        using Process packer = Start();
        Task packed = packer.StandardOutput.BaseStream.CopyToAsync(output);
        using (Stream input = packer.StandardInput.BaseStream)
        using (var tar = new TarWriter(input, TarEntryFormat.Pax))
        {
            foreach (BundleFile file in files)
            {
                tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, $"{folder}/{file.Path}")
                {
                    DataStream = new MemoryStream(file.Read()),
                    Mode = file.IsProgram ? Everyone | UnixFileMode.UserWrite | Execute : Everyone | UnixFileMode.UserWrite,
                    ModificationTime = time,
                });
            }

            tar.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, $"{folder}/paperlab") { LinkName = "lib/out/paperlab", Mode = Everyone | Execute, ModificationTime = time });
        }

        packed.GetAwaiter().GetResult();
        packer.WaitForExit();
        if (packer.ExitCode != 0)
        {
            throw new EnvironmentException($"xz ended with exit code {packer.ExitCode}; what it wrote stands above.");
        }
    });

    private const UnixFileMode Everyone = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private const UnixFileMode Execute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    private static Process Start()
    {
        try
        {
            return Process.Start(new ProcessStartInfo("xz", s_packing) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        }
        catch (Win32Exception error)
        {
            throw new EnvironmentException($"xz, which packs the bundle, does not start: {error.Message}. Install it (Debian, Ubuntu: apt-get install xz-utils).");
        }
    }
}
