// What recorded trainings of whole models have in common: new weights by a seed, a record that comes with the weights at its end, and
// those weights again, for whoever goes on from them.

using PaperLab.Checkpoints;
using PaperLab.Models;
using PaperLab.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace PaperLab.Reinforcement;

internal static class ModelRun
{
    /// <summary>The record that the store has, or that of a training now.</summary>
    /// <param name="store">Where records, checkpoints and weights lie.</param>
    /// <param name="paper">The notebook that the run belongs to.</param>
    /// <param name="config">What decides its numbers.</param>
    /// <param name="train">Trains; it saves the weights before it returns the record, which says that they are there.</param>
    /// <param name="needsWeights">Whether a record without its weights will not do.</param>
    /// <param name="options">How it is watched.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    public static T Record<T>(RunStore store, string paper, object config, Func<CheckpointFolder, T> train, bool needsWeights, PolicyRunOptions options, CancellationToken cancellation)
        where T : class, IRecordedRun => store.Recorded(
            paper, config, train, _ => !needsWeights || File.Exists(store.WeightsOf(paper, config)), options.Fresh, options.Checkpoints, options.Note, cancellation);

    /// <summary>A model with new weights; nothing else is drawn from torch's generator.</summary>
    public static Transformer New(TransformerConfig config, int seed, TorchRuntime runtime)
    {
        manual_seed(seed);
        var model = new Transformer(config);
        model.to(runtime.Device);
        return model;
    }

    /// <summary>The model at the end of a run.</summary>
    public static Transformer Load(TransformerConfig model, RunStore store, string paper, object config, TorchRuntime runtime)
    {
        var loaded = new Transformer(model, initialize: false);
        loaded.to(runtime.Device);
        Checkpoint.ReadWeights(store.WeightsOf(paper, config), loaded.state_dict(), "Delete the file; the run is then trained again.");
        return loaded;
    }

    /// <summary>Keeps the weights at the end of a run.</summary>
    public static void Save(Transformer model, RunStore store, string paper, object config) =>
        SafetensorsFile.Write(store.WeightsOf(paper, config), model.state_dict().Select(named => (named.Key, named.Value)));

    /// <summary>The losses for a record: where there are more, means of equal parts of the run.</summary>
    public static double[] Thinned(IReadOnlyList<double> losses, int most) => [.. losses.Chunk((losses.Count + most - 1) / most).Select(part => PolicyStep.Round(part.Average()))];
}
