// RegMix (arXiv 2407.01492): gradient-boosted trees, LightGBM, from the mixture to the task's value. RegMix fits hundreds of runs of one
// small size and takes the best mixture for the large model, for the ranks of mixtures hardly depend on size. Trees see sizes only as far
// as the fit has them: any larger size gets what the largest got, which is the same assumption.
//
// Differs from the paper's code (1000 trees at a learning rate of 0.01, stopped early on held-out runs; leaves of 20 runs or more): the
// defaults here are for some dozens of runs.

using System.Runtime.InteropServices;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers.LightGbm;

namespace PaperLab.Evaluation.Mixing;

/// <summary>How trees are grown.</summary>
public sealed record TreeMixingOptions
{
    /// <summary>Number of trees.</summary>
    public int Trees { get; init; } = 200;

    /// <summary>How much of what is left each tree explains.</summary>
    public double LearningRate { get; init; } = 0.05;

    /// <summary>Leaves of a tree.</summary>
    public int Leaves { get; init; } = 8;

    /// <summary>Least observations of a leaf: about as many as there are seeds.</summary>
    public int LeafObservations { get; init; } = 5;

    /// <summary>Throws with the field, its value and the allowed range.</summary>
    /// <exception cref="ArgumentException">A field is out of range.</exception>
    public void Validate()
    {
        Require.AtLeast(Trees, 1, nameof(Trees));
        Require.That(LearningRate is > 0 and <= 1, nameof(LearningRate), LearningRate, "above 0, up to 1");
        Require.AtLeast(Leaves, 2, nameof(Leaves));
        Require.AtLeast(LeafObservations, 1, nameof(LeafObservations));
    }
}

/// <summary>Boosted trees over r, ln N and ε. One thread, nothing drawn: equal observations in equal order give equal trees. Not for several threads at once.</summary>
public sealed class TreeMixingLaw : IMixingLaw
{
    private readonly PredictionEngine<Row, Prediction> _engine;

    private TreeMixingLaw(PredictionEngine<Row, Prediction> engine) => _engine = engine;

    /// <inheritdoc/>
    public string Name => "trees";

    /// <summary>Whether LightGBM's native library loads on this machine.</summary>
    public static bool IsAvailable => NativeLibrary.TryLoad("lib_lightgbm", typeof(LightGbmRegressionTrainer).Assembly, searchPath: null, out _);

    /// <summary>Grows the trees.</summary>
    /// <param name="observations">Of one task: three ratios or more, and at least as many observations as two leaves need.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of range, an observation is not usable, or there are too few.</exception>
    /// <exception cref="PlatformNotSupportedException">LightGBM's native library does not load; the message says what it needs.</exception>
    public static TreeMixingLaw Fit(IReadOnlyList<MixingObservation> observations, TreeMixingOptions? options = null)
    {
        options ??= new TreeMixingOptions();
        options.Validate();
        MixingObservation.RequireUsable(observations);
        Require.AtLeast(observations.Count, 2 * options.LeafObservations, $"the number of observations, for two leaves of {options.LeafObservations},");
        var ml = new MLContext(seed: 0); // nothing is drawn, but a context without a seed would take one from the clock
        var trainer = ml.Regression.Trainers.LightGbm(new LightGbmRegressionTrainer.Options
        {
            NumberOfIterations = options.Trees,
            LearningRate = options.LearningRate,
            NumberOfLeaves = options.Leaves,
            MinimumExampleCountPerLeaf = options.LeafObservations,
            NumberOfThreads = 1,
            Deterministic = true,
            Seed = 0,
        });
        IEnumerable<Row> rows = observations.Select(observation => Row.Of(observation.Parameters, observation.Ratio, observation.Noise, observation.Value));
        try
        {
            return new TreeMixingLaw(ml.Model.CreatePredictionEngine<Row, Prediction>(trainer.Fit(ml.Data.LoadFromEnumerable(rows))));
        }
        catch (DllNotFoundException error)
        {
            throw new PlatformNotSupportedException(
                $"LightGBM's native library does not load: {error.Message} Its package has one for 64-bit Intel processors under Linux, Windows and macOS; under Linux it needs libgomp.so.1 (apt-get install libgomp1). {nameof(LinearMixingLaw)} runs everywhere.", error);
        }
    }

    /// <inheritdoc/>
    public double Predict(double parameters, double ratio, double noise = 0) => _engine.Predict(Row.Of(parameters, ratio, noise, 0)).Score;

    // The names are those that the trainer looks for.
    private sealed class Row
    {
        [VectorType(3)]
        public float[] Features { get; set; } = [];

        public float Label { get; set; }

        public static Row Of(double parameters, double ratio, double noise, double value) => new() { Features = [(float)ratio, (float)Math.Log(parameters), (float)noise], Label = (float)value };
    }

    private sealed class Prediction
    {
        public float Score { get; set; }
    }
}
