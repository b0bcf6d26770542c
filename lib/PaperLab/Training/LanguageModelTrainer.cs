// Trains one language model from a config to a run record. The whole loop, in order: batch, forward, loss, backward, clip, step, read,
// evaluate, checkpoint. Where several processes train together, each computes a part of every batch, and gradients, loss and counts are
// added up before anything is done with them: from there on all processes do the same.
// Shapes: B batch, T tokens, V vocabulary, C width, E experts.

using System.Diagnostics;
using PaperLab.Checkpoints;
using PaperLab.Models;
using PaperLab.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace PaperLab.Training;

/// <summary>A training run: weights and data order follow from the config's seed alone.</summary>
public sealed class LanguageModelTrainer
{
    // A GPU runs ahead of the program; reading a number waits for it.
    private const int StepsPerReadingOnGpu = 10;

    private readonly RunConfig _config;
    private readonly TokenizedCorpus _text;
    private readonly TorchRuntime _runtime;

    /// <param name="config">The run.</param>
    /// <param name="text">What it reads.</param>
    /// <param name="runtime">Where it computes.</param>
    /// <param name="group">The processes that train it together; null for this one alone.</param>
    /// <exception cref="ArgumentException">The config does not fit together, to the text, to the runtime or to the number of processes.</exception>
    public LanguageModelTrainer(RunConfig config, TokenizedCorpus text, TorchRuntime runtime, ProcessGroup? group = null)
    {
        Group = group ?? ProcessGroup.Alone;
        config.Model.Validate();
        config.Training.Validate();
        Require.That(
            config.Model.VocabularySize == text.Tokenizer.VocabularySize,
            nameof(config.Model.VocabularySize),
            config.Model.VocabularySize,
            $"{text.Tokenizer.VocabularySize}, the vocabulary of the tokenizer that made the text");
        Require.That(
            text.Count(Split.Train) > 0,
            "the corpus",
            text.Domains.Count == 0 ? "without any domain" : $"without a train token in {string.Join(", ", text.Domains)}",
            "one with text: look at Domains and MaxBytesPerDomain of Text.Corpus");
        RequireParts(config, Group.Size);
        (_config, _text) = (config, text);
        _runtime = config.Training.Precision == Precision.BFloat16 ? runtime.WithBFloat16() : runtime;
        Require.That(
            _runtime.UsesBFloat16 == (config.Training.Precision == Precision.BFloat16),
            nameof(config.Training.Precision),
            config.Training.Precision,
            _runtime.UsesBFloat16 ? "BFloat16, since the runtime is one WithBFloat16" : $"Float32: this libtorch lets nobody switch bf16 autocast on {_runtime.Device}");
    }

    // Processes and forward passes divide the batch; a scope counts sequences of a forward pass, over all processes.
    private static void RequireParts(RunConfig config, int processes)
    {
        (int batch, int micro) = (config.Training.BatchSize, config.Training.MicroBatchSize);
        Require.That(
            batch % processes == 0 && (micro == 0 || batch / processes % micro == 0),
            "the number of processes",
            processes,
            $"a divisor of BatchSize = {batch}{(micro == 0 ? "" : $" divided by MicroBatchSize = {micro}")}");
        int sequences = micro > 0 ? micro * processes : batch;
        for (BalanceScope? scope = (config.Model.FeedForward as RoutedConfig)?.Balance; scope is not null; scope = scope.Then)
        {
            foreach ((string name, int size) in new[] { (nameof(BalanceScope.Sequences), scope.Sequences), (nameof(BalanceScope.LocalSequences), scope.LocalSequences) })
            {
                Require.That(size == 0 || sequences % size == 0, $"Balance.{name}", size, $"0, or a divisor of the {sequences} sequences of a forward pass");
            }

            Require.That(
                !scope.Shuffled || micro == 0,
                "Balance.Shuffled",
                scope.Shuffled,
                "false with a MicroBatchSize: sequences of different forward passes cannot share a group");
        }
    }

    internal RunConfig Config => _config;

    internal string CorpusHash => _text.Corpus.Hash;

    internal ProcessGroup Group { get; }

    private string Name => $"{_config.Arm}, seed {_config.Seed}";

    /// <summary>Trains and evaluates, from the newest checkpoint where there is one.</summary>
    /// <param name="preset">The preset that asked for the run, for the record.</param>
    /// <param name="options">How it is watched and kept safe; by default not at all.</param>
    /// <param name="cancellation">Ends the run between two steps, after a checkpoint.</param>
    /// <exception cref="TrainingDivergedException">A loss or gradient is no longer a number.</exception>
    /// <exception cref="CheckpointException">The checkpoint is one of another run or another version.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    public RunRecord Run(string preset, RunOptions? options = null, CancellationToken cancellation = default)
    {
        options ??= new RunOptions();
        TrainingConfig training = _config.Training;
        using var scope = NewDisposeScope();
        (TrainingCheckpoint Checkpoint, string Folder)? saved = options.Checkpoints?.Latest(folder => TrainingCheckpoint.Read(folder, _config, _text.Corpus.Hash));
        var sampler = new BatchSampler(_text, training.BatchSize, _config.Model.ContextLength, _config.Seed, domainBlock: training.DomainBlock);
        Evaluator evaluator = EvaluatorOf(_config.Text.Validate ? HeldOutPart.Test : HeldOutPart.All);
        Evaluator? validator = _config.Text.Validate ? EvaluatorOf(HeldOutPart.Validation) : null;
        if (Group.IsFirst)
        {
            manual_seed(_config.Seed); // nothing but the initial weights is drawn from it
        }

        using var model = new Transformer(_config.Model, initialize: saved is null && Group.IsFirst);
        model.to(_runtime.Device);
        using var optimizer = new AdamW(model.named_parameters(), training.LearningRate, training.WeightDecay);
        using var readings = new StepReadings(_runtime.Device);

        saved?.Checkpoint.Restore(saved.Value.Folder, model, optimizer, sampler);
        TrainingCheckpoint? checkpoint = Share(saved?.Checkpoint, model, optimizer, sampler);
        TrainingState state;
        if (checkpoint is not null)
        {
            state = checkpoint.State;
            Resume(state, saved?.Folder, options);
        }
        else
        {
            state = new TrainingState { Initial = evaluator.Evaluate(model), Mode = Mode };
        }

        int firstStep = state.Step;
        double earlierSeconds = state.Seconds;
        foreach (IMetricWriter writer in options.Metrics)
        {
            writer.Begin(firstStep);
        }

        if (firstStep == 0)
        {
            Write(0, EvaluationMetrics.Of(state.Initial));
        }

        var stopwatch = new Stopwatch(); // runs while steps do
        TimeSpan exchanging = TimeSpan.Zero;
        int stepsPerReading = _runtime.IsCuda ? StepsPerReadingOnGpu : 1;
        model.train();
        while (state.Step < training.Steps)
        {
            if (Group.Any(cancellation.IsCancellationRequested))
            {
                Read();
                Checkpoint();
                throw new OperationCanceledException(cancellation);
            }

            stopwatch.Start();
            TimeSpan exchangedBefore = Group.Exchanging;
            int step = state.Step + 1;
            using (NewDisposeScope())
            {
                Batch batch = sampler.Next();
                optimizer.ZeroGradients();
                (Tensor loss, Tensor[] counts_E) = ForwardAndBackward(model, batch, step);
                Tensor gradientNorm = optimizer.ClipGradients(training.GradientClip);
                optimizer.LearningRate = training.LearningRateAt(step);
                Tensor broken = readings.Add(step, optimizer.LearningRate, batch, loss, gradientNorm);
                optimizer.Step(unless: broken);
                foreach ((MixtureOfExperts layer, Tensor count_E) in model.MixturesOfExperts.Zip(counts_E))
                {
                    layer.UpdateBias(count_E * (1 - broken));
                }
            }

            state.Step = step;
            bool evaluationIsDue = training.EvaluationInterval > 0 && step % training.EvaluationInterval == 0 && step < training.Steps;
            bool checkpointIsDue = options.Checkpoints?.IsDue(step) == true || step == training.Steps;
            if (readings.Count == stepsPerReading || evaluationIsDue || checkpointIsDue)
            {
                Read();
            }

            stopwatch.Stop();
            exchanging += Group.Exchanging - exchangedBefore;
            if (evaluationIsDue)
            {
                HeldOutEvaluation evaluation = (validator ?? evaluator).Evaluate(model);
                state.Evaluations.Add(new EvaluationPoint(step, evaluation.Loss, evaluation.LossByDomain));
                checkpointIsDue |= state.Best() == state.Evaluations[^1];
                Write(step, EvaluationMetrics.Of(evaluation));
            }

            if (checkpointIsDue)
            {
                Checkpoint();
            }
        }

        optimizer.ZeroGradients();
        HeldOutEvaluation final = evaluator.Evaluate(model);
        Write(training.Steps, EvaluationMetrics.Of(final));
        if (options.ModelFolder is { } folder)
        {
            HuggingFaceModel.Of(model, _text.Tokenizer).Save(folder, overwrite: true);
        }

        return new RunRecord
        {
            Config = _config,
            Preset = preset,
            Environment = RunEnvironment.Of(_runtime, optimizer),
            CorpusHash = _text.Corpus.Hash,
            Finished = options.Clock.GetUtcNow(),
            TrainingSeconds = state.Seconds,
            Tokens = (long)training.Steps * training.BatchSize * _config.Model.ContextLength,
            PeakMemory = PeakMemory(),
            TotalParameters = model.TotalParameters,
            ActiveParameters = model.ActiveParameters,
            FlopsPerToken = model.FlopsPerToken,
            TrainingLoss = RunRecord.LossCurve(state.Losses),
            Evaluations = state.Evaluations,
            Resumed = state.Resumed,
            Parallel = Group.Size > 1 ? new DataParallelism(Group.Size, exchanging.TotalSeconds) : null,
            Initial = state.Initial,
            Validation = validator?.Evaluate(model),
            Final = final,
        };

        void Read()
        {
            foreach (StepReading read in readings.Take())
            {
                state.Losses.Add(read.Loss);
                state.Seconds = earlierSeconds + stopwatch.Elapsed.TotalSeconds;
                TrainingProgress progress = ProgressAt(read, state, firstStep, stopwatch.Elapsed);
                Write(read.Step,
                [
                    new("train/loss", read.Loss),
                    new("train/learning_rate", read.LearningRate),
                    new("train/gradient_norm", read.GradientNorm),
                    new("train/tokens_per_second", progress.TokensPerSecond!.Value),
                ]);
                if (!read.IsFinite)
                {
                    throw new TrainingDivergedException(Explain(read, model, options.Checkpoints?.NewestFolder));
                }

                options.Progress?.Report(progress);
            }
        }

        void Checkpoint()
        {
            state.PeakMemory = PeakMemory();
            options.Checkpoints?.Save(state.Step, state.Best()?.Step, folder => TrainingCheckpoint.Write(folder, _config, _text.Corpus.Hash, state, model, optimizer, sampler));
        }

        void Write(int step, IReadOnlyList<Metric> metrics)
        {
            foreach (IMetricWriter writer in options.Metrics)
            {
                writer.Write(step, metrics);
            }
        }

        long PeakMemory() => Math.Max(state.PeakMemory, Process.GetCurrentProcess().PeakWorkingSet64);
    }

    // The batch's mean loss, its gradients, and for experts that balance themselves the assignments in each layer, micro-batch by
    // micro-batch: each weighs in with its share of all sequences, which makes the sum, over all processes too, the mean over the batch.
    internal (Tensor Loss, Tensor[] Counts_E) ForwardAndBackward(Transformer model, Batch batch, int step)
    {
        using BalanceStatistics? statistics = StatisticsOf(step);
        Tensor loss = zeros([], device: _runtime.Device);
        Tensor[] counts_E = _config.Model.FeedForward is MixtureOfExpertsConfig { BiasUpdateRate: > 0 } experts
            ? [.. model.MixturesOfExperts.Select(_ => zeros(experts.NumExperts, ScalarType.Int64, _runtime.Device))]
            : [];
        foreach ((Tensor inputs_BT, Tensor targets_BT) in MicroBatches(batch))
        {
            using var scope = NewDisposeScope();
            double share = (double)inputs_BT.shape[0] / batch.Sequences;
            (Tensor crossEntropy, Tensor total, IReadOnlyList<Routing> routings) = Forward(model, inputs_BT, targets_BT, statistics);
            (total * share).backward();
            loss.add_(crossEntropy.detach(), share);
            foreach ((Tensor count_E, Routing routing) in counts_E.Zip(routings))
            {
                count_E.add_(routing.Counts_E);
            }
        }

        Group.Sum([.. model.parameters().Select(parameter => parameter.grad).OfType<Tensor>(), loss]);
        foreach (Tensor count_E in counts_E)
        {
            Group.Sum(count_E);
        }

        return (loss, counts_E);
    }

    // What the first process has, a new model or a checkpoint's, to every process.
    private TrainingCheckpoint? Share(TrainingCheckpoint? checkpoint, Transformer model, AdamW optimizer, BatchSampler sampler)
    {
        if (Group.Size == 1)
        {
            return checkpoint;
        }

        IReadOnlyDictionary<string, Tensor> moments = optimizer.State();
        foreach (Tensor values in model.state_dict().Values.Concat(moments.Values))
        {
            Group.ShareFromFirst(values);
        }

        optimizer.Load(moments); // its count of steps
        checkpoint = Group.ShareFromFirst(checkpoint);
        sampler.State = checkpoint?.Sampler ?? sampler.State;
        return checkpoint;
    }

    // Where the balance loss has a scope: its counts over the forward passes of this step.
    private BalanceStatistics? StatisticsOf(int step)
    {
        if (_config.Model.FeedForward is not RoutedConfig { Balance: { } balance })
        {
            return null;
        }

        BalanceScope scope = balance.At((step - 1.0) / _config.Training.Steps);
        int[]? order = scope.Shuffled ? [.. Enumerable.Range(0, _config.Training.BatchSize)] : null;
        new SplitMix64(((ulong)_config.Seed << 32) + (ulong)step).Shuffle<int>(order);
        return new BalanceStatistics(scope, Group.Rank, Group.Size, Group.Sum, order);
    }

    // This process's sequences, forward pass by forward pass.
    private IEnumerable<(Tensor Inputs_BT, Tensor Targets_BT)> MicroBatches(Batch batch)
    {
        int own = batch.Sequences / Group.Size;
        int size = _config.Training.MicroBatchSize > 0 ? _config.Training.MicroBatchSize : own;
        Tensor[] Parts(long[] tokens) =>
            tensor(tokens, [batch.Sequences, batch.Context]).narrow(0, Group.Rank * own, own).to(_runtime.Device).split(size, 0);
        return Parts(batch.Inputs).Zip(Parts(batch.Targets));
    }

    /// <summary>The cross-entropy, the same with the auxiliary losses, and how the tokens were routed.</summary>
    private (Tensor CrossEntropy, Tensor Total, IReadOnlyList<Routing> Routings) Forward(
        Transformer model, Tensor inputs_BT, Tensor targets_BT, BalanceStatistics? statistics, Action<string, Tensor>? look = null)
    {
        using var precision = _runtime.BeginForward();
        (Tensor hidden_BTC, IReadOnlyList<Routing> routings) = model.Hidden(inputs_BT, look: look);
        var output = new TransformerOutput(model.Logits(hidden_BTC), routings);
        look?.Invoke("the head", output.Logits_BTV);
        Tensor crossEntropy = nn.functional.cross_entropy(output.Logits_BTV.view(-1, _config.Model.VocabularySize), targets_BT.view(-1));
        Tensor total = output.AuxiliaryLoss(_config.Model.FeedForward, statistics) is { } auxiliary ? crossEntropy + auxiliary : crossEntropy;
        return (crossEntropy, total, routings);
    }

    // Equal modes give equal bits.
    private string Mode => $"{_runtime}{(Group.Size > 1 ? $", {Group.Size} processes" : "")}";

    private void Resume(TrainingState state, string? folder, RunOptions options)
    {
        options.Note?.Invoke($"{Name} goes on after step {state.Step} of {_config.Training.Steps}, from {folder}.");
        state.Resumed.Add(new Resumption(state.Step, state.Mode));
        if (state.Mode != Mode)
        {
            options.Note?.Invoke($"{Name} is resumed in another mode ({Mode}; before: {state.Mode}): from here on its numbers are not bit for bit those of a run without a break.");
            state.Mode = Mode;
        }
    }

    private TrainingProgress ProgressAt(StepReading read, TrainingState state, int firstStep, TimeSpan elapsed)
    {
        int done = read.Step - firstStep;
        double tokens = (double)done * _config.Training.BatchSize * _config.Model.ContextLength;
        return new TrainingProgress(
            Name,
            read.Step,
            _config.Training.Steps,
            read.Loss,
            tokens / elapsed.TotalSeconds,
            TimeSpan.FromSeconds(state.Seconds),
            elapsed * ((double)(_config.Training.Steps - read.Step) / done),
            state.Resumed.Count > 0 ? firstStep : null);
    }

    private string Explain(StepReading read, Transformer model, string? lastCheckpoint)
    {
        string place = MicroBatches(read.Batch).Select(part => Divergence.Locate(model, look => Forward(model, part.Inputs_BT, part.Targets_BT, null, look).Total)).FirstOrDefault(found => found is not null)
            ?? "computed again, everything is finite";
        string what = float.IsFinite(read.Loss) ? $"the loss is {read.Loss} and the gradient's norm {read.GradientNorm}" : $"the loss is {read.Loss}";
        return $"{Name}: {what} at step {read.Step} of {_config.Training.Steps}; {place}. " +
            (lastCheckpoint is null ? "There is no checkpoint. " : $"The last good checkpoint is {lastCheckpoint}. ") +
            $"Lower LearningRate ({_config.Training.LearningRate}) or raise WarmupShare ({_config.Training.WarmupShare}).";
    }

    private Evaluator EvaluatorOf(HeldOutPart part) => new(_text, _config.Text.EvaluationWindows, _config.Training.BatchSize, _runtime.Device, part);
}
