// Which tensors of a checkpoint make one of a model's. Our modules carry Llama's names without the leading "model.", so most are the
// same; Mixtral keeps each expert's three matrices apart, [out, in], where we hold one block of all experts, [E, in, out].

namespace PaperLab.Checkpoints;

/// <summary>One tensor of a model in a checkpoint.</summary>
/// <param name="Names">Its names there: one, or one for each expert.</param>
/// <param name="IsPerExpert">Whether each is one expert's matrix, the other way round.</param>
internal readonly record struct WeightNames(IReadOnlyList<string> Names, bool IsPerExpert)
{
    /// <summary>The names of <paramref name="name"/>, one of the model's state, in a checkpoint of a family.</summary>
    /// <param name="shape">The tensor's sizes; the first counts experts where there are any.</param>
    public static WeightNames Of(string name, long[] shape, string modelType)
    {
        if (modelType == HuggingFaceConfig.OwnFamily)
        {
            return new WeightNames([name], false);
        }

        string block = $"model.{name[..(name.LastIndexOf('.') + 1)]}".Replace(".mlp.", ".block_sparse_moe.", StringComparison.Ordinal);
        string? matrix = modelType != "mixtral" || !name.Contains(".mlp.", StringComparison.Ordinal) ? null : name[(name.LastIndexOf('.') + 1)..] switch
        {
            "gate" => "w1",
            "down" => "w2",
            "up" => "w3",
            "router" => "router",
            string other => throw new ArgumentException($"A Mixtral has no '{other}'.", nameof(name)),
        };
        return matrix switch
        {
            null => new WeightNames([name == "lm_head.weight" ? name : $"model.{name}"], false),
            "router" => new WeightNames([$"{block}gate.weight"], false),
            _ => new WeightNames([.. Enumerable.Range(0, (int)shape[0]).Select(expert => $"{block}experts.{expert}.{matrix}.weight")], true),
        };
    }
}
