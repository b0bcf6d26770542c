// How much memory a policy's training will need, told from sizes alone, before anything is loaded.
//
// Held all the time are weights, gradients, AdamW's two moments and the reference. Beside them, one at a time:
//   training   what the backward pass needs of every block (with gradient checkpointing: of one, and the inputs of all), and the logits
//   rollout    keys and values of all answers at once, and one block's pass over the prompts or the probabilities of the next tokens
//   evaluation the same for the answers that are drawn at once there
//
// The counts below are of the tensors that Transformer, PolicyLoss and TextGenerator make; answers are taken to have their greatest
// length. Two numbers are measured instead: what libtorch and the runtime take for themselves, and by how much more memory a phase takes
// than its tensors, because an allocator leaves gaps and libtorch works beside what it returns: 1.1 to 1.8 times in models of 20 and 55
// million parameters. PolicyMemoryTests holds the sum against the resident pages of real trainings.
// Shapes: N tokens of a forward pass, T tokens of a row, C width, F inner width, V vocabulary, L blocks, H heads, D and Dv head widths.

using System.Globalization;
using PaperLab.Models;
using static TorchSharp.torch;

namespace PaperLab.Reinforcement;

/// <summary>What decides how much memory a training takes.</summary>
public sealed record PolicyWorkload
{
    /// <summary>The model's sizes.</summary>
    public required TransformerConfig Model { get; init; }

    /// <summary>The training.</summary>
    public required PolicyConfig Training { get; init; }

    /// <summary>Tokens of the longest prompt.</summary>
    public required int PromptTokens { get; init; }

    /// <summary>r of a low-rank adapter; 0 where all weights are trained.</summary>
    public int AdapterRank { get; init; }

    /// <summary>Whether blocks are computed again in the backward pass.</summary>
    public bool GradientCheckpointing { get; init; }

    /// <summary>The weights' type.</summary>
    public ScalarType Dtype { get; init; } = ScalarType.Float32;

    /// <summary>Answers that an evaluation draws at once; 0 without one.</summary>
    public int EvaluatedAnswers { get; init; }
}

/// <summary>A part of the memory.</summary>
/// <param name="Part">What it is.</param>
/// <param name="When">always, or the phase that it is held in.</param>
/// <param name="Bytes">How much.</param>
public sealed record MemoryPart(string Part, string When, long Bytes);

/// <summary>An estimate.</summary>
public sealed class PolicyMemory
{
    private const string Always = "always", InTraining = "training", InRollout = "rollout", InEvaluation = "evaluation";

    // An adapter that is advised, and the longest sequence whose attention scores are kept (see AttentionKernel).
    private const int AdvisedRank = 16, ScoresKeptUpTo = 512;

    private const long Libraries = 64_000_000;
    private const double Gaps = 1.4;

    private readonly PolicyWorkload _workload;

    private PolicyMemory(PolicyWorkload workload, long? free)
    {
        _workload = workload;
        Free = free;
        Parts = [.. PartsOf(workload).Where(part => part.Bytes > 0)];
        Total = Sum(Always) + new[] { InTraining, InRollout, InEvaluation }.Max(Sum);
        Advice = Fits ? [] : [.. AdviceFor()];
    }

    /// <summary>The parts.</summary>
    public IReadOnlyList<MemoryPart> Parts { get; }

    /// <summary>Bytes at the peak: what is always held, and the largest phase.</summary>
    public long Total { get; }

    /// <summary>Bytes that may be used; null where nobody tells.</summary>
    public long? Free { get; }

    /// <summary>Whether the total is within what is free, as far as that is known.</summary>
    public bool Fits => Free is not { } free || Total <= free;

    /// <summary>What to change, in this order, and what all the changes up to there would need; empty where it fits.</summary>
    public IReadOnlyList<string> Advice { get; }

    /// <summary>Estimates.</summary>
    /// <param name="workload">The training.</param>
    /// <param name="free">Bytes that may be used; null where that is not known.</param>
    /// <exception cref="ArgumentException">A size is out of range.</exception>
    public static PolicyMemory Of(PolicyWorkload workload, long? free)
    {
        workload.Model.Validate();
        workload.Training.Validate();
        Require.AtLeast(workload.PromptTokens, 1, nameof(workload.PromptTokens));
        Require.AtLeast(workload.AdapterRank, 0, nameof(workload.AdapterRank));
        Require.AtLeast(workload.EvaluatedAnswers, 0, nameof(workload.EvaluatedAnswers));
        return new PolicyMemory(workload, free);
    }

    /// <summary>The estimate in a few lines.</summary>
    public override string ToString()
    {
        IEnumerable<string> parts = Parts.Select(part => $"  {part.Part,-32} {part.When,-10} {Text(part.Bytes),9}");
        string free = Free is { } bytes ? $"of {Text(bytes)} free: {(Fits ? "it fits" : "too much")}" : "nobody tells what is free";
        IEnumerable<string> advice = Advice.Select(line => $"  - {line}");
        return string.Join('\n', [.. parts, $"  at the peak about {Text(Total)}, {free}", .. advice]);
    }

    private static string Text(long bytes) =>
        bytes >= 1e9 ? string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.00} GB") : string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0} MB");

    private long Sum(string when) => Parts.Where(part => part.When == when).Sum(part => part.Bytes);

    private static IEnumerable<MemoryPart> PartsOf(PolicyWorkload workload)
    {
        (TransformerConfig model, PolicyConfig training, bool adapted) = (workload.Model, workload.Training, workload.AdapterRank > 0);
        int bytes = BytesOf(workload.Dtype);
        long weights = TransformerSize.Parameters(model) * bytes;
        long adapter = adapted ? LowRankAdapter.ParametersOf(model, workload.AdapterRank) * sizeof(float) : 0;
        long trained = adapted ? adapter : weights;
        yield return new("weights", Always, weights);
        yield return new("adapter", Always, adapter);
        yield return new("gradients", Always, trained);
        yield return new("moments of AdamW", Always, 2 * trained);
        yield return new("reference", Always, training.Objective.KlWeight > 0 ? trained : 0);
        yield return new("libraries", Always, Libraries);

        long answers = training.Questions * training.Answers, minibatch = answers / training.Minibatches;
        long rows = training.MicroBatchSize > 0 ? Math.Min(training.MicroBatchSize, minibatch) : minibatch;
        long length = Math.Min(workload.PromptTokens + training.MaxNewTokens - 1, model.ContextLength);
        yield return new("activations", InTraining, WithGaps(Activations(workload, rows * length, length) * bytes));
        yield return new("logits", InTraining, WithGaps(rows * training.MaxNewTokens * model.VocabularySize * sizeof(float) * LogitTensors(workload)));
        foreach ((string when, long drawn) in new[] { (InRollout, answers), (InEvaluation, workload.EvaluatedAnswers) })
        {
            (long cache, long passes) = Drawing(workload, drawn, length);
            yield return new("keys and values", when, cache);
            yield return new("passes", when, WithGaps(passes));
        }
    }

    private static long WithGaps(long bytes) => (long)(Gaps * bytes);

    // Elements that one training pass over `tokens` tokens, rows of `length`, holds at most.
    private static long Activations(PolicyWorkload workload, long tokens, long length)
    {
        TransformerConfig model = workload.Model;
        long block = KeptByBlock(workload, length) * tokens;      // again as much are the gradients on their way through it
        long inputs = (model.Layers + 2L) * model.Width * tokens; // residuals, and the last norm
        if (!workload.GradientCheckpointing)
        {
            return inputs + ((model.Layers + 1) * block);
        }

        long trained = workload.AdapterRank > 0 ? LowRankAdapter.ParametersOf(model, workload.AdapterRank) / model.Layers : TransformerSize.BlockParameters(model);
        return inputs + (2 * block) + (2 * trained); // one block's gradients by its parameters, and the last block's
    }

    // Elements of a token that the backward pass needs from inside a block, its input aside.
    private static long KeptByBlock(PolicyWorkload workload, long length)
    {
        (AttentionShape shape, long c) = (AttentionShape.Of(workload.Model), workload.Model.Width);
        long queries = shape.Heads * shape.KeyWidth, keys = shape.KeyHeads * shape.KeyWidth, values = shape.ValueHeads * shape.ValueWidth, mixed = shape.Heads * shape.ValueWidth;
        AttentionConfig? attention = workload.Model.Attention;

        // Each norm's output and, for the gradient of its own weight, what it scaled; the stream between the two halves; the mixed values.
        long norms = (workload.AdapterRank > 0 ? 2 : 4) * c;
        long normedHeads = attention?.QkNorm == true ? 2 * (queries + keys) : 0;
        long augmented = attention?.QueryHidden is { } inner ? queries + (4 * inner) : 0;
        return norms + c + queries + keys + values + mixed + normedHeads + augmented + Scores(workload.Model, length) + KeptByFeedForward(workload.Model) + (7L * workload.AdapterRank);
    }

    // Gate before and after SiLU, up, and their product; experts also gather their tokens.
    private static long KeptByFeedForward(TransformerConfig model) => model.FeedForward switch
    {
        DenseConfig dense => 4L * dense.Hidden,
        RoutedConfig routed => (routed.TopK * ((4L * routed.Hidden) + (2L * model.Width))) + (routed is MixtureOfExpertsConfig moe ? 4L * moe.SharedExperts * moe.Hidden : 0),
        _ => throw new ArgumentException($"{model.FeedForward.GetType().Name} is not a feed-forward layer that this library knows.", nameof(model)),
    };

    // Elements of a token in the softmax of all heads, where it is written out.
    private static long Scores(TransformerConfig model, long length)
    {
        long seen = Math.Min(length, model.Attention?.SlidingWindow ?? length);
        bool writtenOut = length <= ScoresKeptUpTo || seen < length || model.Attention?.SelectedValues is not null;
        return writtenOut ? model.Heads * seen : 0;
    }

    // Drawing `rows` answers at once.
    private static (long Cache, long Passes) Drawing(PolicyWorkload workload, long rows, long length)
    {
        (TransformerConfig model, int bytes) = (workload.Model, BytesOf(workload.Dtype));
        AttentionShape shape = AttentionShape.Of(model);
        long cache = rows * length * model.Layers * shape.CacheElements * bytes;
        long copied = cache / model.Layers; // while rows that ended are dropped
        long queries = shape.Heads * shape.KeyWidth, keys = shape.KeyHeads * shape.KeyWidth, values = shape.ValueHeads * shape.ValueWidth, mixed = shape.Heads * shape.ValueWidth;
        long block = (7L * model.Width) + (6 * queries) + (3 * keys) + (2 * values) + (2 * mixed) + (2 * Scores(model, workload.PromptTokens)) + KeptByFeedForward(model);
        const int Probabilities = (4 * sizeof(float)) + 1; // logits, their softmax and its logarithm, its running sum, and where that passes
        return (cache + copied, Math.Max(rows * workload.PromptTokens * block * bytes, rows * model.VocabularySize * Probabilities));
    }

    // Tensors of an entry for each answer token and word: the policy's log-softmax stays; beside it at most the reference's logits,
    // log-softmax and entropy, or two gradients. A temperature, and weights of another type, make one more of the logits.
    private static int LogitTensors(PolicyWorkload workload) =>
        (workload.Training.Objective.KlWeight > 0 ? 4 : 3) + (workload.Training.Temperature == 1 ? 0 : 1) + (workload.Dtype == ScalarType.Float32 ? 0 : 1);

    private static int BytesOf(ScalarType dtype) => dtype == ScalarType.Float32 ? 4 : 2;

    private IEnumerable<string> AdviceFor()
    {
        PolicyMemory best = this;
        foreach ((string change, PolicyWorkload changed) in Changes())
        {
            var with = new PolicyMemory(changed, free: null);
            if (with.Total < best.Total)
            {
                best = with;
                yield return $"{change}: about {Text(with.Total)}";
                if (with.Total <= Free)
                {
                    yield break;
                }
            }
        }

        long parameters = (long)(TransformerSize.Parameters(_workload.Model) * (Free!.Value / (double)best.Total));
        yield return string.Create(CultureInfo.InvariantCulture, $"a smaller model, of about {parameters / 1e6:0} million parameters or fewer, or a machine with more memory");
    }

    // Each on top of those before it: first what changes no number, last what changes the training.
    private IEnumerable<(string Change, PolicyWorkload Changed)> Changes()
    {
        PolicyWorkload now = _workload with { GradientCheckpointing = true };
        yield return ("GradientCheckpointing = true", now);
        if (now.AdapterRank == 0)
        {
            now = now with { AdapterRank = Math.Min(AdvisedRank, now.Model.Width) };
            yield return ($"AdapterRank = {now.AdapterRank}, to train a low-rank adapter instead of all weights", now);
        }

        PolicyConfig training = now.Training;
        int minibatch = training.Questions * training.Answers / training.Minibatches;
        for (int rows = (training.MicroBatchSize > 0 ? Math.Min(training.MicroBatchSize, minibatch) : minibatch) / 2; rows >= 1; rows /= 2)
        {
            now = now with { Training = training with { MicroBatchSize = rows } };
            yield return ($"MicroBatchSize = {rows}", now);
        }

        training = now.Training;
        for (int questions = training.Questions / 2; questions >= 1; questions /= 2)
        {
            if (questions * training.Answers % training.Minibatches == 0)
            {
                now = now with { Training = training with { Questions = questions } };
                yield return ($"Questions = {questions}", now);
            }
        }
    }
}
