// The data mixing law of Ye et al. (arXiv 2403.16952): Lᵢ(r) = cᵢ + kᵢ·exp(Σⱼ tᵢⱼrⱼ) over the shares rⱼ of the domains. With two domains,
// r₂ = 1 − r₁, and one share is left: L(r) = c + k·exp(t·r). Its derivative k·t·exp(t·r) never changes sign, so one task's law has its
// optimum at an end; see WeightedMixingLaw for several.
//
// Differs from the paper: there the law is fitted at one size, to losses that a power law in size and one in steps predicted for each
// mixture. Here size and noise only add to it, b·ln(N/N₀) + d·ε, so that the best ratio is the same for every size: RegMix's rank
// invariance (arXiv 2407.01492). And the fit minimises squares, not Huber's loss.

namespace PaperLab.Evaluation.Mixing;

/// <summary>L = c + k·exp(t·r) + b·ln(N/N₀) + d·ε, N₀ the geometric mean of the sizes of the fit; for losses, and fair for accuracies far from chance and from 1.</summary>
public sealed class ExponentialMixingLaw : IMixingLaw
{
    // exp(20·r) grows e-fold within a twentieth of the range: steeper cannot be told from a step. Below the least, it is a line.
    private const double Steepest = 20;
    private const double Least = 1e-6;

    private readonly double _meanLogSize;
    private readonly double _slope; // k·t
    private readonly double _atZero; // c + k
    private readonly double _size;
    private readonly double _noise;

    private ExponentialMixingLaw(double meanLogSize, double t, double atZero, double slope, double size, double noise) =>
        (_meanLogSize, T, _atZero, _slope, _size, _noise) = (meanLogSize, t, atZero, slope, size, noise);

    /// <inheritdoc/>
    public string Name => "exponential";

    /// <summary>t; from −20 to 20.</summary>
    public double T { get; }

    /// <summary>k. Where the data are nearly a line, k and c are large and cancel.</summary>
    public double K => _slope / T;

    /// <summary>c.</summary>
    public double C => _atZero - K;

    /// <summary>
    /// Fits by nonlinear least squares. For a given t the law is linear in the rest, so only t is searched: variable projection (Golub and
    /// Pereyra 1973), on ever finer grids. No start value, no draw.
    /// </summary>
    /// <param name="observations">Of one task: three ratios or more, and more observations than the law has numbers.</param>
    /// <exception cref="ArgumentException">An observation is not usable, or they do not determine the law.</exception>
    public static ExponentialMixingLaw Fit(IReadOnlyList<MixingObservation> observations)
    {
        MixingObservation.RequireUsable(observations);
        double meanLogSize = MixingFit.MeanLogSize(observations);
        bool withSize = MixingFit.SizesDiffer(observations), withNoise = MixingFit.NoiseDiffers(observations);
        string[] terms = ["c + k", "k·t", .. withSize ? ["b"] : Array.Empty<string>(), .. withNoise ? ["d"] : Array.Empty<string>()];
        Require.That(observations.Count > terms.Length + 1, "the number of observations", observations.Count, $"{terms.Length + 2} or more: the law has {terms.Length + 1} numbers");
        double[] values = [.. observations.Select(observation => observation.Value)];
        (double[] Coefficients, double SquaredError) At(double t) => MixingFit.LeastSquares(
            [.. observations.Select(observation => (double[])
            [
                1,
                Curve(t, observation.Ratio),
                .. withSize ? [Math.Log(observation.Parameters) - meanLogSize] : Array.Empty<double>(),
                .. withNoise ? [observation.Noise] : Array.Empty<double>(),
            ])],
            values, terms);

        double best = 0;
        for (double reach = Steepest; reach > Least; reach /= 10)
        {
            best = Enumerable.Range(-80, 161).Select(i => Math.Clamp(best + (reach * i / 80), -Steepest, Steepest)).MinBy(t => At(t).SquaredError);
        }

        best = NotZero(best);
        double[] fitted = At(best).Coefficients;
        return new ExponentialMixingLaw(meanLogSize, best, fitted[0], fitted[1], withSize ? fitted[2] : 0, withNoise ? fitted[^1] : 0);
    }

    /// <inheritdoc/>
    public double Predict(double parameters, double ratio, double noise = 0) =>
        _atZero + (_slope * Curve(T, ratio)) + (_size * (Math.Log(parameters) - _meanLogSize)) + (_noise * noise);

    // (exp(t·r) − 1)/t in place of exp(t·r): as t goes to 0 it becomes r, where exp(t·r) could no longer be told from the constant.
    private static double Curve(double t, double ratio) => (Math.Exp(NotZero(t) * ratio) - 1) / NotZero(t);

    private static double NotZero(double t) => Math.Abs(t) < Least ? Least : t;
}
