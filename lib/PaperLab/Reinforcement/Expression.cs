// Arithmetic as a model writes it, parsed: whole numbers, + - * /, parentheses. Nothing is run, the value is exact, and length and
// depth are bounded, so that no text takes the process down.
//
//   sum     = product { ("+" | "-") product }
//   product = factor { ("*" | "/") factor }
//   factor  = number | "(" sum ")"          no sign before a number: -3+8 uses a number that was not given

namespace PaperLab.Reinforcement;

/// <summary>A parsed expression.</summary>
/// <param name="Value">Its exact value.</param>
/// <param name="Numbers">The numbers that stand in it, in order.</param>
public sealed record Expression(Rational Value, IReadOnlyList<int> Numbers)
{
    private const int MostCharacters = 200;
    private const int MostDigits = 9;
    private const int MostDepth = 32;

    /// <summary>Parses a whole text; null, and what is wrong with it, where it is no expression or has no value.</summary>
    public static Expression? Parse(string text, out string fault)
    {
        if (text.Length > MostCharacters)
        {
            fault = $"{text.Length} characters are no answer";
            return null;
        }

        var parser = new Parser(text);
        Rational? value = parser.Sum(0);
        if (value is not null && parser.Next is not null)
        {
            value = parser.Unexpected("an operator");
        }

        fault = parser.Fault;
        return value is { } found ? new Expression(found, parser.Numbers) : null;
    }

    /// <summary>Every method returns null once something is wrong; <see cref="Fault"/> says what.</summary>
    private sealed class Parser(string text)
    {
        private int _at;

        public List<int> Numbers { get; } = [];

        public string Fault { get; private set; } = "";

        // The next character that is no space; null at the end.
        public char? Next
        {
            get
            {
                while (_at < text.Length && text[_at] == ' ')
                {
                    _at++;
                }

                return _at < text.Length ? text[_at] : null;
            }
        }

        public Rational? Sum(int depth)
        {
            Rational? left = Product(depth);
            while (left is { } sum && Next is '+' or '-')
            {
                bool adds = text[_at++] == '+';
                left = Product(depth) is not { } right ? null : adds ? sum + right : sum - right;
            }

            return left;
        }

        public Rational? Unexpected(string wanted) => Wrong(Next is null ? $"{wanted} expected at the end" : $"{wanted} expected before '{text[_at..Math.Min(text.Length, _at + 10)]}'");

        private Rational? Product(int depth)
        {
            Rational? left = Factor(depth);
            while (left is { } product && Next is '*' or '/')
            {
                bool multiplies = text[_at++] == '*';
                left = Factor(depth) is not { } right ? null
                    : multiplies ? product * right
                    : right == 0 ? Wrong("a division by zero")
                    : product / right;
            }

            return left;
        }

        private Rational? Factor(int depth)
        {
            if (Next != '(')
            {
                return Number();
            }

            if (depth == MostDepth)
            {
                return Wrong($"more than {MostDepth} parentheses inside one another");
            }

            _at++;
            Rational? inner = Sum(depth + 1);
            if (inner is not null && Next != ')')
            {
                return Unexpected("')'");
            }

            _at++;
            return inner;
        }

        private Rational? Number()
        {
            if (Next is not { } first || !char.IsAsciiDigit(first))
            {
                return Unexpected("a number");
            }

            int start = _at;
            while (_at < text.Length && char.IsAsciiDigit(text[_at]))
            {
                _at++;
            }

            ReadOnlySpan<char> digits = text.AsSpan(start, _at - start);
            if (digits.Length > MostDigits)
            {
                return Wrong($"a number of {digits.Length} digits");
            }

            if (digits.Length > 1 && digits[0] == '0')
            {
                return Wrong($"{digits} begins with 0");
            }

            Numbers.Add(int.Parse(digits));
            return Numbers[^1];
        }

        private Rational? Wrong(string fault)
        {
            Fault = fault;
            return null;
        }
    }
}
