// What a progress view remembers of one run.

using PaperLab.Training;

namespace PaperLab.Display;

/// <summary>The last report of a run and the shape of its loss so far.</summary>
internal sealed class TrainingRow(string run)
{
    private const int MostLosses = 60;

    // Losses averaged over stretches of equal length: when the list is full, neighbours are joined and the stretch doubles.
    private readonly List<double> _losses = [];
    private int _stretch = 1;
    private int _inStretch;
    private double _sum;

    public string Run { get; } = run;

    public TrainingProgress? Last { get; private set; }

    public IReadOnlyList<double> Losses => _losses;

    public bool IsDone => Last is { } last && last.Step >= last.Steps;

    public void Take(TrainingProgress progress)
    {
        Last = progress;
        if (!double.IsFinite(progress.Loss))
        {
            return;
        }

        _sum += progress.Loss;
        if (++_inStretch < _stretch)
        {
            return;
        }

        _losses.Add(_sum / _inStretch);
        (_sum, _inStretch) = (0, 0);
        if (_losses.Count == MostLosses)
        {
            double[] joined = [.. _losses.Chunk(2).Select(pair => pair.Average())];
            _losses.Clear();
            _losses.AddRange(joined);
            _stretch *= 2;
        }
    }
}
