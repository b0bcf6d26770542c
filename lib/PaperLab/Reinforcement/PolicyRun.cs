// One stage of a policy's training as a recorded run: on from another run's end, with evaluations on the way, checkpoints, and a record.

using System.Diagnostics;
using PaperLab.Generation;
using PaperLab.Models;
using PaperLab.Text;
using PaperLab.Training;
using static TorchSharp.torch;

namespace PaperLab.Reinforcement;

/// <summary>How a run is watched and kept safe. Nothing here changes its numbers.</summary>
public sealed record PolicyRunOptions
{
    /// <summary>Told after every step.</summary>
    public IProgress<TrainingProgress>? Progress { get; init; }

    /// <summary>Told in words what is resumed, waited for or damaged.</summary>
    public Action<string>? Note { get; init; }

    /// <summary>When to write checkpoints.</summary>
    public CheckpointOptions? Checkpoints { get; init; }

    /// <summary>Train from the start, whatever the store holds.</summary>
    public bool Fresh { get; init; }
}

/// <summary>Trains runs and those that they go on from.</summary>
public sealed class PolicyRun
{
    private const int MostLosses = 200;

    // Shown of each difficulty in every evaluation.
    internal const int Examples = 2;

    private readonly PolicyRunConfig _config;
    private readonly string _preset;
    private readonly TorchRuntime _runtime;
    private readonly RunStore _store;
    private readonly PolicyRunOptions _options;
    private readonly ISymbolTask _task;

    private PolicyRun(PolicyRunConfig config, string preset, TorchRuntime runtime, RunStore store, PolicyRunOptions options)
    {
        config.Validate();
        (_config, _preset, _runtime, _store, _options) = (config, preset, runtime, store, options);
        _task = config.Task.Create();
    }

    /// <summary>The run's record: the one that the store has, or one that is trained now, from the newest checkpoint where there is one.</summary>
    /// <param name="config">The run.</param>
    /// <param name="preset">The preset that asked for it, for the record.</param>
    /// <param name="runtime">Where it computes.</param>
    /// <param name="store">Where records, checkpoints and weights lie.</param>
    /// <param name="options">How it is watched.</param>
    /// <param name="cancellation">Ends the training between two steps, after a checkpoint.</param>
    /// <exception cref="ArgumentException">The config does not fit together.</exception>
    /// <exception cref="VerifierException">A verifier failed; the message names the sample.</exception>
    /// <exception cref="TrainingDivergedException">A loss or gradient is no longer a number.</exception>
    public static PolicyRecord Of(PolicyRunConfig config, string preset, TorchRuntime runtime, RunStore store, PolicyRunOptions? options = null, CancellationToken cancellation = default) =>
        new PolicyRun(config, preset, runtime, store, options ?? new PolicyRunOptions()).Record(needsWeights: false, cancellation);

    /// <summary>The policy at the end of a run, which is trained where its weights are not there.</summary>
    public static Transformer Policy(PolicyRunConfig config, string preset, TorchRuntime runtime, RunStore store, PolicyRunOptions? options = null, CancellationToken cancellation = default)
    {
        var run = new PolicyRun(config, preset, runtime, store, (options ?? new PolicyRunOptions()) with { Fresh = false });
        run.Record(needsWeights: true, cancellation);
        return ModelRun.Load(config.Model, store, config.Paper, config, runtime);
    }

    private PolicyRecord Record(bool needsWeights, CancellationToken cancellation) =>
        ModelRun.Record(_store, _config.Paper, _config, folder => Train(folder, cancellation), needsWeights, _options, cancellation);

    private PolicyRecord Train(CheckpointFolder folder, CancellationToken cancellation)
    {
        // Before anything is trained: a task without so many problems shall not cost a training.
        var evaluator = new PolicyEvaluator(_config.Evaluation, _task, _task.Tokenizer, SymbolTokenizer.End);
        PolicyEvaluator? onTheWay = _config.EvaluationInterval > 0 ? new(_config.Evaluation with { Samples = 0 }, _task, _task.Tokenizer, SymbolTokenizer.End) : null;
        using var scope = NewDisposeScope();
        using Transformer model = Begin(cancellation);
        using IStageTrainer trainer = Trainer(model, cancellation);
        var loop = new PolicyLoop<PolicyRunConfig>
        {
            Config = _config,
            Name = _config.Name,
            Stage = _config.Stage,
            Trainer = trainer,
            Model = model,
            Weights = model.state_dict(),
            Mode = _runtime.ToString()!,
            Evaluator = onTheWay,
            EvaluationInterval = _config.EvaluationInterval,
            Examples = Examples,
            Folder = folder,
            Options = _options,
        };
        PolicyState state = loop.Run(cancellation);
        (IReadOnlyList<PolicyScore> finalScores, IReadOnlyList<PolicyExample> finalExamples) = evaluator.Evaluate(model, Examples, cancellation);
        ModelRun.Save(model, _store, _config.Paper, _config);
        return new PolicyRecord
        {
            Config = _config,
            Preset = _preset,
            Environment = RunEnvironment.Of(_runtime),
            Finished = DateTimeOffset.UtcNow,
            TrainingSeconds = state.Seconds,
            PeakMemory = Process.GetCurrentProcess().PeakWorkingSet64,
            Parameters = model.TotalParameters,
            Losses = ModelRun.Thinned(state.Losses, MostLosses),
            Steps = state.Steps,
            Evaluations = state.Evaluations,
            Final = new PolicyEvaluationPoint(state.Step, finalScores, finalExamples),
            Resumed = state.Resumed,
        };
    }

    // The model that the stage begins with.
    private Transformer Begin(CancellationToken cancellation) => _config.From is { } from
        ? Policy(from, _preset, _runtime, _store, _options, cancellation)
        : ModelRun.New(_config.Model, _config.Stage.Seed, _runtime);

    private IStageTrainer Trainer(Transformer model, CancellationToken cancellation) => _config.Stage switch
    {
        PolicyConfig policy => new PolicyTrainer(policy, model, _task.Tokenizer, SymbolTokenizer.End, _task, _config.Reward.Create()),
        ImitationConfig imitation => new ImitationTrainer(
            imitation, model, imitation.Teacher is { } teacher ? Taught(teacher, imitation, cancellation) : ImitationTrainer.LessonsOf(_task, _task.Tokenizer, SymbolTokenizer.End, imitation)),
        _ => throw new NotSupportedException($"There is no trainer for the stage {_config.Stage.GetType().Name}."),
    };

    // Right answers of the teacher to problems of the train side, one sample each, until there are enough.
    private Lesson[] Taught(PolicyRunConfig teacher, ImitationConfig imitation, CancellationToken cancellation)
    {
        const int FewestAsked = 32, MostAsked = 256, MostRounds = 1000;
        using Transformer policy = Policy(teacher, _preset, _runtime, _store, _options, cancellation);
        var generator = new TextGenerator(policy);
        CombinedReward judge = CombinedReward.R1Zero();
        var random = new SplitMix64((ulong)imitation.Seed);
        var lessons = new List<Lesson>();
        for (int round = 0; lessons.Count < imitation.Demonstrations; round++)
        {
            Require.That(round < MostRounds, $"{nameof(ImitationConfig)}.{nameof(imitation.Demonstrations)}", imitation.Demonstrations, $"up to {lessons.Count}, the right answers of {teacher.Name} in {MostRounds} rounds");
            int asked = Math.Clamp(2 * (imitation.Demonstrations - lessons.Count), FewestAsked, MostAsked);
            Problem[] problems = [.. Enumerable.Range(0, asked).Select(i => _task.Draw(Split.Train, _task.Difficulties[i % _task.Difficulties.Count], random.NextBits()))];
            var options = new SamplingOptions { MaxNewTokens = teacher.Evaluation.MaxNewTokens, StopTokens = [SymbolTokenizer.End], Seed = random.NextBits() };
            Rollout rollout = Rollout.Draw(generator, _task.Tokenizer, problems, 1, options, cancellation);
            lessons.AddRange(judge.Judge(rollout.Samples, cancellation).Samples.Where(judged => judged.Judgements.All(judgement => judgement.Score.Value == 1))
                .Select(judged => new Lesson(rollout.Prompts[judged.Sample.Index], [.. rollout.Answers[judged.Sample.Index].Tokens])));
        }

        return [.. lessons.Take(imitation.Demonstrations)];
    }
}
