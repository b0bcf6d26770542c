using System.Text.Json;
using PaperLab.Checkpoints;
using static TorchSharp.torch;

namespace PaperLab.Tests.Checkpoints;

public sealed class ShardedWeightsTests : TorchTest
{
    private static (string Name, Tensor Tensor)[] Tensors => [("a", ones(100)), ("b", ones(50) * 2), ("c", ones(300) * 3), ("d", ones(10) * 4)];

    [Fact]
    public void What_fits_one_file_lies_in_one_file()
    {
        using var folder = new TemporaryFolder();

        ShardedWeights.Write(folder.Path, Tensors);

        Assert.Equal(["model.safetensors"], Directory.GetFiles(folder.Path).Select(Path.GetFileName));
        using ShardedWeights read = ShardedWeights.Open(folder.Path);
        Assert.Equal(900, read.Tensor("c").sum().item<float>());
    }

    [Fact]
    public void Weights_are_split_in_order_by_size_and_found_through_the_index()
    {
        using var folder = new TemporaryFolder();

        ShardedWeights.Write(folder.Path, Tensors, maxShardBytes: 600);

        string Shard(int i) => $"model-0000{i}-of-00003.safetensors";
        Assert.Equal([Shard(1), Shard(2), Shard(3), "model.safetensors.index.json"], Directory.GetFiles(folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        using JsonDocument index = JsonDocument.Parse(File.ReadAllText(folder.File("model.safetensors.index.json")));
        Assert.Equal(1840, index.RootElement.GetProperty("metadata").GetProperty("total_size").GetInt64());
        using ShardedWeights read = ShardedWeights.Open(folder.Path);
        Assert.Equal([Shard(1), Shard(1), Shard(2), Shard(3)], Tensors.Select(tensor => Path.GetFileName(read.FileOf(tensor.Name))));
        Assert.All(Tensors, tensor => Assert.True(read.Tensor(tensor.Name).equal(tensor.Tensor).all().item<bool>()));
        Assert.Contains("there is no tensor 'e'", Assert.Throws<CheckpointException>(() => read.Shape("e")).Message);
    }

    [Fact]
    public void A_folder_with_weights_is_not_written_over()
    {
        using var folder = new TemporaryFolder();
        ShardedWeights.Write(folder.Path, Tensors);

        CheckpointException error = Assert.Throws<CheckpointException>(() => ShardedWeights.Write(folder.Path, Tensors, maxShardBytes: 600));

        Assert.Contains("weights are in the folder already", error.Message);
        Assert.Single(Directory.GetFiles(folder.Path));
    }

    [Theory]
    [InlineData("""{"weight_map": {"a": "../model-00001-of-00001.safetensors"}}""", "it must be a name in the same folder")]
    [InlineData("""{"weight_map": {"a": 3}}""", "it must be a name in the same folder")]
    [InlineData("""{"weight_map": {"a": "one.safetensors", "a": "one.safetensors"}}""", "names 'a' twice")]
    [InlineData("""{"weight_map": []}""", "it has no object weight_map")]
    [InlineData("""[]""", "it has no object weight_map")]
    [InlineData("""{"weight_map": """, "it is not JSON")]
    [InlineData("""{"weight_map": {"a": "one.safetensors"}}""", "one.safetensors holds 'b', which the index does not list there")]
    [InlineData("""{"weight_map": {"a": "one.safetensors", "b": "one.safetensors", "c": "one.safetensors"}}""", "one.safetensors lacks 'c'")]
    public void What_is_wrong_with_an_index_is_named(string json, string problem)
    {
        using var folder = new TemporaryFolder();
        SafetensorsFile.Write(folder.File("one.safetensors"), Tensors[..2]);
        string index = folder.File("model.safetensors.index.json");
        File.WriteAllText(index, json);

        CheckpointException error = Assert.Throws<CheckpointException>(() => ShardedWeights.Open(folder.Path));

        Assert.StartsWith(index, error.Message);
        Assert.Contains(problem, error.Message);
    }

    [Fact]
    public void A_missing_shard_and_a_folder_without_weights_are_named()
    {
        using var folder = new TemporaryFolder();
        Assert.Contains("it holds neither model.safetensors nor model.safetensors.index.json", Assert.Throws<CheckpointException>(() => ShardedWeights.Open(folder.Path)).Message);

        ShardedWeights.Write(folder.Path, Tensors, maxShardBytes: 600);
        File.Delete(folder.File("model-00002-of-00003.safetensors"));

        Assert.StartsWith(folder.File("model-00002-of-00003.safetensors"), Assert.Throws<CheckpointException>(() => ShardedWeights.Open(folder.Path)).Message);
    }
}
