// The files of one checkpoint: a folder with everything that a run needs to go on as if nothing had happened.
//
//   weights.safetensors    the model's parameters and buffers
//   optimizer.safetensors  the moments and the step count, and what else of the training are tensors
//   state.json             how far the run is, its config, and the hashes of the two
//
// What a run's state is differs: TrainingCheckpoint for a language model on text, PolicyCheckpoint for reinforcement.

using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using PaperLab.Checkpoints;
using static TorchSharp.torch;

namespace PaperLab.Training;

/// <summary>A checkpoint that was read and found whole.</summary>
internal abstract record Checkpoint
{
    /// <summary>Rises when a field changes its meaning.</summary>
    public const int CurrentFormat = 1;

    public const string StateFile = "state.json";
    private const string WeightsFile = "weights.safetensors";
    private const string OptimizerFile = "optimizer.safetensors";
    private static readonly string[] s_hashed = [WeightsFile, OptimizerFile];

    public int Format { get; init; } = CurrentFormat;

    /// <summary>SHA-256 of each of the other files.</summary>
    public IReadOnlyDictionary<string, string> Sha256 { get; init; } = new Dictionary<string, string>();

    /// <summary>Writes a checkpoint into a new folder. Whole only when this returns.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="checkpoint">The state.</param>
    /// <param name="weights">What is trained, by name.</param>
    /// <param name="training">The training's own tensors.</param>
    protected static void Write<T>(string folder, T checkpoint, IReadOnlyDictionary<string, Tensor> weights, IReadOnlyDictionary<string, Tensor> training)
        where T : Checkpoint
    {
        SafetensorsFile.Write(Path.Combine(folder, WeightsFile), weights.Select(named => (named.Key, named.Value)));
        SafetensorsFile.Write(Path.Combine(folder, OptimizerFile), training.Select(named => (named.Key, named.Value)));
        checkpoint = checkpoint with { Sha256 = s_hashed.ToDictionary(name => name, name => HashOf(Path.Combine(folder, name))) };
        AtomicFile.WriteAllText(Path.Combine(folder, StateFile), JsonSerializer.Serialize(checkpoint, RunRecord.Json) + "\n");
    }

    /// <summary>Reads the state and checks the other files against their hashes.</summary>
    /// <exception cref="InvalidDataException">It is damaged; the message says which file and how.</exception>
    /// <exception cref="CheckpointException">Another version wrote it.</exception>
    protected static T Read<T>(string folder)
        where T : Checkpoint
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
            T checkpoint = json.Deserialize<T>(RunRecord.Json) ?? throw new InvalidDataException($"{StateFile} holds null");
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

    /// <summary>Puts the weights where they stood, and gives back the training's tensors.</summary>
    /// <exception cref="CheckpointException">The weights are not those of the model.</exception>
    protected static void Restore(string folder, IReadOnlyDictionary<string, Tensor> weights, Action<IReadOnlyDictionary<string, Tensor>> training)
    {
        using var scope = NewDisposeScope();
        ReadWeights(Path.Combine(folder, WeightsFile), weights, "Go on with the version of PaperLab that wrote them, or move the folder away to train from the start.");
        using SafetensorsFile tensors = SafetensorsFile.Open(Path.Combine(folder, OptimizerFile));
        training(tensors.Names.ToDictionary(name => name, tensors.Tensor));
    }

    /// <summary>Copies a file's tensors into a model's, of the same names and shapes.</summary>
    /// <exception cref="CheckpointException">The weights are not those of the model; the message ends with <paramref name="advice"/>.</exception>
    internal static void ReadWeights(string path, IReadOnlyDictionary<string, Tensor> weights, string advice)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        using SafetensorsFile file = SafetensorsFile.Open(path);
        string[] problems =
        [
            .. weights.Keys.Except(file.Names).Select(name => $"{name} is missing"),
            .. file.Names.Except(weights.Keys).Select(name => $"{name} is unknown"),
            .. weights.Keys.Intersect(file.Names).Where(name => !file.Shape(name).SequenceEqual(weights[name].shape))
                .Select(name => $"{name} is [{string.Join(", ", file.Shape(name))}] instead of [{string.Join(", ", weights[name].shape)}]"),
        ];
        if (problems.Length > 0)
        {
            throw new CheckpointException(
                path,
                $"the weights are not those of the model that the config describes: {string.Join("; ", problems.Take(5))}{(problems.Length > 5 ? $"; and {problems.Length - 5} more" : "")}.",
                advice);
        }

        foreach ((string name, Tensor tensor) in weights)
        {
            using Tensor saved = file.Tensor(name);
            tensor.copy_(saved);
        }
    }

    /// <summary>Refuses a checkpoint of another run.</summary>
    /// <param name="folder">Where it lies.</param>
    /// <param name="parts">What it says it is of, and the same of the run at hand, part by part.</param>
    /// <exception cref="CheckpointException">They differ; the message lists the fields.</exception>
    protected static void RequireSameRun(string folder, params (object Saved, object Wanted)[] parts)
    {
        string[] differences = [.. parts.SelectMany(part => Differences("", JsonSerializer.SerializeToNode(part.Saved, RunRecord.Json), JsonSerializer.SerializeToNode(part.Wanted, RunRecord.Json)))];
        if (differences.Length > 0)
        {
            throw new CheckpointException(
                Path.Combine(folder, StateFile),
                $"it is a checkpoint of another run: {string.Join("; ", differences)}.",
                "Train with that config and text, or give this run a checkpoint folder of its own.");
        }
    }

    private static IEnumerable<string> Differences(string field, JsonNode? saved, JsonNode? wanted)
    {
        if (saved is JsonObject a && wanted is JsonObject b)
        {
            return a.Select(pair => pair.Key).Union(b.Select(pair => pair.Key))
                .SelectMany(key => Differences(field.Length == 0 ? key : $"{field}.{key}", a[key], b[key]));
        }

        return JsonNode.DeepEquals(saved, wanted) ? [] : [$"{field} is {saved?.ToJsonString() ?? "not set"} in it and {wanted?.ToJsonString() ?? "not set"} here"];
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
