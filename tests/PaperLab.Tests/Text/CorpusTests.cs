using PaperLab.Text;

namespace PaperLab.Tests.Text;

public sealed class CorpusTests
{
    [Fact]
    public void The_same_sources_and_options_give_the_same_corpus()
    {
        Corpus first = Fixtures.SmallCorpus();
        Corpus second = Fixtures.SmallCorpus();

        Assert.Equal(first.Hash, second.Hash);
        Assert.Equal(first.Documents, second.Documents);
    }

    [Fact]
    public void Both_sides_of_every_domain_have_documents()
    {
        foreach (DomainSize size in Fixtures.SmallCorpus().Sizes())
        {
            Assert.True(size.TrainDocuments > size.HeldOutDocuments && size.HeldOutDocuments > 0, size.ToString());
        }
    }

    [Fact]
    public void A_line_occurs_once_in_a_domain_of_prose_whatever_its_case_digits_and_signs()
    {
        Corpus corpus = Build(
            Fixtures.Document("a", "Returns the value 12.\nOnly in a or b, who knows."),
            Fixtures.Document("b", "RETURNS the value: 99!\nSomething of its own."),
            Fixtures.Document("c", "A third document."));

        Assert.Single(corpus.Documents, document => document.Text.Contains("the value", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public void Code_keeps_its_repeated_lines()
    {
        var source = new FixedSource("code", Fixtures.Document("a", "{\n}\n{\n}"), Fixtures.Document("b", "int x = 1;\n{\n}")) { DropRepeatedLines = false };

        Corpus corpus = Corpus.Build([source], Fixtures.Options);

        Assert.Contains(corpus.Documents, document => document.Text == "{\n}\n{\n}");
    }

    [Fact]
    public void A_heading_goes_when_all_under_it_was_said_before()
    {
        var first = new SourceDocument("a", "a", [new Section("A.Count", ["Gets the number of items."])]);
        var second = new SourceDocument("b", "b", [new Section("B.Count", ["Gets the number of items."]), new Section("B.Add", ["Adds an item."])]);

        Corpus corpus = Corpus.Build([new FixedSource("prose", first, second, Fixtures.Document("c", "Filler text."))], Fixtures.Options);

        Assert.Single(corpus.Documents, document => document.Text.Contains(".Count"));
    }

    [Fact]
    public void Of_two_near_duplicates_one_is_dropped()
    {
        SourceDocument[] documents = Fixtures.RandomDocuments("a", 30, 3, lines: 40);
        string copy = string.Join('\n', documents[0].Sections.First().Lines.SkipLast(1)) + "\nchanged at the end.";
        var source = new FixedSource("code", [.. documents, Fixtures.Document("copy", copy)]) { DropRepeatedLines = false };

        Corpus corpus = Corpus.Build([source], Fixtures.Options);

        Assert.Equal(30, corpus.Documents.Count);
        Assert.Single(corpus.Documents, document => document.Name is "a0" or "copy");
    }

    [Fact]
    public void Documents_that_share_long_passages_land_on_the_same_side()
    {
        SourceDocument[] documents = Fixtures.RandomDocuments("a", 40, 4, lines: 40);
        SourceDocument[] relatives = [.. documents.Select((document, i) => Fixtures.Document(
            $"relative{i}", string.Join('\n', document.Sections.First().Lines.Take(28).Concat(Fixtures.RandomDocuments("x", 1, 100 + i, 12)[0].Sections.First().Lines))))];
        var source = new FixedSource("code", [.. documents, .. relatives]) { DropRepeatedLines = false };

        Dictionary<string, Split> sides = Corpus.Build([source], Fixtures.Options).Documents.ToDictionary(document => document.Name, document => document.Split);

        Assert.Equal(80, sides.Count);
        Assert.Contains(Split.HeldOut, sides.Values);
        Assert.All(Enumerable.Range(0, 40), i => Assert.Equal(sides[$"a{i}"], sides[$"relative{i}"]));
    }

    [Fact]
    public void A_group_lands_on_one_side_in_every_domain()
    {
        ITextSource[] sources = [.. Enumerable.Range(0, 3).Select(domain => new FixedSource($"d{domain}", [.. Fixtures.RandomDocuments("x", 60, domain)
            .Select((document, i) => document with { Name = $"{domain}/{i}", Group = $"g{i / 2}" })]))];

        IEnumerable<IGrouping<string, Document>> groups = Corpus.Build(sources, Fixtures.Options).Documents
            .GroupBy(document => (int.Parse(document.Name.Split('/')[1]) / 2).ToString());

        Assert.All(groups, group => Assert.Single(group.Select(document => document.Split).Distinct()));
    }

    [Fact]
    public void A_larger_budget_moves_no_document_to_the_other_side()
    {
        var source = new FixedSource("alpha", Fixtures.RandomDocuments("a", 100, 5));
        Corpus small = Corpus.Build([source], Fixtures.Options with { MaxBytesPerDomain = 20_000 });
        Dictionary<string, Split> large = Corpus.Build([source], Fixtures.Options).Documents.ToDictionary(document => document.Name, document => document.Split);

        Assert.InRange(small.Sizes()[0].TrainBytes + small.Sizes()[0].HeldOutBytes, 15_000, 20_000);
        Assert.All(small.Documents, document => Assert.Equal(large[document.Name], document.Split));
    }

    [Fact]
    public void A_domain_with_one_document_cannot_be_split_and_says_so()
    {
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => Build(Fixtures.Document("a", "alone")));

        Assert.Contains("'prose'", error.Message);
    }

    [Fact]
    public void A_cached_corpus_is_read_and_not_built_again()
    {
        using var temporary = new TemporaryCache();
        var source = new FixedSource("alpha", Fixtures.RandomDocuments("a", 20, 6));

        Corpus built = Corpus.Load([source], Fixtures.Options, temporary.Cache);
        Corpus read = Corpus.Load([source], Fixtures.Options, temporary.Cache);

        Assert.Equal(1, source.Reads);
        Assert.Equal(built.Documents, read.Documents);
        Assert.Equal(built.Hash, read.Hash);
    }

    [Fact]
    public void Other_options_or_changed_sources_are_another_corpus()
    {
        using var temporary = new TemporaryCache();
        var source = new FixedSource("alpha", Fixtures.RandomDocuments("a", 20, 6));
        string hash = Corpus.Load([source], Fixtures.Options, temporary.Cache).Hash;

        Assert.NotEqual(hash, Corpus.Load([source], Fixtures.Options with { MaxBytesPerDomain = 3000 }, temporary.Cache).Hash);
        Assert.NotEqual(hash, Corpus.Load([new FixedSource("alpha", Fixtures.RandomDocuments("a", 21, 6))], Fixtures.Options, temporary.Cache).Hash);
        Assert.Equal(3, Directory.GetFiles(temporary.Folder, "*.jsonl", SearchOption.AllDirectories).Length);
    }

    [Fact]
    public void A_damaged_cache_is_said_in_one_line_and_built_again()
    {
        using var temporary = new TemporaryCache();
        var source = new FixedSource("alpha", Fixtures.RandomDocuments("a", 20, 6));
        Corpus first = Corpus.Load([source], Fixtures.Options, temporary.Cache);
        string path = temporary.OnlyFile("*.jsonl");
        byte[] sound = File.ReadAllBytes(path);

        foreach (byte[] damaged in new[] { Damage.Flip(sound), Damage.Truncate(sound), [], sound[1..] })
        {
            temporary.Notices.Clear();
            File.WriteAllBytes(path, damaged);

            Assert.Equal(first.Hash, Corpus.Load([source], Fixtures.Options, temporary.Cache).Hash);
            string notice = Assert.Single(temporary.Notices);
            Assert.Contains(path, notice);
            Assert.DoesNotContain('\n', notice);
            Assert.Equal(sound, File.ReadAllBytes(path));
        }
    }

    [Fact]
    public void A_cache_that_cannot_be_written_costs_the_cache_and_not_the_corpus()
    {
        using var temporary = new TemporaryCache();
        string blocked = Path.Combine(temporary.Folder, "file");
        File.WriteAllText(blocked, "in the way");
        var notices = new List<string>();

        Corpus corpus = Corpus.Load([new FixedSource("alpha", Fixtures.RandomDocuments("a", 20, 6))], Fixtures.Options, new TextCache(blocked, notices.Add));

        Assert.Equal(20, corpus.Documents.Count);
        Assert.Contains("PAPERLAB_CACHE", Assert.Single(notices));
        Assert.Equal("in the way", File.ReadAllText(blocked));
    }

    [Fact]
    public void Many_builders_at_once_leave_one_sound_entry_and_nothing_else()
    {
        using var temporary = new TemporaryCache();
        SourceDocument[] documents = Fixtures.RandomDocuments("a", 20, 6);

        string[] hashes = [.. Enumerable.Range(0, 8).AsParallel().WithDegreeOfParallelism(8)
            .Select(_ => Corpus.Load([new FixedSource("alpha", documents)], Fixtures.Options, temporary.Cache).Hash)];

        Assert.Single(hashes.Distinct());
        temporary.OnlyFile("*");
        Assert.Equal(hashes[0], Corpus.Load([new FixedSource("alpha", documents)], Fixtures.Options, temporary.Cache).Hash);
        Assert.Empty(temporary.Notices);
    }

    [Fact]
    public void An_option_out_of_range_is_named()
    {
        Assert.Contains("HeldOutShare is 0.7", Assert.Throws<ArgumentException>(() => Corpus.Load(new CorpusOptions { HeldOutShare = 0.7 })).Message);
        Assert.Contains("MaxBytesPerDomain is 0", Assert.Throws<ArgumentException>(() => Corpus.Load(new CorpusOptions { MaxBytesPerDomain = 0 })).Message);
        Assert.Contains("Domains is []", Assert.Throws<ArgumentException>(() => Corpus.Load(new CorpusOptions { Domains = [] })).Message);
        Assert.Contains("Domains is [code, code]", Assert.Throws<ArgumentException>(() => Corpus.Load(new CorpusOptions { Domains = ["code", "code"] })).Message);
        Assert.Contains("'poetry'", Assert.Throws<ArgumentException>(() => Corpus.Load(new CorpusOptions { Domains = ["poetry"] })).Message);
    }

    private static Corpus Build(params SourceDocument[] documents) => Corpus.Build([new FixedSource("prose", documents)], Fixtures.Options);
}
