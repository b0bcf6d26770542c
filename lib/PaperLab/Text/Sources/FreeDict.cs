// FreeDict's English-Arabic dictionary in dictd's two files. The index has a line for every headword: the word, and where its entry begins
// in the text and how long it is, both as numbers to the base 64. The text is compressed with gzip, and an entry of it is
//   Bone /bˈəʊn/            or   Asthma /ˈasmə/
//   العظمة                       1. الرّبو
//                                2. داء الربو
// What stands after a dash or in parentheses explains and is no translation; it is left out.

using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;

namespace PaperLab.Text.Sources;

/// <summary>The dictionary.</summary>
internal static partial class FreeDict
{
    private const string Index = "usr/share/dictd/freedict-eng-ara.index", Entries = "usr/share/dictd/freedict-eng-ara.dict.dz";
    private const string Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    private const string AboutTheDictionary = "00database";

    /// <summary>Whether a file of the package is one of the two.</summary>
    public static bool IsWanted(string path) => path is Index or Entries;

    /// <summary>Every translation of every headword.</summary>
    /// <exception cref="InvalidDataException">A file is damaged or missing; the message names it.</exception>
    public static IReadOnlyList<ParallelPair> Pairs(IReadOnlyDictionary<string, byte[]> files)
    {
        byte[] entries = Unzip(ParallelText.FileOf(files, Entries));
        string[] lines = Encoding.UTF8.GetString(ParallelText.FileOf(files, Index)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var pairs = new List<ParallelPair>();
        foreach ((int number, string line) in lines.Index())
        {
            string[] fields = line.Split('\t');
            if (fields.Length < 3 || Number(fields[1]) is not { } start || Number(fields[2]) is not { } length || start + length > entries.Length)
            {
                throw new InvalidDataException($"{Index}, line {number + 1}, is '{line}'; expected a word and, to the base 64, a place within the {entries.Length} bytes of {Entries} and a length, with tabs between them.");
            }

            if (!line.StartsWith(AboutTheDictionary, StringComparison.Ordinal))
            {
                string[] entry = Encoding.UTF8.GetString(entries, (int)start, (int)length).Split('\n', StringSplitOptions.RemoveEmptyEntries);
                string word = entry[0].Split(" /")[0].ToLowerInvariant();
                pairs.AddRange(entry.Skip(1).Select(meaning => ParallelText.Tidy(NotTranslation().Replace(meaning, ""))).Where(ParallelText.IsArabic)
                    .Select(meaning => new ParallelPair(word, meaning, $"freedict-eng-ara/{word}")));
            }
        }

        return pairs;
    }

    private static long? Number(string text)
    {
        long number = 0;
        foreach (char digit in text)
        {
            int value = Digits.IndexOf(digit, StringComparison.Ordinal);
            if (value < 0 || number > int.MaxValue)
            {
                return null;
            }

            number = (number * Digits.Length) + value;
        }

        return number;
    }

    private static byte[] Unzip(byte[] compressed)
    {
        try
        {
            using var unzipped = new GZipStream(new MemoryStream(compressed), CompressionMode.Decompress);
            using var content = new MemoryStream();
            unzipped.CopyTo(content);
            return content.ToArray();
        }
        catch (InvalidDataException error)
        {
            throw new InvalidDataException($"{Entries} does not unzip: {error.Message}", error);
        }
    }

    // The number before a meaning, and what explains it.
    [GeneratedRegex(@"^\d+\. |\([^()]*\)| +- .*$", RegexOptions.CultureInvariant)]
    private static partial Regex NotTranslation();
}
