using System.Text.Json;
using PaperLab.Checkpoints;
using PaperLab.Models;
using PaperLab.Text;
using PaperLab.Training;
using static TorchSharp.torch;
using AdamW = PaperLab.Training.AdamW;

namespace PaperLab.Tests.Training;

public sealed class CheckpointTests : TrainingTest
{
    private static readonly RunConfig s_config = TrainingFixtures.RunConfig with { Training = TrainingFixtures.RunConfig.Training with { EvaluationInterval = 4 } };
    private readonly List<string> _notes = [];
    private readonly string _path;

    public CheckpointTests() => _path = Folder.File("checkpoints");

    [Fact]
    public void A_cancelled_run_goes_on_to_the_same_bits()
    {
        Interrupt(after: 13);

        RunRecord resumed = Train();
        RunRecord whole = Train(new RunOptions());

        Assert.Equal(whole.TrainingLoss, resumed.TrainingLoss);
        Assert.Equal(Json(whole.Final), Json(resumed.Final));
        Assert.Equal(Json(whole.Initial), Json(resumed.Initial));
        Assert.Equal(Json(whole.Evaluations), Json(resumed.Evaluations));
        Assert.Equal([13], resumed.Resumed.Select(resumption => resumption.AfterStep));
        Assert.Contains($"MoE, seed 1 goes on after step 13 of 30, from {Path.Combine(_path, "step-00000013")}", Assert.Single(_notes));
    }

    [Fact]
    public void A_run_that_was_only_not_recorded_is_not_trained_again()
    {
        RunRecord first = Train();
        var progress = new Reports();
        RunRecord again = Train(progress: progress);

        Assert.Empty(progress.Seen);
        Assert.Equal(Json(first.Final), Json(again.Final));
        Assert.Equal(first.TrainingLoss, again.TrainingLoss);
    }

    [Fact]
    public void Progress_says_where_it_was_resumed_and_counts_the_earlier_time_once()
    {
        Interrupt(after: 13);
        var progress = new Reports();
        double earlier = JsonSerializer.Deserialize<TrainingCheckpoint>(File.ReadAllText(Path.Combine(_path, "step-00000013", "state.json")), RunRecord.Json)!.State.Seconds;

        RunRecord record = Train(progress: progress);

        Assert.Equal(Enumerable.Range(14, 17), progress.Seen.Select(report => report.Step));
        Assert.All(progress.Seen, report => Assert.Equal(13, report.ResumedAfter));
        Assert.All(progress.Seen, report => Assert.True(report.Elapsed.TotalSeconds > earlier));
        TrainingProgress last = progress.Seen[^1];
        Assert.Equal(17 * 8 * 16 / last.TokensPerSecond!.Value, record.TrainingSeconds - earlier, 0.05);
    }

    [Theory]
    [InlineData("state.json", "cut")]
    [InlineData("state.json", "empty")]
    [InlineData("state.json", "null")]
    [InlineData("state.json", "{}")]
    [InlineData("state.json", "missing")]
    [InlineData("weights.safetensors", "cut")]
    [InlineData("weights.safetensors", "flipped")]
    [InlineData("weights.safetensors", "missing")]
    [InlineData("optimizer.safetensors", "flipped")]
    [InlineData("optimizer.safetensors", "missing")]
    public void A_damaged_checkpoint_is_kept_and_told_of_and_the_one_before_it_taken(string file, string damage)
    {
        Interrupt(after: 13);
        string newest = Path.Combine(_path, "step-00000013");
        Damage(Path.Combine(newest, file), damage);

        RunRecord resumed = Train();

        Assert.Equal(2, _notes.Count);
        Assert.StartsWith($"The checkpoint {newest} is damaged: {file} ", _notes[0]);
        Assert.EndsWith("It was kept as damaged-step-00000013; the one before it, step-00000012, is taken.", _notes[0]);
        Assert.Contains("goes on after step 12", _notes[1]);
        Assert.True(Directory.Exists(Path.Combine(_path, "damaged-step-00000013")));
        Assert.Equal(Train(new RunOptions()).TrainingLoss, resumed.TrainingLoss);
    }

    [Fact]
    public void Without_a_sound_checkpoint_the_run_begins_again_and_says_so()
    {
        Interrupt(after: 13);
        foreach (string checkpoint in Directory.GetDirectories(_path))
        {
            Damage(Path.Combine(checkpoint, "weights.safetensors"), "flipped");
        }

        RunRecord again = Train();

        Assert.EndsWith("there is no older one, so the run starts again.", _notes[^1]);
        Assert.Equal(30, again.TrainingLoss.Count);
        Assert.Empty(again.Resumed);
        Assert.Equal(_notes.Count, Directory.GetDirectories(_path, "damaged-*").Length);
    }

    [Fact]
    public void A_checkpoint_of_another_config_is_refused_field_by_field()
    {
        Interrupt(after: 13);

        CheckpointException error = Assert.Throws<CheckpointException>(() => Train(config: s_config with
        {
            Seed = 2,
            Training = s_config.Training with { LearningRate = 0.1, Precision = Precision.BFloat16 },
        }));

        Assert.Equal(
            $"{Path.Combine(_path, "step-00000013", "state.json")}: it is a checkpoint of another run: Seed is 1 in it and 2 here; Training.LearningRate is 0.005 in it and 0.1 here; "
            + "Training.Precision is not set in it and \"BFloat16\" here. Train with that config and text, or give this run a checkpoint folder of its own.",
            error.Message);
    }

    [Fact]
    public void A_checkpoint_on_another_corpus_is_refused()
    {
        Interrupt(after: 13);
        string state = Path.Combine(_path, "step-00000013", "state.json");
        string corpus = TrainingFixtures.Text(Folder).Corpus.Hash;
        File.WriteAllText(state, File.ReadAllText(state).Replace(corpus, new string('0', 64)));

        Assert.Contains($"CorpusHash is \"{new string('0', 64)}\" in it and \"{corpus}\" here", Assert.Throws<CheckpointException>(() => Train()).Message);
    }

    [Fact]
    public void A_checkpoint_of_another_version_is_refused()
    {
        Interrupt(after: 13);
        string state = Path.Combine(_path, "step-00000013", "state.json");
        File.WriteAllText(state, File.ReadAllText(state).Replace("\"Format\":1,\"Sha256\"", "\"Format\":7,\"Sha256\""));

        Assert.Contains($"{state}: Format is 7; this version of PaperLab reads 1.", Assert.Throws<CheckpointException>(() => Train()).Message);
    }

    [Fact]
    public void A_run_resumed_in_another_arithmetic_says_so_on_the_page_and_in_the_record()
    {
        Interrupt(after: 13);

        RunRecord record = Run(s_config, Runtime with { Arithmetic = "fp64, by hand" }, new RunOptions());

        Assert.Contains("is resumed in another mode", _notes[1]);
        Assert.Contains("fp64, by hand; before: libtorch 2.10.0 on cpu, 1 thread, fp32, libtorch's default", _notes[1]);
        Assert.Equal("fp64, by hand", record.Environment.Arithmetic);
        Assert.EndsWith("fp32, libtorch's default", Assert.Single(record.Resumed).Mode);
    }

    [Fact]
    public void The_newest_and_the_best_checkpoints_stay()
    {
        // A rate that rises to the end spoils what was learnt: the best held-out loss lies early.
        RunConfig rising = s_config with { Training = s_config.Training with { LearningRate = 3, WarmupShare = 0.99 } };
        using CheckpointFolder folder = CheckpointFolder.Open(_path, new CheckpointOptions { EverySteps = 2 });
        RunRecord record = new LanguageModelTrainer(rising, TrainingFixtures.Text(Folder), Runtime).Run("smoke", new RunOptions { Checkpoints = folder });

        int best = record.Evaluations.MinBy(point => point.Loss)!.Step;
        Assert.True(best < 26, $"{best}");
        Assert.Equal([$"step-{best:D8}", "step-00000028", "step-00000030"], Directory.GetDirectories(_path).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void A_finished_run_keeps_its_model_if_wanted_and_no_checkpoint()
    {
        string kept = Folder.File("models/kept");
        RunRecord record;
        using (CheckpointFolder folder = CheckpointFolder.Open(_path))
        {
            record = new LanguageModelTrainer(s_config, TrainingFixtures.Text(Folder), Runtime).Run("smoke", new RunOptions { Checkpoints = folder, ModelFolder = kept });
            folder.Clear();
        }

        Assert.False(Directory.Exists(_path));
        using HuggingFaceModel loaded = HuggingFaceModel.Load(kept);
        Assert.Equal(s_config.Model.FeedForward, loaded.Model.Config.FeedForward);
        Assert.Equal(TrainingFixtures.Text(Folder).Tokenizer.Hash, Assert.IsType<BpeTokenizer>(loaded.Tokenizer).Hash);
        Assert.Equal(record.Final.Loss, new Evaluator(TrainingFixtures.Text(Folder), s_config.Text.EvaluationWindows, 8, CPU).Evaluate(loaded.Model).Loss, 6);
    }

    [Fact]
    public void Weights_that_are_not_the_models_are_refused_by_name()
    {
        Interrupt(after: 13);
        string folder = Path.Combine(_path, "step-00000013");
        using var optimizer = new AdamW([("w", new TorchSharp.Modules.Parameter(zeros(1)))], 1);
        using var other = new Transformer(s_config.Model with { Width = 32, Layers = 1 });

        string message = Assert.Throws<CheckpointException>(() => TrainingCheckpoint.Read(folder).Restore(
            folder, other, optimizer, new BatchSampler(TrainingFixtures.Text(Folder), 8, 16, 1))).Message;

        Assert.StartsWith(Path.Combine(folder, "weights.safetensors"), message);
        Assert.Contains("layers.1.input_layernorm.weight is unknown", message);
    }

    // The checkpoint of the step, and those of steps 8 and 12, where the best evaluations so far were.
    private void Interrupt(int after)
    {
        using var source = new CancellationTokenSource();
        var progress = new Reports(report => { if (report.Step == after) { source.Cancel(); } });
        using CheckpointFolder folder = CheckpointFolder.Open(_path);
        Assert.Throws<OperationCanceledException>(() => new LanguageModelTrainer(s_config, TrainingFixtures.Text(Folder), Runtime).Run(
            "smoke", new RunOptions { Checkpoints = folder, Progress = progress }, source.Token));
    }

    private RunRecord Train(RunOptions? options = null, RunConfig? config = null, IProgress<TrainingProgress>? progress = null) => options is null
        ? Run(config ?? s_config, Runtime, new RunOptions { Progress = progress })
        : new LanguageModelTrainer(config ?? s_config, TrainingFixtures.Text(Folder), Runtime).Run("smoke", options);

    private RunRecord Run(RunConfig config, TorchRuntime runtime, RunOptions options)
    {
        using CheckpointFolder folder = CheckpointFolder.Open(_path, note: _notes.Add);
        return new LanguageModelTrainer(config, TrainingFixtures.Text(Folder), runtime).Run("smoke", options with { Checkpoints = folder, Note = _notes.Add });
    }

    private static void Damage(string path, string how)
    {
        byte[] content = File.ReadAllBytes(path);
        switch (how)
        {
            case "cut": File.WriteAllBytes(path, content[..(content.Length / 2)]); break;
            case "empty": File.WriteAllBytes(path, []); break;
            case "missing": File.Delete(path); break;
            case "flipped":
                content[^5] ^= 1;
                File.WriteAllBytes(path, content);
                break;
            default: File.WriteAllText(path, how); break;
        }
    }

    private static string Json<T>(T value) => JsonSerializer.Serialize(value, RunRecord.Json);
}
