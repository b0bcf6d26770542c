// One axis of a panel.

namespace PaperLab.Display;

/// <summary>Label, unit and scale of an axis. Unset limits follow the data.</summary>
public sealed record Axis
{
    /// <summary>What the axis measures, for example "held-out loss".</summary>
    public string Label { get; init; } = "";

    /// <summary>The unit, shown in brackets after the label; empty for none.</summary>
    public string Unit { get; init; } = "";

    /// <summary>Logarithmic scale, base 10; every value must then be above zero.</summary>
    public bool Log { get; init; }

    /// <summary>Shows values as percentages: 0.25 reads 25%.</summary>
    public bool Percent { get; init; }

    /// <summary>Counts things (layers, steps): no tick between two whole numbers.</summary>
    public bool Whole { get; init; }

    /// <summary>Lower limit; null follows the data.</summary>
    public double? Min { get; init; }

    /// <summary>Upper limit; null follows the data.</summary>
    public double? Max { get; init; }

    /// <summary>"label (unit)".</summary>
    public string Title => (Label, Unit) switch
    {
        (_, "") => Label,
        ("", _) => Unit,
        _ => $"{Label} ({Unit})",
    };
}
