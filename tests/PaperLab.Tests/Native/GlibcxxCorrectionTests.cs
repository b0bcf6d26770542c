using PaperLab.Native;

namespace PaperLab.Tests.Native;

public sealed class GlibcxxCorrectionTests
{
    private static readonly string Library = Path.Combine(AppContext.BaseDirectory, "libLibTorchSharp.so");

    [Fact]
    public void The_shipped_library_gets_exactly_one_flag()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the correction concerns ELF libraries");
        byte[] original = File.ReadAllBytes(Library);

        byte[] corrected = Assert.IsType<byte[]>(GlibcxxCorrection.Correct(original, Library));

        int[] changed = Enumerable.Range(0, original.Length).Where(i => original[i] != corrected[i]).ToArray();
        int only = Assert.Single(changed);
        Assert.Equal(original[only] | 0x2, corrected[only]);
    }

    [Fact]
    public void Correcting_twice_changes_nothing_more()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the correction concerns ELF libraries");
        byte[] corrected = GlibcxxCorrection.Correct(File.ReadAllBytes(Library), Library)!;

        Assert.Null(GlibcxxCorrection.Correct(corrected, Library));
    }

    [Fact]
    public void A_copy_is_made_once_and_the_original_stays_as_it_was()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the correction concerns ELF libraries");
        using var folder = new TemporaryFolder();
        string copy = folder.File("libLibTorchSharp.so");
        File.Copy(Library, copy);
        byte[] before = File.ReadAllBytes(copy);

        string first = TorchNatives.CorrectedCopy(copy)!;
        DateTime written = File.GetLastWriteTimeUtc(first);
        string second = TorchNatives.CorrectedCopy(copy)!;

        Assert.Equal(first, second);
        Assert.Equal(written, File.GetLastWriteTimeUtc(second));
        Assert.Equal(before, File.ReadAllBytes(copy));
        Assert.Equal(2, Directory.GetFiles(folder.Path).Length);
    }

    [Fact]
    public void A_damaged_copy_is_made_again()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the correction concerns ELF libraries");
        using var folder = new TemporaryFolder();
        string copy = folder.File("libLibTorchSharp.so");
        File.Copy(Library, copy);
        string corrected = TorchNatives.CorrectedCopy(copy)!;
        byte[] good = File.ReadAllBytes(corrected);
        File.WriteAllBytes(corrected, good[..1000]);

        TorchNatives.CorrectedCopy(copy);

        Assert.Equal(good, File.ReadAllBytes(corrected));
    }

    [Fact]
    public void A_file_that_is_no_library_is_named()
    {
        TorchRuntimeException error = Assert.Throws<TorchRuntimeException>(() => GlibcxxCorrection.Correct(new byte[100], "/somewhere/lib.so"));

        Assert.Contains("/somewhere/lib.so is not a 64-bit little-endian ELF library", error.Message);
    }

    [Fact]
    public void A_truncated_library_is_called_damaged()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the correction concerns ELF libraries");
        byte[] half = File.ReadAllBytes(Library)[..1_000_000];

        Assert.Contains("damaged", Assert.Throws<TorchRuntimeException>(() => GlibcxxCorrection.Correct(half, "half.so")).Message);
    }
}
