using PaperLab.Text;

namespace PaperLab.Tests.Text;

public sealed class NearDuplicatesTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(20)]
    [InlineData(50)]
    [InlineData(80)]
    [InlineData(95)]
    public void The_sketches_estimate_the_similarity_of_the_shingle_sets(int sharedLines)
    {
        string[] common = Lines(sharedLines, seed: 1);
        string a = string.Join('\n', [.. common, .. Lines(100 - sharedLines, seed: 2)]);
        string b = string.Join('\n', [.. common, .. Lines(100 - sharedLines, seed: 3)]);

        Assert.Equal(ExactSimilarity(a, b), NearDuplicates.Similarity(NearDuplicates.Sketch(a), NearDuplicates.Sketch(b)), tolerance: 0.12);
    }

    [Fact]
    public void Short_texts_are_compared_exactly()
    {
        const string A = "the expert gate routes every token to one layer";
        const string B = "the expert gate routes every token to two layers";

        Assert.Equal(ExactSimilarity(A, B), NearDuplicates.Similarity(NearDuplicates.Sketch(A), NearDuplicates.Sketch(B)), 12);
    }

    [Fact]
    public void Case_digits_and_signs_make_no_difference()
    {
        Assert.Equal(NearDuplicates.Sketch("Version 10 of the tool, released."), NearDuplicates.Sketch("version 42 of the TOOL released"));
    }

    [Fact]
    public void Very_repetitive_text_has_a_sketch_too()
    {
        ulong[] sketch = NearDuplicates.Sketch(string.Concat(Enumerable.Repeat("again and ", 10_000)));

        Assert.Equal(10, sketch.Length);
    }

    [Fact]
    public void All_pairs_over_the_threshold_are_found()
    {
        string[] texts = [.. Enumerable.Range(0, 30).Select(i => string.Join('\n', [.. Lines(2 * (i % 5), seed: 1), .. Lines(10, seed: 100 + i)]))];
        ulong[][] sketches = [.. texts.Select(NearDuplicates.Sketch)];
        (int, int)[] expected = [.. from later in Enumerable.Range(0, 30) from earlier in Enumerable.Range(0, later)
            where NearDuplicates.Similarity(sketches[earlier], sketches[later]) >= 0.2 select (earlier, later)];

        Assert.NotEmpty(expected);
        Assert.Equal(expected.Order(), NearDuplicates.Pairs(sketches, 0.2).Select(pair => (pair.Earlier, pair.Later)).Order());
    }

    private static string[] Lines(int count, int seed) => count == 0 ? [] : [.. Fixtures.RandomDocuments("x", 1, seed, count)[0].Sections.First().Lines];

    private static double ExactSimilarity(string a, string b)
    {
        HashSet<string> left = [.. Shingles(a)];
        HashSet<string> right = [.. Shingles(b)];
        return (double)left.Intersect(right).Count() / left.Union(right).Count();
    }

    private static IEnumerable<string> Shingles(string text)
    {
        string normal = CleanText.Normalise(text);
        return Enumerable.Range(0, normal.Length - 19).Select(i => normal.Substring(i, 20));
    }
}
