using System.Text.Json;
using PaperLab.Models;
using PaperLab.Reinforcement;
using PaperLab.Tests.Training;
using PaperLab.Training;
using static TorchSharp.torch;

namespace PaperLab.Tests.Reinforcement;

public sealed class PolicyRunTests : TorchTest
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _notes = [];

    private static readonly PolicyRunConfig s_run = TrainingChild.Policy(10);

    private TorchRuntime Runtime { get; } = TorchRuntime.Initialize("cpu", threads: 1, fastMath: false);

    [Fact]
    public void Imitation_minimises_the_loss_of_completions_with_their_ends_and_of_nothing_else()
    {
        ISymbolTask task = s_run.Task.Create();
        var config = new ImitationConfig { Seed = 3, Steps = 2, BatchSize = 4, Demonstrations = 1 };
        Lesson lesson = ImitationTrainer.LessonsOf(task, task.Tokenizer, SymbolTokenizer.End, config)[0];
        using Transformer model = Model();
        using Tensor logProbs_TV = model.forward(tensor((long[])[.. lesson.Prompt, .. lesson.Completion], [1, lesson.Prompt.Length + lesson.Completion.Length])).Logits_BTV[0].log_softmax(-1);
        double expected = lesson.Completion.Select((token, t) => -logProbs_TV[lesson.Prompt.Length + t - 1, token].item<float>()).Average();
        using var trainer = new ImitationTrainer(config, model, [lesson]);

        Assert.Equal(SymbolTokenizer.End, lesson.Completion[^1]);
        Assert.Equal(expected, trainer.Take(1, CancellationToken.None).Loss, 4);
        Assert.True(trainer.Take(2, CancellationToken.None).Loss < expected);
    }

    [Fact]
    public void A_demonstration_that_the_model_cannot_read_is_refused()
    {
        ISymbolTask task = s_run.Task.Create();
        var config = new ImitationConfig { Seed = 3, Steps = 2, Demonstrations = 20 };
        using var model = new Transformer(s_run.Model with { ContextLength = 20 });

        ArgumentException error = Assert.Throws<ArgumentException>(() => new ImitationTrainer(config, model, ImitationTrainer.LessonsOf(task, task.Tokenizer, SymbolTokenizer.End, config)));

        Assert.Contains("the longest demonstration, in tokens is 22; allowed: up to 20, the model's context", error.Message);
    }

    [Fact]
    public void A_base_is_trained_once_for_all_that_begin_from_it_and_again_where_its_weights_are_gone()
    {
        RunStore store = Store();
        var trained = new List<string>();
        PolicyRunOptions options = new() { Progress = new Told(progress => trained.Add(progress.Run)) };
        PolicyRecord first = PolicyRun.Of(s_run, "test", Runtime, store, options);
        PolicyRecord second = PolicyRun.Of(s_run with { Arm = "another" }, "test", Runtime, store, options);

        Assert.Equal(["base, seed 1", "GRPO, seed 1", "another, seed 1"], trained.Distinct());
        Assert.Equal(60 + 10 + 10, trained.Count);
        Assert.Equal(first.Losses, second.Losses);
        Assert.Equal([0], first.Evaluations.Select(point => point.Step));
        Assert.Equal(2, first.Final.Examples.Count);
        Assert.Equal(10 * 3 * 4, first.Samples);
        Assert.Equal(Json(first), Json(PolicyRun.Of(s_run, "test", Runtime, store, options)));
        Assert.Equal(80, trained.Count);
        Assert.Equal(3, store.RecordsOf("policy", "test").Count);
        Assert.All(store.Sources, source => Assert.NotNull(source.Record));

        File.Delete(store.WeightsOf("policy", s_run.From!));
        PolicyRun.Of(s_run with { Arm = "third" }, "test", Runtime, store, options);
        Assert.Equal(80 + 60 + 10, trained.Count);
    }

    [Fact]
    public void A_run_that_is_cancelled_goes_on_and_ends_as_if_nothing_had_happened()
    {
        PolicyRecord straight = PolicyRun.Of(s_run, "test", Runtime, Store("straight"));
        using var cancel = new CancellationTokenSource();
        Told stop = new(progress =>
        {
            if (progress is { Run: "GRPO, seed 1", Step: 4 })
            {
                cancel.Cancel();
            }
        });
        Assert.Throws<OperationCanceledException>(() => PolicyRun.Of(s_run, "test", Runtime, Store("broken"), new PolicyRunOptions { Progress = stop }, cancel.Token));
        PolicyRecord resumed = PolicyRun.Of(s_run, "test", Runtime, Store("broken"), new PolicyRunOptions { Note = _notes.Add });

        Assert.Contains("GRPO, seed 1 goes on after step 4 of 10", Assert.Single(_notes));
        Assert.Equal(4, Assert.Single(resumed.Resumed).AfterStep);
        Assert.Equal(straight.Losses, resumed.Losses);
        Assert.Equal(Json(straight.Final), Json(resumed.Final));
    }

    [Fact]
    public void A_student_is_shown_right_answers_of_its_teacher_and_nothing_else()
    {
        PolicyRunConfig teacher = s_run.From!;
        PolicyRunConfig student = teacher with
        {
            Arm = "student",
            Model = teacher.Model with { Width = 8 },
            Stage = new ImitationConfig { Seed = 2, Steps = 20, BatchSize = 8, LearningRate = 1e-2, Demonstrations = 16, Teacher = teacher },
        };

        PolicyRecord record = PolicyRun.Of(student, "test", Runtime, Store());

        Assert.True(record.Losses[^1] < record.Losses[0]);

        PolicyRunConfig mute = teacher with { Evaluation = teacher.Evaluation with { MaxNewTokens = 1 } };
        ArgumentException error = Assert.Throws<ArgumentException>(() => PolicyRun.Of(student with { Stage = (ImitationConfig)student.Stage with { Teacher = mute } }, "test", Runtime, Store()));
        Assert.Contains("ImitationConfig.Demonstrations is 16; allowed: up to 0, the right answers of base, seed 1", error.Message);
    }

    [Fact]
    public void Parts_that_do_not_fit_together_are_refused_by_name()
    {
        string Refused(PolicyRunConfig config) => Assert.Throws<ArgumentException>(() => PolicyRun.Of(config, "test", Runtime, Store(), new PolicyRunOptions { Progress = new Told(_ => Assert.Fail("trained")) })).Message;

        Assert.Contains("VocabularySize is 99; allowed: 8, the symbols of the task", Refused(s_run with { Model = s_run.Model with { VocabularySize = 99 } }));
        Assert.Contains("that of base, seed 1, which the run begins from", Refused(s_run with { Model = s_run.Model with { Width = 32 } }));
        Assert.Contains("Steps is 0", Refused(s_run with { Stage = s_run.Stage with { Steps = 0 } }));
        Assert.Contains("count is 2000; allowed: about", Refused(s_run with { From = null, Evaluation = s_run.Evaluation with { Problems = 2000 } })); // before a step is taken
        Assert.Contains("format's part of the reward", Refused(s_run with { Reward = new RewardWeights { Format = 2 }, From = null }));
    }

    private RunStore Store(string name = "store") => TrainingChild.Store(_folder.File(name));

    private static Transformer Model()
    {
        manual_seed(5);
        return new Transformer(s_run.Model);
    }

    private static string Json<T>(T value) => JsonSerializer.Serialize(value, RunRecord.Json);

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _folder.Dispose();
    }

    private sealed class Told(Action<TrainingProgress> tell) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => tell(value);
    }
}
