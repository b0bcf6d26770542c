// Real text in English and Arabic, side by side, from the data sets that `paperlab data get` fetches. Nothing here needs them: what was
// not fetched is null.

using System.Text.RegularExpressions;
using PaperLab.Text.Data;

namespace PaperLab.Text.Sources;

/// <summary>The same content in both languages.</summary>
/// <param name="English">English.</param>
/// <param name="Arabic">Arabic.</param>
/// <param name="Source">Data set, file and place, such as <c>debian-handbook/apt.html/3</c>.</param>
public sealed record ParallelPair(string English, string Arabic, string Source);

/// <summary>Reads what was fetched. Texts are one line, valid UTF-16, without markup and without marks of direction.</summary>
public static partial class ParallelText
{
    /// <summary>Paragraphs of the Debian Administrator's Handbook (<c>debian-handbook</c>); null where it was not fetched.</summary>
    /// <param name="store">Where fetched sets lie; null for the user's cache.</param>
    /// <exception cref="DataSetException">The set is damaged, or its client is missing.</exception>
    /// <exception cref="InvalidDataException">A file is not as expected; the message names it.</exception>
    public static IReadOnlyList<ParallelPair>? ReadHandbook(DataStore? store = null) => Read("debian-handbook", store, HandbookParagraphs.IsWanted, HandbookParagraphs.Pairs);

    /// <summary>Interface messages of MediaWiki (<c>mediawiki</c>); null where it was not fetched. Parameters and exceptions as <see cref="ReadHandbook"/>.</summary>
    public static IReadOnlyList<ParallelPair>? ReadMessages(DataStore? store = null) => Read("mediawiki", store, MediaWikiMessages.IsWanted, MediaWikiMessages.Pairs);

    /// <summary>
    /// FreeDict's dictionary (<c>freedict-eng-ara</c>), a pair for every translation of a headword, which is in lower case; null where it was
    /// not fetched. Parameters and exceptions as <see cref="ReadHandbook"/>.
    /// </summary>
    public static IReadOnlyList<ParallelPair>? ReadDictionary(DataStore? store = null) => Read("freedict-eng-ara", store, FreeDict.IsWanted, FreeDict.Pairs);

    /// <summary>
    /// Of the dictionary, the headwords that are medical before all else in <c>wordnet</c>: conditions of the body, symptoms, drugs, parts
    /// of the body; null where one of the two was not fetched. Parameters and exceptions as <see cref="ReadHandbook"/>.
    /// </summary>
    public static IReadOnlyList<ParallelPair>? ReadMedicalTerms(DataStore? store = null)
    {
        IReadOnlySet<string>? medical = Read("wordnet", store, WordNetTerms.IsWanted, WordNetTerms.Medical);
        return medical is null ? null : ReadDictionary(store) is { } dictionary ? [.. dictionary.Where(pair => medical.Contains(pair.English))] : null;
    }

    private static T? Read<T>(string name, DataStore? store, Predicate<string> wanted, Func<IReadOnlyDictionary<string, byte[]>, T> read)
        where T : class
    {
        if ((store ?? DataStore.Default).Find(DataSet.Named(name)) is not { } package)
        {
            return null;
        }

        try
        {
            return read(DebianPackage.Read(package, wanted));
        }
        catch (InvalidDataException error) when (!error.Message.StartsWith(package, StringComparison.Ordinal))
        {
            throw new InvalidDataException($"{package}: {error.Message}", error);
        }
    }

    /// <summary>A file that a set must have.</summary>
    /// <exception cref="InvalidDataException">It has not.</exception>
    internal static byte[] FileOf(IReadOnlyDictionary<string, byte[]> files, string path) =>
        files.TryGetValue(path, out byte[]? content) ? content : throw new InvalidDataException($"The file {path} is missing.");

    /// <summary>One line of valid text, without what only says in which direction to write it.</summary>
    internal static string Tidy(string text) => CleanText.Collapse(Direction().Replace(CleanText.Clean(text), ""));

    /// <summary>Whether a text has an Arabic letter.</summary>
    internal static bool IsArabic(string text) => ArabicLetter().IsMatch(text);

    // Left-to-right and right-to-left marks, embeddings, isolates.
    [GeneratedRegex("[\u200E\u200F\u202A-\u202E\u2066-\u2069]", RegexOptions.CultureInvariant)]
    private static partial Regex Direction();

    [GeneratedRegex("[\u0621-\u063A\u0641-\u064A]", RegexOptions.CultureInvariant)]
    private static partial Regex ArabicLetter();
}
