// Reinforcement learning on a reader's own checkpoint: a folder in Hugging Face's layout of the Llama, Mistral or Qwen families. What can
// be known without the weights is checked first, and memory is estimated; only then the weights are loaded.
//
//   OwnPolicy own = OwnPolicy.Open(folder, new OwnPolicyOptions { Task = WordProblemTask.Read(data), Training = config, AdapterRank = 16 });
//   own.Memory                                                       what it will need, and what to change where that is too much
//   own.Train(evaluation, saveTo);                                   loads, trains, and leaves an ordinary checkpoint in saveTo

using System.Diagnostics.CodeAnalysis;
using PaperLab.Checkpoints;
using PaperLab.Models;
using PaperLab.Native;
using PaperLab.Text;
using PaperLab.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace PaperLab.Reinforcement;

/// <summary>How a checkpoint of one's own is trained.</summary>
public sealed record OwnPolicyOptions
{
    /// <summary>What is asked; with a template of <see cref="PromptTemplate"/>, unless the model knows the task's symbols.</summary>
    public required ITask Task { get; init; }

    /// <summary>The training.</summary>
    public required PolicyConfig Training { get; init; }

    /// <summary>r of a low-rank adapter, which is trained instead of the weights; 0 trains all weights.</summary>
    public int AdapterRank { get; init; }

    /// <summary>α of the adapter.</summary>
    public double AdapterAlpha { get; init; } = 32;

    /// <summary>Whether blocks are computed again in the backward pass: less memory, a third more time.</summary>
    public bool GradientCheckpointing { get; init; }

    /// <summary>The weights' type: Float32, or, under an adapter, BFloat16 for half the memory. All weights of BFloat16 cannot be trained: small steps would be lost in rounding.</summary>
    public ScalarType Dtype { get; init; } = ScalarType.Float32;

    /// <summary>Where the model goes; null for the CPU. Of a GPU's memory nothing is known here.</summary>
    public Device? Device { get; init; }

    /// <summary>The token that ends an answer; null for the first that the checkpoint names.</summary>
    public int? End { get; init; }

    /// <summary>Answers that an evaluation draws at once (problems times samples), for the estimate; 0 without one.</summary>
    public int EvaluatedAnswers { get; init; }

    /// <summary>Bytes that may be used; null for what the machine has free.</summary>
    public long? FreeBytes { get; init; }

    /// <summary>Whether to load a model that will not fit by the estimate.</summary>
    public bool LoadAnyway { get; init; }

    /// <summary>Throws with the field, its value and the allowed range.</summary>
    /// <exception cref="ArgumentException">A field is out of range.</exception>
    public void Validate()
    {
        Training.Validate();
        Require.AtLeast(AdapterRank, 0, nameof(AdapterRank));
        Require.That(double.IsFinite(AdapterAlpha) && AdapterAlpha > 0, nameof(AdapterAlpha), AdapterAlpha, "a finite number above 0");
        Require.That(Dtype == ScalarType.Float32 || (Dtype == ScalarType.BFloat16 && AdapterRank > 0), nameof(Dtype), Dtype, "Float32, or BFloat16 where AdapterRank is above 0");
        Require.AtLeast(EvaluatedAnswers, 0, nameof(EvaluatedAnswers));
    }
}

/// <summary>A model will not fit into memory by the estimate.</summary>
public sealed class PolicyMemoryException(PolicyMemory memory) : Exception(
    $"The training will not fit into memory; nothing was loaded.\n{memory}\nChange what stands there, or set {nameof(OwnPolicyOptions.LoadAnyway)} to load it all the same.")
{
    /// <summary>The estimate.</summary>
    public PolicyMemory Memory { get; } = memory;
}

/// <summary>A checkpoint of one's own, to train as a policy.</summary>
public sealed class OwnPolicy : IDisposable
{
    private const int DrawnForLength = 64; // problems of each difficulty and side, of a task that cannot list them

    private readonly string _folder;
    private readonly OwnPolicyOptions _options;
    private HuggingFaceModel? _loaded;

    private OwnPolicy(string folder, OwnPolicyOptions options, HuggingFaceInspection inspection, ITokenizer tokenizer, int end)
    {
        (_folder, _options) = (folder, options);
        (Inspection, Tokenizer, End) = (inspection, new PaddedTokenizer(tokenizer), end);
        LongestPrompt = MeasurePrompts();
        Memory = PolicyMemory.Of(
            new PolicyWorkload
            {
                Model = inspection.Config.Model,
                Training = options.Training,
                PromptTokens = LongestPrompt,
                AdapterRank = options.AdapterRank,
                GradientCheckpointing = options.GradientCheckpointing,
                Dtype = options.Dtype,
                EvaluatedAnswers = options.EvaluatedAnswers,
            },
            options.FreeBytes ?? (options.Device is { } device && device.type != DeviceType.CPU ? null : FreeMemory.Read()));
    }

    /// <summary>What the folder holds.</summary>
    public HuggingFaceInspection Inspection { get; }

    /// <summary>The checkpoint's tokenizer; an id that the model has and it has not is unreadable text.</summary>
    public ITokenizer Tokenizer { get; }

    /// <summary>The token that ends an answer.</summary>
    public int End { get; }

    /// <summary>Tokens of the longest prompt: of all problems where the task is a file, else of some.</summary>
    public int LongestPrompt { get; }

    /// <summary>What the training will need.</summary>
    public PolicyMemory Memory { get; }

    /// <summary>The model, once it is loaded.</summary>
    /// <exception cref="InvalidOperationException">It is not.</exception>
    public Transformer Policy => _loaded?.Model ?? throw new InvalidOperationException($"The model in {_folder} is not loaded yet; call {nameof(Load)} first.");

    /// <summary>Looks at a folder without loading its weights.</summary>
    /// <param name="folder">With config.json, tokenizer.json and weights in safetensors files.</param>
    /// <param name="options">How it will be trained.</param>
    /// <exception cref="CheckpointException">Something is missing, damaged or of a family that is not supported; the message names the file, the field and what is allowed.</exception>
    /// <exception cref="ArgumentException">An option is out of range, or a prompt is too long for the model; the message names the problem.</exception>
    public static OwnPolicy Open(string folder, OwnPolicyOptions options)
    {
        options.Validate();
        HuggingFaceInspection inspection = HuggingFaceModel.Inspect(folder);
        ITokenizer tokenizer = inspection.Tokenizer ?? throw new CheckpointException(
            Path.Combine(folder, HuggingFaceTokenizer.FileName), "it is missing.", "Put the tokenizer that belongs to these weights into the folder.");
        if ((options.End ?? inspection.EndOfText.Cast<int?>().FirstOrDefault()) is not { } end)
        {
            throw new CheckpointException(Path.Combine(folder, HuggingFaceConfig.FileName), "neither it nor generation_config.json names an eos_token_id.",
                $"Add it, or give the token that ends an answer as {nameof(options.End)}.");
        }

        int vocabulary = inspection.Config.Model.VocabularySize;
        Require.That(end >= 0 && end < vocabulary, nameof(options.End), end, $"0 to {vocabulary - 1}, the model's vocabulary");
        return new OwnPolicy(folder, options, inspection, tokenizer, end);
    }

    /// <summary>Loads the weights and makes them ready for training: adapter, gradient checkpointing.</summary>
    /// <exception cref="PolicyMemoryException">It will not fit; the message holds the estimate and advice.</exception>
    /// <exception cref="CheckpointException">A weight is NaN or infinite, or a file has changed since.</exception>
    [MemberNotNull(nameof(_loaded))]
    public void Load()
    {
        if (_loaded is not null)
        {
            return;
        }

        if (!Memory.Fits && !_options.LoadAnyway)
        {
            throw new PolicyMemoryException(Memory);
        }

        _loaded = HuggingFaceModel.Load(_folder, _options.Device, _options.Dtype);
        _loaded.Model.GradientCheckpointing = _options.GradientCheckpointing;
        if (_options.AdapterRank > 0)
        {
            LowRankAdapter.Attach(_loaded.Model, _options.AdapterRank, _options.AdapterAlpha, _options.Training.Seed);
        }
    }

    /// <summary>
    /// Trains the policy, from the newest checkpoint where there is one, and saves it. Loads it first where that was not done.
    /// </summary>
    /// <param name="evaluation">On the task's held-out problems, before and after; of a file with fewer of them, on all.</param>
    /// <param name="folder">Where the trained model goes; checkpoints lie beside it until then. A checkpoint that lies there is replaced.</param>
    /// <param name="options">How it is watched; <see cref="PolicyRunOptions.Fresh"/> forgets what an interrupted training has reached.</param>
    /// <param name="cancellation">Ends the training between two steps, after a checkpoint.</param>
    /// <exception cref="PolicyMemoryException">It will not fit; nothing was loaded.</exception>
    /// <exception cref="ArgumentException">The task has no held-out problems.</exception>
    /// <exception cref="CheckpointException">The checkpoints beside the folder are those of another training, or the folder holds something that may not be replaced.</exception>
    public OwnPolicyResult Train(PolicyEvaluationOptions evaluation, string folder, PolicyRunOptions? options = null, CancellationToken cancellation = default)
    {
        options ??= new PolicyRunOptions();
        if (_options.Task is WordProblemTask file)
        {
            evaluation = evaluation with { Problems = Math.Min(evaluation.Problems, file.All(Split.HeldOut).DistinctBy(problem => problem.Prompt).Count()) };
        }

        var evaluator = new PolicyEvaluator(evaluation, _options.Task, Tokenizer, End);
        Load();
        using CheckpointFolder checkpoints = CheckpointFolder.Open(Path.GetFullPath(folder) + ".checkpoints", options.Checkpoints, options.Note, cancellation);
        if (options.Fresh)
        {
            checkpoints.Clear();
        }

        OwnRun run = new(Path.GetFullPath(_folder), _options.Task.Name, _options.Training, _options.AdapterRank, _options.AdapterAlpha, $"{_options.Dtype}", evaluation);
        Dictionary<string, Tensor> trained = Policy.named_parameters().Where(named => named.parameter.requires_grad).ToDictionary(named => named.name, named => (Tensor)named.parameter);
        PolicyState state;
        using (var trainer = new PolicyTrainer(_options.Training, Policy, Tokenizer, End, _options.Task, CombinedReward.R1Zero()))
        {
            var loop = new PolicyLoop<OwnRun>
            {
                Config = run,
                Name = Path.GetFileName(run.Folder),
                Stage = _options.Training,
                Trainer = trainer,
                Model = Policy,
                Weights = trained,
                Mode = $"{Policy.Device}",
                Evaluator = evaluator,
                EvaluationInterval = _options.Training.Steps, // before and after
                Examples = PolicyRun.Examples,
                Folder = checkpoints,
                Options = options,
            };
            state = loop.Run(cancellation);
        }

        Save(folder, overwrite: true);
        checkpoints.Clear();
        return new OwnPolicyResult(state.Evaluations[0], state.Evaluations[^1], state.Steps);
    }

    /// <summary>
    /// Saves the policy as an ordinary checkpoint, with tokenizer and config. An adapter is merged into the weights for good, which takes no
    /// memory: train first, save last.
    /// </summary>
    /// <param name="folder">A new or empty folder.</param>
    /// <param name="overwrite">Whether a checkpoint that lies there is replaced.</param>
    /// <exception cref="CheckpointException">The folder holds something that may not be replaced.</exception>
    /// <exception cref="InvalidOperationException">The policy is not loaded.</exception>
    public void Save(string folder, bool overwrite = false)
    {
        Policy.Adapter?.Merge();
        _loaded!.Save(folder, overwrite);
    }

    public void Dispose() => _loaded?.Dispose();

    private int MeasurePrompts()
    {
        int context = Inspection.Config.Model.ContextLength, longest = 0;
        foreach (Problem problem in Problems())
        {
            int length = Tokenizer.Encode(problem.Prompt).Length;
            Require.That(
                length >= 1 && length < context,
                $"the number of tokens of the prompt '{Shown(problem.Prompt)}' of {_options.Task.Name}",
                length,
                $"1 to {context - 1}: the model's context has {context}, and an answer is to follow");
            longest = Math.Max(longest, length);
        }

        return longest;
    }

    private IEnumerable<Problem> Problems() => _options.Task is WordProblemTask file
        ? file.All(Split.Train).Concat(file.All(Split.HeldOut))
        : from difficulty in _options.Task.Difficulties
          from split in new[] { Split.Train, Split.HeldOut }
          from seed in Enumerable.Range(0, DrawnForLength)
          select _options.Task.Draw(split, difficulty, (ulong)seed);

    // The question is at the end of a template.
    private static string Shown(string prompt) => (prompt.Length <= 120 ? prompt : $"…{prompt[^120..]}").Replace("\n", " ");
}

/// <summary>What a training made of a checkpoint.</summary>
/// <param name="Before">On held-out problems, before the first step.</param>
/// <param name="After">The same after the last.</param>
/// <param name="Steps">Step by step.</param>
public sealed record OwnPolicyResult(PolicyEvaluationPoint Before, PolicyEvaluationPoint After, IReadOnlyList<PolicyStep> Steps);

// What decides the training's numbers, by which its checkpoints are known.
internal sealed record OwnRun(string Folder, string Task, PolicyConfig Training, int AdapterRank, double AdapterAlpha, string Dtype, PolicyEvaluationOptions Evaluation);
