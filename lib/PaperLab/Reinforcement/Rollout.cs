// What a policy answers: several times to each of a set of problems, groups of answers one after another.

using PaperLab.Generation;
using PaperLab.Text;
using static TorchSharp.torch;

namespace PaperLab.Reinforcement;

/// <summary>Answers, row by row.</summary>
/// <param name="Prompts">Tokens of what was asked.</param>
/// <param name="Answers">What was drawn.</param>
/// <param name="Samples">The same as text, to be judged.</param>
internal sealed record Rollout(IReadOnlyList<int[]> Prompts, IReadOnlyList<Continuation> Answers, IReadOnlyList<Sample> Samples)
{
    /// <summary>Asks.</summary>
    /// <param name="generator">The policy's.</param>
    /// <param name="tokenizer">The policy's.</param>
    /// <param name="problems">What is asked.</param>
    /// <param name="answers">Answers to each problem.</param>
    /// <param name="options">How they are drawn, and when they end.</param>
    /// <param name="cancellation">Ends it between two tokens.</param>
    public static Rollout Draw(TextGenerator generator, ITokenizer tokenizer, IReadOnlyList<Problem> problems, int answers, SamplingOptions options, CancellationToken cancellation)
    {
        int[][] prompts = [.. problems.SelectMany(problem => Enumerable.Repeat(tokenizer.Encode(problem.Prompt), answers))];
        IReadOnlyList<Continuation> drawn = generator.Generate(prompts, options, cancellation: cancellation);
        return new Rollout(prompts, drawn, [.. drawn.Select((answer, row) => new Sample(row, problems[row / answers], Completion.Of(answer, tokenizer)))]);
    }

    /// <summary>Rows of like length together, so that little is padded.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="size">Rows of a batch; 0 for all.</param>
    public IEnumerable<int[]> MicroBatches(IReadOnlyCollection<int> rows, int size) =>
        rows.OrderBy(row => Prompts[row].Length + Answers[row].Tokens.Count).Chunk(size > 0 ? size : Math.Max(1, rows.Count));

    /// <summary>Rows as a model reads them.</summary>
    public AnswerBatch Batch(IReadOnlyList<int> rows, Device device) => new([.. rows.Select(row => Prompts[row])], [.. rows.Select(row => Answers[row].Tokens)], device);
}
