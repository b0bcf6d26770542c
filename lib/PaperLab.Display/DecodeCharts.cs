// The figures of a decode measurement: time by length of the cache, its parts, two ways to store, and savings over prefix and output.

using PaperLab.Papers;

namespace PaperLab.Display;

/// <summary>Draws a <see cref="DecodeCost"/>.</summary>
public static class DecodeCharts
{
    /// <summary>Store, attention and augmented query together, by length of the cache: medians with the range of the rounds, and where lines cross.</summary>
    public static Figure Total(DecodeCost cost, string shape, string baseline)
    {
        string crossover = cost.Crossover(shape, baseline, part => part.Sum) is { } length
            ? $"{shape} is the cheaper from about {length:N0} cached tokens on."
            : $"{shape} is nowhere the cheaper for good within {cost.Grid.Lengths[^1]:N0} cached tokens.";
        return Chart.Lines($"One token in one layer, {Rows(cost)}", cost.Grid.Shapes.Select(s => Line(cost, s.Name, s.Name, part => part.Sum)))
            .XAxis("Cached tokens").YAxis("Store + attention + augmented query", "ms")
            .WithSubtitle(crossover)
            .WithCaption($"Medians of {cost.Grid.Rounds} rounds in which the shapes take turns; bands are the range.");
    }

    /// <summary>The parts side by side at one length.</summary>
    public static Figure Parts(DecodeCost cost, int length)
    {
        (string Name, Func<TokenCost, double> Part)[] parts = [("store", c => c.Store), ("attention", c => c.Attention), ("augmented query", c => c.Augment)];
        return Chart.Bars($"{length:N0} cached tokens, {Rows(cost)}", parts.Select(part => part.Name), cost.Grid.Shapes.Select(shape =>
            {
                DecodeCell cell = cost.Of(shape.Name).Single(c => c.Length == length);
                return Series.Of(shape.Name, parts.Select(part => DecodeCost.Median(cell, part.Part)))
                    .WithBand(parts.Select(part => cell.Rounds.Min(part.Part)), parts.Select(part => cell.Rounds.Max(part.Part)));
            }))
            .YAxis("Time of a token", "ms");
    }

    /// <summary>What storing a token costs where the cache has its size from the start, and where it grows by concatenation.</summary>
    public static Figure Store(DecodeCost cost, string shape) =>
        Chart.Lines($"Storing a token, {shape}, {Rows(cost)}", Line(cost, shape, "allocated once", part => part.Store), Line(cost, shape, "concatenated", part => part.Concatenate))
            .XAxis("Cached tokens").YAxis("Time of a token", "ms");

    /// <summary>Share of the time that a shape saves over a whole output, for prefixes and outputs up to the longest cache.</summary>
    public static Figure Savings(DecodeCost cost, string shape, string baseline)
    {
        int[] prefixes = [0, .. cost.Grid.Lengths.SkipLast(1)], outputs = [.. cost.Grid.Lengths];
        double[,] cells = new double[prefixes.Length, outputs.Length];
        for (int row = 0; row < prefixes.Length; row++)
        {
            for (int column = 0; column < outputs.Length; column++)
            {
                bool measured = prefixes[row] + outputs[column] <= cost.Grid.Lengths[^1];
                cells[row, column] = measured ? 100 * cost.Saving(shape, baseline, prefixes[row], outputs[column], part => part.Sum).Estimate : double.NaN;
            }
        }

        return Chart.Heatmap($"{shape} against {baseline}, {Rows(cost)}", prefixes.Select(prefix => $"prefix {prefix:N0}"), outputs.Select(output => $"output {output:N0}"), cells, "time saved, %", midpoint: 0, format: "F0")
            .WithCaption("Store, attention and augmented query, summed over the output. Below zero: slower. Empty: beyond the longest measured cache.");
    }

    private static Series Line(DecodeCost cost, string shape, string name, Func<TokenCost, double> part)
    {
        IReadOnlyList<DecodeCell> cells = cost.Of(shape);
        return Series.Of(name, cells.Select(cell => (double)cell.Length), cells.Select(cell => DecodeCost.Median(cell, part)))
            .WithBand(cells.Select(cell => cell.Rounds.Min(part)), cells.Select(cell => cell.Rounds.Max(part)))
            .AsLineWithPoints();
    }

    private static string Rows(DecodeCost cost) => cost.Grid.Rows == 1 ? "one sequence" : $"{cost.Grid.Rows} sequences";
}
