// Laws that say from runs of small models how a task's accuracy or loss depends on the mixture: with r the share of one of two domains,
// N the model's size and ε the noise of that domain. One law is fitted to one task.
//
// Linear least squares, here and in ExponentialMixingLaw, is MathNet's QR decomposition: ML.NET's own least squares needs Intel's MKL,
// which is not there on every platform.

using MathNet.Numerics;
using MathNet.Numerics.LinearAlgebra;
using MathNet.Numerics.LinearAlgebra.Factorization;

namespace PaperLab.Evaluation.Mixing;

/// <summary>Predicts a task's value.</summary>
public interface IMixingLaw
{
    /// <summary>As tables and charts call it.</summary>
    string Name { get; }

    /// <summary>The value expected, in the unit of the observations.</summary>
    /// <param name="parameters">N, above 0.</param>
    /// <param name="ratio">r, 0 to 1.</param>
    /// <param name="noise">ε.</param>
    double Predict(double parameters, double ratio, double noise = 0);
}

/// <summary>
/// y = β₀ + β₁r + β₂r² + (β₃ + β₄r + β₅r²)·n + (β₆ + β₇r)·ε with n = ln(N/N₀), N₀ the geometric mean of the sizes of the fit. Terms with n
/// or ε are left out where the fit has one size or one noise. The optimum over r may lie inside, and moves with size and noise.
/// Differs from RegMix (arXiv 2407.01492), whose linear regression has the shares alone: with two domains that is a line in r, whose
/// optimum is always at an end.
/// </summary>
public sealed class LinearMixingLaw : IMixingLaw
{
    private readonly IReadOnlyList<Term> _terms;
    private readonly double _meanLogSize;

    private LinearMixingLaw(IReadOnlyList<Term> terms, double meanLogSize, IReadOnlyList<double> coefficients)
    {
        (_terms, _meanLogSize) = (terms, meanLogSize);
        Coefficients = [.. terms.Zip(coefficients, (term, coefficient) => (term.Name, coefficient))];
    }

    /// <inheritdoc/>
    public string Name => "linear";

    /// <summary>β of each term.</summary>
    public IReadOnlyList<(string Term, double Value)> Coefficients { get; }

    /// <summary>Fits β by least squares.</summary>
    /// <param name="observations">Of one task: three ratios or more, and more observations than terms.</param>
    /// <exception cref="ArgumentException">An observation is not usable, or they do not determine the terms.</exception>
    public static LinearMixingLaw Fit(IReadOnlyList<MixingObservation> observations)
    {
        MixingObservation.RequireUsable(observations);
        double meanLogSize = MixingFit.MeanLogSize(observations);
        Term[] terms =
        [
            new("1", (r, n, e) => 1),
            new("r", (r, n, e) => r),
            new("r²", (r, n, e) => r * r),
            .. MixingFit.SizesDiffer(observations) ? [new Term("n", (r, n, e) => n), new("r·n", (r, n, e) => r * n), new("r²·n", (r, n, e) => r * r * n)] : Array.Empty<Term>(),
            .. MixingFit.NoiseDiffers(observations) ? [new Term("ε", (r, n, e) => e), new("r·ε", (r, n, e) => r * e)] : Array.Empty<Term>(),
        ];
        double[][] rows = [.. observations.Select(observation => ValuesOf(terms, observation.Parameters, observation.Ratio, observation.Noise, meanLogSize))];
        (double[] coefficients, _) = MixingFit.LeastSquares(rows, [.. observations.Select(observation => observation.Value)], [.. terms.Select(term => term.Name)]);
        return new LinearMixingLaw(terms, meanLogSize, coefficients);
    }

    /// <inheritdoc/>
    public double Predict(double parameters, double ratio, double noise = 0) =>
        ValuesOf(_terms, parameters, ratio, noise, _meanLogSize).Zip(Coefficients, (value, coefficient) => value * coefficient.Value).Sum();

    private static double[] ValuesOf(IReadOnlyList<Term> terms, double parameters, double ratio, double noise, double meanLogSize) =>
        [.. terms.Select(term => term.Of(ratio, Math.Log(parameters) - meanLogSize, noise))];

    private sealed record Term(string Name, Func<double, double, double, double> Of);
}

/// <summary>
/// y = Σ wᵢyᵢ over laws of several tasks. With a falling exponential for each language's loss in its own share, the sum is what can have its
/// least value inside.
/// </summary>
/// <param name="name">As tables and charts call it.</param>
/// <param name="parts">The laws and their weights.</param>
public sealed class WeightedMixingLaw(string name, IReadOnlyList<(IMixingLaw Law, double Weight)> parts) : IMixingLaw
{
    /// <inheritdoc/>
    public string Name => name;

    /// <inheritdoc/>
    public double Predict(double parameters, double ratio, double noise = 0) => parts.Sum(part => part.Weight * part.Law.Predict(parameters, ratio, noise));
}

/// <summary>What fits share.</summary>
internal static class MixingFit
{
    private const double Determined = 1e-10; // rounding alone leaves 1e-16 of a column that the others determine

    // Some dozens of rows and a handful of columns, solved a thousand times: to hand them to other threads takes longer than to solve them.
    static MixingFit() => Control.UseSingleThread();

    public static double MeanLogSize(IReadOnlyList<MixingObservation> observations) => observations.Average(observation => Math.Log(observation.Parameters));

    public static bool SizesDiffer(IReadOnlyList<MixingObservation> observations) => observations.Any(observation => observation.Parameters != observations[0].Parameters);

    public static bool NoiseDiffers(IReadOnlyList<MixingObservation> observations) => observations.Any(observation => observation.Noise != observations[0].Noise);

    /// <summary>The coefficients for which Σ (row·β − y)² is least, and that sum.</summary>
    /// <exception cref="ArgumentException">Rows are too few, or say too little, to determine them.</exception>
    public static (double[] Coefficients, double SquaredError) LeastSquares(double[][] rows, double[] values, IReadOnlyList<string> terms)
    {
        Require.That(rows.Length > terms.Count, "the number of observations", rows.Length, $"more than the {terms.Count} terms {string.Join(", ", terms)}");
        Matrix<double> x = Matrix<double>.Build.DenseOfRowArrays(rows);
        Vector<double> y = Vector<double>.Build.Dense(values);
        QR<double> qr = x.QR();
        for (int i = 0; i < terms.Count; i++)
        {
            // What is left of a column when the columns before it are taken out.
            if (Math.Abs(qr.R[i, i]) <= Determined * x.Column(i).L2Norm())
            {
                throw new ArgumentException($"The term {terms[i]} is not determined: in all observations it follows from {string.Join(", ", terms.Take(i))}. Measure three ratios or more at each size, and two or more at each noise.", nameof(rows));
            }
        }

        Vector<double> coefficients = qr.Solve(y);
        Vector<double> left = (x * coefficients) - y;
        return (coefficients.ToArray(), left.DotProduct(left));
    }
}
