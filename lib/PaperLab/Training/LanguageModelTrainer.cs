// Trains one language model from a config to a run record. The whole loop, in order: batch, forward, loss, backward, clip, step.
// Shapes: B batch, T tokens, V vocabulary.

using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using PaperLab.Models;
using PaperLab.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace PaperLab.Training;

/// <summary>A training run: weights and data order follow from the config's seed alone.</summary>
public sealed class LanguageModelTrainer
{
    private readonly RunConfig _config;
    private readonly TokenizedCorpus _text;
    private readonly TorchRuntime _runtime;

    /// <exception cref="ArgumentException">The config does not fit together, or its vocabulary is not the corpus's.</exception>
    public LanguageModelTrainer(RunConfig config, TokenizedCorpus text, TorchRuntime runtime)
    {
        config.Model.Validate();
        config.Training.Validate();
        Require.That(
            config.Model.VocabularySize == text.Tokenizer.VocabularySize,
            nameof(config.Model.VocabularySize),
            config.Model.VocabularySize,
            $"{text.Tokenizer.VocabularySize}, the vocabulary of the tokenizer that made the text");
        (_config, _text, _runtime) = (config, text, runtime);
    }

    /// <summary>Trains and evaluates; reports after every step to <paramref name="progress"/>.</summary>
    /// <param name="preset">The preset that asked for the run, for the record.</param>
    /// <param name="progress">Told after every step; throttling is the watcher's business.</param>
    /// <param name="clock">Time of the record; the system's by default.</param>
    /// <param name="cancellation">Ends the run between two steps.</param>
    /// <exception cref="TrainingDivergedException">The loss is no longer a number.</exception>
    public RunRecord Run(string preset, IProgress<TrainingProgress>? progress = null, TimeProvider? clock = null, CancellationToken cancellation = default)
    {
        using var scope = NewDisposeScope();
        manual_seed(_config.Seed);
        var model = new Transformer(_config.Model);
        model.to(_runtime.Device);
        var sampler = new BatchSampler(_text, _config.Training.BatchSize, _config.Model.ContextLength, _config.Seed);
        var evaluator = new Evaluator(_text, _config.Text.EvaluationWindows, _config.Training.BatchSize, _runtime.Device);

        HeldOutEvaluation initial = evaluator.Evaluate(model);
        var stopwatch = Stopwatch.StartNew();
        double[] losses = Train(model, sampler, stopwatch, progress, cancellation);
        double seconds = stopwatch.Elapsed.TotalSeconds;
        return new RunRecord
        {
            Config = _config,
            Preset = preset,
            Environment = DescribeEnvironment(),
            CorpusHash = _text.Corpus.Hash,
            Finished = (clock ?? TimeProvider.System).GetUtcNow(),
            TrainingSeconds = seconds,
            Tokens = (long)_config.Training.Steps * _config.Training.BatchSize * _config.Model.ContextLength,
            PeakMemory = Process.GetCurrentProcess().PeakWorkingSet64,
            TotalParameters = model.TotalParameters,
            ActiveParameters = model.ActiveParameters,
            FlopsPerToken = model.FlopsPerToken,
            TrainingLoss = losses,
            Initial = initial,
            Final = evaluator.Evaluate(model),
        };
    }

    private double[] Train(Transformer model, BatchSampler sampler, Stopwatch stopwatch, IProgress<TrainingProgress>? progress, CancellationToken cancellation)
    {
        TrainingConfig training = _config.Training;
        using var optimizer = new AdamW(model.named_parameters(), training.LearningRate, training.WeightDecay);
        var losses = new double[training.Steps];
        model.train();
        for (int step = 1; step <= training.Steps; step++)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            Batch batch = sampler.Next();
            Tensor inputs_BT = tensor(batch.Inputs, [batch.Sequences, batch.Context], device: _runtime.Device);
            Tensor targets_N = tensor(batch.Targets, device: _runtime.Device);

            TransformerOutput output = model.forward(inputs_BT);
            Tensor crossEntropy = nn.functional.cross_entropy(output.Logits_BTV.view(targets_N.shape[0], -1), targets_N);
            Tensor loss = output.AuxiliaryLoss(_config.Model.FeedForward) is { } auxiliary ? crossEntropy + auxiliary : crossEntropy;

            optimizer.ZeroGradients();
            loss.backward();
            optimizer.ClipGradients(training.GradientClip);
            optimizer.LearningRate = training.LearningRateAt(step);
            optimizer.Step();

            losses[step - 1] = crossEntropy.item<float>();
            if (!double.IsFinite(losses[step - 1]))
            {
                throw new TrainingDivergedException($"{_config.Arm}, seed {_config.Seed}: the loss is {losses[step - 1]} at step {step} of {training.Steps}. Lower LearningRate ({training.LearningRate}) or raise WarmupShare ({training.WarmupShare}).");
            }

            progress?.Report(ProgressAt(step, losses[step - 1], stopwatch.Elapsed));
        }

        optimizer.ZeroGradients();
        return losses;
    }

    private TrainingProgress ProgressAt(int step, double loss, TimeSpan elapsed)
    {
        int tokens = _config.Training.BatchSize * _config.Model.ContextLength;
        return new TrainingProgress(
            $"{_config.Arm}, seed {_config.Seed}",
            step,
            _config.Training.Steps,
            loss,
            (double)step * tokens / elapsed.TotalSeconds,
            elapsed,
            elapsed * ((double)(_config.Training.Steps - step) / step));
    }

    private RunEnvironment DescribeEnvironment() => new(
        _runtime.Device.ToString(),
        _runtime.Threads,
        _runtime.Arithmetic,
        _runtime.Libtorch,
        Environment.Version.ToString(),
        $"{RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}",
        Checkout.Revision(),
        typeof(LanguageModelTrainer).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion);
}

/// <summary>A training run whose loss is no longer a number. The message names the arm, the seed and the step.</summary>
public sealed class TrainingDivergedException : Exception
{
    public TrainingDivergedException()
    {
    }

    public TrainingDivergedException(string message)
        : base(message)
    {
    }

    public TrainingDivergedException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
