// Spellings of Arabic that count as one where texts and names are compared.

using System.Text.RegularExpressions;

namespace PaperLab.Text.Medical;

/// <summary>Arabic as it is compared.</summary>
internal static partial class ArabicSpelling
{
    /// <summary>The text without vowel signs, shadda among them, and without stretching.</summary>
    public static string WithoutVowelSigns(string text) => Silent().Replace(text, "");

    /// <summary>
    /// The words of a name, without vowel signs and article; a hamza as its carrier alone, ta marbuta as ha, alef maqsura as ya:
    /// what everyday spelling and dictionaries do not agree on.
    /// </summary>
    public static string[] WordsOf(string name) =>
        [.. WithoutVowelSigns(name).Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word =>
        {
            string bare = word.Length > 3 && MedicalWriter.HasArticle(word) ? word[2..] : word; // of three letters it would leave one
            return string.Concat(bare.Where(letter => letter != 'ء').Select(letter => letter switch
            {
                'أ' or 'إ' or 'آ' or 'ٱ' => 'ا',
                'ؤ' => 'و',
                'ئ' or 'ى' => 'ي',
                'ة' => 'ه',
                _ => letter,
            }));
        })];

    // Tatweel and the vowel signs.
    [GeneratedRegex("[\u0640\u064B-\u0652\u0670]", RegexOptions.CultureInvariant)]
    private static partial Regex Silent();
}
