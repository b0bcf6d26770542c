// Imitation: a model is trained on completions that are shown to it (supervised fine-tuning), the scripted ones of a task or right answers
// of another model. It primes the base models that reinforcement begins from, is R1's cold start (arXiv 2501.12948, section 2.3.1), and
// distillation (section 2.4).
// Shapes: N tokens of the completions.

using System.Text.Json.Serialization;
using PaperLab.Models;
using PaperLab.Text;
using PaperLab.Training;
using static TorchSharp.torch;

namespace PaperLab.Reinforcement;

/// <summary>How much is shown, and how it is learned.</summary>
public sealed record ImitationConfig : PolicyStage
{
    /// <summary>Demonstrations of a step.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>Demonstrations of a forward pass, those of like length together; 0 for all. It decides memory and time, not numbers.</summary>
    public int MicroBatchSize { get; init; } = 16;

    /// <summary>AdamW's η after the warm-up; it falls to a tenth along a cosine.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>AdamW's λ.</summary>
    public double WeightDecay { get; init; } = 0.1;

    /// <summary>Largest norm of a gradient.</summary>
    public double GradientClip { get; init; } = 1;

    /// <summary>Different demonstrations that there are; they come again and again.</summary>
    public int Demonstrations { get; init; } = 20_000;

    /// <summary>The run whose right answers are shown in place of the task's demonstrations; null for the task's.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public PolicyRunConfig? Teacher { get; init; }

    /// <inheritdoc/>
    public override void Validate()
    {
        base.Validate();
        Require.AtLeast(BatchSize, 1, nameof(BatchSize));
        Require.AtLeast(MicroBatchSize, 0, nameof(MicroBatchSize));
        Require.AtLeast(Demonstrations, 1, nameof(Demonstrations));
        Require.That(LearningRate > 0 && double.IsFinite(LearningRate), nameof(LearningRate), LearningRate, "a finite number above 0");
        Require.That(WeightDecay >= 0 && double.IsFinite(WeightDecay), nameof(WeightDecay), WeightDecay, "0 or more");
        Require.That(GradientClip > 0, nameof(GradientClip), GradientClip, "above 0");
    }

    // Warm-up over a tenth of the steps.
    internal TrainingConfig Course => new() { Steps = Steps, LearningRate = LearningRate, WarmupShare = 0.1, Schedule = LearningRateSchedule.Cosine };
}

/// <summary>A completion to imitate, as tokens.</summary>
/// <param name="Prompt">What is asked.</param>
/// <param name="Completion">What is shown, the token that ends it included.</param>
internal sealed record Lesson(int[] Prompt, int[] Completion)
{
    /// <summary>Tokens of both.</summary>
    public int Length => Prompt.Length + Completion.Length;

    /// <summary>A demonstration of a task.</summary>
    public static Lesson Of(Demonstration demonstration, ITokenizer tokenizer, int end) =>
        new(tokenizer.Encode(demonstration.Problem.Prompt), [.. tokenizer.Encode(demonstration.Completion), end]);
}

/// <summary>Trains a model on completions; only they count in the loss, the token that ends them included.</summary>
internal sealed class ImitationTrainer : IStageTrainer
{
    private readonly ImitationConfig _config;
    private readonly TrainingConfig _course;
    private readonly Transformer _model;
    private readonly IReadOnlyList<Lesson> _lessons;
    private readonly AdamW _optimizer;

    /// <param name="config">How.</param>
    /// <param name="model">The model to train.</param>
    /// <param name="lessons">What is shown, one or more.</param>
    /// <exception cref="ArgumentException">A field is out of range, or a lesson is longer than the model's context.</exception>
    public ImitationTrainer(ImitationConfig config, Transformer model, IReadOnlyList<Lesson> lessons)
    {
        config.Validate();
        Require.AtLeast(lessons.Count, 1, "the number of completions to imitate");
        int longest = lessons.Max(lesson => lesson.Length) - 1;
        Require.That(longest <= model.Config.ContextLength, "the longest demonstration, in tokens", longest, $"up to {model.Config.ContextLength}, the model's context");
        (_config, _course, _model, _lessons) = (config, config.Course, model, lessons);
        _optimizer = new AdamW(model.named_parameters(), config.LearningRate, config.WeightDecay);
    }

    /// <summary>The demonstrations of a task, of all its difficulties alike.</summary>
    public static IReadOnlyList<Lesson> LessonsOf(ITask task, ITokenizer tokenizer, int end, ImitationConfig config)
    {
        var random = new SplitMix64((ulong)config.Seed);
        ulong first = random.NextBits();
        return [.. Enumerable.Range(0, config.Demonstrations).AsParallel().AsOrdered()
            .Select(i => Lesson.Of(task.Demonstrate(task.Difficulties[i % task.Difficulties.Count], StableHash.Mix(first + (ulong)i)), tokenizer, end))];
    }

    public StageStep Take(int step, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        using var scope = NewDisposeScope();
        var random = new SplitMix64(((ulong)_config.Seed << 32) + (ulong)step);
        Lesson[] shown = new Lesson[_config.BatchSize];
        for (int i = 0; i < shown.Length; i++)
        {
            shown[i] = _lessons[random.Next(_lessons.Count)];
        }

        _optimizer.ZeroGradients();
        double tokens = shown.Sum(lesson => lesson.Completion.Length);
        Tensor loss = zeros([], device: _model.Device);
        foreach (Lesson[] micro in shown.OrderBy(lesson => lesson.Length).Chunk(_config.MicroBatchSize > 0 ? _config.MicroBatchSize : shown.Length))
        {
            using var microScope = NewDisposeScope();
            var batch = new AnswerBatch([.. micro.Select(lesson => lesson.Prompt)], [.. micro.Select(lesson => lesson.Completion)], _model.Device);
            Tensor part = -batch.Score(_model, temperature: 1).LogProbs_N.sum() / tokens;
            part.backward();
            loss.add_(part.detach());
        }

        Tensor norm = _optimizer.ClipGradients(_config.GradientClip);
        _optimizer.LearningRate = _course.LearningRateAt(step);
        _optimizer.Step(unless: (loss + norm).isfinite().logical_not().to(ScalarType.Float32));
        float value = loss.item<float>();
        if (!float.IsFinite(value))
        {
            throw new TrainingDivergedException($"Step {step} of the imitation, seed {_config.Seed}, has loss {value}. The step was not taken. Try a smaller LearningRate (it is {_config.LearningRate}).");
        }

        return new StageStep(value, null);
    }

    public IReadOnlyDictionary<string, Tensor> State() => _optimizer.State();

    public void Load(IReadOnlyDictionary<string, Tensor> state) => _optimizer.Load(state);

    public void Dispose()
    {
        _optimizer.ZeroGradients();
        _optimizer.Dispose();
    }
}
