// A reward that is linear in features which somebody names, learned from comparisons: P(a ≻ b) = σ(θᵀ(φ(a) − φ(b))). That is logistic
// regression on the differences of features, without an intercept: ML.NET's L-BFGS has one, but it is given each pair in both orders, and
// then the intercept is 0 by symmetry.

using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers;

namespace PaperLab.Preference;

/// <summary>How a linear reward is fitted.</summary>
public sealed record LinearRewardOptions
{
    /// <summary>λ in −Σ log P + λ/2 |θ|². Without it, pairs that a line can separate would have no best θ.</summary>
    public double L2 { get; init; } = 1;

    /// <summary>Throws with the field, its value and the allowed range.</summary>
    /// <exception cref="ArgumentException">A field is out of range.</exception>
    public void Validate() => Require.That(L2 is >= 1e-6 and <= 1e6, nameof(L2), L2, "0.000001 to 1,000,000");
}

/// <summary>r = θᵀφ. Nothing is drawn in its fit, and one thread sums: equal pairs give equal weights to the last bit.</summary>
public sealed class LinearRewardModel : IRewardModel
{
    private const float Largest = 1e15f;     // the fit squares differences in fp32
    private const double StillPulled = 0.01; // of all that pulls at a weight; a fit that ended well is far below

    private readonly Func<Candidate, float[]> _features;

    private LinearRewardModel(Func<Candidate, float[]> features, IReadOnlyList<float> weights, double intercept) =>
        (_features, Weights, Intercept) = (features, weights, intercept);

    /// <inheritdoc/>
    public string Name => "linear reward model";

    /// <summary>θ, in the features' order.</summary>
    public IReadOnlyList<float> Weights { get; }

    /// <summary><see cref="Agreement"/> on the pairs of the fit.</summary>
    public double TrainingAgreement { get; private init; }

    // Beside the weights; no score has it.
    internal double Intercept { get; }

    /// <summary>Fits θ.</summary>
    /// <param name="pairs">One or more.</param>
    /// <param name="features">φ: as many numbers for every answer. Numbers of a like size make the fit fast and the penalty fair.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <exception cref="ArgumentException">
    /// There are no pairs; an option is out of range; the features of an answer are not finite, too large, or more or fewer than another's;
    /// or features differ so much in size that the fit ends elsewhere than at the best weights. The message names the pair or the feature.
    /// </exception>
    public static LinearRewardModel Fit(IReadOnlyList<PreferencePair> pairs, Func<Candidate, float[]> features, LinearRewardOptions? options = null)
    {
        options ??= new LinearRewardOptions();
        options.Validate();
        BradleyTerry.RequireSome(pairs);
        float[][] better = [.. pairs.Select(pair => features(pair.Better))], worse = [.. pairs.Select(pair => features(pair.Worse))];
        int count = better[0].Length;
        Require.AtLeast(count, 1, "the number of features");
        var rows = new List<Row>(2 * pairs.Count);
        for (int i = 0; i < pairs.Count; i++)
        {
            RequireFeatures(better[i], count, $"the preferred answer of pair {i}");
            RequireFeatures(worse[i], count, $"the rejected answer of pair {i}");
            rows.Add(Row.Of(better[i], worse[i], label: true));
            rows.Add(Row.Of(worse[i], better[i], label: false));
        }

        LinearBinaryModelParameters fitted = Regress(rows, count, options);
        double[] chosen = [.. better.Select(x => Reward(fitted.Weights, x))], rejected = [.. worse.Select(x => Reward(fitted.Weights, x))];
        RequireBest(fitted.Weights, rows, [.. chosen.Zip(rejected, (c, r) => c - r)], options);
        return new LinearRewardModel(features, [.. fitted.Weights], fitted.Bias) { TrainingAgreement = BradleyTerry.Agreement(chosen, rejected) };
    }

    /// <summary>One score for every answer, in their order; NaN where a feature is not finite.</summary>
    /// <exception cref="ArgumentException">An answer has more or fewer features than there are weights.</exception>
    public IReadOnlyList<double> Score(IReadOnlyList<Candidate> candidates) => [.. candidates.Select(candidate =>
    {
        float[] features = _features(candidate);
        Require.That(features.Length == Weights.Count, $"the number of features of '{candidate.Text}'", features.Length, $"{Weights.Count}, as in the fit");
        double reward = Reward(Weights, features);
        return double.IsFinite(reward) ? reward : double.NaN;
    })];

    /// <inheritdoc/>
    public Task<IReadOnlyList<double>> ScoreAsync(IReadOnlyList<Candidate> candidates, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        return Task.FromResult(Score(candidates));
    }

    /// <summary>Share of the pairs that it ranks as they are labelled; a tie counts half.</summary>
    /// <exception cref="ArgumentException">There are no pairs.</exception>
    public double Agreement(IReadOnlyList<PreferencePair> pairs)
    {
        BradleyTerry.RequireSome(pairs);
        return BradleyTerry.Agreement(Score([.. pairs.Select(pair => pair.Better)]), Score([.. pairs.Select(pair => pair.Worse)]));
    }

    private static LinearBinaryModelParameters Regress(List<Row> rows, int count, LinearRewardOptions options)
    {
        var schema = SchemaDefinition.Create(typeof(Row));
        schema[nameof(Row.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, count);
        var ml = new MLContext(seed: 0); // nothing is drawn, but a context without a seed would take one from the clock
        return ml.BinaryClassification.Trainers.LbfgsLogisticRegression(new LbfgsLogisticRegressionBinaryTrainer.Options
        {
            L1Regularization = 0,
            L2Regularization = (float)(2 * options.L2), // each pair is there twice
            NumberOfThreads = 1,
        }).Fit(ml.Data.LoadFromEnumerable(rows, schema)).Model.SubModel;
    }

    // At the best θ, Σ σ(−θᵀd) d = λθ over the pairs' differences d. L-BFGS ends where the loss no longer falls by much, and with features of
    // very different sizes that is long before the small ones have their weights.
    private static void RequireBest(IReadOnlyList<float> weights, List<Row> rows, double[] margins, LinearRewardOptions options)
    {
        for (int i = 0; i < weights.Count; i++)
        {
            double pull = -options.L2 * weights[i], all = 0;
            for (int pair = 0; pair < margins.Length; pair++)
            {
                double part = rows[2 * pair].Features[i] / (1 + Math.Exp(margins[pair]));
                (pull, all) = (pull + part, all + Math.Abs(part));
            }

            Require.That(
                Math.Abs(pull) <= StillPulled * all, $"the gradient that the fit left at feature {i}", $"{Math.Abs(pull) / all:P1} of its parts", $"up to {StillPulled:P0}; give features of a like size, near 1, or a smaller L2 (it is {options.L2})");
        }
    }

    private static void RequireFeatures(float[] features, int count, string whose)
    {
        Require.That(features.Length == count, $"the number of features of {whose}", features.Length, $"{count}, as of pair 0");
        int bad = Array.FindIndex(features, feature => !(Math.Abs(feature) <= Largest));
        Require.That(bad < 0, $"feature {bad} of {whose}", bad < 0 ? null : features[bad], $"finite numbers, up to {Largest} in size");
    }

    private static double Reward(IReadOnlyList<float> weights, float[] features)
    {
        double sum = 0;
        for (int i = 0; i < features.Length; i++)
        {
            sum += (double)weights[i] * features[i];
        }

        return sum;
    }

    // The names are those that the trainer looks for.
    private sealed class Row
    {
        public required bool Label { get; init; }

        public required float[] Features { get; init; }

        public static Row Of(float[] one, float[] other, bool label)
        {
            float[] difference = new float[one.Length];
            for (int i = 0; i < difference.Length; i++)
            {
                difference[i] = one[i] - other[i];
            }

            return new Row { Label = label, Features = difference };
        }
    }
}
