// Weights from files into a model that has none: it was built on libtorch's meta device, where tensors have shapes and no memory.
//
// Each parameter becomes the tensor that lies on the mapped file, so the weights are held once. Memory of their own have only those
// that are asked for in another type or on another device, and Mixtral's experts, which we hold as one block.

using System.Globalization;
using System.Text.RegularExpressions;
using PaperLab.Native;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Transformer = PaperLab.Models.Transformer;

namespace PaperLab.Checkpoints;

internal static partial class WeightLoader
{
    private const int MostListed = 20;
    private const long CheckedAtOnce = 1 << 20; // elements: what the check of one piece allocates stays in the processor's cache

    /// <summary>Refuses files with another number of layers than the config's, before a model is built.</summary>
    public static void RequireLayers(string configPath, int layers, ShardedWeights weights)
    {
        int[] found = [.. weights.Names.Select(name => LayerNumber().Match(name)).Where(match => match.Success).Select(match => int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) + 1)];
        if (found.Length > 0 && found.Max() != layers)
        {
            throw new CheckpointException(configPath, $"field 'num_hidden_layers' is {layers}, but the weights have {found.Max()} layers.", "The two are of different checkpoints, or files are missing: get them again.");
        }
    }

    /// <summary>Refuses files whose tensors are not those of <paramref name="model"/>; returns the type of the embedding in them.</summary>
    /// <exception cref="CheckpointException">Tensors are missing, not the model's, or of another shape or type: all are listed by name.</exception>
    public static ScalarType RequireFit(Transformer model, string modelType, ShardedWeights weights)
    {
        Dictionary<string, Tensor> state = model.state_dict();
        Dictionary<string, WeightNames> sources = state.ToDictionary(entry => entry.Key, entry => WeightNames.Of(entry.Key, entry.Value.shape, modelType));
        RequireFit(state, sources, weights, model.Config.TieEmbeddings);
        return weights.Dtype(sources["embed_tokens.weight"].Names[0]);
    }

    /// <summary>Gives every parameter and buffer of <paramref name="model"/> its tensor.</summary>
    /// <exception cref="CheckpointException">Tensors are missing, not the model's, of another shape or type, or (with <paramref name="check"/>) not finite: all are listed by name.</exception>
    public static void Fill(Transformer model, string modelType, ShardedWeights weights, Device device, ScalarType? dtype, bool check)
    {
        ScalarType stored = RequireFit(model, modelType, weights);
        using var noGrad = no_grad();
        var damaged = new List<string>();
        foreach ((string name, Tensor target) in model.state_dict())
        {
            using var scope = NewDisposeScope();
            bool isParameter = target is Parameter; // a buffer keeps its type: it may be more precise than the weights
            Tensor value = Read(weights, WeightNames.Of(name, target.shape, modelType), target.shape, check, damaged);
            value = value.to(isParameter ? dtype ?? stored : value.dtype, device);
            TensorHandles.Assign(target, isParameter ? value.requires_grad_() : value);
            target.DetachFromDisposeScope(); // it lives as long as the model
        }

        if (damaged.Count > 0)
        {
            throw new CheckpointException(weights.Folder, $"weights are NaN or infinite: {Listed(damaged)}.", "Take a sound checkpoint; to look at this one all the same, load it with check: false.");
        }
    }

    private static Tensor Read(ShardedWeights weights, WeightNames source, long[] shape, bool check, List<string> damaged)
    {
        Tensor Part(string name)
        {
            Tensor part = weights.Tensor(name);
            if (check && CountNonFinite(part) is > 0 and long count)
            {
                damaged.Add($"'{name}' in {Path.GetFileName(weights.FileOf(name))} ({count} of {part.numel()})");
            }

            return part;
        }

        if (!source.IsPerExpert)
        {
            return Part(source.Names[0]);
        }

        // The one copy that cannot be avoided: experts lie apart in the files, each the other way round.
        Tensor experts = empty(shape, weights.Dtype(source.Names[0]));
        for (int expert = 0; expert < source.Names.Count; expert++)
        {
            using Tensor part = Part(source.Names[expert]);
            using Tensor place = experts.select(0, expert);
            place.copy_(part.t());
        }

        return experts;
    }

    private static long CountNonFinite(Tensor tensor)
    {
        using Tensor flat = tensor.view(-1);
        long count = 0;
        for (long at = 0; at < flat.shape[0]; at += CheckedAtOnce)
        {
            using var scope = NewDisposeScope();
            Tensor piece = flat.narrow(0, at, Math.Min(CheckedAtOnce, flat.shape[0] - at));
            if (!double.IsFinite(piece.abs().max().to(ScalarType.Float64).item<double>())) // NaN wins every comparison
            {
                count += piece.isfinite().logical_not().sum().item<long>();
            }
        }

        return count;
    }

    private static void RequireFit(Dictionary<string, Tensor> state, Dictionary<string, WeightNames> sources, ShardedWeights weights, bool tied)
    {
        List<string> missing = [], misshaped = [], wrongType = [];
        HashSet<string> known = [.. weights.Names], extra = [.. weights.Names];
        foreach ((string name, WeightNames source) in sources)
        {
            long[] shape = source.IsPerExpert ? [state[name].shape[2], state[name].shape[1]] : state[name].shape;
            foreach (string part in source.Names)
            {
                extra.Remove(part);
                if (!known.Contains(part))
                {
                    missing.Add(part);
                }
                else if (!weights.Shape(part).SequenceEqual(shape))
                {
                    misshaped.Add($"{part} is [{string.Join(", ", weights.Shape(part))}], by the config [{string.Join(", ", shape)}]");
                }
                else if (!IsFloat(weights.Dtype(part)))
                {
                    wrongType.Add($"{part} is {weights.Dtype(part)}, allowed are BFloat16, Float16, Float32, Float64");
                }
            }
        }

        // Derived tables that old checkpoints store, and a head that the config says is the embedding.
        extra.RemoveWhere(name => name.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal) || (tied && name == "lm_head.weight"));
        string[] problems =
        [
            .. missing.Count > 0 ? [$"missing: {Listed(missing)}"] : Array.Empty<string>(),
            .. extra.Count > 0 ? [$"not the model's: {Listed(extra)}"] : Array.Empty<string>(),
            .. misshaped.Count > 0 ? [$"of another shape: {Listed(misshaped)}"] : Array.Empty<string>(),
            .. wrongType.Count > 0 ? [$"of another type: {Listed(wrongType)}"] : Array.Empty<string>(),
        ];
        if (problems.Length > 0)
        {
            string hint = missing.Contains("lm_head.weight") ? " Where the head is the embedding, config.json says tie_word_embeddings: true." : "";
            throw new CheckpointException(weights.Folder, $"the weights do not fit config.json; {string.Join("; ", problems)}.", $"Get both files of the same checkpoint.{hint}");
        }
    }

    private static bool IsFloat(ScalarType dtype) => dtype is ScalarType.BFloat16 or ScalarType.Float16 or ScalarType.Float32 or ScalarType.Float64;

    private static string Listed(IReadOnlyCollection<string> items) =>
        string.Join(", ", items.Order(StringComparer.Ordinal).Take(MostListed)) + (items.Count > MostListed ? $" and {items.Count - MostListed} more" : "");

    [GeneratedRegex(@"(?:^|\.)layers\.(\d{1,9})\.")]
    private static partial Regex LayerNumber();
}
