namespace PaperLab.Tests;

public sealed class AtomicFileTests
{
    [Fact]
    public void A_write_that_cannot_happen_leaves_the_old_file_and_no_litter()
    {
        using var folder = new TemporaryFolder();
        string target = folder.File("taken");
        Directory.CreateDirectory(Path.Combine(target, "child"));

        Assert.ThrowsAny<Exception>(() => AtomicFile.WriteAllText(target, "new"));

        Assert.True(Directory.Exists(Path.Combine(target, "child")));
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void A_write_replaces_the_whole_file_and_makes_its_folder()
    {
        using var folder = new TemporaryFolder();
        string target = Path.Combine(folder.Path, "deep", "file.txt");

        AtomicFile.WriteAllText(target, "a long first text");
        AtomicFile.WriteAllText(target, "short");

        Assert.Equal("short", File.ReadAllText(target));
        Assert.Single(Directory.GetFiles(Path.GetDirectoryName(target)!));
    }

    [Fact]
    public void A_stream_that_fails_half_way_leaves_the_old_file_and_no_litter()
    {
        using var folder = new TemporaryFolder();
        string target = folder.File("file.bin");
        AtomicFile.WriteAllText(target, "old");

        Assert.Throws<InvalidDataException>(() => AtomicFile.Write(target, stream =>
        {
            stream.Write("half"u8);
            throw new InvalidDataException("the source ended");
        }));

        Assert.Equal("old", File.ReadAllText(target));
        Assert.Single(Directory.GetFiles(folder.Path));
    }
}
