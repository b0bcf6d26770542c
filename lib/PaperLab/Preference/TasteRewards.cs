// The tastes of an experiment, what is asked for each, and the reward models that have learned them from comparisons. Whoever compares
// judges by the gold preference, and errs as Bradley and Terry's model says: P(a ≻ b) = σ(gold(a) − gold(b)).

using PaperLab.Text;
using static TorchSharp.torch;

namespace PaperLab.Preference;

/// <summary>Which tastes there are, and how much is asked.</summary>
public sealed record TasteOptions
{
    /// <summary>What they are like.</summary>
    public TasteKind Kind { get; init; }

    /// <summary>How many.</summary>
    public int Tastes { get; init; } = 20;

    /// <summary>Queries for each.</summary>
    public int Prompts { get; init; } = 10;

    /// <summary>Seed of the tastes.</summary>
    public required ulong Seed { get; init; }

    /// <summary>The tastes; a query's <see cref="Query.Preference"/> is the index of its own.</summary>
    public IReadOnlyList<HiddenPreference> Draw() => [.. Enumerable.Range(0, Tastes).Select(taste => HiddenPreference.Draw(Kind, StableHash.Mix(StableHash.Mix(Seed) + (ulong)taste)))];

    /// <summary>The queries, taste by taste, on all topics in turn.</summary>
    public IReadOnlyList<Query> Queries() => [.. Enumerable.Range(0, Tastes * Prompts).Select(i => AttributeLanguage.QueryOf(i % AttributeLanguage.Topics, i / Prompts))];

    /// <summary>Throws with the field, its value and the allowed range.</summary>
    /// <exception cref="ArgumentException">A field is out of range.</exception>
    public void Validate()
    {
        Require.AtLeast(Tastes, 1, nameof(Tastes));
        Require.AtLeast(Prompts, 1, nameof(Prompts));
    }
}

/// <summary>What a reward model is, and what it learns from.</summary>
public sealed record RewardOptions
{
    /// <summary>Comparisons by each taste.</summary>
    public int Comparisons { get; init; } = 2000;

    /// <summary>Seed of the comparisons.</summary>
    public required ulong Seed { get; init; }

    /// <summary>A network over counted tokens; null for a linear model of counted attributes and their squares.</summary>
    public NeuralRewardOptions? Neural { get; init; }

    /// <summary>Throws with the field, its value and the allowed range.</summary>
    /// <exception cref="ArgumentException">A field is out of range.</exception>
    public void Validate()
    {
        Require.AtLeast(Comparisons, 1, nameof(Comparisons));
        Neural?.Validate();
    }
}

/// <summary>One reward model for each taste.</summary>
public sealed class TasteRewards : IRewardModel, IDisposable
{
    // Of compared texts, one in ten is about something else: so a reward model learns that this matters.
    private const int OffTopicEvery = 10;

    private const int HeldOut = 500;

    private readonly IReadOnlyList<IRewardModel> _models;

    private TasteRewards(IReadOnlyList<IRewardModel> models, double accuracy) => (_models, Accuracy) = (models, accuracy);

    /// <inheritdoc/>
    public string Name => _models[0].Name;

    /// <summary>Share of held-out pairs of texts that the models order as gold does, mean over tastes; ties of gold left out.</summary>
    public double Accuracy { get; }

    /// <summary>Lets every taste compare, and fits a model to what it says.</summary>
    public static TasteRewards Fit(IReadOnlyList<HiddenPreference> tastes, RewardOptions options, Device? device = null, CancellationToken cancellation = default)
    {
        options.Validate();
        var models = new List<IRewardModel>();
        double accuracy = 0;
        for (int taste = 0; taste < tastes.Count; taste++)
        {
            cancellation.ThrowIfCancellationRequested();
            var random = new SplitMix64(StableHash.Mix(StableHash.Mix(options.Seed) + (ulong)taste));
            PreferencePair[] pairs = Compare(tastes[taste], options.Comparisons, errs: true, ref random), heldOut = Compare(tastes[taste], HeldOut, errs: false, ref random);
            if (options.Neural is { } neural)
            {
                NeuralRewardModel model = NeuralRewardModel.Fit(pairs, AttributeLanguage.Tokenizer, neural, device, cancellation);
                accuracy += model.Agreement(heldOut) / tastes.Count;
                models.Add(model);
            }
            else
            {
                LinearRewardModel model = LinearRewardModel.Fit(pairs, Features);
                accuracy += model.Agreement(heldOut) / tastes.Count;
                models.Add(model);
            }
        }

        return new TasteRewards(models, accuracy);
    }

    /// <summary>What a linear model looks at: counts of attributes, their squares, and whether the text is about what was asked.</summary>
    public static float[] Features(Candidate candidate)
    {
        AttributeText? read = AttributeLanguage.ReadText(candidate.Text);
        IReadOnlyList<int> counts = read?.Counts ?? new int[AttributeLanguage.Attributes.Count];
        return [.. counts.Select(count => count / 2f), .. counts.Select(count => count * count / 8f), read?.Topic == AttributeLanguage.TopicOf(candidate.Query) ? 1 : 0];
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<double>> ScoreAsync(IReadOnlyList<Candidate> candidates, CancellationToken cancellation = default)
    {
        double[] scores = new double[candidates.Count];
        foreach (IGrouping<int, int> rows in Enumerable.Range(0, candidates.Count).GroupBy(i => candidates[i].Query.Preference))
        {
            IReadOnlyList<double> some = await _models[rows.Key].ScoreAsync([.. rows.Select(i => candidates[i])], cancellation).ConfigureAwait(false);
            foreach ((int row, double score) in rows.Zip(some))
            {
                scores[row] = score;
            }
        }

        return scores;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (IDisposable model in _models.OfType<IDisposable>())
        {
            model.Dispose();
        }
    }

    private static PreferencePair[] Compare(HiddenPreference taste, int count, bool errs, ref SplitMix64 random)
    {
        var pairs = new List<PreferencePair>(count);
        while (pairs.Count < count)
        {
            int topic = random.Next(AttributeLanguage.Topics);
            Query query = AttributeLanguage.QueryOf(topic);
            string a = DrawText(topic, ref random), b = DrawText(topic, ref random);
            double difference = taste.Gold(query, a) - taste.Gold(query, b);
            if (errs || difference != 0)
            {
                double right = errs ? 1 / (1 + Math.Exp(-difference)) : difference > 0 ? 1 : 0;
                pairs.Add(random.NextDouble() < right ? new PreferencePair(query, a, b) : new PreferencePair(query, b, a));
            }
        }

        return [.. pairs];
    }

    private static string DrawText(int topic, ref SplitMix64 random) =>
        AttributeLanguage.DrawText(random.Next(OffTopicEvery) == 0 ? random.Next(AttributeLanguage.Topics) : topic, ref random);
}
