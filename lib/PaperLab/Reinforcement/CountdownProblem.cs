// Countdown: make a target from numbers with + - * / and parentheses, each number exactly once.

using System.Text.RegularExpressions;

namespace PaperLab.Reinforcement;

/// <summary>One countdown.</summary>
/// <param name="Prompt">What the model reads.</param>
/// <param name="Numbers">The numbers, one of them possibly more than once.</param>
/// <param name="Target">What to make of them.</param>
public sealed partial record CountdownProblem(string Prompt, IReadOnlyList<int> Numbers, int Target) : Problem(Prompt)
{
    /// <inheritdoc/>
    public override Score Check(string answer, Scoring scoring)
    {
        string text = scoring == Scoring.Strict ? answer : FindExpression(answer);
        if (Expression.Parse(text, out string fault) is not { } expression)
        {
            return Score.Wrong(fault);
        }

        foreach (int number in expression.Numbers.Concat(Numbers).Distinct())
        {
            int used = expression.Numbers.Count(other => other == number);
            int given = Numbers.Count(other => other == number);
            if (used != given)
            {
                return Score.Wrong($"{number} used {Times(used)}, given {Times(given)}");
            }
        }

        return expression.Value == Target ? Score.Right($"makes {Target}") : Score.Wrong($"makes {expression.Value}, not {Target}");
    }

    // The last part of the last line that could be an expression: "So it is (8 − 5) × 8 = 24." has (8 - 5) * 8.
    private static string FindExpression(string answer)
    {
        string line = answer.Split('\n').LastOrDefault(line => !string.IsNullOrWhiteSpace(line), "");
        string plain = line.Replace('×', '*').Replace('·', '*').Replace('÷', '/').Replace('\u2212', '-').Replace('–', '-');
        IEnumerable<string> parts = Arithmetic().Matches(plain).Select(match => match.Value.Trim([' ', '+', '-', '*', '/']));
        return parts.LastOrDefault(part => part.AsSpan().ContainsAny("+-*/") && part.Any(char.IsAsciiDigit), "");
    }

    private static string Times(int count) => count == 1 ? "once" : $"{count} times";

    [GeneratedRegex("[-+*/() 0-9]+", RegexOptions.CultureInvariant)]
    private static partial Regex Arithmetic();
}
