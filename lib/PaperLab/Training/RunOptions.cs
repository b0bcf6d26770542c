namespace PaperLab.Training;

/// <summary>How a run is watched and kept safe. Nothing here changes its numbers.</summary>
public sealed record RunOptions
{
    /// <summary>Told after every step; on a GPU, of several steps at once. Throttling is the watcher's business.</summary>
    public IProgress<TrainingProgress>? Progress { get; init; }

    /// <summary>Where the run's checkpoints are read and written; null for none. The caller takes them away when the record is safe.</summary>
    public CheckpointFolder? Checkpoints { get; init; }

    /// <summary>Where the trained model goes with its tokenizer, for <see cref="Checkpoints.HuggingFaceModel.Load"/>; null for nowhere. What lies there is replaced.</summary>
    public string? ModelFolder { get; init; }

    /// <summary>Where its metrics go; MetricLog.cs names them. The caller disposes of the writers.</summary>
    public IReadOnlyList<IMetricWriter> Metrics { get; init; } = [];

    /// <summary>Told in words where the run goes on from.</summary>
    public Action<string>? Note { get; init; }

    /// <summary>Time of the record.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;
}
