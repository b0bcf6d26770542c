// The parts of a figure: panels, heatmap cells and reference lines. Plain data; Chart builds them and the renderers read them.

namespace PaperLab.Display;

/// <summary>A straight line across a panel at a value that matters: chance level, the paper's number, a diagonal is not one of them.</summary>
/// <param name="Value">Where it lies on its axis.</param>
/// <param name="Label">The words beside it.</param>
/// <param name="Vertical">True: at x = <paramref name="Value"/>; false: at y = <paramref name="Value"/>.</param>
public sealed record ReferenceLine(double Value, string Label, bool Vertical);

/// <summary>The cells of a heatmap.</summary>
public sealed record HeatmapCells
{
    /// <summary>Row labels, top to bottom.</summary>
    public required IReadOnlyList<string> Rows { get; init; }

    /// <summary>Column labels, left to right.</summary>
    public required IReadOnlyList<string> Columns { get; init; }

    /// <summary>Values by row; not finite is an empty cell.</summary>
    public required IReadOnlyList<IReadOnlyList<double>> Values { get; init; }

    /// <summary>What the colour measures, with its unit.</summary>
    public string ValueLabel { get; init; } = "";

    /// <summary>The .NET number format of values in cells and on the colour bar.</summary>
    public string Format { get; init; } = "G3";

    /// <summary>Writes each value into its cell.</summary>
    public bool ShowValues { get; init; }

    /// <summary>A value in the middle of a diverging colour map; null for a sequential one.</summary>
    public double? Midpoint { get; init; }

    /// <summary>The value of the first colour; null follows the data.</summary>
    public double? Min { get; init; }

    /// <summary>The value of the last colour; null follows the data.</summary>
    public double? Max { get; init; }
}

/// <summary>One pair of axes with what is drawn in it.</summary>
public sealed record Panel
{
    /// <summary>The panel's own title in a grid; empty in a single chart.</summary>
    public string Title { get; init; } = "";

    public Axis X { get; init; } = new();

    public Axis Y { get; init; } = new();

    /// <summary>The series, in drawing and legend order; empty in a heatmap.</summary>
    public IReadOnlyList<Series> Series { get; init; } = [];

    /// <summary>Category names along x for bars; null where x is a number.</summary>
    public IReadOnlyList<string>? Categories { get; init; }

    public HeatmapCells? Heatmap { get; init; }

    public IReadOnlyList<ReferenceLine> References { get; init; } = [];
}
