// Which words belong to a language: those of a list, where a task has its own small vocabulary, or those whose letters are of a script,
// where any text may come. A script tells Russian from English and Chinese from both; it does not tell English from German.

using System.Globalization;
using System.Text;

namespace PaperLab.Reinforcement;

/// <summary>A language as far as its words can be told by rule.</summary>
public sealed class Language
{
    private readonly Func<string, bool> _has;

    private Language(string name, Func<string, bool> has) => (Name, _has) = (name, has);

    /// <summary>Text in the Latin script.</summary>
    public static Language Latin { get; } = OfLetters("Latin script", letter => letter < 0x250 || letter is >= 0x1E00 and <= 0x1EFF);

    /// <summary>Text in the Cyrillic script.</summary>
    public static Language Cyrillic { get; } = OfLetters("Cyrillic script", letter => letter is >= 0x400 and <= 0x52F);

    /// <summary>Text in Chinese characters; every character counts as a word.</summary>
    public static Language Han { get; } = OfLetters("Chinese characters", IsIdeograph);

    /// <summary>What it is called.</summary>
    public string Name { get; }

    /// <summary>A language of these words, in whatever case.</summary>
    public static Language OfWords(string name, IEnumerable<string> words)
    {
        var set = words.ToHashSet(StringComparer.OrdinalIgnoreCase);
        return new Language(name, set.Contains);
    }

    /// <summary>A language of the words all of whose letters are in a set of code points.</summary>
    public static Language OfLetters(string name, Func<int, bool> isLetter) =>
        new(name, word => word.EnumerateRunes().All(rune => !Rune.IsLetter(rune) || isLetter(rune.Value)));

    /// <summary>Whether a word belongs to it.</summary>
    public bool Has(string word) => _has(word);

    /// <summary>The words of a text: runs of letters with their accents, and every Chinese character by itself. Numbers and signs are none.</summary>
    public static IReadOnlyList<string> WordsOf(string text)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        void End()
        {
            if (word.Length > 0)
            {
                words.Add(word.ToString());
                word.Clear();
            }
        }

        foreach (Rune rune in text.EnumerateRunes())
        {
            if (IsIdeograph(rune.Value))
            {
                End();
                words.Add(rune.ToString());
            }
            else if (Rune.IsLetter(rune) || (word.Length > 0 && Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark))
            {
                word.Append(rune);
            }
            else
            {
                End();
            }
        }

        End();
        return words;
    }

    /// <inheritdoc/>
    public override string ToString() => Name;

    private static bool IsIdeograph(int letter) => letter is (>= 0x3400 and <= 0x4DBF) or (>= 0x4E00 and <= 0x9FFF) or (>= 0xF900 and <= 0xFAFF) or (>= 0x20000 and <= 0x323AF);
}
