// Small sources and a throw-away cache for the tests of text.

using PaperLab.Text;

namespace PaperLab.Tests.Text;

/// <summary>A source with given documents; counts how often it was read.</summary>
internal sealed class FixedSource(string domain, params SourceDocument[] documents) : ITextSource
{
    public string Domain => domain;

    public bool DropRepeatedLines { get; init; } = true;

    public int Reads { get; private set; }

    public string Fingerprint() => string.Join(' ', documents.Select(document => document.Name));

    public IEnumerable<SourceDocument> Read()
    {
        Reads++;
        return documents;
    }
}

/// <summary>A cache in a new folder, deleted with the test.</summary>
internal sealed class TemporaryCache : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public TemporaryCache() => Cache = new TextCache(Folder, Notices.Add);

    public string Folder => _folder.Path;

    public TextCache Cache { get; }

    public List<string> Notices { get; } = [];

    public string OnlyFile(string pattern) => Assert.Single(Directory.GetFiles(Folder, pattern, SearchOption.AllDirectories));

    public void Dispose() => _folder.Dispose();
}

/// <summary>Makes documents.</summary>
internal static class Fixtures
{
    private static readonly string[] s_words = ["tensor", "routing", "expert", "gate", "token", "batch", "layer", "loss", "the", "of", "is", "a", "to", "and", "each", "norm"];

    public static CorpusOptions Options { get; } = new() { MaxBytesPerDomain = long.MaxValue, HeldOutShare = 0.2 };

    public static SourceDocument Document(string name, string text, string? group = null) =>
        new(name, group ?? name, [new Section("", text.Split('\n'))]);

    /// <summary>Documents of random words: no two alike.</summary>
    public static SourceDocument[] RandomDocuments(string prefix, int count, int seed, int lines = 8)
    {
        var random = new SplitMix64((ulong)seed);
        return [.. Enumerable.Range(0, count).Select(i => Document($"{prefix}{i}", string.Join('\n', Enumerable.Range(0, lines).Select(_ => Sentence(ref random)))))];
    }

    public static Corpus SmallCorpus() => Corpus.Build(
        [new FixedSource("alpha", RandomDocuments("a", 40, 1)), new FixedSource("beta", RandomDocuments("b", 40, 2))], Options);

    private static string Sentence(ref SplitMix64 random)
    {
        var words = new string[12];
        for (int i = 0; i < words.Length; i++)
        {
            words[i] = s_words[random.Next(s_words.Length)];
        }

        return string.Join(' ', words) + ".";
    }
}
