// A gallery takes the place of an earlier one as a whole, and of nothing else.

using PaperLab.Notebooks.Gallery;

namespace PaperLab.Notebooks.Tests.Gallery;

public sealed class GalleryFolderTests : IDisposable
{
    private readonly DirectoryInfo _scratch = Directory.CreateTempSubdirectory("paperlab-gallery-");

    private string Folder => Path.Combine(_scratch.FullName, "site");

    public void Dispose() => _scratch.Delete(recursive: true);

    [Fact]
    public void An_earlier_gallery_is_replaced_and_its_files_are_gone()
    {
        Replace("index.html", "papers/old.html");

        Assert.Null(Replace("index.html", "papers/new.html"));

        Assert.Equal(["index.html", GalleryFolder.Marker, "papers/new.html"], Files());
        Assert.Equal([Folder], Directory.GetFileSystemEntries(_scratch.FullName));
    }

    [Fact]
    public void A_folder_that_holds_something_else_is_refused_and_stays_as_it_is()
    {
        Keep("thesis.tex");

        string message = Assert.Throws<GalleryException>(() => Replace("index.html")).Message;

        Assert.Contains(Folder, message);
        Assert.Contains("thesis.tex", message);
        Assert.Contains("--force", message);
        Assert.Equal(["thesis.tex"], Files());
    }

    [Fact]
    public void A_file_that_somebody_put_into_a_gallery_is_not_deleted_with_it()
    {
        Replace("index.html");
        Keep("CNAME");

        Assert.Contains("CNAME", Assert.Throws<GalleryException>(() => Replace("index.html")).Message);
    }

    [Fact]
    public void With_force_what_was_there_is_moved_aside_whole()
    {
        Keep("thesis.tex");

        string? aside = Replace(force: true, "index.html");

        Assert.Equal("mine", File.ReadAllText(Path.Combine(aside!, "thesis.tex")));
        Assert.Equal(["index.html", GalleryFolder.Marker], Files());
    }

    [Fact]
    public void The_folder_that_one_works_in_is_never_moved_away()
    {
        string above = Path.GetDirectoryName(Directory.GetCurrentDirectory())!;

        Assert.Contains("name another folder", Assert.Throws<GalleryException>(() => GalleryFolder.Replace(above, Content("index.html"), force: true)).Message);
    }

    [Fact]
    public void A_file_in_the_folders_place_is_named()
    {
        File.WriteAllText(Folder, "mine");

        Assert.Contains("is a file", Assert.Throws<GalleryException>(() => Replace(force: true, "index.html")).Message);
        Assert.Equal("mine", File.ReadAllText(Folder));
    }

    [Fact]
    public void A_gallery_that_cannot_be_written_leaves_the_earlier_one_and_nothing_beside_it()
    {
        Replace("index.html", "papers/old.html");

        Assert.ThrowsAny<IOException>(() => Replace("papers", "papers/new.html"));

        Assert.Equal(["index.html", GalleryFolder.Marker, "papers/old.html"], Files());
        Assert.Equal([Folder], Directory.GetFileSystemEntries(_scratch.FullName));
    }

    [Fact]
    public void A_marker_that_cannot_be_read_marks_nothing()
    {
        Keep(GalleryFolder.Marker);

        Assert.Throws<GalleryException>(() => Replace("index.html"));
    }

    private string? Replace(params string[] names) => Replace(force: false, names);

    private string? Replace(bool force, params string[] names) => GalleryFolder.Replace(Folder, Content(names), force);

    private static SortedDictionary<string, byte[]> Content(params string[] names) => new(names.ToDictionary(name => name, _ => "page"u8.ToArray()), StringComparer.Ordinal);

    private void Keep(string name)
    {
        Directory.CreateDirectory(Folder);
        File.WriteAllText(Path.Combine(Folder, name), "mine");
    }

    private string[] Files() => [.. Directory.GetFiles(Folder, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(Folder, path).Replace('\\', '/')).Order(StringComparer.Ordinal)];
}
