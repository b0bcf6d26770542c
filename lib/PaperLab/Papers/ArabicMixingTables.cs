// What the paper (arXiv 2501.09825) measured: accuracy on Arabic questions, in per cent, by the share of Arabic in the fine-tuning data.
// Each number is one run.

namespace PaperLab.Papers;

/// <summary>A model on a benchmark.</summary>
/// <param name="Model">The model.</param>
/// <param name="Benchmark">The benchmark, translated into Arabic.</param>
/// <param name="Questions">Questions of the benchmark's test.</param>
/// <param name="Baseline">Accuracy before fine-tuning, 0 to 1.</param>
/// <param name="Points">Accuracy by share of Arabic, by rising share.</param>
public sealed record PublishedMixing(string Model, string Benchmark, int Questions, double Baseline, IReadOnlyList<(double Ratio, double Accuracy)> Points)
{
    /// <summary>The share with the highest accuracy.</summary>
    public double Best => Points.MaxBy(point => point.Accuracy).Ratio;

    /// <summary>The accuracy at a share of the table.</summary>
    public double At(double ratio) => Points.First(point => point.Ratio == ratio).Accuracy;

    /// <summary>The standard error that so many questions leave a single run, at its best share.</summary>
    public double StandardError => Math.Sqrt(Points.Max(point => point.Accuracy * (1 - point.Accuracy)) / Questions);
}

/// <summary>The paper's tables.</summary>
public static class ArabicMixingTables
{
    public const string Small = "Llama-3.1-8B", Large = "Llama-3.1-70B";

    private static readonly string[] s_benchmarks = ["PubMedQA", "MedMCQA", "MedQA", "MMLU medical"];

    // Sizes of the public test sets; of MMLU the six medical subjects.
    private static readonly int[] s_questions = [500, 4183, 1273, 1089];

    private static readonly double[] s_smallRatios = [0, 0.2, 0.4, 0.5, 0.6, 0.8, 1], s_largeRatios = [0, 0.5, 1];

    /// <summary>All models and benchmarks.</summary>
    public static IReadOnlyList<PublishedMixing> All { get; } =
    [
        .. Rows(Small, [34.4, 32.2, 27.3, 39.8], s_smallRatios,
        [
            [61.2, 53.8, 53.8, 61.2, 63.0, 68.0, 71.2],
            [34.7, 33.4, 33.4, 34.7, 32.9, 35.1, 32.2],
            [29.5, 28.7, 29.8, 29.5, 28.3, 27.5, 27.5],
            [42.4, 42.0, 42.0, 42.3, 40.9, 40.2, 40.4],
        ]),
        .. Rows(Large, [51.8, 41.6, 48.2, 55.8], s_largeRatios,
        [
            [48.6, 55.0, 76.8],
            [47.5, 50.5, 51.7],
            [48.6, 50.9, 53.3],
            [61.9, 59.3, 67.3],
        ]),
    ];

    private static IEnumerable<PublishedMixing> Rows(string model, double[] baselines, double[] ratios, double[][] accuracies) =>
        s_benchmarks.Select((benchmark, i) => new PublishedMixing(
            model, benchmark, s_questions[i], baselines[i] / 100, [.. ratios.Zip(accuracies[i], (ratio, accuracy) => (ratio, accuracy / 100))]));
}
