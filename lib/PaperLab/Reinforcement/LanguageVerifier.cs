// DeepSeek-R1's language-consistency reward (arXiv 2501.12948, section 2.3.2): the share of the chain's words that are in the target
// language. A chain without words earns 0, or an empty chain would be the surest way to full marks.

namespace PaperLab.Reinforcement;

/// <summary>The share of words in the language that the problem asks for, from 0 to 1.</summary>
/// <param name="otherwise">The language for problems that ask for none.</param>
public sealed class LanguageVerifier(Language? otherwise = null) : IVerifier
{
    /// <inheritdoc/>
    public string Name => "language";

    /// <inheritdoc/>
    public Score Judge(Sample sample)
    {
        Language target = sample.Problem.Language ?? otherwise
            ?? throw new InvalidOperationException($"The problem asks for no language; give {nameof(LanguageVerifier)} one for such problems.");
        IReadOnlyList<string> words = Language.WordsOf(ResponseFormat.FindChain(sample.Completion.Text));
        int inTarget = words.Count(target.Has);
        return words.Count == 0 ? new Score(0, "no words in the chain") : new Score((double)inTarget / words.Count, $"{inTarget} of {words.Count} words in {target}");
    }
}
