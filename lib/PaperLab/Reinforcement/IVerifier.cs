// A verifier judges a completion by one rule. Rewards are sums of verifiers (CombinedReward), so each stays small.

namespace PaperLab.Reinforcement;

/// <summary>What a verifier's value stands for, where a rule of the combination depends on it.</summary>
public enum VerifierRole
{
    /// <summary>Anything else: language, length, a rule of the reader's own.</summary>
    Other,

    /// <summary>Whether the answer is right. A truncated completion earns nothing from it.</summary>
    Accuracy,

    /// <summary>Whether the completion has the asked-for form. May not be worth more than accuracy.</summary>
    Format,
}

/// <summary>One rule by which completions are judged. It must depend on nothing but the sample.</summary>
public interface IVerifier
{
    /// <summary>What it is called on pages and in metrics.</summary>
    string Name { get; }

    /// <summary>What its value stands for.</summary>
    VerifierRole Role => VerifierRole.Other;

    /// <summary>The lowest value that it gives.</summary>
    double Lowest => 0;

    /// <summary>The highest value that it gives.</summary>
    double Highest => 1;

    /// <summary>Judges a sample.</summary>
    Score Judge(Sample sample);
}
