// One cell of a mixing experiment as a recorded run: a model is trained on a stream with a given share of Arabic, from new weights or from
// another run's end, and is then asked the test's questions in both languages. Checkpoints, records and weights as those of policies.

using System.Diagnostics;
using System.Text.Json.Serialization;
using PaperLab.Evaluation;
using PaperLab.Models;
using PaperLab.Reinforcement;
using PaperLab.Text.Medical;
using PaperLab.Training;
using static TorchSharp.torch;

namespace PaperLab.Papers;

/// <summary>Everything that decides a run's numbers.</summary>
public sealed record MixingRunConfig
{
    /// <summary>The notebook the run belongs to.</summary>
    public required string Paper { get; init; }

    /// <summary>The arm of the comparison.</summary>
    public required string Arm { get; init; }

    /// <summary>What is known, told and asked; the same for all runs that are compared.</summary>
    public required MedicalDataOptions Data { get; init; }

    /// <summary>The model's sizes.</summary>
    public required TransformerConfig Model { get; init; }

    /// <summary>The run whose end it begins from; null for new weights, drawn with the seed.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public MixingRunConfig? From { get; init; }

    /// <summary>What is read: share of Arabic, tokens, errors of the translator.</summary>
    public required MedicalStreamOptions Stream { get; init; }

    /// <summary>Share of the documents that are questions with their answers.</summary>
    public required double Questions { get; init; }

    /// <summary>Seed of new weights, and of the order of the documents.</summary>
    public required int Seed { get; init; }

    /// <summary>Documents of a step.</summary>
    public int BatchSize { get; init; } = 32;

    /// <summary>AdamW's η after the warm-up.</summary>
    public required double LearningRate { get; init; }

    /// <summary>Whether it is asked the questions of the test.</summary>
    public bool Asked { get; init; } = true;

    /// <summary>Hash of the config: the run's name in a store.</summary>
    [JsonIgnore]
    public string Key => RunStore.KeyOf(this);

    /// <summary>"r = 0.4, seed 3".</summary>
    [JsonIgnore]
    public string Name => $"{Arm}, seed {Seed}";

    /// <summary>Throws with the field, its value and the allowed range.</summary>
    /// <exception cref="ArgumentException">A field is out of range, or the parts do not fit together.</exception>
    public void Validate()
    {
        Data.Validate();
        Model.Validate();
        Stream.Validate();
        Require.That(Questions is >= 0 and <= 1, nameof(Questions), Questions, "0 to 1");
        Require.That(Model.VocabularySize == Data.VocabularySize, nameof(Model.VocabularySize), Model.VocabularySize, $"{Data.VocabularySize}, as of {nameof(Data)}");
        Require.That(From is null || (From.Model == Model && From.Data == Data), nameof(From), From?.Name, "a run with the same model and data");
    }
}

/// <summary>How a model answered one kind of question. The right option is the one with the highest log-likelihood of its whole text, or of its letter.</summary>
/// <param name="Task">The task.</param>
/// <param name="Language">The language it was asked in.</param>
/// <param name="Access">Where what is needed was told.</param>
/// <param name="Asked">How it was put.</param>
/// <param name="Right">Question by question: 1 for right, 0 for wrong, in the order of the test.</param>
public sealed record MixingScore(MedicalTask Task, TextLanguage Language, Access Access, Asking Asked, string Right)
{
    /// <summary>Share that is right.</summary>
    [JsonIgnore]
    public double Accuracy => Right.Count(answer => answer == '1') / (double)Right.Length;
}

/// <summary>How a question is put.</summary>
public enum Asking
{
    /// <summary>Options are scored by their full text.</summary>
    InFull,

    /// <summary>Options are listed, and scored by their letter.</summary>
    ByLetter,

    /// <summary>An Arabic question is translated into English, with the stream's rate of errors, and asked in full.</summary>
    Translated,

    /// <summary>No question: the option is in a statement, whose full text is scored. It tells what a model knows from whether it can be asked.</summary>
    AsStatement,

    /// <summary>Such a statement, translated into English.</summary>
    TranslatedStatement,
}

/// <summary>A finished run.</summary>
public sealed record MixingRecord : RunRecordBase
{
    public required MixingRunConfig Config { get; init; }

    public required long Parameters { get; init; }

    /// <summary>Tokens that were trained on.</summary>
    public required long Tokens { get; init; }

    /// <summary>Nats per token, means of equal parts of the run.</summary>
    public required IReadOnlyList<double> Losses { get; init; }

    /// <summary>Nats per token on cases of held-out diseases, by language.</summary>
    public required IReadOnlyDictionary<TextLanguage, double> HeldOutLoss { get; init; }

    /// <summary>How it answered; empty where it was not asked.</summary>
    public required IReadOnlyList<MixingScore> Scores { get; init; }

    /// <summary>Where the run was interrupted; empty for one that ran through.</summary>
    public IReadOnlyList<Resumption> Resumed { get; init; } = [];

    /// <summary>Share of all questions of a task in a language that is right, asked in full.</summary>
    public double Accuracy(MedicalTask task, TextLanguage language, Asking asked = Asking.InFull)
    {
        MixingScore[] scores = [.. Scores.Where(score => score.Task == task && score.Language == language && score.Asked == asked)];
        return scores.Sum(score => score.Accuracy * score.Right.Length) / scores.Sum(score => score.Right.Length);
    }
}

/// <summary>Trains cells, and finds those that are trained.</summary>
public sealed class MixingRun
{
    private const int MostLosses = 100;
    private const int Rows = 8; // of a forward pass: documents differ in length tenfold, and those of like length go together
    private const ulong TranslatorSeed = 0x7EA;

    private readonly MixingRunConfig _config;
    private readonly string _preset;
    private readonly TorchRuntime _runtime;
    private readonly RunStore _store;
    private readonly PolicyRunOptions _options;
    private readonly MedicalData _data;

    private MixingRun(MixingRunConfig config, string preset, TorchRuntime runtime, RunStore store, PolicyRunOptions options)
    {
        config.Validate();
        (_config, _preset, _runtime, _store, _options) = (config, preset, runtime, store, options);
        _data = MedicalData.Of(config.Data);
    }

    /// <summary>The run's record: the one that the store has, or one that is trained now, from the newest checkpoint where there is one.</summary>
    /// <param name="config">The run.</param>
    /// <param name="preset">The preset that asked for it, for the record.</param>
    /// <param name="runtime">Where it computes.</param>
    /// <param name="store">Where records, checkpoints and weights lie.</param>
    /// <param name="options">How it is watched.</param>
    /// <param name="keepWeights">Whether weights are kept when it is trained now: for runs that go on from it.</param>
    /// <param name="cancellation">Ends the training between two steps, after a checkpoint.</param>
    /// <exception cref="ArgumentException">The config does not fit together.</exception>
    /// <exception cref="TrainingDivergedException">A loss is no longer a number.</exception>
    public static MixingRecord Of(
        MixingRunConfig config, string preset, TorchRuntime runtime, RunStore store, PolicyRunOptions? options = null, bool keepWeights = false, CancellationToken cancellation = default) =>
        new MixingRun(config, preset, runtime, store, options ?? new PolicyRunOptions()).Record(needsWeights: false, keepWeights, cancellation);

    private MixingRecord Record(bool needsWeights, bool keepWeights, CancellationToken cancellation) =>
        ModelRun.Record(_store, _config.Paper, _config, folder => Train(folder, keepWeights, cancellation), needsWeights, _options, cancellation);

    private MixingRecord Train(CheckpointFolder folder, bool keepWeights, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        using Transformer model = Begin(cancellation);
        IReadOnlyList<Lesson> lessons = _data.Lessons(_config.Stream, _config.Questions);
        var stage = new ImitationConfig
        {
            Seed = _config.Seed,
            Steps = Math.Max(1, lessons.Count / _config.BatchSize), // as many documents as the stream has
            BatchSize = _config.BatchSize,
            MicroBatchSize = Rows,
            LearningRate = _config.LearningRate,
            Demonstrations = lessons.Count,
        };
        using var trainer = new ImitationTrainer(stage, model, lessons);
        PolicyState state = new PolicyLoop<MixingRunConfig>
        {
            Config = _config,
            Name = _config.Name,
            Stage = stage,
            Trainer = trainer,
            Model = model,
            Weights = model.state_dict(),
            Mode = _runtime.ToString()!,
            Folder = folder,
            Options = _options,
        }.Run(cancellation);
        model.eval();
        IReadOnlyList<MixingScore> scores = _config.Asked ? Ask(model, cancellation) : [];
        if (keepWeights)
        {
            ModelRun.Save(model, _store, _config.Paper, _config);
        }

        return new MixingRecord
        {
            Config = _config,
            Preset = _preset,
            Environment = RunEnvironment.Of(_runtime),
            Finished = DateTimeOffset.UtcNow,
            TrainingSeconds = state.Seconds,
            PeakMemory = Process.GetCurrentProcess().PeakWorkingSet64,
            Parameters = model.TotalParameters,
            Tokens = lessons.Sum(lesson => (long)lesson.Completion.Length),
            Losses = ModelRun.Thinned(state.Losses, MostLosses),
            HeldOutLoss = Enum.GetValues<TextLanguage>().ToDictionary(language => language, language => PolicyStep.Round(HeldOutLoss(model, language))),
            Scores = scores,
            Resumed = state.Resumed,
        };
    }

    // The model that the run begins with.
    private Transformer Begin(CancellationToken cancellation)
    {
        if (_config.From is not { } from)
        {
            return ModelRun.New(_config.Model, _config.Seed, _runtime);
        }

        new MixingRun(from, _preset, _runtime, _store, _options with { Fresh = false }).Record(needsWeights: true, keepWeights: true, cancellation);
        return ModelRun.Load(from.Model, _store, from.Paper, from, _runtime);
    }

    private MixingScore[] Ask(Transformer model, CancellationToken cancellation)
    {
        var choice = new MultipleChoice(model, text => _data.Tokenizer.Encode(text), new MultipleChoiceOptions { BeginToken = _data.Tokenizer.EndOfText });
        var translator = new NoisyTranslator(_data.Corpus.Knowledge, _config.Stream.TranslationErrorRate, TranslatorSeed);
        MultipleChoiceItem ItemOf(MedicalQuestion question, Asking asked) => asked switch
        {
            Asking.InFull => InFull(question),
            Asking.ByLetter => ByLetter(question),
            Asking.Translated => InFull(translator.Translate(question)),
            Asking.AsStatement => AsStatement(question),
            _ => AsStatement(translator.Translate(question)),
        };
        (MedicalQuestion Question, Asking Asked, MultipleChoiceItem Item)[] asked =
        [
            .. Enum.GetValues<Asking>().SelectMany(asked => _data.Asked(asked).Select(question => (question, asked, ItemOf(question, asked)))),
        ];
        MultipleChoiceResult result = choice.Score([.. asked.Select(one => one.Item)], cancellation: cancellation).Choose(AnswerNormalization.None);
        return
        [
            .. asked.Zip(result.Items).GroupBy(pair => (pair.First.Question.Task, pair.First.Question.Language, pair.First.Question.Access, pair.First.Asked))
                .Select(group => new MixingScore(group.Key.Task, group.Key.Language, group.Key.Access, group.Key.Asked, string.Concat(group.Select(pair => pair.Second.Correct ? '1' : '0')))),
        ];
    }

    private static MultipleChoiceItem InFull(MedicalQuestion question) => MultipleChoiceItem.InFull(question.Id, question.Question, question.Cue, question.Options, question.Answer);

    private static MultipleChoiceItem ByLetter(MedicalQuestion question) => MultipleChoiceItem.ByLetter(question.Id, question.Question, question.Cue, question.Options, question.Answer);

    private static MultipleChoiceItem AsStatement(MedicalQuestion question) =>
        new(question.Id, question.Passage, question.Statements, question.Answer);

    private double HeldOutLoss(Transformer model, TextLanguage language)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        double sum = 0, tokens = 0;
        foreach (int[][] some in _data.Corpus.HeldOut(language).Select(document => (int[])[.. _data.Tokenizer.Encode(document.Text), _data.Tokenizer.EndOfText]).OrderBy(text => text.Length).Chunk(_config.BatchSize))
        {
            using var batchScope = NewDisposeScope();
            int[] begin = [_data.Tokenizer.EndOfText];
            sum -= new AnswerBatch([.. some.Select(_ => begin)], some, model.Device).Score(model, temperature: 1).LogProbs_N.sum().item<float>();
            tokens += some.Sum(text => text.Length);
        }

        return sum / tokens;
    }
}
