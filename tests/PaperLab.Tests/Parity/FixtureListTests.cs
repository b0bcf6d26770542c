namespace PaperLab.Tests.Parity;

public sealed class FixtureListTests
{
    [Fact]
    public void The_fixtures_are_the_files_that_the_generator_listed()
    {
        IEnumerable<string> present = Directory.EnumerateFiles(Fixture.Folder, "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Fixture.Folder, path).Replace('\\', '/'))
            .Where(path => path != "list.txt");

        Assert.Equal(File.ReadLines(Path.Combine(Fixture.Folder, "list.txt")).Order(StringComparer.Ordinal), present.Order(StringComparer.Ordinal));
    }
}
