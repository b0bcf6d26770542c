// A verifier failed. Training stops here: a reward that is made up in its place would teach the model the mistake.

namespace PaperLab.Reinforcement;

/// <summary>A verifier threw, took too long, or gave no value of its range; the message names the sample.</summary>
public sealed class VerifierException : Exception
{
    private const int MostShown = 300; // characters of a prompt or completion

    internal VerifierException(IVerifier verifier, Sample sample, string trouble, Exception? inner = null)
        : base(
            $"The verifier '{verifier.Name}' {trouble} on sample {sample.Index}. Correct the verifier, or leave it out of the reward. "
            + $"Prompt: {Quoted(sample.Problem.Prompt)}. Completion: {Quoted(sample.Completion.Text)}.",
            inner) => (Verifier, Sample) = (verifier, sample);

    /// <summary>The verifier.</summary>
    public IVerifier Verifier { get; }

    /// <summary>What it was judging.</summary>
    public Sample Sample { get; }

    private static string Quoted(string text)
    {
        string shown = text.Length <= MostShown ? text : $"{text[..MostShown]}… ({text.Length} characters)";
        return $"\"{shown.Replace("\r", "\\r").Replace("\n", "\\n")}\"";
    }
}
