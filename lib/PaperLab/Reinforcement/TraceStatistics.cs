// What a chain does: does it calculate rightly, say whether a result is the target, go back? The same reading for scripted traces and
// for what models write; it counts what it recognises and passes over the rest.

using System.Text.RegularExpressions;

namespace PaperLab.Reinforcement;

/// <summary>What was found in a chain of a countdown.</summary>
/// <param name="Steps">Operations: "8-5=3".</param>
/// <param name="RightSteps">Of these, with the right result.</param>
/// <param name="Verdicts">Operations with a verdict behind them: "8+3=11 no".</param>
/// <param name="RightVerdicts">Of these, true of the result that stands there.</param>
/// <param name="Backtracks">Returns to earlier numbers: "back[8,8,5]".</param>
public sealed partial record TraceStatistics(int Steps, int RightSteps, int Verdicts, int RightVerdicts, int Backtracks)
{
    /// <summary>Whether it says of any result whether that is the target.</summary>
    public bool Verifies => Verdicts > 0;

    /// <summary>Whether it returns to earlier numbers at all.</summary>
    public bool GoesBack => Backtracks > 0;

    /// <summary>Reads a completion's chain.</summary>
    public static TraceStatistics Of(string completion, int target)
    {
        string chain = ResponseFormat.FindChain(completion);
        Match[] steps = Step().Matches(chain).ToArray();
        Match[] verdicts = [.. steps.Where(step => Said(step, words => words.Hit) || Said(step, words => words.Miss))];
        return new TraceStatistics(
            steps.Length,
            steps.Count(IsRight),
            verdicts.Length,
            verdicts.Count(step => Said(step, words => words.Hit) == (Number(step, "value") == target)),
            Language.WordsOf(chain).Count(word => ChainWords.Both.Any(words => words.Back == word)));
    }

    private static bool Said(Match step, Func<ChainWords, string> word) => ChainWords.Both.Any(words => word(words) == step.Groups["verdict"].Value);

    private static bool IsRight(Match step)
    {
        (long left, long right, long value) = (Number(step, "left"), Number(step, "right"), Number(step, "value"));
        return step.Groups["operator"].Value switch
        {
            "+" => left + right == value,
            "-" => left - right == value,
            "*" => left * right == value,
            _ => right != 0 && right * value == left,
        };
    }

    private static long Number(Match step, string group) => long.Parse(step.Groups[group].Value);

    [GeneratedRegex(@"(?<![\w.])(?<left>[0-9]{1,9}) ?(?<operator>[-+*/]) ?(?<right>[0-9]{1,9}) ?= ?(?<value>[0-9]{1,9})(?![0-9])(?: (?<verdict>\p{L}+))?", RegexOptions.CultureInvariant)]
    private static partial Regex Step();
}
