// Parity with chains: is the sum of d bits odd? A direct answer needs all bits at once, which a small transformer does not learn from
// few examples; a chain of running parities needs two bits for each of its words. A base model that has seen some chains among many
// direct answers can be rewarded into writing chains: the smallest model of what the paper's Figure 3 shows, that length grows because
// it pays. With no chains in the base corpus there is nothing to amplify: the control.
//
//   0110=<think>0100</think><answer>0</answer>      with probability p, else      0110=<think></think><answer>0</answer>
//
// In the two-language variant the running parities are words, even or odd, and the prompt says in which language it wants them.

using PaperLab.Text;

namespace PaperLab.Reinforcement;

/// <summary>The sizes of the parity task.</summary>
public sealed record ParityOptions : TaskOptions
{
    /// <summary>d: numbers of bits that problems can have; each is a difficulty.</summary>
    public IReadOnlyList<int> Lengths { get; init; } = [16];

    /// <summary>p: the share of demonstrations that have a chain; the others answer directly.</summary>
    public double ChainShare { get; init; } = 0.2;

    /// <summary>The share of inputs that are held out.</summary>
    public double HeldOutShare { get; init; } = 0.1;

    /// <summary>
    /// Null: chains of digits. Otherwise chains of words, and the prompt asks for English or Russian; a demonstration's word is in the
    /// other language with this probability.
    /// </summary>
    public double? LanguageMix { get; init; }

    /// <inheritdoc/>
    public override ISymbolTask Create() => new ParityTask(this);

    /// <inheritdoc/>
    public override void Validate()
    {
        const string Prefix = $"{nameof(ParityOptions)}.";
        Require.That(
            Lengths.Count > 0 && Lengths.All(length => length is >= 8 and <= 64) && Lengths.Zip(Lengths.Skip(1)).All(pair => pair.First < pair.Second),
            Prefix + nameof(Lengths),
            $"[{string.Join(", ", Lengths)}]",
            "one or more from 8 to 64, in ascending order");
        Require.That(ChainShare is >= 0 and <= 1, Prefix + nameof(ChainShare), ChainShare, "0 to 1");
        TaskSplit.RequireShare(HeldOutShare, Prefix + nameof(HeldOutShare));
        ChainWords.RequireMix(LanguageMix, Prefix + nameof(LanguageMix));
    }
}

/// <summary>One parity.</summary>
/// <param name="Prompt">What the model reads.</param>
/// <param name="Bits">The bits, as characters.</param>
public sealed record ParityProblem(string Prompt, string Bits) : Problem(Prompt)
{
    /// <summary>0 or 1.</summary>
    public int Parity => Bits.Count(bit => bit == '1') % 2;

    /// <inheritdoc/>
    public override Score Check(string answer, Scoring scoring)
    {
        string found = scoring == Scoring.Strict ? answer : NumberText.ReadLast(answer)?.ToString() ?? "";
        return found is not ("0" or "1") ? Score.Wrong("neither 0 nor 1") : found == $"{Parity}" ? Score.Right($"{Parity}") : Score.Wrong($"{found}, not {Parity}");
    }
}

/// <summary>Draws parities.</summary>
public sealed class ParityTask : ISymbolTask
{
    private readonly ParityOptions _options;

    /// <summary>The task of these options.</summary>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public ParityTask(ParityOptions options)
    {
        options.Validate();
        _options = options;
        IEnumerable<string> words = ChainWords.Both.SelectMany(words => new[] { words.Mark, $"{words.Even} ", $"{words.Odd} " });
        Tokenizer = new SymbolTokenizer([.. ResponseFormat.Tags, "0", "1", "=", .. options.LanguageMix is null ? [] : words]);
    }

    /// <inheritdoc/>
    public SymbolTokenizer Tokenizer { get; }

    /// <inheritdoc/>
    public string Name => "parity";

    /// <inheritdoc/>
    public IReadOnlyList<int> Difficulties => _options.Lengths;

    /// <inheritdoc/>
    public Problem Draw(Split split, int difficulty, ulong seed)
    {
        SplitMix64 random = TaskSplit.Random(difficulty, seed);
        return Draw(split, difficulty, ref random).Problem;
    }

    /// <inheritdoc/>
    public Demonstration Demonstrate(int difficulty, ulong seed)
    {
        SplitMix64 random = TaskSplit.Random(difficulty, seed);
        (ParityProblem problem, ChainWords asked) = Draw(Split.Train, difficulty, ref random);
        string chain = random.NextDouble() < _options.ChainShare ? Chain(problem.Bits, asked, ref random) : "";
        return new Demonstration(problem, ResponseFormat.Write(chain, $"{problem.Parity}"));
    }

    private (ParityProblem Problem, ChainWords Asked) Draw(Split split, int length, ref SplitMix64 random)
    {
        this.RequireDifficulty(length);
        ChainWords asked = ChainWords.Both[random.Next(2)];
        for (int attempt = 0; attempt < TaskSplit.MostAttempts; attempt++)
        {
            ulong drawn = random.NextBits();
            string bits = string.Create(length, drawn, (text, number) =>
            {
                for (int i = 0; i < text.Length; i++)
                {
                    text[i] = (char)('0' + ((number >> i) & 1));
                }
            });
            if (TaskSplit.Of(bits, _options.HeldOutShare) == split)
            {
                bool words = _options.LanguageMix is not null;
                return (new ParityProblem($"{(words ? asked.Mark : "")}{bits}=", bits) { Language = words ? asked.Language : null }, asked);
            }
        }

        throw new ArgumentException($"No {length} bits fell on the {split} side in {TaskSplit.MostAttempts} draws; raise {nameof(ParityOptions)}.{nameof(ParityOptions.HeldOutShare)}.", nameof(split));
    }

    private string Chain(string bits, ChainWords asked, ref SplitMix64 random)
    {
        var chain = new System.Text.StringBuilder();
        int parity = 0;
        foreach (char bit in bits)
        {
            parity ^= bit - '0';
            if (_options.LanguageMix is { } mix)
            {
                ChainWords words = asked.Draw(mix, ref random);
                chain.Append(parity == 0 ? words.Even : words.Odd).Append(' ');
            }
            else
            {
                chain.Append(parity);
            }
        }

        return chain.ToString();
    }
}
