// The named data that charts draw: values, optionally with an interval around each.

using PaperLab.Evaluation;

namespace PaperLab.Display;

/// <summary>How a series is drawn.</summary>
public enum Mark
{
    /// <summary>As the chart it is put into draws its series.</summary>
    Auto,
    Line,
    Points,
    LineWithPoints,
    Bar,
}

/// <summary>One named series. Values that are not finite are gaps, never zeros.</summary>
public sealed record Series
{
    /// <summary>The name in the legend. The same name has the same colour in every panel of a figure.</summary>
    public required string Name { get; init; }

    /// <summary>Positions along x; for bars, the index of the category.</summary>
    public required IReadOnlyList<double> X { get; init; }

    /// <summary>Values, as many as <see cref="X"/>.</summary>
    public required IReadOnlyList<double> Y { get; init; }

    /// <summary>Lower ends of the intervals; null when there are none.</summary>
    public IReadOnlyList<double>? Low { get; init; }

    /// <summary>Upper ends of the intervals; null when there are none.</summary>
    public IReadOnlyList<double>? High { get; init; }

    /// <summary>How the series is drawn.</summary>
    public Mark Mark { get; init; }

    /// <summary>Draws the line dashed.</summary>
    public bool Dashed { get; init; }

    /// <summary>A colour as #rrggbb; null takes the next one of <see cref="Palette.Categories"/>.</summary>
    public string? Color { get; init; }

    /// <summary>A series of (x, y) points.</summary>
    public static Series Of(string name, IEnumerable<double> x, IEnumerable<double> y) => new() { Name = name, X = [.. x], Y = [.. y] };

    /// <summary>A series at x = 0, 1, 2, …; for bars, one value for each category.</summary>
    public static Series Of(string name, IEnumerable<double> y)
    {
        double[] values = [.. y];
        return Of(name, Positions(values.Length), values);
    }

    /// <summary>A series of interval estimates at <paramref name="x"/>: drawn with a band, or with error bars.</summary>
    public static Series Of(string name, IEnumerable<double> x, IEnumerable<Interval> estimates)
    {
        Interval[] intervals = [.. estimates];
        return Of(name, x, intervals.Select(interval => interval.Estimate)).WithBand(intervals.Select(interval => interval.Low), intervals.Select(interval => interval.High));
    }

    /// <summary>One interval estimate for each category.</summary>
    public static Series Of(string name, IEnumerable<Interval> estimates)
    {
        Interval[] intervals = [.. estimates];
        return Of(name, Positions(intervals.Length), intervals);
    }

    /// <summary>The mean over runs (seeds) at each x, with its 95 % t interval where there are at least two runs.</summary>
    /// <param name="name">Name in the legend.</param>
    /// <param name="x">Positions, shared by the runs.</param>
    /// <param name="runs">One list of values for each run, each as long as <paramref name="x"/>.</param>
    /// <exception cref="ArgumentException">There are no runs, or one differs in length from <paramref name="x"/>.</exception>
    public static Series OfRuns(string name, IEnumerable<double> x, IEnumerable<IEnumerable<double>> runs)
    {
        double[] positions = [.. x];
        double[][] values = [.. runs.Select(run => run.ToArray())];
        if (values.Length == 0)
        {
            throw new ArgumentException($"Series \"{name}\" has no runs to average.", nameof(runs));
        }

        if (Array.FindIndex(values, run => run.Length != positions.Length) is var bad and >= 0)
        {
            throw new ArgumentException($"Series \"{name}\": run {bad} has {values[bad].Length} values; x has {positions.Length}.", nameof(runs));
        }

        return values.Length == 1
            ? Of(name, positions, values[0])
            : Of(name, positions, positions.Select((_, i) => MeanAcross(values.Select(run => run[i]))));
    }

    /// <summary>The same series with an interval around each value: a band for lines, error bars for points and bars.</summary>
    public Series WithBand(IEnumerable<double> low, IEnumerable<double> high) => this with { Low = [.. low], High = [.. high] };

    /// <summary>Drawn as a dashed line.</summary>
    public Series AsDashed() => this with { Dashed = true };

    /// <summary>Drawn as a line.</summary>
    public Series AsLine() => this with { Mark = Mark.Line };

    /// <summary>Drawn as points.</summary>
    public Series AsPoints() => this with { Mark = Mark.Points };

    /// <summary>Drawn as a line with a point at each value.</summary>
    public Series AsLineWithPoints() => this with { Mark = Mark.LineWithPoints };

    /// <summary>Drawn in a colour of the caller's choice, #rrggbb; see <see cref="Palette"/>.</summary>
    public Series InColor(string color) => this with { Color = color };

    private static double[] Positions(int count) => [.. Enumerable.Range(0, count).Select(i => (double)i)];

    // A run that diverged leaves a gap: an average over the survivors would flatter it.
    private static Interval MeanAcross(IEnumerable<double> values)
    {
        double[] sample = [.. values];
        return sample.All(double.IsFinite)
            ? Interval.OfMean(sample)
            : new Interval(double.NaN, double.NaN, double.NaN, sample.Length);
    }
}
