// Medical nouns of WordNet 3.0. A noun counts by its first sense, the most frequent one: "bone" and "jaundice" do, "stroke" does not.
// The format is in its manual page wndb(5): data.noun has a line for each meaning,
//   14147627 26 n 01 pneumonia 0 003 @ 14145501 n 0000 ~ … | respiratory disease …
//   place, topic, kind, words and their number (hex), pointers and theirs: a sign, the place of the meaning pointed to, its kind, 0000
// and index.noun a line for each noun, which ends in the places of its senses.

using System.Globalization;
using System.Text;

namespace PaperLab.Text.Sources;

/// <summary>The nouns of WordNet.</summary>
internal static class WordNetTerms
{
    private const string Data = "usr/share/wordnet/data.noun", Index = "usr/share/wordnet/index.noun";
    private const int Artifact = 6, BodyPart = 8, Food = 13, State = 26; // topics: WordNet's "lexicographer files"

    // Everything below these is medical, but for food and drink (wine is a drug there).
    private static readonly (string Word, int Topic)[] s_medical = [("physical_condition", State), ("symptom", State), ("drug", Artifact)];

    /// <summary>Whether a file of the package is one of the two.</summary>
    public static bool IsWanted(string path) => path is Data or Index;

    /// <summary>The medical nouns, in lower case, with spaces between words.</summary>
    /// <exception cref="InvalidDataException">A file is damaged or missing; the message names it.</exception>
    public static IReadOnlySet<string> Medical(IReadOnlyDictionary<string, byte[]> files)
    {
        Dictionary<string, Meaning> meanings = Lines(files, Data, MeaningOf).ToDictionary(meaning => meaning.Place);
        var medical = new HashSet<string>();
        var open = new Stack<string>(s_medical.Select(root => meanings.Values.FirstOrDefault(meaning => meaning.Words[0] == root.Word && meaning.Topic == root.Topic)?.Place
            ?? throw new InvalidDataException($"{Data} has no meaning '{root.Word}' under topic {root.Topic}.")));
        while (open.TryPop(out string? place))
        {
            if (medical.Add(place))
            {
                Array.ForEach(meanings.GetValueOrDefault(place)?.Below ?? [], open.Push);
            }
        }

        return Lines(files, Index, FirstSenseOf)
            .Where(noun => meanings.TryGetValue(noun.Place, out Meaning? first) && (first.Topic == BodyPart || (medical.Contains(first.Place) && first.Topic != Food)))
            .Select(noun => noun.Word.Replace('_', ' '))
            .ToHashSet();
    }

    private static Meaning MeaningOf(string[] fields)
    {
        int words = int.Parse(fields[3], NumberStyles.HexNumber);
        int pointers = 4 + (2 * words);
        return new Meaning(
            fields[0], int.Parse(fields[1]), [.. Enumerable.Range(0, words).Select(i => fields[4 + (2 * i)])],
            [.. Enumerable.Range(0, int.Parse(fields[pointers])).Select(i => pointers + 1 + (4 * i)).Where(at => fields[at] is "~" or "~i").Select(at => fields[at + 1])]);
    }

    // word n senses pointers sign… senses tagged place…
    private static (string Word, string Place) FirstSenseOf(string[] fields) => (fields[0], fields[^int.Parse(fields[2])]);

    // A line that begins with a space is the licence.
    private static IEnumerable<T> Lines<T>(IReadOnlyDictionary<string, byte[]> files, string path, Func<string[], T> read) =>
        Encoding.UTF8.GetString(ParallelText.FileOf(files, path)).Split('\n').Index().Where(line => line.Item.Length > 0 && line.Item[0] != ' ').Select(line =>
        {
            try
            {
                return read(line.Item.Split('|')[0].TrimEnd().Split(' '));
            }
            catch (Exception error) when (error is FormatException or IndexOutOfRangeException or OverflowException)
            {
                throw new InvalidDataException($"{path}, line {line.Index + 1}, is not as wndb(5) describes it: {(line.Item.Length > 60 ? $"{line.Item[..60]}…" : line.Item)}", error);
            }
        });

    private sealed record Meaning(string Place, int Topic, string[] Words, string[] Below);
}
