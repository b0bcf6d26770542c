// A question whose answer is one number.

namespace PaperLab.Reinforcement;

/// <summary>One question.</summary>
/// <param name="Prompt">What the model reads.</param>
/// <param name="Answer">The right number, exactly.</param>
public sealed record NumberProblem(string Prompt, Rational Answer) : Problem(Prompt)
{
    /// <inheritdoc/>
    public override Score Check(string answer, Scoring scoring) =>
        (scoring == Scoring.Strict ? NumberText.Read(answer) : NumberText.ReadLast(answer)) is not { } number ? Score.Wrong(scoring == Scoring.Strict ? "not a number" : "no number")
        : number == Answer ? Score.Right($"{number}")
        : Score.Wrong($"{number}, not {Answer}");
}
