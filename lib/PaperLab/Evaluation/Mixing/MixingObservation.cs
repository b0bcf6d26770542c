// What was measured with which mixture: the data that a mixing law is fitted to and judged by.

namespace PaperLab.Evaluation.Mixing;

/// <summary>One trained model, measured on one task.</summary>
/// <param name="Parameters">N: the model's size, above 0.</param>
/// <param name="Ratio">r: the share of one of two domains in training, such as Arabic, 0 to 1.</param>
/// <param name="Noise">ε: how noisy that domain was, such as the error rate of its translation, 0 to 1; 0 where there is no such arm.</param>
/// <param name="Task">What was measured.</param>
/// <param name="Value">Accuracy or loss.</param>
/// <param name="Seed">Models of one seed are compared with each other.</param>
public sealed record MixingObservation(double Parameters, double Ratio, double Noise, string Task, double Value, int Seed)
{
    /// <summary>The weighted sum of several tasks as a task of its own: what <see cref="WeightedMixingLaw"/> predicts.</summary>
    /// <param name="observations">For every model as many observations as there are weights.</param>
    /// <param name="weights">The weight of each task.</param>
    /// <param name="task">The sum's name.</param>
    /// <exception cref="ArgumentException">A model was not measured on all tasks, or on one twice.</exception>
    public static IReadOnlyList<MixingObservation> WeightedSum(IReadOnlyList<MixingObservation> observations, IReadOnlyDictionary<string, double> weights, string task)
    {
        Require.AtLeast(weights.Count, 1, "the number of weights");
        string tasks = string.Join(", ", weights.Keys.Order(StringComparer.Ordinal));
        return [.. observations
            .Where(observation => weights.ContainsKey(observation.Task))
            .GroupBy(observation => (observation.Parameters, observation.Ratio, observation.Noise, observation.Seed))
            .Select(model =>
            {
                string measured = string.Join(", ", model.Select(observation => observation.Task).Order(StringComparer.Ordinal));
                Require.That(measured == tasks, $"what the model of {model.First().Named} was measured on", measured, tasks);
                return model.First() with { Task = task, Value = model.Sum(observation => weights[observation.Task] * observation.Value) };
            })];
    }

    private string Named => $"size {Parameters}, ratio {Ratio}, noise {Noise} and seed {Seed}";

    /// <summary>Throws unless these are observations of one task that a law can be fitted to or judged by.</summary>
    internal static void RequireUsable(IReadOnlyList<MixingObservation> observations)
    {
        Require.AtLeast(observations.Count, 1, "the number of observations");
        string[] tasks = [.. observations.Select(observation => observation.Task).Distinct()];
        Require.That(tasks.Length == 1, "the number of tasks", $"{tasks.Length} ({string.Join(", ", tasks)})", "1; take each task, or their WeightedSum, by itself");
        var seen = new HashSet<(double, double, double, int)>();
        foreach (MixingObservation observation in observations)
        {
            (double size, double ratio, double noise, string _, double value, int seed) = observation;
            Require.That(size > 0 && double.IsFinite(size), nameof(Parameters), size, "above 0");
            Require.That(ratio is >= 0 and <= 1, nameof(Ratio), ratio, "0 to 1");
            Require.That(noise is >= 0 and <= 1, nameof(Noise), noise, "0 to 1");
            Require.That(double.IsFinite(value), $"the value measured with {observation.Named}", value, "finite numbers; report a run that diverged, and leave it out here");
            Require.That(seen.Add((size, ratio, noise, seed)), $"the number of observations with {observation.Named}", "2 or more", "1");
        }

        int ratios = observations.Select(observation => observation.Ratio).Distinct().Count();
        Require.That(ratios >= 3, "the number of different ratios", ratios, "3 or more: two points show no optimum between them");
    }
}
