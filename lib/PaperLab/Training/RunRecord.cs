// What is kept of a training run: enough to plot it, to judge a claim by it, and to run it again.

using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using PaperLab.Models;
using PaperLab.Text;

namespace PaperLab.Training;

/// <summary>Everything that decides a run's numbers. Two runs with equal configs are the same run.</summary>
public sealed record RunConfig
{
    /// <summary>The notebook the run belongs to, for example "autonomy-of-experts".</summary>
    public required string Paper { get; init; }

    /// <summary>The arm of the comparison, for example "AoE".</summary>
    public required string Arm { get; init; }

    /// <summary>Seed of the initial weights and of the data order. Arms of one comparison share it, which makes them pairs.</summary>
    public required int Seed { get; init; }

    public required TransformerConfig Model { get; init; }

    public required TrainingConfig Training { get; init; }

    public required TextConfig Text { get; init; }

    /// <summary>Hash of the config: the run's name in a store.</summary>
    [JsonIgnore]
    public string Key => RunStore.KeyOf(this);
}

/// <summary>The text a run reads.</summary>
public sealed record TextConfig
{
    /// <summary>The corpus's domains, their budget and what is held out; null where the text is a task.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public CorpusOptions? Corpus { get; init; }

    /// <summary>The associative-recall task in place of a corpus.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public RecallOptions? Recall { get; init; }

    /// <summary>Tokens of the byte-level BPE vocabulary.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Held-out windows of each domain in one evaluation.</summary>
    public required int EvaluationWindows { get; init; }

    /// <summary>
    /// Whether the held-out text is halved: evaluations during training, and one after it, read the first half, by which settings are
    /// chosen (<see cref="RunRecord.Validation"/>); only those before the first step and after the last read the second.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Validate { get; init; }

    /// <summary>The text as tokens, from the cache where it is there.</summary>
    /// <exception cref="ArgumentException">There is not one of a corpus and a task, or the vocabulary is not the task's.</exception>
    public TokenizedCorpus Load()
    {
        Require.That(Corpus is null != Recall is null, $"Text.{nameof(Recall)}", Recall is null ? "null" : "a task", Corpus is null ? "a task, for Text.Corpus is null" : "null, for there is a Text.Corpus: a run reads one text");
        if (Recall is not null)
        {
            Require.That(VocabularySize == AssociativeRecall.VocabularySize, $"Text.{nameof(VocabularySize)}", VocabularySize, $"{AssociativeRecall.VocabularySize} where the text is a recall task: its symbols are bytes");
            return AssociativeRecall.Load(Recall);
        }

        Corpus corpus = Text.Corpus.Load(Corpus);
        return TokenizedCorpus.Load(corpus, BpeTokenizer.Load(corpus, VocabularySize));
    }

    /// <summary>The hash that this machine's text has.</summary>
    internal string Hash() => Recall is null ? Text.Corpus.Load(Corpus).Hash : AssociativeRecall.Load(Recall).Corpus.Hash;
}

/// <summary>Where and with what a run was made.</summary>
/// <param name="Device">cpu or cuda:N.</param>
/// <param name="Threads">Threads of one CPU operation.</param>
/// <param name="Arithmetic">What matrix products computed in.</param>
/// <param name="Libtorch">Version of libtorch.</param>
/// <param name="Runtime">.NET version.</param>
/// <param name="System">Operating system and processor architecture.</param>
/// <param name="Revision">Git revision of the checkout; "unknown" outside one.</param>
/// <param name="Version">PaperLab's version.</param>
/// <param name="Allocator">How host memory was kept between steps; null in records from before it was kept.</param>
/// <param name="Optimizer">The optimizer and how it ran; null in records from before it was kept.</param>
public sealed record RunEnvironment(
    string Device, int Threads, string Arithmetic, string Libtorch, string Runtime, string System, string Revision, string Version, string? Allocator = null, string? Optimizer = null)
{
    /// <summary>What is here now.</summary>
    internal static RunEnvironment Of(TorchRuntime runtime, AdamW? optimizer = null) => new(
        runtime.Device.ToString(),
        runtime.Threads,
        runtime.Arithmetic,
        runtime.Libtorch,
        Environment.Version.ToString(),
        $"{RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}",
        Checkout.Revision(),
        typeof(RunEnvironment).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion,
        runtime.Allocator,
        optimizer?.ToString());
}

/// <summary>The run was interrupted and went on in a new process.</summary>
/// <param name="AfterStep">The last step of the checkpoint.</param>
/// <param name="Mode">Device, threads and arithmetic up to there; the record's environment names those of the end.</param>
public sealed record Resumption(int AfterStep, string Mode);

/// <summary>A data-parallel training.</summary>
/// <param name="Processes">How many processes.</param>
/// <param name="ExchangeSeconds">Time of the training steps that the first process spent adding up over all, waiting for the others included; of a resumed run, of its last part.</param>
public sealed record DataParallelism(int Processes, double ExchangeSeconds);

/// <summary>A held-out evaluation during training.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Loss">As <see cref="HeldOutEvaluation.Loss"/>.</param>
/// <param name="LossByDomain">As <see cref="HeldOutEvaluation.LossByDomain"/>.</param>
public sealed record EvaluationPoint(int Step, double Loss, IReadOnlyDictionary<string, double> LossByDomain);

/// <summary>What pages say of a finished run of whatever kind.</summary>
public interface IRecordedRun
{
    /// <summary>The preset that asked for the run.</summary>
    string Preset { get; }

    /// <summary>Where and with what it was made.</summary>
    RunEnvironment Environment { get; }

    /// <summary>When it ended, UTC.</summary>
    DateTimeOffset Finished { get; }

    /// <summary>Wall time of its training steps.</summary>
    double TrainingSeconds { get; }
}

/// <summary>What the records of policies and searches have in common; their kinds differ in the rest.</summary>
public abstract record RunRecordBase : IRecordedRun
{
    /// <summary>As <see cref="RunRecord.Format"/>.</summary>
    public int Format { get; init; } = RunRecord.CurrentFormat;

    /// <inheritdoc/>
    public required string Preset { get; init; }

    /// <inheritdoc/>
    public required RunEnvironment Environment { get; init; }

    /// <inheritdoc/>
    public required DateTimeOffset Finished { get; init; }

    /// <inheritdoc/>
    public required double TrainingSeconds { get; init; }

    /// <summary>Largest resident memory of the process up to the end of the run, bytes.</summary>
    public required long PeakMemory { get; init; }
}

/// <summary>One finished run.</summary>
public sealed record RunRecord : IRecordedRun
{
    /// <summary>Rises when a field changes its meaning; a record of another format is not read.</summary>
    public const int CurrentFormat = 1;

    /// <summary>Longest <see cref="TrainingLoss"/>, which keeps a record below 100 KB.</summary>
    public const int MostLosses = 5000;

    /// <summary>How records and configs are written: numbers round-trip, infinities by name, one file readable in a diff.</summary>
    public static JsonSerializerOptions Json { get; } = new()
    {
        WriteIndented = false,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter() },
    };

    public int Format { get; init; } = CurrentFormat;

    public required RunConfig Config { get; init; }

    /// <summary>The preset that asked for the run.</summary>
    public required string Preset { get; init; }

    public required RunEnvironment Environment { get; init; }

    /// <summary>SHA-256 of the corpus that was read; other SDK versions have other text.</summary>
    public required string CorpusHash { get; init; }

    /// <summary>When the run ended, UTC.</summary>
    public required DateTimeOffset Finished { get; init; }

    /// <summary>Wall time of the training steps, without evaluations and checkpoints; of a resumed run, of all its parts.</summary>
    public required double TrainingSeconds { get; init; }

    /// <summary>Tokens trained on.</summary>
    public required long Tokens { get; init; }

    /// <summary>Largest resident memory of the process up to the end of the run, bytes.</summary>
    public required long PeakMemory { get; init; }

    public required long TotalParameters { get; init; }

    public required long ActiveParameters { get; init; }

    /// <summary>FLOPs of one token's forward pass.</summary>
    public required double FlopsPerToken { get; init; }

    /// <summary>
    /// Training loss (cross-entropy, nats per token) of every step, as the shortest decimals that name these fp32 numbers; of a run
    /// longer than <see cref="MostLosses"/> steps the means of every <see cref="StepsPerLoss"/> of them.
    /// </summary>
    public required IReadOnlyList<double> TrainingLoss { get; init; }

    /// <summary>Steps that one value of <see cref="TrainingLoss"/> stands for; the last value may stand for fewer.</summary>
    [JsonIgnore]
    public int StepsPerLoss => (Config.Training.Steps + TrainingLoss.Count - 1) / TrainingLoss.Count;

    /// <summary>The held-out evaluations between the first step and the last, where the config asks for any.</summary>
    public IReadOnlyList<EvaluationPoint> Evaluations { get; init; } = [];

    /// <summary>Where the run was interrupted; empty for one that ran through.</summary>
    public IReadOnlyList<Resumption> Resumed { get; init; } = [];

    /// <summary>How many processes shared the work, and what that cost; null for one process.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DataParallelism? Parallel { get; init; }

    /// <summary>The held-out evaluation before the first step.</summary>
    public required HeldOutEvaluation Initial { get; init; }

    /// <summary>After the last step, on the half of the held-out text that settings are chosen by; null where it is not halved.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public HeldOutEvaluation? Validation { get; init; }

    /// <summary>The held-out evaluation after the last step; where the text is halved, on the other half.</summary>
    public required HeldOutEvaluation Final { get; init; }

    /// <summary>Trained tokens per second.</summary>
    [JsonIgnore]
    public double TokensPerSecond => Tokens / TrainingSeconds;

    /// <summary>The losses of all steps as <see cref="TrainingLoss"/> holds them.</summary>
    internal static IReadOnlyList<double> LossCurve(IReadOnlyList<double> losses)
    {
        int stepsPerLoss = (losses.Count + MostLosses - 1) / MostLosses;
        return [.. losses.Chunk(stepsPerLoss).Select(chunk => Shortest(chunk.Average()))];
    }

    private static double Shortest(double loss) => double.Parse(((float)loss).ToString("R"));
}

/// <summary>A model on held-out text.</summary>
/// <param name="Loss">Mean cross-entropy over all windows, nats per token; each domain has the same weight.</param>
/// <param name="LossByDomain">The same by domain.</param>
/// <param name="Routing">One entry for each layer with experts; empty for dense models.</param>
public sealed record HeldOutEvaluation(double Loss, IReadOnlyDictionary<string, double> LossByDomain, IReadOnlyList<LayerRouting> Routing)
{
    /// <summary>Share of the scored tokens that the model ranks first; null for running text.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Accuracy { get; init; }

    /// <summary>e to the loss: the number of tokens among which the model in effect wavers. With several domains their geometric mean.</summary>
    [JsonIgnore]
    public double Perplexity => Math.Exp(Loss);

    /// <summary>The same by domain.</summary>
    [JsonIgnore]
    public IReadOnlyDictionary<string, double> PerplexityByDomain => LossByDomain.ToDictionary(domain => domain.Key, domain => Math.Exp(domain.Value));
}

/// <summary>How one layer routed the held-out tokens.</summary>
/// <param name="Load">Share of assignments that went to each expert; sums to 1.</param>
/// <param name="LoadEntropy">Entropy of <paramref name="Load"/>, nats; ln E at perfect balance.</param>
/// <param name="ConfidenceEntropy">Mean over tokens of the entropy of the softmax over all E scores, nats; low when the choice is clear.</param>
/// <param name="MeanScore">Mean score of each expert (logit or norm).</param>
/// <param name="LoadByDomain">Share of assignments by expert, for each domain.</param>
public sealed record LayerRouting(
    IReadOnlyList<double> Load,
    double LoadEntropy,
    double ConfidenceEntropy,
    IReadOnlyList<double> MeanScore,
    IReadOnlyDictionary<string, IReadOnlyList<double>> LoadByDomain)
{
    /// <summary>Experts that a token had, on average: K, unless their number varies; null in records from before it was kept.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? ExpertsPerToken { get; init; }

    /// <summary>Standard deviation of each expert's score over the tokens; null in records from before it was kept.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<double>? ScoreStd { get; init; }

    /// <summary>How balanced it is, scope by scope; null in records from before it was measured.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public LayerBalance? Balance { get; init; }
}

/// <summary>
/// One layer's balance on held-out text, whatever it was trained with. Balance losses are E·Σ fᵢPᵢ without a weight, at least about K;
/// the wider f is counted, the more room a layer has to send texts of different kinds to different experts.
/// </summary>
/// <param name="SequenceLoss">Mean over windows: f counted in each.</param>
/// <param name="DomainLoss">Mean over domains: f counted in all windows of one.</param>
/// <param name="GlobalLoss">f counted in all windows, every domain with the same weight.</param>
/// <param name="SequenceMaxViolation">Mean over windows of (largest load of an expert − mean load) / mean load: how far the slowest expert is behind.</param>
/// <param name="TopKScore">Mean over tokens of the softmax over all E scores, summed over the token's experts.</param>
public sealed record LayerBalance(double SequenceLoss, double DomainLoss, double GlobalLoss, double SequenceMaxViolation, double TopKScore);
