// From the log-likelihoods of options to choices and accuracy. The normalisation is chosen here, so that one reading of the items
// serves to compare all of them.

namespace PaperLab.Evaluation;

/// <summary>How the log-likelihoods of options of different length are made comparable.</summary>
public enum AnswerNormalization
{
    /// <summary>ln P(option | question): shorter options have fewer tokens to be unlikely in.</summary>
    None,

    /// <summary>Divided by the option's tokens.</summary>
    PerToken,

    /// <summary>Divided by the option's UTF-8 bytes, which no tokenizer changes: comparable between models.</summary>
    PerByte,

    /// <summary>
    /// Less ln P(option | neutral context): the pointwise mutual information of question and option (arXiv 2104.08315), and the
    /// unconditional normalisation of arXiv 2005.14165, section 2.4.
    /// </summary>
    Unconditional,
}

/// <summary>One option under the model.</summary>
/// <param name="LogLikelihood">Of the option's text after the question, nats.</param>
/// <param name="Tokens">Tokens that were scored.</param>
/// <param name="Bytes">UTF-8 bytes of the option as the item has it.</param>
/// <param name="UnconditionalLogLikelihood">After <see cref="MultipleChoiceOptions.NeutralContext"/>, nats; null where there is none.</param>
public sealed record OptionLikelihood(double LogLikelihood, int Tokens, int Bytes, double? UnconditionalLogLikelihood = null)
{
    /// <summary>The option's score; the highest is chosen.</summary>
    /// <exception cref="ArgumentException">The normalisation needs a neutral context and there is none.</exception>
    public double Score(AnswerNormalization normalization)
    {
        Require.That(
            normalization != AnswerNormalization.Unconditional || UnconditionalLogLikelihood is not null,
            nameof(normalization), normalization, $"the others, unless {nameof(MultipleChoiceOptions)}.{nameof(MultipleChoiceOptions.NeutralContext)} was set");
        return normalization switch
        {
            AnswerNormalization.None => LogLikelihood,
            AnswerNormalization.PerToken => LogLikelihood / Tokens,
            AnswerNormalization.PerByte => LogLikelihood / Bytes,
            AnswerNormalization.Unconditional => LogLikelihood - UnconditionalLogLikelihood!.Value,
            _ => throw new ArgumentOutOfRangeException(nameof(normalization), normalization, null),
        };
    }
}

/// <summary>The options of one item under the model.</summary>
public sealed record ItemLikelihoods(MultipleChoiceItem Item, IReadOnlyList<OptionLikelihood> Options);

/// <summary>All items under the model, before a normalisation is chosen.</summary>
public sealed record MultipleChoiceLikelihoods(IReadOnlyList<ItemLikelihoods> Items)
{
    /// <summary>What the model chooses.</summary>
    /// <exception cref="ArgumentException">The normalisation needs a neutral context and there is none.</exception>
    public MultipleChoiceResult Choose(AnswerNormalization normalization) =>
        new(normalization, [.. Items.Select(item => new ItemChoice(item.Item, [.. item.Options.Select(option => option.Score(normalization))]))]);
}

/// <summary>What the model chose in one item.</summary>
/// <param name="Item">The item.</param>
/// <param name="Scores">Score of each option, nats (per token or byte where so normalised).</param>
public sealed record ItemChoice(MultipleChoiceItem Item, IReadOnlyList<double> Scores)
{
    /// <summary>Index of the highest score, of several the first.</summary>
    public int Chosen { get; } = Enumerable.Range(0, Scores.Count).MaxBy(option => Scores[option]);

    /// <summary>Softmax of the scores.</summary>
    public IReadOnlyList<double> Probabilities { get; } = Softmax(Scores);

    public bool Correct => Chosen == Item.Answer;

    /// <summary>Probability of the chosen option.</summary>
    public double Confidence => Probabilities[Chosen];

    private static double[] Softmax(IReadOnlyList<double> scores)
    {
        double highest = scores.Max();
        double[] weights = [.. scores.Select(score => Math.Exp(score - highest))];
        double sum = weights.Sum();
        return [.. weights.Select(weight => weight / sum)];
    }
}

/// <summary>What the model chose in all items.</summary>
public sealed record MultipleChoiceResult(AnswerNormalization Normalization, IReadOnlyList<ItemChoice> Items)
{
    /// <summary>Share of right choices, with its bootstrap interval over items.</summary>
    public Interval Accuracy(int seed) => AccuracyOf(Items, seed);

    /// <summary>The same by <see cref="MultipleChoiceItem.Group"/>, in the order in which the groups first occur.</summary>
    public IReadOnlyList<(string Group, Interval Accuracy)> AccuracyByGroup(int seed) =>
        [.. Items.GroupBy(choice => choice.Item.Group).Select(group => (group.Key, AccuracyOf([.. group], seed)))];

    private static Interval AccuracyOf(IReadOnlyList<ItemChoice> items, int seed) => Interval.OfBootstrap([.. items.Select(choice => choice.Correct ? 1.0 : 0.0)], seed);
}
