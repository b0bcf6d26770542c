namespace PaperLab.Training;

/// <summary>Trains a run as a store keeps it: checkpoints and metrics on the way, its record at the end.</summary>
public static class RecordedTraining
{
    /// <summary>
    /// The run's record: the one that the store has for this corpus, or one that is trained now, from the newest checkpoint where there is
    /// one. Every process of the trainer's group calls it; the first one reads and writes the store.
    /// </summary>
    /// <param name="trainer">The run.</param>
    /// <param name="preset">The preset that asked for it.</param>
    /// <param name="store">Where records, checkpoints, metrics and models lie.</param>
    /// <param name="options">How it is watched, in the first process; checkpoints, metrics and the model's folder are set here.</param>
    /// <param name="checkpoints">When to write checkpoints.</param>
    /// <param name="fresh">Train from the start, whatever the store holds.</param>
    /// <param name="keepModel">Keep the trained model too; a recorded run whose model is missing is trained.</param>
    /// <param name="cancellation">Ends the training between two steps, after a checkpoint.</param>
    public static RunRecord Run(
        LanguageModelTrainer trainer,
        string preset,
        RunStore store,
        RunOptions? options = null,
        CheckpointOptions? checkpoints = null,
        bool fresh = false,
        bool keepModel = false,
        CancellationToken cancellation = default)
    {
        options ??= new RunOptions();
        (RunConfig config, string corpus) = (trainer.Config, trainer.CorpusHash);
        if (!trainer.Group.IsFirst)
        {
            return trainer.Group.ShareFromFirst<RunRecord>(null) ?? trainer.Run(preset, cancellation: cancellation);
        }

        using CheckpointFolder folder = CheckpointFolder.Open(store.CheckpointsOf(config, corpus), checkpoints, options.Note, cancellation);
        if (fresh)
        {
            folder.Clear();
        }

        // Perhaps by the process that had the folder until now.
        RunRecord? made = fresh ? null : store.Find(config, corpus);
        made = keepModel && !Directory.Exists(store.ModelOf(config, corpus)) ? null : made;
        if (trainer.Group.ShareFromFirst(made) is not null)
        {
            return made!;
        }

        string metrics = store.MetricsOf(config, corpus);
        using var lines = new JsonlMetricWriter(Path.Combine(metrics, "metrics.jsonl"));
        using var events = new TensorBoardWriter(metrics);
        RunRecord record = trainer.Run(
            preset,
            options with { Checkpoints = folder, Metrics = [lines, events], ModelFolder = keepModel ? store.ModelOf(config, corpus) : null },
            cancellation);
        store.Save(record);
        folder.Clear();
        return record;
    }
}
