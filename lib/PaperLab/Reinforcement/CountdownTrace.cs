// Scripted chains for a countdown: a search as it would be thought aloud, one operation a line.
//
//   8-5=3[8,3]        an operation, and the numbers then at hand
//   8+3=11 no         all numbers used: is it the target?
//   8/3 …             another operation on the same numbers
//   back[8,8,5]       given up; at hand again are these
//   8*3=24 yes
//
// Every line's arithmetic is right in every kind of trace. The wrong moves of a backtracking trace are drawn from those from which
// the target cannot be reached any more, so that giving them up is never a mistake; the right ones from those from which it can. A
// single attempt has the right operations only and no verdicts. A wrong-answer trace searches and judges truthfully, gives up, and
// answers with the last thing it tried (whether such primes serve as well as right ones is a question of arXiv 2503.01307).

using System.Text;

namespace PaperLab.Reinforcement;

/// <summary>Kinds of scripted chains.</summary>
public enum TraceKind
{
    /// <summary>Tries, sees that it misses, goes back, ends right.</summary>
    Backtracking,

    /// <summary>Goes straight to the target.</summary>
    SingleAttempt,

    /// <summary>Tries, sees that it misses, goes back, and in the end answers with a miss.</summary>
    WrongAnswer,
}

internal sealed class CountdownTrace
{
    private readonly CountdownProblem _problem;
    private readonly CountdownOptions _options;
    private readonly ChainWords _asked;
    private readonly StringBuilder _chain = new();
    private readonly int _misses;
    private SplitMix64 _random;

    private CountdownTrace(CountdownProblem problem, CountdownOptions options, ChainWords asked, int misses, ulong seed)
    {
        (_problem, _options, _asked, _misses) = (problem, options, asked, misses);
        _random = new SplitMix64(seed);
    }

    private int Target => _problem.Target;

    /// <summary>A completion; null where the problem has none of this kind, since no first move of it is wrong.</summary>
    /// <param name="misses">Wrong moves that are tried in one place at most; 1 or more, but for a single attempt 0.</param>
    public static string? Write(CountdownProblem problem, CountdownOptions options, ChainWords asked, int misses, ulong seed)
    {
        var trace = new CountdownTrace(problem, options, asked, misses, seed);
        Term[] all = [.. problem.Numbers.OrderDescending().Select(number => new Term(number, $"{number}"))];
        return trace.Walk(all, first: true) is { } answer ? ResponseFormat.Write(trace._chain.ToString().TrimEnd('\n'), answer) : null;
    }

    // Some wrong moves, then the one by which the walk goes on; returns the expression that it ends with.
    private string? Walk(Term[] state, bool first)
    {
        Move[] moves = Shuffled(state);
        Move[] wrong = [.. moves.Where(move => !Reaches(move.After(state)))];
        bool right = _options.Traces != TraceKind.WrongAnswer;
        Move[] ways = right ? [.. moves.Except(wrong)] : wrong;
        int least = first && _misses > 0 ? 1 : 0;
        int most = Math.Min(_misses, right ? wrong.Length : wrong.Length - 1);
        if (ways.Length == 0 || most < least)
        {
            return null;
        }

        foreach (Move move in wrong.Take(least + _random.Next(most - least + 1)))
        {
            Try(state, move);
        }

        Move way = ways[^1];
        Line(state, way);
        return state.Length == 2 ? way.Expression : Walk(way.After(state), first: false);
    }

    // A move from which the target is out of reach: some ways on, each to its end, and back.
    private void Try(Term[] state, Move move)
    {
        Line(state, move);
        if (state.Length > 2)
        {
            Term[] after = move.After(state);
            Move[] moves = Shuffled(after);
            foreach (Move next in moves.Take(1 + _random.Next(Math.Min(_misses, moves.Length))))
            {
                Try(after, next);
            }

            _chain.Append(Word().Back).Append(Numbers(state)).Append('\n');
        }
    }

    private void Line(Term[] state, Move move)
    {
        _chain.Append(move.Left.Value).Append(move.Operator).Append(move.Right.Value).Append('=').Append(move.Value);
        if (state.Length > 2)
        {
            _chain.Append(Numbers(move.After(state)));
        }
        else if (_options.Traces != TraceKind.SingleAttempt)
        {
            ChainWords words = Word();
            _chain.Append(' ').Append(move.Value == Target ? words.Hit : words.Miss);
        }

        _chain.Append('\n');
    }

    private bool Reaches(Term[] state) => CountdownSearch.Reachable([.. state.Select(term => term.Value)], _options.MaxValue).Contains(Target);

    private Move[] Shuffled(Term[] state)
    {
        Move[] moves = [.. CountdownSearch.Moves(state, _options.MaxValue)];
        _random.Shuffle<Move>(moves);
        return moves;
    }

    private ChainWords Word() => _options.LanguageMix is { } mix ? _asked.Draw(mix, ref _random) : ChainWords.English;

    private static string Numbers(Term[] state) => $"[{string.Join(',', state.Select(term => term.Value))}]";
}
