// A model's weights in one safetensors file that says what model they are of.

using System.Text.Json;
using PaperLab.Checkpoints;
using PaperLab.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace PaperLab.Training;

/// <summary>Saves a model and makes it again.</summary>
public static class TrainedWeights
{
    private const string ConfigKey = "paperlab.config";

    /// <summary>Writes all parameters and buffers under their names, with the model's sizes as metadata.</summary>
    public static void Save(string path, Transformer model) => SafetensorsFile.Write(
        path,
        model.state_dict().Select(named => (named.Key, named.Value)),
        new Dictionary<string, string> { [ConfigKey] = JsonSerializer.Serialize(model.Config, RunRecord.Json) });

    /// <summary>The model that was saved.</summary>
    /// <param name="path">A file of <see cref="Save"/>.</param>
    /// <param name="device">Where it goes.</param>
    /// <exception cref="CheckpointException">The file is missing or damaged, or nothing in it says what model it is.</exception>
    public static Transformer Load(string path, Device device)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        const string Remedy = "Take a file that a PaperLab training wrote.";
        if (!file.Metadata.TryGetValue(ConfigKey, out string? json))
        {
            throw new CheckpointException(path, $"its metadata has no {ConfigKey}: nothing says what model it is.", Remedy);
        }

        try
        {
            var model = new Transformer(JsonSerializer.Deserialize<TransformerConfig>(json, RunRecord.Json) ?? throw new JsonException("it is null"), initialize: false);
            CopyInto(model, file);
            model.to(device);
            return model;
        }
        catch (Exception error) when (error is JsonException or ArgumentException)
        {
            throw new CheckpointException(path, $"{ConfigKey} in its metadata is not a model's config ({error.Message}).", Remedy, error);
        }
    }

    /// <summary>Copies the weights of a file into a model of the same sizes. Nothing is copied when an entry does not fit.</summary>
    /// <exception cref="CheckpointException">Entries are missing, unknown, or of another shape or type; the message names them.</exception>
    internal static void CopyInto(Transformer model, string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        CopyInto(model, file);
    }

    private static void CopyInto(Transformer model, SafetensorsFile file)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Dictionary<string, Tensor> own = model.state_dict();
        string[] problems =
        [
            .. own.Keys.Except(file.Names).Select(name => $"{name} is missing"),
            .. file.Names.Except(own.Keys).Select(name => $"{name} is unknown"),
            .. own.Keys.Intersect(file.Names).Where(name => Describe(file.Dtype(name), file.Shape(name)) != Describe(own[name].dtype, own[name].shape))
                .Select(name => $"{name} is {Describe(file.Dtype(name), file.Shape(name))} instead of {Describe(own[name].dtype, own[name].shape)}"),
        ];
        if (problems.Length > 0)
        {
            throw new CheckpointException(
                file.Path, $"it does not fit the model: {string.Join("; ", problems.Take(5))}{(problems.Length > 5 ? $"; and {problems.Length - 5} more" : "")}.", "Use the weights of a model with the same config.");
        }

        foreach ((string name, Tensor tensor) in own)
        {
            using Tensor saved = file.Tensor(name);
            tensor.copy_(saved);
        }
    }

    private static string Describe(ScalarType dtype, long[] shape) => $"{dtype} [{string.Join(", ", shape)}]";
}
