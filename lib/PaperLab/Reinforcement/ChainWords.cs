// The words of scripted chains in two languages, so that a reward for keeping to one of them has something to work on.

namespace PaperLab.Reinforcement;

/// <summary>The chain words of one language.</summary>
/// <param name="Mark">How a prompt asks for the language.</param>
/// <param name="Name">What the language is called.</param>
/// <param name="Even">The bits so far add to an even number.</param>
/// <param name="Odd">They add to an odd one.</param>
/// <param name="Miss">Said of a result that is not the target.</param>
/// <param name="Hit">Said of the target.</param>
/// <param name="Back">Before the numbers to which the search returns.</param>
internal sealed record ChainWords(string Mark, string Name, string Even, string Odd, string Miss, string Hit, string Back)
{
    public static ChainWords English { get; } = new("en:", "English", "even", "odd", "no", "yes", "back");

    public static ChainWords Russian { get; } = new("ru:", "Russian", "чётно", "нечётно", "нет", "да", "назад");

    public static IReadOnlyList<ChainWords> Both { get; } = [English, Russian];

    public Language Language { get; } = Language.OfWords(Name, [Even, Odd, Miss, Hit, Back]);

    /// <summary>The asked-for language's words, or with probability <paramref name="mix"/> the other's.</summary>
    public ChainWords Draw(double mix, ref SplitMix64 random) => random.NextDouble() < mix ? Both.First(other => other != this) : this;

    public static void RequireMix(double? mix, string field) => Require.That(mix is null or (>= 0 and <= 1), field, mix, "0 to 1, or null for one language");
}
