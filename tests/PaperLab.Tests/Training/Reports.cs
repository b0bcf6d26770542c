using PaperLab.Training;

namespace PaperLab.Tests.Training;

/// <summary>Remembers every report, and does something at each.</summary>
internal sealed class Reports(Action<TrainingProgress>? then = null) : IProgress<TrainingProgress>
{
    public List<TrainingProgress> Seen { get; } = [];

    public void Report(TrainingProgress value)
    {
        Seen.Add(value);
        then?.Invoke(value);
    }
}
