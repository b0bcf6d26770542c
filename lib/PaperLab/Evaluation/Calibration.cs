// Whether a model is right as often as it says: reliability curve and expected calibration error (Guo et al., arXiv 1706.04599,
// equations 1 to 3), Brier score (Brier, "Verification of forecasts expressed in terms of probability", 1950).

namespace PaperLab.Evaluation;

/// <summary>How predictions are put into bins by their confidence.</summary>
public enum ConfidenceBinning
{
    /// <summary>Bin m of M holds the confidences in ((m − 1)/M, m/M], and 0 belongs to the first.</summary>
    EqualWidth,

    /// <summary>Bins of as many predictions each as equal confidences allow: those stay together, so the order of predictions has no say.</summary>
    EqualMass,
}

/// <summary>Predictions of like confidence.</summary>
/// <param name="MeanConfidence">conf(B).</param>
/// <param name="Accuracy">acc(B): the share that was right.</param>
/// <param name="Count">|B|, 1 or more.</param>
public sealed record ReliabilityBin(double MeanConfidence, double Accuracy, int Count);

/// <summary>Measures of calibration.</summary>
public static class Calibration
{
    /// <summary>Accuracy by confidence, the lowest confidence first; bins without predictions are left out.</summary>
    /// <param name="confidences">Probability of each prediction, 0 to 1.</param>
    /// <param name="correct">Whether it was right.</param>
    /// <param name="bins">M; 15 in the paper's experiments.</param>
    /// <param name="binning">How predictions are put into bins.</param>
    /// <exception cref="ArgumentException">The lists differ in length or are empty, or a confidence is no probability.</exception>
    public static IReadOnlyList<ReliabilityBin> ReliabilityCurve(
        IReadOnlyList<double> confidences, IReadOnlyList<bool> correct, int bins = 15, ConfidenceBinning binning = ConfidenceBinning.EqualWidth)
    {
        Require.AtLeast(bins, 1, nameof(bins));
        RequireProbabilities(confidences, correct.Count, nameof(correct));
        (double Confidence, bool Correct)[] sorted = [.. confidences.Zip(correct).OrderBy(prediction => prediction.First)];
        var binOf = new int[sorted.Length];
        int first = 0; // of those with the same confidence
        for (int i = 0; i < sorted.Length; i++)
        {
            first = sorted[i].Confidence == sorted[first].Confidence ? first : i;
            binOf[i] = binning switch
            {
                ConfidenceBinning.EqualWidth => Enumerable.Range(0, bins).First(bin => sorted[i].Confidence <= (bin + 1.0) / bins),
                ConfidenceBinning.EqualMass => (int)((long)first * bins / sorted.Length),
                _ => throw new ArgumentOutOfRangeException(nameof(binning), binning, null),
            };
        }

        return [.. sorted.Zip(binOf).GroupBy(pair => pair.Second, pair => pair.First).Select(bin => new ReliabilityBin(
            bin.Average(prediction => prediction.Confidence), bin.Average(prediction => prediction.Correct ? 1.0 : 0.0), bin.Count()))];
    }

    /// <summary>ECE = Σ |B|/n · |acc(B) − conf(B)| over the bins of a reliability curve: 0 at best, 1 at worst.</summary>
    public static double ExpectedError(IReadOnlyList<ReliabilityBin> curve)
    {
        Require.AtLeast(curve.Count, 1, "the number of bins");
        return curve.Sum(bin => bin.Count * Math.Abs(bin.Accuracy - bin.MeanConfidence)) / curve.Sum(bin => bin.Count);
    }

    /// <summary>Brier score of yes-or-no predictions: the mean of (p − y)², y being 1 for yes; 0 at best, 1 at worst, half of what <see cref="BrierScore(IReadOnlyList{IReadOnlyList{double}}, IReadOnlyList{int})"/> gives for the same as two classes.</summary>
    /// <param name="probabilities">Probability of yes.</param>
    /// <param name="outcomes">What was so.</param>
    /// <exception cref="ArgumentException">The lists differ in length or are empty, or a number is no probability.</exception>
    public static double BrierScore(IReadOnlyList<double> probabilities, IReadOnlyList<bool> outcomes)
    {
        RequireProbabilities(probabilities, outcomes.Count, nameof(outcomes));
        return probabilities.Zip(outcomes, (p, outcome) => Square(p - (outcome ? 1 : 0))).Average();
    }

    /// <summary>Brier score of predictions among classes: the mean of Σₖ (pₖ − yₖ)², y being 1 for the right class and 0 for others; 0 at best, 2 at worst.</summary>
    /// <param name="probabilities">Of each prediction the probability of every class.</param>
    /// <param name="answers">Index of its right class.</param>
    /// <exception cref="ArgumentException">The lists differ in length or are empty, probabilities do not sum to 1, or an answer is no class.</exception>
    public static double BrierScore(IReadOnlyList<IReadOnlyList<double>> probabilities, IReadOnlyList<int> answers)
    {
        RequireAsMany(probabilities.Count, answers.Count, nameof(answers));
        for (int i = 0; i < answers.Count; i++)
        {
            double sum = probabilities[i].Sum();
            Require.That(Math.Abs(sum - 1) < 1e-4 && probabilities[i].All(p => p >= 0), $"the sum of the probabilities of prediction {i}", sum, "1, of numbers from 0");
            Require.That(answers[i] >= 0 && answers[i] < probabilities[i].Count, $"the answer of prediction {i}", answers[i], $"0 to {probabilities[i].Count - 1}");
        }

        return probabilities.Zip(answers, (classes, answer) => classes.Select((p, k) => Square(p - (k == answer ? 1 : 0))).Sum()).Average();
    }

    private static double Square(double x) => x * x;

    private static void RequireProbabilities(IReadOnlyList<double> probabilities, int others, string ofOthers)
    {
        RequireAsMany(probabilities.Count, others, ofOthers);
        for (int i = 0; i < probabilities.Count; i++)
        {
            Require.That(probabilities[i] is >= 0 and <= 1, $"the probability of prediction {i}", probabilities[i], "0 to 1");
        }
    }

    private static void RequireAsMany(int predictions, int others, string ofOthers)
    {
        Require.AtLeast(predictions, 1, "the number of predictions");
        Require.That(others == predictions, $"the number of {ofOthers}", others, $"{predictions}, one for each prediction");
    }
}
