// Is the answer right? The problem's own checker decides; it parses and compares, and never runs what a model wrote.

namespace PaperLab.Reinforcement;

/// <summary>1 for a right answer, 0 otherwise.</summary>
public sealed class AccuracyVerifier(Scoring scoring = Scoring.Strict) : IVerifier
{
    /// <inheritdoc/>
    public string Name => scoring == Scoring.Strict ? "accuracy" : "lenient accuracy";

    /// <inheritdoc/>
    public VerifierRole Role => VerifierRole.Accuracy;

    /// <inheritdoc/>
    public Score Judge(Sample sample)
    {
        string text = sample.Completion.Text;
        if (scoring == Scoring.Lenient)
        {
            return sample.Problem.Check(ResponseFormat.FindAnswer(text), scoring);
        }

        return ResponseFormat.Read(text, out string fault) is { } response ? sample.Problem.Check(response.Answer, scoring) : Score.Wrong($"no answer to read: {fault}");
    }
}
