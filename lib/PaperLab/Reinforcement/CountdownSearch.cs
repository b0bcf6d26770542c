// What can be made of numbers, one operation after another. The scripted search keeps to what a small model can learn to calculate:
// positive whole numbers up to a bound. Whoever answers may use any fraction or negative number on the way; the checker is exact.

namespace PaperLab.Reinforcement;

/// <summary>A number that is at hand.</summary>
/// <param name="Value">Its value.</param>
/// <param name="Text">How it was made, as it stands inside another operation: "8" or "(8-5)".</param>
internal readonly record struct Term(int Value, string Text);

/// <summary>One operation on two of the numbers at hand, the larger on the left.</summary>
internal readonly record struct Move(Term Left, char Operator, Term Right, int Value)
{
    public string Expression => $"{Left.Text}{Operator}{Right.Text}";

    /// <summary>The numbers at hand after it, the largest first.</summary>
    public Term[] After(IReadOnlyList<Term> state)
    {
        (Term left, Term right) = (Left, Right);
        List<Term> rest = [.. state];
        rest.Remove(left);
        rest.Remove(right);
        return [.. rest.Append(new Term(Value, $"({Expression})")).OrderByDescending(term => term.Value)];
    }
}

internal static class CountdownSearch
{
    private const string Operators = "+-*/";

    /// <summary>Every operation with another outcome on numbers in descending order.</summary>
    public static IReadOnlyList<Move> Moves(IReadOnlyList<Term> state, int maxValue)
    {
        var moves = new List<Move>();
        var seen = new HashSet<(int, int)>();
        Span<int> outcomes = stackalloc int[Operators.Length];
        for (int i = 0; i < state.Count; i++)
        {
            for (int j = i + 1; j < state.Count; j++)
            {
                if (seen.Add((state[i].Value, state[j].Value)))
                {
                    Calculate(state[i].Value, state[j].Value, maxValue, outcomes);
                    for (int k = 0; k < outcomes.Length; k++)
                    {
                        if (outcomes[k] > 0)
                        {
                            moves.Add(new Move(state[i], Operators[k], state[j], outcomes[k]));
                        }
                    }
                }
            }
        }

        return moves;
    }

    /// <summary>All values that all the numbers together can make.</summary>
    public static HashSet<int> Reachable(ReadOnlySpan<int> numbers, int maxValue)
    {
        var found = new HashSet<int>();
        Collect(numbers, maxValue, found);
        return found;
    }

    /// <summary>The positive values that sums and differences of all the numbers have.</summary>
    public static HashSet<int> SignedSums(IReadOnlyList<int> numbers) =>
        [.. Enumerable.Range(0, 1 << numbers.Count).Select(signs => numbers.Select((number, i) => ((signs >> i) & 1) == 0 ? number : -number).Sum()).Where(sum => sum > 0)];

    private static void Collect(ReadOnlySpan<int> numbers, int maxValue, HashSet<int> found)
    {
        if (numbers.Length == 1)
        {
            found.Add(numbers[0]);
            return;
        }

        Span<int> rest = stackalloc int[numbers.Length - 1]; // all but two, and what was made of these
        Span<int> outcomes = stackalloc int[Operators.Length];
        for (int i = 0; i < numbers.Length; i++)
        {
            for (int j = i + 1; j < numbers.Length; j++)
            {
                numbers[..i].CopyTo(rest);
                numbers[(i + 1)..j].CopyTo(rest[i..]);
                numbers[(j + 1)..].CopyTo(rest[(j - 1)..]);
                Calculate(Math.Max(numbers[i], numbers[j]), Math.Min(numbers[i], numbers[j]), maxValue, outcomes);
                foreach (int outcome in outcomes)
                {
                    if (outcome > 0)
                    {
                        rest[^1] = outcome;
                        Collect(rest, maxValue, found);
                    }
                }
            }
        }
    }

    // Of a ≥ b, in the operators' order; 0 where the outcome is not allowed. Dividing by 1 makes what multiplying by 1 makes.
    private static void Calculate(int a, int b, int maxValue, Span<int> outcomes)
    {
        outcomes[0] = a + b <= maxValue ? a + b : 0;
        outcomes[1] = a - b;
        outcomes[2] = (long)a * b <= maxValue ? a * b : 0;
        outcomes[3] = b > 1 && a % b == 0 ? a / b : 0;
    }
}
