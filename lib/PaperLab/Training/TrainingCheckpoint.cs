// One checkpoint: a folder with everything that a run needs to go on as if nothing had happened.
//
//   weights.safetensors    the model's parameters and buffers
//   optimizer.safetensors  the moments and the step count
//   state.json             curves so far, where the data order and torch's generator stand, the config, and the hashes of the two
//
// Only torch's CPU generator is kept: initial weights are drawn there, and a step draws nothing on any device.

using System.Security.Cryptography;
using System.Text.Json;
using PaperLab.Checkpoints;
using PaperLab.Models;
using PaperLab.Text;
using static TorchSharp.torch;

namespace PaperLab.Training;

/// <summary>A checkpoint that was read and found whole.</summary>
internal sealed record TrainingCheckpoint
{
    /// <summary>Rises when a field changes its meaning.</summary>
    public const int CurrentFormat = 1;

    public const string StateFile = "state.json";
    private const string WeightsFile = "weights.safetensors";
    private const string OptimizerFile = "optimizer.safetensors";
    private static readonly string[] s_hashed = [WeightsFile, OptimizerFile];

    public int Format { get; init; } = CurrentFormat;

    public required RunConfig Config { get; init; }

    public required string CorpusHash { get; init; }

    public required TrainingState State { get; init; }

    public required SamplerState Sampler { get; init; }

    public required byte[] TorchGenerator { get; init; }

    /// <summary>SHA-256 of each of the other files.</summary>
    public required IReadOnlyDictionary<string, string> Sha256 { get; init; }

    /// <summary>Writes a checkpoint into a new folder. Whole only when this returns.</summary>
    public static void Write(string folder, RunConfig config, string corpusHash, TrainingState state, Transformer model, AdamW optimizer, BatchSampler sampler)
    {
        SafetensorsFile.Write(Path.Combine(folder, WeightsFile), model.state_dict().Select(named => (named.Key, named.Value)));
        SafetensorsFile.Write(Path.Combine(folder, OptimizerFile), optimizer.State().Select(named => (named.Key, named.Value)));
        using Tensor generator = get_rng_state();
        var checkpoint = new TrainingCheckpoint
        {
            Config = config,
            CorpusHash = corpusHash,
            State = state,
            Sampler = sampler.State,
            TorchGenerator = generator.data<byte>().ToArray(),
            Sha256 = s_hashed.ToDictionary(name => name, name => HashOf(Path.Combine(folder, name))),
        };
        AtomicFile.WriteAllText(Path.Combine(folder, StateFile), JsonSerializer.Serialize(checkpoint, RunRecord.Json) + "\n");
    }

    /// <summary>Reads the state and checks the other files against their hashes.</summary>
    /// <exception cref="InvalidDataException">It is damaged; the message says which file and how.</exception>
    /// <exception cref="CheckpointException">Another version wrote it.</exception>
    public static TrainingCheckpoint Read(string folder)
    {
        string path = Path.Combine(folder, StateFile);
        JsonElement json = ReadJson(path);
        if (json.ValueKind == JsonValueKind.Object && json.TryGetProperty(nameof(Format), out JsonElement format) && format.ToString() != $"{CurrentFormat}")
        {
            throw new CheckpointException(
                path, $"Format is {format}; this version of PaperLab reads {CurrentFormat}.", "Go on with the version that wrote it, or move the folder away to train from the start.");
        }

        try
        {
            TrainingCheckpoint checkpoint = json.Deserialize<TrainingCheckpoint>(RunRecord.Json) ?? throw new InvalidDataException($"{StateFile} holds null");
            foreach (string name in s_hashed)
            {
                string file = Path.Combine(folder, name);
                if (!File.Exists(file))
                {
                    throw new InvalidDataException($"{name} is missing");
                }

                if (HashOf(file) != checkpoint.Sha256.GetValueOrDefault(name))
                {
                    throw new InvalidDataException($"{name} does not match its SHA-256");
                }
            }

            return checkpoint;
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"{StateFile} does not hold what it should ({error.Message})", error);
        }
    }

    /// <summary>Puts weights, optimizer, data order and generator where they stood.</summary>
    /// <exception cref="CheckpointException">The weights are not those of the model.</exception>
    public void Restore(string folder, Transformer model, AdamW optimizer, BatchSampler sampler)
    {
        using var scope = NewDisposeScope();
        CopyWeights(Path.Combine(folder, WeightsFile), model.state_dict());
        using SafetensorsFile moments = SafetensorsFile.Open(Path.Combine(folder, OptimizerFile));
        optimizer.Load(moments.Names.ToDictionary(name => name, moments.Tensor));
        sampler.State = Sampler;
        set_rng_state(tensor(TorchGenerator));
    }

    private static void CopyWeights(string path, Dictionary<string, Tensor> model)
    {
        using var noGrad = no_grad();
        using SafetensorsFile file = SafetensorsFile.Open(path);
        string[] problems =
        [
            .. model.Keys.Except(file.Names).Select(name => $"{name} is missing"),
            .. file.Names.Except(model.Keys).Select(name => $"{name} is unknown"),
            .. model.Keys.Intersect(file.Names).Where(name => !file.Shape(name).SequenceEqual(model[name].shape))
                .Select(name => $"{name} is [{string.Join(", ", file.Shape(name))}] instead of [{string.Join(", ", model[name].shape)}]"),
        ];
        if (problems.Length > 0)
        {
            throw new CheckpointException(
                path,
                $"the weights are not those of the model that the config describes: {string.Join("; ", problems.Take(5))}{(problems.Length > 5 ? $"; and {problems.Length - 5} more" : "")}.",
                "Go on with the version of PaperLab that wrote them, or move the folder away to train from the start.");
        }

        foreach ((string name, Tensor tensor) in model)
        {
            using Tensor saved = file.Tensor(name);
            tensor.copy_(saved);
        }
    }

    private static JsonElement ReadJson(string path)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
            return document.RootElement.Clone();
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InvalidDataException($"{StateFile} is missing", error);
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"{StateFile} is not JSON ({error.Message})", error);
        }
    }

    private static string HashOf(string path)
    {
        using FileStream stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
