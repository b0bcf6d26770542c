// A folder in Hugging Face's layout ↔ a model: config.json, the weights in one safetensors file or several, and the tokenizer's files.

using System.Runtime.InteropServices;
using PaperLab.Models;
using PaperLab.Text;
using static TorchSharp.torch;

namespace PaperLab.Checkpoints;

/// <summary>What a folder holds, as far as it can be told without reading a weight.</summary>
/// <param name="Config">What config.json says.</param>
/// <param name="Tokenizer">The tokenizer; null where the folder has none.</param>
/// <param name="EndOfText">Tokens at which generation stops.</param>
/// <param name="Parameters">Parameters of the model.</param>
/// <param name="StoredBytes">Bytes of the weights in the files.</param>
/// <param name="Dtype">The type of the stored embedding, and so of the model unless another is asked for.</param>
public sealed record HuggingFaceInspection(HuggingFaceConfig Config, ITokenizer? Tokenizer, IReadOnlyList<int> EndOfText, long Parameters, long StoredBytes, ScalarType Dtype);

/// <summary>A model with its config and, where the folder has one, its tokenizer.</summary>
public sealed class HuggingFaceModel : IDisposable
{
    private const string GenerationFile = "generation_config.json";

    // What belongs to a checkpoint beside the config and the weights.
    private static readonly string[] s_companions =
    [
        HuggingFaceTokenizer.FileName, ChatTemplate.ConfigFileName, ChatTemplate.FileName, GenerationFile,
        "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt", "tokenizer.model",
    ];

    private readonly string? _folder;

    private HuggingFaceModel(Transformer model, HuggingFaceConfig config, ITokenizer? tokenizer, IReadOnlyList<int> endOfText, string? folder) =>
        (Model, Config, Tokenizer, EndOfText, _folder) = (model, config, tokenizer, endOfText, folder);

    /// <summary>The model.</summary>
    public Transformer Model { get; }

    /// <summary>What config.json says, or will say.</summary>
    public HuggingFaceConfig Config { get; }

    /// <summary>The tokenizer; null where the folder has none.</summary>
    public ITokenizer? Tokenizer { get; }

    /// <summary>Tokens at which generation stops: of generation_config.json where it names any, else of config.json.</summary>
    public IReadOnlyList<int> EndOfText { get; }

    /// <summary>A model of ours, to save.</summary>
    /// <param name="model">The model; it stays the caller's to dispose of.</param>
    /// <param name="tokenizer">Its tokenizer, to save with it.</param>
    public static HuggingFaceModel Of(Transformer model, ITokenizer? tokenizer = null)
    {
        int[] endOfText = tokenizer is BpeTokenizer own ? [own.EndOfText] : [];
        return new HuggingFaceModel(model, HuggingFaceConfig.Of(model.Config) with { EndOfText = endOfText }, tokenizer, endOfText, null);
    }

    /// <summary>Reads config, tokenizer and the weights' names and shapes, and checks that they belong together: all that <see cref="Load"/> would refuse, but weights that are not finite.</summary>
    /// <param name="folder">As for <see cref="Load"/>.</param>
    /// <exception cref="CheckpointException">Something is missing, damaged or not supported; the message names the file and the field or tensor.</exception>
    public static HuggingFaceInspection Inspect(string folder)
    {
        (string configPath, HuggingFaceConfig config, ITokenizer? tokenizer) = ReadDescription(folder);
        using ShardedWeights weights = ShardedWeights.Open(folder);
        WeightLoader.RequireLayers(configPath, config.Model.Layers, weights);
        using Transformer model = Build(configPath, config.Model);
        ScalarType dtype = WeightLoader.RequireFit(model, config.ModelType, weights);
        long bytes = weights.Names.Sum(name => weights.Shape(name).Aggregate(1L, (product, size) => product * size) * SafetensorsHeader.BytesOf(weights.Dtype(name)));
        return new HuggingFaceInspection(config, tokenizer, ReadEndOfText(folder, config), model.TotalParameters, bytes, dtype);
    }

    /// <summary>Loads a folder. On a CPU the weights stay on the mapped files; training in place changes this process's pages only, never the files.</summary>
    /// <param name="folder">With config.json and model.safetensors, or several files and their index.</param>
    /// <param name="device">Where the model goes; null for the CPU.</param>
    /// <param name="dtype">The parameters' type; null keeps that of the stored embedding.</param>
    /// <param name="check">Whether to look for NaN and infinity, which reads every weight once.</param>
    /// <exception cref="CheckpointException">Something is missing, damaged or not supported; the message names the file and the field or tensor.</exception>
    public static HuggingFaceModel Load(string folder, Device? device = null, ScalarType? dtype = null, bool check = true)
    {
        Require.That(dtype is null or ScalarType.Float32 or ScalarType.Float64 or ScalarType.BFloat16 or ScalarType.Float16, nameof(dtype), dtype, "Float32, Float64, BFloat16, Float16, or null");
        (string configPath, HuggingFaceConfig config, ITokenizer? tokenizer) = ReadDescription(folder);
        using ShardedWeights weights = ShardedWeights.Open(folder);
        WeightLoader.RequireLayers(configPath, config.Model.Layers, weights);
        Transformer model = Build(configPath, config.Model);
        try
        {
            WeightLoader.Fill(model, config.ModelType, weights, device ?? CPU, dtype, check);
            return new HuggingFaceModel(model, config, tokenizer, ReadEndOfText(folder, config), folder);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Saves in the same layout: a family of Hugging Face's where the model is of one, else model_type "paperlab", which only
    /// <see cref="Load"/> reads. An adapter is saved as a part of the weights, and stays on the model. Everything is written beside
    /// <paramref name="folder"/> first and then takes its place.
    /// </summary>
    /// <param name="folder">A new or empty folder.</param>
    /// <param name="overwrite">Whether a checkpoint that lies in the folder is replaced, with all that is in it.</param>
    /// <param name="maxShardBytes">Most bytes of weights in one file.</param>
    /// <exception cref="CheckpointException">The folder holds something that may not be replaced, or a tokenizer's file is gone.</exception>
    public void Save(string folder, bool overwrite = false, long maxShardBytes = ShardedWeights.DefaultShardBytes)
    {
        string target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        FolderSwap.RequireReplaceable(target, overwrite);
        string aside = FolderSwap.NameBeside(target);
        try
        {
            using var scope = NewDisposeScope();
            using var noGrad = no_grad();
            HuggingFaceConfig config = Config with { Model = Model.Config, Dtype = Model.parameters().First().dtype };
            config.Write(Path.Combine(aside, HuggingFaceConfig.FileName));
            ShardedWeights.Write(aside, Named(config.ModelType), maxShardBytes, new Dictionary<string, string> { ["format"] = "pt" });
            SaveCompanions(aside);
            FolderSwap.Replace(target, aside);
        }
        catch
        {
            if (Directory.Exists(aside))
            {
                Directory.Delete(aside, recursive: true);
            }

            throw;
        }
    }

    public void Dispose() => Model.Dispose();

    private static (string ConfigPath, HuggingFaceConfig Config, ITokenizer? Tokenizer) ReadDescription(string folder)
    {
        string configPath = Path.Combine(folder, HuggingFaceConfig.FileName);
        HuggingFaceConfig config = HuggingFaceConfig.Read(configPath);
        ITokenizer? tokenizer = ReadTokenizer(folder);
        if (tokenizer?.VocabularySize > config.Model.VocabularySize)
        {
            throw new CheckpointException(configPath, $"field 'vocab_size' is {config.Model.VocabularySize}, but the tokenizer in the folder has ids up to {tokenizer.VocabularySize - 1}.",
                "The two are of different checkpoints: take the tokenizer that belongs to these weights.");
        }

        return (configPath, config, tokenizer);
    }

    // Shapes without memory. The default device is the process's: while this runs, another thread must not make tensors without naming theirs.
    private static Transformer Build(string configPath, TransformerConfig config)
    {
        Device before = get_default_device();
        set_default_device(META);
        try
        {
            return new Transformer(config, initialize: false);
        }
        catch (ExternalException error)
        {
            throw new CheckpointException(configPath, $"no memory holds a model of these sizes ({error.Message.Split('\n')[0]}).", "Correct the sizes, or copy the file again.", error);
        }
        finally
        {
            set_default_device(before);
        }
    }

    private static ITokenizer? ReadTokenizer(string folder)
    {
        string path = Path.Combine(folder, HuggingFaceTokenizer.FileName);
        if (File.Exists(path))
        {
            return HuggingFaceTokenizer.Read(path);
        }

        try
        {
            return BpeTokenizer.IsSavedIn(folder) ? BpeTokenizer.Open(folder) : null;
        }
        catch (InvalidDataException error)
        {
            throw new CheckpointException(folder, $"its tokenizer is damaged: {error.Message}", "Copy the folder again.", error);
        }
    }

    private static IReadOnlyList<int> ReadEndOfText(string folder, HuggingFaceConfig config)
    {
        string path = Path.Combine(folder, GenerationFile);
        IReadOnlyList<int> ids = File.Exists(path) ? new ConfigFields(path, ConfigFields.ReadObject(path)).TokenIds("eos_token_id") : [];
        return ids.Count > 0 ? ids : config.EndOfText;
    }

    private IEnumerable<(string Name, Tensor Tensor)> Named(string modelType)
    {
        foreach ((string name, Tensor tensor) in LowRankAdapter.PlainState(Model))
        {
            WeightNames target = WeightNames.Of(name, tensor.shape, modelType);
            for (int part = 0; part < target.Names.Count; part++)
            {
                yield return (target.Names[part], target.IsPerExpert ? tensor.select(0, part).t() : tensor);
            }
        }
    }

    private void SaveCompanions(string aside)
    {
        (Tokenizer as BpeTokenizer)?.Save(aside);
        string? source = _folder ?? Path.GetDirectoryName((Tokenizer as HuggingFaceTokenizer)?.Path);
        foreach (string name in source is null || Tokenizer is BpeTokenizer ? [] : s_companions)
        {
            if (File.Exists(Path.Combine(source!, name)))
            {
                File.Copy(Path.Combine(source!, name), Path.Combine(aside, name));
            }
        }

        if (Tokenizer is HuggingFaceTokenizer && !File.Exists(Path.Combine(aside, HuggingFaceTokenizer.FileName)))
        {
            throw new CheckpointException(Path.Combine(source!, HuggingFaceTokenizer.FileName), "it is gone since it was read.", "Put it back: it is saved with the model.");
        }
    }
}
