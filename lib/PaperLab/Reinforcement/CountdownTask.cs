// Countdown with three or four numbers. Whether a problem is held out is decided by its numbers, whatever their order and the target:
// no set of numbers that a model trained on comes up in evaluation.
//
//   8,8,5:24<think>…</think><answer>(8-5)*8</answer>

using PaperLab.Text;

namespace PaperLab.Reinforcement;

/// <summary>What countdowns are drawn, and how they are demonstrated.</summary>
public sealed record CountdownOptions : TaskOptions
{
    /// <summary>The difficulties that are drawn, rising; see <see cref="CountdownTask"/>.</summary>
    public IReadOnlyList<int> Difficulties { get; init; } = [1, 2, 3, 4];

    /// <summary>Numbers are 1 to this.</summary>
    public int MaxNumber { get; init; } = 20;

    /// <summary>The smallest target.</summary>
    public int MinTarget { get; init; } = 10;

    /// <summary>The largest target.</summary>
    public int MaxTarget { get; init; } = 99;

    /// <summary>The largest number on the way in scripted chains; every problem can be solved within it.</summary>
    public int MaxValue { get; init; } = 199;

    /// <summary>The share of sets of numbers that are held out.</summary>
    public double HeldOutShare { get; init; } = 0.1;

    /// <summary>The kind of scripted chains.</summary>
    public TraceKind Traces { get; init; } = TraceKind.Backtracking;

    /// <summary>p: the share of demonstrations that have their chain; the others are a guess without one: an expression of the numbers that misses the target.</summary>
    public double ChainShare { get; init; } = 1;

    /// <summary>Wrong moves that a chain tries in one place at most; each chain draws its own bound up to this one.</summary>
    public int Misses { get; init; } = 2;

    /// <summary>Prompt, demonstration and end have at most so many tokens in the task's symbols; longer chains are drawn again with fewer misses.</summary>
    public int MaxTokens { get; init; } = 192;

    /// <summary>
    /// Null: English chain words. Otherwise the prompt asks for English or Russian, and a demonstration's word is in the other language
    /// with this probability.
    /// </summary>
    public double? LanguageMix { get; init; }

    /// <inheritdoc/>
    public override ISymbolTask Create() => new CountdownTask(this);

    /// <inheritdoc/>
    public override void Validate()
    {
        const string Prefix = $"{nameof(CountdownOptions)}.";
        bool rising = Difficulties.Zip(Difficulties.Skip(1)).All(pair => pair.First < pair.Second);
        Require.That(Difficulties.Count > 0 && rising && Difficulties.All(level => level is >= 1 and <= 4), Prefix + nameof(Difficulties), $"[{string.Join(", ", Difficulties)}]", "one or more from 1 to 4, in ascending order");
        Require.That(MaxNumber is >= 5 and <= 99, Prefix + nameof(MaxNumber), MaxNumber, "5 to 99");
        Require.AtLeast(MinTarget, 1, Prefix + nameof(MinTarget));
        Require.That(MaxTarget >= MinTarget && MaxTarget <= 999, Prefix + nameof(MaxTarget), MaxTarget, $"MinTarget = {MinTarget} to 999");
        int largest = Math.Max(MaxTarget, 2 * MaxNumber);
        Require.That(MaxValue >= largest && MaxValue <= 9999, Prefix + nameof(MaxValue), MaxValue, $"{largest} (MaxTarget, and the sum of two numbers) to 9999");
        TaskSplit.RequireShare(HeldOutShare, Prefix + nameof(HeldOutShare));
        Require.That(ChainShare is >= 0 and <= 1, Prefix + nameof(ChainShare), ChainShare, "0 to 1");
        Require.That(Misses is >= 1 and <= 8, Prefix + nameof(Misses), Misses, "1 to 8");
        Require.AtLeast(MaxTokens, LongestOfOneMiss(), Prefix + nameof(MaxTokens));
        ChainWords.RequireMix(LanguageMix, Prefix + nameof(LanguageMix));
    }

    // Room for four numbers of n digits, with v digits on the way, and one wrong way to its end:
    //   n,n,n,n:t   n+n=v[v,n,n]   v+n=v[v,n]   v+v=v no   back[n,n,n,n]   n+n=v[v,n,n]   v+n=v[v,v]   v+v=v yes   ((n+n)+n)+n
    private int LongestOfOneMiss()
    {
        (int n, int v, int t) = ($"{MaxNumber}".Length, $"{MaxValue}".Length, $"{MaxTarget}".Length);
        return (24 * n) + (16 * v) + t + 57;
    }
}

/// <summary>Draws countdowns. Difficulty 1: three numbers, sums and differences suffice. 2: three numbers, they do not. 3 and 4: the same with four numbers.</summary>
public sealed class CountdownTask : ISymbolTask
{
    private const int MostChains = 1_000; // that are tried before a task is said to have none of its kind

    private readonly CountdownOptions _options;
    private readonly Func<string, string>? _template;

    /// <summary>The task of these options.</summary>
    /// <param name="options">What is drawn.</param>
    /// <param name="template">Makes a prompt of a question in English, for a model that knows the language (<see cref="PromptTemplate"/>); null for prompts in the task's symbols.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public CountdownTask(CountdownOptions options, Func<string, string>? template = null)
    {
        options.Validate();
        (_options, _template) = (options, template);
        ChainWords[] languages = options.LanguageMix is null ? [ChainWords.English] : [.. ChainWords.Both];
        Tokenizer = new SymbolTokenizer(
        [
            .. ResponseFormat.Tags,
            .. "0123456789+-*/=()[],:\n".Select(sign => $"{sign}"),
            .. languages.SelectMany(words => new[] { $" {words.Miss}", $" {words.Hit}", words.Back }),
            .. options.LanguageMix is null ? [] : languages.Select(words => words.Mark),
        ]);
    }

    /// <inheritdoc/>
    public SymbolTokenizer Tokenizer { get; }

    /// <inheritdoc/>
    public string Name => "countdown";

    /// <inheritdoc/>
    public IReadOnlyList<int> Difficulties => _options.Difficulties;

    /// <inheritdoc/>
    public Problem Draw(Split split, int difficulty, ulong seed)
    {
        SplitMix64 random = TaskSplit.Random(difficulty, seed);
        return Prompted(Draw(split, difficulty, ref random).Problem);
    }

    /// <inheritdoc/>
    public Demonstration Demonstrate(int difficulty, ulong seed)
    {
        SplitMix64 random = TaskSplit.Random(difficulty, seed);
        for (int attempt = 0; attempt < MostChains; attempt++)
        {
            (CountdownProblem problem, ChainWords asked) = Draw(Split.Train, difficulty, ref random);
            if (_options.ChainShare < 1 && random.NextDouble() >= _options.ChainShare)
            {
                if (Guess(problem, asked, random.NextBits()) is { } guess)
                {
                    return new Demonstration(Prompted(problem), guess);
                }

                continue;
            }

            (int least, int most) = _options.Traces == TraceKind.SingleAttempt ? (0, 0) : (1, 1 + random.Next(_options.Misses));
            for (int misses = most; misses >= least; misses--)
            {
                if (CountdownTrace.Write(problem, _options, asked, misses, random.NextBits()) is { } completion
                    && Tokenizer.Encode(problem.Prompt + completion).Length + 1 <= _options.MaxTokens)
                {
                    return new Demonstration(Prompted(problem), completion);
                }
            }
        }

        throw new ArgumentException($"No {_options.Traces} chain of difficulty {difficulty} has {_options.MaxTokens} tokens or fewer; raise {nameof(CountdownOptions)}.{nameof(CountdownOptions.MaxTokens)}.", nameof(difficulty));
    }

    // What a search that finds nothing would answer, without the search; null where every expression hits.
    private string? Guess(CountdownProblem problem, ChainWords asked, ulong seed) =>
        CountdownTrace.Write(problem, _options with { Traces = TraceKind.WrongAnswer }, asked, misses: 1, seed) is { } search
            ? ResponseFormat.Write("", ResponseFormat.Read(search, out _)!.Answer)
            : null;

    private (CountdownProblem Problem, ChainWords Asked) Draw(Split split, int difficulty, ref SplitMix64 random)
    {
        this.RequireDifficulty(difficulty);
        ChainWords asked = ChainWords.Both[random.Next(2)];
        int[] numbers = new int[difficulty <= 2 ? 3 : 4];
        bool needsProduct = difficulty % 2 == 0;
        for (int attempt = 0; attempt < TaskSplit.MostAttempts; attempt++)
        {
            for (int i = 0; i < numbers.Length; i++)
            {
                numbers[i] = 1 + random.Next(_options.MaxNumber);
            }

            Array.Sort(numbers, (a, b) => b.CompareTo(a));
            int[] targets = TaskSplit.Of(string.Join(',', numbers), _options.HeldOutShare) == split ? Targets(numbers, needsProduct) : [];
            if (targets.Length > 0)
            {
                return (ProblemOf([.. numbers], targets[random.Next(targets.Length)], asked), asked);
            }
        }

        throw new ArgumentException($"No {split} problem of difficulty {difficulty} came up in {TaskSplit.MostAttempts} draws; widen the targets, or raise {nameof(CountdownOptions)}.{nameof(CountdownOptions.MaxNumber)}.", nameof(difficulty));
    }

    private int[] Targets(int[] numbers, bool needsProduct)
    {
        HashSet<int> reachable = CountdownSearch.Reachable(numbers, _options.MaxValue);
        HashSet<int> sums = CountdownSearch.SignedSums(numbers);
        return [.. reachable.Where(target => target >= _options.MinTarget && target <= _options.MaxTarget && sums.Contains(target) != needsProduct).Order()];
    }

    private CountdownProblem ProblemOf(int[] numbers, int target, ChainWords asked)
    {
        bool mixes = _options.LanguageMix is not null;
        return new CountdownProblem($"{(mixes ? asked.Mark : "")}{string.Join(',', numbers)}:{target}", numbers, target) { Language = mixes ? asked.Language : null };
    }

    private CountdownProblem Prompted(CountdownProblem problem) => _template is null ? problem : problem with
    {
        Prompt = _template($"Use each of the numbers {string.Join(", ", problem.Numbers)} exactly once, with + - * / and parentheses, to make {problem.Target}. Give the expression alone as the answer."),
    };
}
