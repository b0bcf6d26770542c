using System.Text.Json.Nodes;
using PaperLab.Checkpoints;
using PaperLab.Generation;
using PaperLab.Models;
using PaperLab.Reinforcement;
using PaperLab.Tests.Checkpoints;
using PaperLab.Training;
using static TorchSharp.torch;

namespace PaperLab.Tests.Reinforcement;

public sealed class OwnPolicyTests : TorchTest
{
    private static readonly TransformerConfig s_model = new()
    {
        VocabularySize = 263,
        Width = 32,
        Layers = 2,
        Heads = 4,
        ContextLength = 96,
        Attention = new AttentionConfig { KeyHeads = 2, ValueHeads = 2 },
        FeedForward = new DenseConfig(48),
    };

    private static readonly PolicyConfig s_training = new() { Seed = 1, Steps = 2, Questions = 4, Answers = 4, MaxNewTokens = 12, LearningRate = 0.01, Objective = PolicyObjective.Grpo with { KlWeight = 0.1 } };

    private readonly TemporaryFolder _folder = new();

    public OwnPolicyTests()
    {
        manual_seed(4);
        using var model = new Transformer(s_model);
        HuggingFaceModel.Of(model).Save(Model);
        File.WriteAllText(Path.Combine(Model, "tokenizer.json"), TinyTokenizers.ByteLevel().ToJsonString());
        File.WriteAllText(Path.Combine(Model, "generation_config.json"), """{"eos_token_id": [259, 261]}""");
        File.WriteAllLines(Data, Enumerable.Range(1, 20).Select(i => $$"""{"question": "What is {{i}} and {{i}}?", "answer": "{{i}}+{{i}}=<<{{i}}+{{i}}={{2 * i}}>>{{2 * i}}\n#### {{2 * i}}"}"""));
    }

    private string Model => _folder.File("model");

    private string Data => _folder.File("data.jsonl");

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _folder.Dispose();
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(0, true)]
    [InlineData(4, false)]
    [InlineData(4, true)]
    public void A_checkpoint_is_trained_evaluated_saved_and_loaded_again(int adapterRank, bool checkpointing)
    {
        byte[] before = File.ReadAllBytes(Path.Combine(Model, "model.safetensors"));
        WordProblemTask task = Task(0.2);
        OwnPolicyOptions options = new() { Task = task, Training = s_training, AdapterRank = adapterRank, GradientCheckpointing = checkpointing };
        using OwnPolicy own = OwnPolicy.Open(Model, options);
        Assert.Equal(259, own.End);
        own.Load();
        int[] untrained = Greedy(own.Policy, own);

        PolicyStep[] steps = Trained(own, task, s_training);
        PolicyScore score = Assert.Single(new PolicyEvaluator(new PolicyEvaluationOptions { Problems = 2, MaxNewTokens = 12 }, task, own.Tokenizer, own.End).Evaluate(own.Policy));
        int[] trained = Greedy(own.Policy, own);
        own.Save(_folder.File("saved"));

        Assert.Equal(2, steps.Length);
        Assert.All(steps, step => Assert.True(step.GradientNorm > 0));
        Assert.Equal(0, steps[0].Kl, 6);
        Assert.True(steps[1].Kl > 1e-6, $"{steps[1].Kl}");
        Assert.InRange(score.GreedyLenient!.Value, score.Greedy, 1);
        Assert.NotEqual(untrained, trained);
        using OwnPolicy again = OwnPolicy.Open(_folder.File("saved"), options with { AdapterRank = 0 });
        again.Load();
        Assert.Equal(trained, Greedy(again.Policy, again));
        Assert.Equal("llama", again.Inspection.Config.ModelType);
        Assert.Equal(own.Inspection.Parameters, again.Inspection.Parameters);
        Assert.Equal(before, File.ReadAllBytes(Path.Combine(Model, "model.safetensors")));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    public void A_training_that_is_interrupted_goes_on_and_saves_the_same_policy(int adapterRank)
    {
        OwnPolicyOptions options = new() { Task = Task(0.2), Training = s_training with { Steps = 4 }, AdapterRank = adapterRank };
        var evaluation = new PolicyEvaluationOptions { Problems = 50, MaxNewTokens = 12 }; // of a file with fewer
        OwnPolicyResult Train(string name, PolicyRunOptions? watched = null, CancellationToken cancellation = default)
        {
            using OwnPolicy own = OwnPolicy.Open(Model, options);
            return own.Train(evaluation, _folder.File(name), watched, cancellation);
        }

        OwnPolicyResult straight = Train("straight");
        using var cancel = new CancellationTokenSource();
        var stop = new Told(progress =>
        {
            if (progress.Step == 2)
            {
                cancel.Cancel();
            }
        });
        Assert.Throws<OperationCanceledException>(() => Train("broken", new PolicyRunOptions { Progress = stop }, cancel.Token));
        Assert.False(Directory.Exists(_folder.File("broken")));
        var notes = new List<string>();
        OwnPolicyResult resumed = Train("broken", new PolicyRunOptions { Note = notes.Add });

        Assert.Contains("goes on after step 2 of 4", Assert.Single(notes));
        Assert.Equal(straight.Steps.Select(step => (step.Reward, step.Loss, step.GradientNorm)), resumed.Steps.Select(step => (step.Reward, step.Loss, step.GradientNorm)));
        Assert.Equal([0, 4], [resumed.Before.Step, resumed.After.Step]);
        Assert.Equal(File.ReadAllBytes(Path.Combine(_folder.File("straight"), "model.safetensors")), File.ReadAllBytes(Path.Combine(_folder.File("broken"), "model.safetensors")));
        Assert.False(Directory.Exists(_folder.File("broken") + ".checkpoints"));
    }

    private sealed class Told(Action<TrainingProgress> tell) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => tell(value);
    }

    [Fact]
    public void Under_an_adapter_the_reference_is_the_policy_of_its_time_without_a_copy()
    {
        using OwnPolicy own = Open(new OwnPolicyOptions { Task = Task(), Training = s_training, AdapterRank = 4 });
        own.Load();
        PolicyConfig renewed = s_training with { Steps = 3, ReferenceInterval = 2 };

        PolicyStep[] steps = Trained(own, Task(), renewed);

        Assert.Equal(0, steps[0].Kl, 6);
        Assert.True(steps[1].Kl > 1e-6, $"{steps[1].Kl}");
        Assert.Equal(0, steps[2].Kl, 6); // it became the policy after the second step
    }

    [Fact]
    public void A_training_of_an_adapter_goes_on_from_its_state_as_if_nothing_had_happened()
    {
        using OwnPolicy whole = Opened(), first = Opened(), second = Opened();
        double expected = Trained(whole, Task(), s_training)[1].Loss;
        using PolicyTrainer before = Trainer(first, Task(), s_training), after = Trainer(second, Task(), s_training);
        before.Take(1, TestContext.Current.CancellationToken);

        ((IStageTrainer)after).Load(((IStageTrainer)before).State());
        using (no_grad())
        {
            Dictionary<string, Tensor> weights = first.Policy.state_dict();
            foreach ((string name, Tensor weight) in second.Policy.state_dict())
            {
                weight.copy_(weights[name]);
            }
        }

        Assert.Equal(expected, after.Take(2, TestContext.Current.CancellationToken).Loss);

        OwnPolicy Opened()
        {
            OwnPolicy own = Open(Options() with { AdapterRank = 4 });
            own.Load();
            return own;
        }
    }

    [Fact]
    public void A_base_of_bfloat16_trains_an_adapter_of_float32()
    {
        using OwnPolicy own = Open(new OwnPolicyOptions { Task = Task(), Training = s_training, AdapterRank = 4, GradientCheckpointing = true, Dtype = ScalarType.BFloat16 });
        own.Load();

        PolicyStep[] steps = Trained(own, Task(), s_training);

        Assert.Equal([ScalarType.BFloat16], own.Policy.parameters().Where(parameter => !parameter.requires_grad).Select(parameter => parameter.dtype).Distinct());
        Assert.Equal([ScalarType.Float32], own.Policy.parameters().Where(parameter => parameter.requires_grad).Select(parameter => parameter.dtype).Distinct());
        Assert.All(steps, step => Assert.InRange(step.GradientNorm, 1e-9, 1e9));
    }

    [Fact]
    public void Countdown_serves_as_well_as_a_file()
    {
        var task = new CountdownTask(new CountdownOptions(), question => $"{question[..40]}: ");
        using OwnPolicy own = Open(new OwnPolicyOptions { Task = task, Training = s_training });

        Assert.Equal(42, own.LongestPrompt);
    }

    [Fact]
    public void Opening_loads_nothing_and_the_policy_is_not_there_before_it_is_loaded()
    {
        int mapped = MappedTensor.Count;
        using OwnPolicy own = Open();

        Assert.Equal(mapped, MappedTensor.Count);
        Assert.Equal(TransformerSize.Parameters(s_model), own.Inspection.Parameters);
        Assert.Equal(4 * own.Inspection.Parameters, own.Inspection.StoredBytes);
        Assert.Equal(ScalarType.Float32, own.Inspection.Dtype);
        Assert.Contains("call Load first", Assert.Throws<InvalidOperationException>(() => own.Policy).Message);
    }

    [Fact]
    public void What_will_not_fit_is_not_loaded_unless_it_is_asked_for_all_the_same()
    {
        OwnPolicyOptions options = new() { Task = Task(), Training = s_training, FreeBytes = 1000 };
        using OwnPolicy refused = Open(options), loaded = Open(options with { LoadAnyway = true });

        PolicyMemoryException error = Assert.Throws<PolicyMemoryException>(refused.Load);
        loaded.Load();

        Assert.Contains("nothing was loaded", error.Message);
        Assert.Contains("GradientCheckpointing = true: about", error.Message);
        Assert.Contains("LoadAnyway", error.Message);
        Assert.Equal(s_model, loaded.Policy.Config);
    }

    [Fact]
    public void A_folder_that_lacks_something_is_refused_with_what_is_missing()
    {
        Assert.Contains("config.json: it is missing. Name the folder of a checkpoint", Assert.Throws<CheckpointException>(() => OwnPolicy.Open(_folder.File("none"), Options())).Message);
        File.Delete(Path.Combine(Model, "generation_config.json"));
        Assert.Contains("names an eos_token_id", Assert.Throws<CheckpointException>(() => Open()).Message);
        Assert.Equal(7, Open(Options() with { End = 7 }).End);
        Assert.Contains("End is 263; allowed: 0 to 262", Assert.Throws<ArgumentException>(() => Open(Options() with { End = 263 })).Message);
        File.Move(Path.Combine(Model, "tokenizer.json"), _folder.File("tokenizer.json"));
        Assert.Contains("tokenizer.json: it is missing", Assert.Throws<CheckpointException>(() => Open()).Message);
        File.Move(_folder.File("tokenizer.json"), Path.Combine(Model, "tokenizer.json"));
        File.Delete(Path.Combine(Model, "model.safetensors"));
        Assert.Contains("it holds neither model.safetensors nor", Assert.Throws<CheckpointException>(() => Open()).Message);
    }

    [Fact]
    public void A_family_that_is_not_supported_is_refused_with_those_that_are()
    {
        string path = Path.Combine(Model, "config.json");
        JsonNode config = JsonNode.Parse(File.ReadAllText(path))!;
        config["model_type"] = "gpt2";
        File.WriteAllText(path, config.ToJsonString());

        Assert.Contains("field 'model_type' is \"gpt2\"; allowed: llama, mistral, mixtral, qwen2, qwen3", Assert.Throws<CheckpointException>(() => Open()).Message);
    }

    [Fact]
    public void Weights_of_another_model_are_refused_before_anything_is_loaded()
    {
        string path = Path.Combine(Model, "config.json");
        JsonNode config = JsonNode.Parse(File.ReadAllText(path))!;
        config["intermediate_size"] = 50;
        File.WriteAllText(path, config.ToJsonString());

        Assert.Contains("by the config [50, 32]", Assert.Throws<CheckpointException>(() => Open()).Message);
    }

    [Fact]
    public void A_prompt_that_leaves_no_room_names_the_problem()
    {
        File.AppendAllText(Data, $$"""{"question": "How long is {{new string('x', 90)}} in metres?", "answer": "#### 1"}""");

        string message = Assert.Throws<ArgumentException>(() => Open()).Message;

        Assert.Contains("x in metres?", message);
        Assert.Contains("of data.jsonl", message);
        Assert.Contains("allowed: 1 to 95: the model's context has 96", message);
    }

    [Fact]
    public void A_broken_line_names_itself()
    {
        File.AppendAllText(Data, "{\"question\": \"a\"}\n");

        Assert.Contains("data.jsonl, line 21: the field 'answer' is missing", Assert.Throws<InvalidDataException>(() => Open()).Message);
    }

    [Fact]
    public void Options_out_of_range_are_refused_by_name()
    {
        Assert.Contains("AdapterRank is -1", Assert.Throws<ArgumentException>(() => Open(Options() with { AdapterRank = -1 })).Message);
        Assert.Contains("rank is 33; allowed: 1 to 32", Assert.Throws<ArgumentException>(() => Open(Options() with { AdapterRank = 33 })).Message);
        Assert.Contains("AdapterAlpha is 0", Assert.Throws<ArgumentException>(() => Open(Options() with { AdapterAlpha = 0 })).Message);
        Assert.Contains("Dtype is BFloat16; allowed: Float32, or BFloat16 where AdapterRank is above 0", Assert.Throws<ArgumentException>(() => Open(Options() with { Dtype = ScalarType.BFloat16 })).Message);
        Assert.Contains("Answers is 1", Assert.Throws<ArgumentException>(() => Open(Options() with { Training = s_training with { Answers = 1 } })).Message);
    }

    private WordProblemTask Task(double heldOutShare = 0) => WordProblemTask.Read(Data, heldOutShare, question => $"{question} ");

    private OwnPolicyOptions Options() => new() { Task = Task(), Training = s_training };

    private OwnPolicy Open(OwnPolicyOptions? options = null) => OwnPolicy.Open(Model, options ?? Options());

    private static PolicyTrainer Trainer(OwnPolicy own, ITask task, PolicyConfig config) =>
        new(config, own.Policy, own.Tokenizer, own.End, task, new CombinedReward([new WeightedVerifier(new Letters())]));

    private static PolicyStep[] Trained(OwnPolicy own, ITask task, PolicyConfig config)
    {
        using PolicyTrainer trainer = Trainer(own, task, config);
        return [.. trainer.Train()];
    }

    private static int[] Greedy(Transformer policy, OwnPolicy own) =>
        [.. new TextGenerator(policy).Generate([own.Tokenizer.Encode("What is 3 and 3? ")], new SamplingOptions { MaxNewTokens = 24, Temperature = 0, StopTokens = [own.End] })[0].Tokens];

    // What an untrained policy does more or less of too.
    private sealed class Letters : IVerifier
    {
        public string Name => "letters";

        public Score Judge(Sample sample) => new(Math.Min(1, sample.Completion.Text.Count(c => c is >= 'a' and <= 'm') / 12.0), "counted");
    }
}
