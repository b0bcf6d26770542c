// Fewer points where there are more than a screen can show: extremes of lines survive, points are a seeded sample.

namespace PaperLab.Display.Rendering;

internal static class Thinning
{
    /// <summary>Indices to keep, in order, at most <paramref name="most"/>.</summary>
    public static int[] Keep(Series series, int most)
    {
        int count = series.Y.Count;
        if (count <= most)
        {
            return [.. Enumerable.Range(0, count)];
        }

        return series.Mark == Mark.Points ? Sample(count, most)
            : series.Low is null ? Extremes(series.Y, most)
            : Evenly(count, most);
    }

    /// <summary>A heatmap of at most <paramref name="most"/> cells, each the mean of a block of cells.</summary>
    public static HeatmapCells Shrink(HeatmapCells heatmap, int most)
    {
        int factor = 1;
        while (Blocks(heatmap.Rows.Count, factor) * Blocks(heatmap.Columns.Count, factor) > most)
        {
            factor++;
        }

        if (factor == 1)
        {
            return heatmap;
        }

        return heatmap with
        {
            Rows = [.. heatmap.Rows.Chunk(factor).Select(Name)],
            Columns = [.. heatmap.Columns.Chunk(factor).Select(Name)],
            Values = [.. heatmap.Values.Chunk(factor).Select(rows => (IReadOnlyList<double>)[.. Enumerable.Range(0, Blocks(heatmap.Columns.Count, factor)).Select(block => Mean(rows, block * factor, factor))])],
        };
    }

    // The first and last point, and the lowest and highest of each of equal stretches between: a spike stays a spike.
    private static int[] Extremes(IReadOnlyList<double> values, int most)
    {
        int stretches = (most - 2) / 2;
        var kept = new SortedSet<int> { 0, values.Count - 1 };
        for (int stretch = 0; stretch < stretches; stretch++)
        {
            int from = 1 + (int)((long)stretch * (values.Count - 2) / stretches);
            int to = 1 + (int)((long)(stretch + 1) * (values.Count - 2) / stretches);
            int[] finite = [.. Enumerable.Range(from, to - from).Where(i => double.IsFinite(values[i]))];
            if (finite.Length == 0)
            {
                kept.Add(from);
                continue;
            }

            kept.Add(finite.MinBy(i => values[i]));
            kept.Add(finite.MaxBy(i => values[i]));
        }

        return [.. kept];
    }

    // A mean with its band is smooth already; even steps keep it so, and cost no list of positions.
    private static int[] Evenly(int count, int most)
    {
        int step = (count - 2 + most - 1) / (most - 1);
        return [.. Enumerable.Range(0, count).Where(i => i % step == 0 || i == count - 1)];
    }

    private static int[] Sample(int count, int most)
    {
        int[] indices = [.. Enumerable.Range(0, count)];
        new SplitMix64((ulong)count).Shuffle<int>(indices);
        return [.. indices.Take(most).Order()];
    }

    private static int Blocks(int count, int factor) => (count + factor - 1) / factor;

    private static string Name(string[] labels) => labels.Length == 1 ? labels[0] : $"{labels[0]}–{labels[^1]}";

    private static double Mean(IReadOnlyList<double>[] rows, int from, int factor)
    {
        double[] finite = [.. rows.SelectMany(row => row.Skip(from).Take(factor)).Where(double.IsFinite)];
        return finite.Length == 0 ? double.NaN : finite.Average();
    }
}
