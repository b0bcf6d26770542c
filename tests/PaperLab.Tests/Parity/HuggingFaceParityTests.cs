// Checkpoints of the Hugging Face families against plain PyTorch: logits, a greedy continuation, and what saving keeps.

using PaperLab.Checkpoints;
using PaperLab.Models;
using static TorchSharp.torch;

namespace PaperLab.Tests.Parity;

public sealed class HuggingFaceParityTests : TorchTest
{
    private const double Limit = 1e-4;

    public static TheoryData<string> Families => [.. Fixture.Folders("hf")];

    [Theory]
    [MemberData(nameof(Families))]
    public void Logits_are_the_references(string family)
    {
        using Fixture expected = Fixture.Open(Path.Combine("hf", family), "expected");
        using HuggingFaceModel checkpoint = Load(family);

        expected.Compare("output.logits", Logits(checkpoint, expected));
        expected.RequireErrorsBelow(Limit);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void The_greedy_continuation_is_the_references(string family)
    {
        using Fixture expected = Fixture.Open(Path.Combine("hf", family), "expected");
        using HuggingFaceModel checkpoint = Load(family);
        long[] continuation = expected["output.continuation"].data<long>().ToArray();
        Tensor prompt = expected["input.tokens"];

        Assert.Equal(64, continuation.Length);
        Assert.Equal(continuation, Greedy(checkpoint.Model, prompt, continuation.Length));
        Assert.Equal(continuation, GreedyWithoutCache(checkpoint.Model, prompt, continuation.Length));
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Saving_and_loading_again_changes_no_logit_and_no_stored_weight(string family)
    {
        using var folder = new TemporaryFolder();
        using Fixture expected = Fixture.Open(Path.Combine("hf", family), "expected");
        string saved = Path.Combine(folder.Path, "saved");

        // In the type that the weights are stored in, so that not a bit may differ.
        using HuggingFaceModel stored = HuggingFaceModel.Load(FolderOf(family));
        stored.Save(saved);
        using HuggingFaceModel again = HuggingFaceModel.Load(saved);

        Assert.Equal(stored.Config.Model, again.Config.Model);
        Assert.Equal(stored.EndOfText, again.EndOfText);
        Assert.True(Logits(stored, expected).equal(Logits(again, expected)).all().item<bool>());
        using ShardedWeights before = ShardedWeights.Open(FolderOf(family)), after = ShardedWeights.Open(saved);
        string[] weights = [.. before.Names.Where(name => !name.EndsWith("inv_freq", StringComparison.Ordinal))];
        Assert.Equal(weights.Order(StringComparer.Ordinal), after.Names.Order(StringComparer.Ordinal));
        Assert.All(weights, name => Assert.True(before.Tensor(name).dtype == after.Tensor(name).dtype && before.Tensor(name).equal(after.Tensor(name)).all().item<bool>(), name));
    }

    private static string FolderOf(string family) => Path.Combine(Fixture.Folder, "hf", family);

    private static HuggingFaceModel Load(string family) => HuggingFaceModel.Load(FolderOf(family), dtype: ScalarType.Float32);

    private static Tensor Logits(HuggingFaceModel checkpoint, Fixture expected)
    {
        using var noGrad = no_grad();
        return checkpoint.Model.forward(expected["input.tokens"].unsqueeze(0)).Logits_BTV.squeeze(0);
    }

    private static long[] Greedy(Transformer model, Tensor prompt_T, int count)
    {
        using var noGrad = no_grad();
        using var cache = new KeyValueCache(model.Config, rows: 1, prompt_T.shape[0] + count, CPU);
        var tokens = new List<long>();
        Tensor next_BT = prompt_T.unsqueeze(0);
        while (tokens.Count < count)
        {
            Tensor hidden_BTC = model.Hidden(next_BT, cache).Hidden_BTC;
            next_BT = model.Logits(hidden_BTC[TensorIndex.Colon, ^1]).argmax(-1, keepdim: true);
            tokens.Add(next_BT.item<long>());
        }

        return [.. tokens];
    }

    private static long[] GreedyWithoutCache(Transformer model, Tensor prompt_T, int count)
    {
        using var noGrad = no_grad();
        Tensor tokens_BT = prompt_T.unsqueeze(0);
        for (int i = 0; i < count; i++)
        {
            tokens_BT = cat([tokens_BT, model.forward(tokens_BT).Logits_BTV[TensorIndex.Colon, ^1].argmax(-1, keepdim: true)], 1);
        }

        return tokens_BT.narrow(1, prompt_T.shape[0], count).view(-1).data<long>().ToArray();
    }
}
