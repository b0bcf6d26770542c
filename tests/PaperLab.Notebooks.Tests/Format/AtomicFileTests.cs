using PaperLab.Notebooks.Format;

namespace PaperLab.Notebooks.Tests.Format;

public sealed class AtomicFileTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("paperlab-atomic-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void A_write_replaces_the_file_and_leaves_nothing_else_behind()
    {
        string path = Path.Combine(_folder.FullName, "a.txt");
        File.WriteAllText(path, "old and longer");

        AtomicFile.Write(path, "new"u8);

        Assert.Equal("new", File.ReadAllText(path));
        Assert.Equal([path], Directory.GetFileSystemEntries(_folder.FullName));
    }

    [Fact]
    public void A_write_that_cannot_be_finished_leaves_the_old_file_and_no_debris()
    {
        // A folder where the file should be: the last step, the rename, fails.
        string path = Path.Combine(_folder.FullName, "taken");
        Directory.CreateDirectory(Path.Combine(path, "inside"));

        Assert.ThrowsAny<Exception>(() => AtomicFile.Write(path, "new"u8));

        Assert.True(Directory.Exists(Path.Combine(path, "inside")));
        Assert.Equal([path], Directory.GetFileSystemEntries(_folder.FullName));
    }

    [Fact]
    public void A_link_is_followed_and_stays_a_link()
    {
        string target = Path.Combine(_folder.FullName, "target.txt");
        string link = Path.Combine(_folder.FullName, "link.txt");
        File.WriteAllText(target, "old");
        File.CreateSymbolicLink(link, target);

        AtomicFile.Write(link, "new"u8);

        Assert.Equal("new", File.ReadAllText(target));
        Assert.NotNull(File.ResolveLinkTarget(link, returnFinalTarget: false));
    }
}
