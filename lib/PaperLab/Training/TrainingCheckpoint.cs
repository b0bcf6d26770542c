// The checkpoint of a language model's training. Beside weights and moments: the curves so far, where the data order and torch's generator
// stand. Only torch's CPU generator is kept: initial weights are drawn there, and a step draws nothing on any device.

using PaperLab.Checkpoints;
using PaperLab.Models;
using PaperLab.Text;
using static TorchSharp.torch;

namespace PaperLab.Training;

/// <summary>A checkpoint of a run on text.</summary>
internal sealed record TrainingCheckpoint : Checkpoint
{
    public required RunConfig Config { get; init; }

    public required string CorpusHash { get; init; }

    public required TrainingState State { get; init; }

    public required SamplerState Sampler { get; init; }

    public required byte[] TorchGenerator { get; init; }

    /// <summary>Writes a checkpoint into a new folder. Whole only when this returns.</summary>
    public static void Write(string folder, RunConfig config, string corpusHash, TrainingState state, Transformer model, AdamW optimizer, BatchSampler sampler)
    {
        using Tensor generator = get_rng_state();
        var checkpoint = new TrainingCheckpoint { Config = config, CorpusHash = corpusHash, State = state, Sampler = sampler.State, TorchGenerator = generator.data<byte>().ToArray() };
        Write(folder, checkpoint, model.state_dict(), optimizer.State());
    }

    /// <summary>Reads the state and checks the other files against their hashes.</summary>
    /// <exception cref="InvalidDataException">It is damaged; the message says which file and how.</exception>
    /// <exception cref="CheckpointException">Another version wrote it.</exception>
    public static TrainingCheckpoint Read(string folder) => Read<TrainingCheckpoint>(folder);

    /// <summary>The same, for a run that is to go on.</summary>
    /// <exception cref="InvalidDataException">It is damaged; the message says which file and how.</exception>
    /// <exception cref="CheckpointException">Another version wrote it, or it belongs to another run.</exception>
    public static TrainingCheckpoint Read(string folder, RunConfig config, string corpusHash)
    {
        TrainingCheckpoint checkpoint = Read(folder);
        RequireSameRun(folder, (checkpoint.Config, config), (new { checkpoint.CorpusHash }, new { CorpusHash = corpusHash }));
        return checkpoint;
    }

    /// <summary>Puts weights, optimizer, data order and generator where they stood.</summary>
    /// <exception cref="CheckpointException">The weights are not those of the model.</exception>
    public void Restore(string folder, Transformer model, AdamW optimizer, BatchSampler sampler)
    {
        using var scope = NewDisposeScope();
        Restore(folder, model.state_dict(), optimizer.Load);
        sampler.State = Sampler;
        set_rng_state(tensor(TorchGenerator));
    }
}
