using System.Globalization;
using System.Text.Json.Nodes;
using PaperLab.Checkpoints;
using PaperLab.Models;
using PaperLab.Tests.Parity;
using PaperLab.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace PaperLab.Tests.Checkpoints;

public sealed class HuggingFaceModelTests : TorchTest
{
    private static readonly TransformerConfig s_dense = new()
    {
        VocabularySize = 300,
        Width = 16,
        Layers = 2,
        Heads = 4,
        ContextLength = 32,
        Attention = new AttentionConfig { KeyHeads = 2, ValueHeads = 2 },
        FeedForward = new DenseConfig(24),
    };

    public static TheoryData<string> Families => ["llama", "llama3-rope", "mistral", "mixtral", "qwen2", "qwen3"];

    [Theory]
    [MemberData(nameof(Families))]
    public void A_family_that_is_saved_holds_the_same_bytes_under_the_same_names(string family)
    {
        using var folder = new TemporaryFolder();
        using HuggingFaceModel loaded = HuggingFaceModel.Load(Family(family));

        loaded.Save(folder.File("saved"), maxShardBytes: 20_000);

        using ShardedWeights before = ShardedWeights.Open(Family(family)), after = ShardedWeights.Open(folder.File("saved"));
        Assert.Equal(before.Names.Where(name => !name.EndsWith("inv_freq", StringComparison.Ordinal)).Order(StringComparer.Ordinal), after.Names.Order(StringComparer.Ordinal));
        Assert.All(after.Names, name => Assert.True(Same(before.Tensor(name), after.Tensor(name)), name));
        Assert.True(Directory.GetFiles(folder.File("saved"), "*.safetensors").Length > 1);
        Assert.Equal(File.ReadAllBytes(Path.Combine(Family(family), "tokenizer.json")), File.ReadAllBytes(folder.File("saved/tokenizer.json")));
        using HuggingFaceModel again = HuggingFaceModel.Load(folder.File("saved"));
        Assert.Equal(loaded.Config.Model, again.Config.Model);
        Assert.True(SameState(loaded.Model, again.Model));
        Assert.Equal(["saved"], Directory.GetFileSystemEntries(folder.Path).Select(Path.GetFileName));
    }

    public static TheoryData<string, FeedForwardConfig, AttentionConfig?> Models => new()
    {
        { "llama", new DenseConfig(24), new AttentionConfig { KeyHeads = 2, ValueHeads = 2 } },
        { "mistral", new DenseConfig(24), new AttentionConfig { SlidingWindow = 5 } },
        { "qwen2", new DenseConfig(24), new AttentionConfig { QkvBias = true } },
        { "qwen3", new DenseConfig(24), new AttentionConfig { QkNorm = true, KeyWidth = 6, ValueWidth = 6 } },
        { "mixtral", new MixtureOfExpertsConfig { NumExperts = 3, Hidden = 8 }, null },
        { "paperlab", new DenseConfig(24), new AttentionConfig { KeyHeads = 1, ValueHeads = 2, QueryHidden = 8 } },
        { "paperlab", new AutonomyOfExpertsConfig { NumExperts = 4, Hidden = 8, GateRank = 2 }, null },
        { "paperlab", new MixtureOfExpertsConfig { NumExperts = 4, Hidden = 8, RouterHidden = 6 }, null },
        { "paperlab", new MixtureOfExpertsConfig { NumExperts = 4, Hidden = 8, SharedExperts = 1, BiasUpdateRate = 0.01, GateRank = 2 }, null },
    };

    [Theory]
    [MemberData(nameof(Models))]
    public void A_model_of_ours_comes_back_from_its_familys_layout_or_our_own(string family, FeedForwardConfig feedForward, AttentionConfig? attention)
    {
        using var folder = new TemporaryFolder();
        var model = new Transformer(s_dense with { FeedForward = feedForward, Attention = attention });
        Tensor tokens = randint(0, 300, [2, 9], dtype: ScalarType.Int64);

        HuggingFaceModel.Of(model).Save(folder.File("saved"));

        using HuggingFaceModel loaded = HuggingFaceModel.Load(folder.File("saved"));
        Assert.Equal((family, model.Config), (loaded.Config.ModelType, loaded.Model.Config));
        Assert.True(SameState(model, loaded.Model));
        Assert.True(Same(model.forward(tokens).Logits_BTV, loaded.Model.forward(tokens).Logits_BTV));
    }

    [Fact]
    public void A_tokenizer_of_ours_is_saved_with_its_model()
    {
        using var folder = new TemporaryFolder();
        BpeTokenizer tokenizer = BpeTokenizer.Train(["the expert gates the expert"], 260);

        HuggingFaceModel.Of(new Transformer(s_dense), tokenizer).Save(folder.File("saved"));

        using HuggingFaceModel loaded = HuggingFaceModel.Load(folder.File("saved"));
        Assert.Equal(tokenizer.Hash, Assert.IsType<BpeTokenizer>(loaded.Tokenizer).Hash);
        Assert.Equal([tokenizer.EndOfText], loaded.EndOfText);
        loaded.Save(folder.File("again"));
        Assert.True(BpeTokenizer.IsSavedIn(folder.File("again")));
    }

    [Fact]
    public void Weights_keep_their_type_unless_another_is_asked_for_and_buffers_always_do()
    {
        using var folder = new TemporaryFolder();
        var model = new Transformer(s_dense with { FeedForward = new MixtureOfExpertsConfig { NumExperts = 4, Hidden = 8, BiasUpdateRate = 0.01 } });
        HuggingFaceModel.Of(model).Save(folder.File("float32"));

        using HuggingFaceModel asked = HuggingFaceModel.Load(folder.File("float32"), dtype: ScalarType.BFloat16);
        asked.Save(folder.File("bfloat16"));

        using HuggingFaceModel kept = HuggingFaceModel.Load(folder.File("bfloat16"));
        Assert.Equal(ScalarType.BFloat16, kept.Config.Dtype);
        Assert.All(kept.Model.parameters(), parameter => Assert.Equal(ScalarType.BFloat16, parameter.dtype));
        Assert.All(kept.Model.buffers(), buffer => Assert.Equal(ScalarType.Float32, buffer.dtype));
        Assert.True(SameState(asked.Model, kept.Model));
    }

    [Fact]
    public void A_loaded_model_lives_outside_the_scope_it_was_loaded_in_and_trains_without_touching_its_files()
    {
        using var folder = new TemporaryFolder();
        HuggingFaceModel.Of(new Transformer(s_dense)).Save(folder.File("saved"));
        byte[] before = File.ReadAllBytes(folder.File("saved/model.safetensors"));
        int mapped = MappedTensor.Count;
        HuggingFaceModel loaded;
        using (NewDisposeScope())
        {
            loaded = HuggingFaceModel.Load(folder.File("saved"));
        }

        using (NewDisposeScope())
        {
            Tensor tokens = randint(0, 300, [2, 9], dtype: ScalarType.Int64);
            var optimizer = optim.SGD(loaded.Model.parameters(), 0.1);
            double Loss() => nn.functional.cross_entropy(loaded.Model.forward(tokens).Logits_BTV.view(-1, 300), tokens.view(-1)).item<float>();
            double untrained = Loss();
            nn.functional.cross_entropy(loaded.Model.forward(tokens).Logits_BTV.view(-1, 300), tokens.view(-1)).backward();
            optimizer.step();
            Assert.True(Loss() < untrained);
        }

        Assert.Equal(before, File.ReadAllBytes(folder.File("saved/model.safetensors")));
        Assert.True(MappedTensor.Count > mapped);
        loaded.Dispose();
        Assert.Equal(mapped, MappedTensor.Count);
    }

    [Fact]
    public void Missing_foreign_and_misshaped_tensors_are_listed_by_name()
    {
        using var folder = new TemporaryFolder();
        string saved = Damaged(folder, tensors =>
        {
            tensors.Remove("model.layers.1.mlp.up_proj.weight");
            tensors["model.layers.0.mlp.extra"] = ones(3);
            tensors["model.norm.weight"] = ones(15);
            tensors["model.layers.0.self_attn.q_proj.weight"] = ones([16, 16], ScalarType.Int8);
        });

        CheckpointException error = Assert.Throws<CheckpointException>(() => HuggingFaceModel.Load(saved));

        Assert.StartsWith(saved, error.Message);
        Assert.Contains("missing: model.layers.1.mlp.up_proj.weight;", error.Message);
        Assert.Contains("not the model's: model.layers.0.mlp.extra;", error.Message);
        Assert.Contains("of another shape: model.norm.weight is [15], by the config [16];", error.Message);
        Assert.Contains("of another type: model.layers.0.self_attn.q_proj.weight is Int8", error.Message);
    }

    [Fact]
    public void Weights_that_are_no_numbers_are_named_unless_the_check_is_off()
    {
        using var folder = new TemporaryFolder();
        string saved = Damaged(folder, tensors =>
        {
            tensors["model.norm.weight"] = tensor(Enumerable.Range(0, 16).Select(i => i == 3 ? float.NaN : 1f).ToArray());
            tensors["lm_head.weight"][5, 7] = float.NegativeInfinity;
        });

        CheckpointException error = Assert.Throws<CheckpointException>(() => HuggingFaceModel.Load(saved));

        Assert.Contains("weights are NaN or infinite: 'lm_head.weight' in model.safetensors (1 of 4800), 'model.norm.weight' in model.safetensors (1 of 16)", error.Message);
        using HuggingFaceModel unchecked_ = HuggingFaceModel.Load(saved, check: false);
        Assert.False(unchecked_.Model.state_dict()["norm.weight"].isfinite().all().item<bool>());
    }

    [Theory]
    [InlineData("num_hidden_layers", "3", "field 'num_hidden_layers' is 3, but the weights have 2 layers")]
    [InlineData("num_hidden_layers", "2000000000", "but the weights have 2 layers")]
    [InlineData("vocab_size", "200", "field 'vocab_size' is 200, but the tokenizer in the folder has ids up to 262")]
    [InlineData("vocab_size", "301", "model.embed_tokens.weight is [300, 16], by the config [301, 16]")]
    [InlineData("intermediate_size", "2147483647", "of another shape: ")]
    [InlineData("tie_word_embeddings", "true", null)]
    public void A_config_of_other_weights_is_refused(string field, string value, string? problem)
    {
        using var folder = new TemporaryFolder();
        HuggingFaceModel.Of(new Transformer(s_dense)).Save(folder.File("saved"));
        File.WriteAllText(folder.File("saved/tokenizer.json"), TinyTokenizers.ByteLevel().ToJsonString());
        JsonNode config = JsonNode.Parse(File.ReadAllText(folder.File("saved/config.json")))!;
        config[field] = JsonNode.Parse(value);
        File.WriteAllText(folder.File("saved/config.json"), config.ToJsonString());

        if (problem is null)
        {
            // A head that is stored although it is the embedding.
            HuggingFaceModel.Load(folder.File("saved")).Dispose();
            return;
        }

        Assert.Contains(problem, Assert.Throws<CheckpointException>(() => HuggingFaceModel.Load(folder.File("saved"))).Message);
    }

    [Fact]
    public void A_head_that_is_missing_gets_a_hint()
    {
        using var folder = new TemporaryFolder();
        string saved = Damaged(folder, tensors => tensors.Remove("lm_head.weight"));

        Assert.Contains("missing: lm_head.weight. Get both files of the same checkpoint. Where the head is the embedding", Assert.Throws<CheckpointException>(() => HuggingFaceModel.Load(saved)).Message);
    }

    [Fact]
    public void A_missing_piece_of_a_folder_is_named()
    {
        using var folder = new TemporaryFolder();
        HuggingFaceModel.Of(new Transformer(s_dense)).Save(folder.File("saved"));
        string Refusal() => Assert.Throws<CheckpointException>(() => HuggingFaceModel.Load(folder.File("saved"))).Message;

        using (var stream = new FileStream(folder.File("saved/model.safetensors"), FileMode.Open))
        {
            stream.SetLength(stream.Length - 100);
        }

        Assert.StartsWith(folder.File("saved/model.safetensors"), Refusal());
        File.Delete(folder.File("saved/model.safetensors"));
        Assert.StartsWith(folder.File("saved") + ": it holds neither", Refusal());
        File.Delete(folder.File("saved/config.json"));
        Assert.StartsWith(folder.File("saved/config.json") + ": it is missing", Refusal());
    }

    [Fact]
    public void The_token_ids_that_end_generation_are_those_of_its_config()
    {
        using var folder = new TemporaryFolder();
        HuggingFaceModel.Of(new Transformer(s_dense)).Save(folder.File("saved"));
        File.WriteAllText(folder.File("saved/generation_config.json"), """{"eos_token_id": [7, 9]}""");

        using HuggingFaceModel loaded = HuggingFaceModel.Load(folder.File("saved"));

        Assert.Equal([7, 9], loaded.EndOfText);
    }

    [Fact]
    public void A_checkpoint_is_replaced_only_when_asked_and_only_by_a_whole_one()
    {
        using var folder = new TemporaryFolder();
        string saved = folder.File("saved");
        HuggingFaceModel.Of(new Transformer(s_dense)).Save(saved);
        using HuggingFaceModel loaded = HuggingFaceModel.Load(saved);
        using (no_grad())
        {
            loaded.Model.parameters().First().fill_(2);
        }

        Assert.Contains("it is not empty. Name a new folder", Assert.Throws<CheckpointException>(() => loaded.Save(saved)).Message);
        loaded.Save(saved, overwrite: true); // over the files that its weights lie on

        using HuggingFaceModel again = HuggingFaceModel.Load(saved);
        Assert.True(SameState(loaded.Model, again.Model));
        Assert.Equal(2, again.Model.parameters().First()[0, 0].item<float>());
        Assert.Single(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void A_folder_that_is_no_checkpoint_is_never_replaced()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.File("papers"));
        File.WriteAllText(folder.File("papers/thesis.txt"), "years of work");

        Assert.Contains("it holds no config.json", Assert.Throws<CheckpointException>(() => HuggingFaceModel.Of(new Transformer(s_dense)).Save(folder.File("papers"), overwrite: true)).Message);
        Assert.Contains("it is a file", Assert.Throws<CheckpointException>(() => HuggingFaceModel.Of(new Transformer(s_dense)).Save(folder.File("papers/thesis.txt"), overwrite: true)).Message);
        Assert.Equal("years of work", File.ReadAllText(folder.File("papers/thesis.txt")));
    }

    [Fact]
    public void A_save_that_fails_leaves_the_old_checkpoint_and_no_litter()
    {
        using var folder = new TemporaryFolder();
        string saved = folder.File("saved");
        HuggingFaceModel.Of(new Transformer(s_dense)).Save(saved);
        File.WriteAllText(Path.Combine(saved, "tokenizer.json"), TinyTokenizers.ByteLevel().ToJsonString());
        using HuggingFaceModel loaded = HuggingFaceModel.Load(saved);
        byte[] weights = File.ReadAllBytes(Path.Combine(saved, "model.safetensors"));
        File.Delete(Path.Combine(saved, "tokenizer.json"));

        Assert.Contains("tokenizer.json: it is gone since it was read", Assert.Throws<CheckpointException>(() => loaded.Save(saved, overwrite: true)).Message);

        Assert.Equal(weights, File.ReadAllBytes(Path.Combine(saved, "model.safetensors")));
        Assert.Single(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void Loading_holds_no_second_copy_of_the_weights()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the kernel's count of private memory is read from /proc");
        using var folder = new TemporaryFolder();
        var config = s_dense with { VocabularySize = 4000, Width = 512, Layers = 6, FeedForward = new DenseConfig(2048) };
        using (var model = new Transformer(config))
        {
            model.to(ScalarType.BFloat16);
            HuggingFaceModel.Of(model).Save(folder.File("saved"));
        }

        long bytes = new FileInfo(folder.File("saved/model.safetensors")).Length;
        HuggingFaceModel.Load(folder.File("saved")).Dispose(); // what is loaded once per process
        long before = PrivateBytes();
        using HuggingFaceModel loaded = HuggingFaceModel.Load(folder.File("saved"));

        Assert.InRange(bytes, 45_000_000, 80_000_000);
        Assert.InRange(PrivateBytes() - before, long.MinValue, bytes / 4);
    }

    private static string Family(string name) => Path.Combine(Fixture.Folder, "hf", name);

    // Anonymous memory in use: not the pages of mapped files, until they are written to.
    private static long PrivateBytes()
    {
        string line = File.ReadLines("/proc/self/status").First(line => line.StartsWith("RssAnon:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)[^2].Split('\t')[^1], CultureInfo.InvariantCulture) * 1024;
    }

    private static string Damaged(TemporaryFolder folder, Action<Dictionary<string, Tensor>> damage)
    {
        HuggingFaceModel.Of(new Transformer(s_dense)).Save(folder.File("saved"));
        Dictionary<string, Tensor> tensors;
        using (ShardedWeights weights = ShardedWeights.Open(folder.File("saved")))
        {
            tensors = weights.Names.ToDictionary(name => name, weights.Tensor);
        }

        damage(tensors);
        SafetensorsFile.Write(folder.File("saved/model.safetensors"), tensors.Select(entry => (entry.Key, entry.Value)));
        return folder.File("saved");
    }

    private static bool SameState(nn.Module left, nn.Module right)
    {
        Dictionary<string, Tensor> a = left.state_dict(), b = right.state_dict();
        return a.Keys.SequenceEqual(b.Keys) && a.All(entry => Same(entry.Value, b[entry.Key]));
    }

    private static bool Same(Tensor left, Tensor right) =>
        left.dtype == right.dtype && left.shape.SequenceEqual(right.shape) && left.detach().contiguous().bytes.SequenceEqual(right.detach().contiguous().bytes);
}
