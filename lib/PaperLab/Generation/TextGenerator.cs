// Continues a batch of prompts, token by token: read the prompts, draw, read what was drawn, until every row has ended. Prompts of
// different lengths are padded on the left, so all rows write the same column of the cache; rows that ended are dropped from it.
// Shapes: B rows still running, T columns of the prompts, V vocabulary.

using System.Diagnostics;
using PaperLab.Models;
using static TorchSharp.torch;

namespace PaperLab.Generation;

/// <summary>Where a generation stands.</summary>
/// <param name="NewTokens">Tokens drawn in all rows together.</param>
/// <param name="RowsRunning">Rows that have not ended.</param>
/// <param name="Elapsed">Wall time since it began.</param>
public readonly record struct GenerationProgress(long NewTokens, int RowsRunning, TimeSpan Elapsed)
{
    public double TokensPerSecond => NewTokens / Elapsed.TotalSeconds;
}

/// <summary>
/// Draws continuations from a model. A row does not depend on the rows beside it, but for dynamic rotary scaling beyond its original
/// context, whose frequencies follow the longest row.
/// </summary>
public sealed class TextGenerator(Transformer model)
{
    private const double CompactFrom = 0.25; // share of ended rows from which copying the cache costs less than computing them

    /// <summary>Continues every prompt.</summary>
    /// <param name="prompts">Token ids of each row, at least one.</param>
    /// <param name="options">How to draw, and when a row ends.</param>
    /// <param name="progress">Told after every token.</param>
    /// <param name="cancellation">Ends the generation between two tokens.</param>
    /// <exception cref="InvalidOperationException">The model's logits are not finite.</exception>
    /// <exception cref="ArgumentException">Experts choose their tokens; or a prompt is empty, leaves no room in the model's context, or holds an id that is not in the vocabulary; the message names the row.</exception>
    public IReadOnlyList<Continuation> Generate(
        IReadOnlyList<IReadOnlyList<int>> prompts, SamplingOptions options, IProgress<GenerationProgress>? progress = null, CancellationToken cancellation = default)
    {
        options.Validate();
        Check(prompts, options);
        if (prompts.Count == 0)
        {
            return [];
        }

        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        Device device = model.Device;
        int longest = prompts.Max(prompt => prompt.Count);
        int steps = Math.Min(options.MaxNewTokens, model.Config.ContextLength - prompts.Min(prompt => prompt.Count)); // that the longest-running row can make
        long[] starts = [.. prompts.Select(prompt => (long)(longest - prompt.Count))];
        using var cache = new KeyValueCache(model.Config, prompts.Count, longest + steps - 1, device, model.Dtype, starts);
        Tensor uniform_SB = Uniform(prompts.Count, steps, options).to(device);
        Row[] running = [.. prompts.Select(prompt => new Row(Math.Min(options.MaxNewTokens, model.Config.ContextLength - prompt.Count), options))];
        Row[] all = running;
        long drawn = 0;
        var stopwatch = Stopwatch.StartNew();
        Tensor next_BT = tensor(Padded(prompts, longest), [prompts.Count, longest], device: device);
        for (int step = 0; ; step++)
        {
            cancellation.ThrowIfCancellationRequested();
            using var stepScope = NewDisposeScope();
            Tensor last_BC = model.Hidden(next_BT, cache).Hidden_BTC.select(1, -1);
            (Tensor tokens_B, Tensor logProbs_B) = Sampler.Draw(model.Logits(last_BC), uniform_SB[step], options);
            drawn += Record(running, tokens_B.cpu().data<long>().ToArray(), logProbs_B.cpu().data<float>().ToArray());
            progress?.Report(new GenerationProgress(drawn, running.Count(row => !row.Ended), stopwatch.Elapsed));

            long[] stay = [.. Enumerable.Range(0, running.Length).Where(i => !running[i].Ended).Select(i => (long)i)];
            if (stay.Length == 0)
            {
                return [.. all.Select(row => row.Result)];
            }

            // A row at the end of its context must go at once: it has no next position.
            if (running.Length - stay.Length >= CompactFrom * running.Length || running.Any(row => row.Finish == FinishReason.Context))
            {
                Tensor stay_B = tensor(stay, device: device);
                cache.Keep(stay);
                tokens_B = tokens_B.index_select(0, stay_B);
                uniform_SB = uniform_SB.index_select(1, stay_B).MoveToOuterDisposeScope();
                running = [.. stay.Select(i => running[i])];
            }

            next_BT = tokens_B.unsqueeze(1).MoveToOuterDisposeScope();
        }
    }

    private void Check(IReadOnlyList<IReadOnlyList<int>> prompts, SamplingOptions options)
    {
        Require.That(
            model.Config.FeedForward is not RoutedConfig { Selection: ExpertSelection.ExpertChoice },
            "Selection",
            ExpertSelection.ExpertChoice,
            "TopK or TopP in a model that generates: experts that choose their tokens make a row depend on those beside and after it");
        Require.That(options.RowSeeds.Count == 0 || options.RowSeeds.Count == prompts.Count, nameof(options.RowSeeds), $"of {options.RowSeeds.Count} rows", $"none, or one for each of the {prompts.Count} prompts");
        foreach (int stop in options.StopTokens)
        {
            Require.That(stop >= 0 && stop < model.Config.VocabularySize, nameof(options.StopTokens), stop, $"0 to {model.Config.VocabularySize - 1}, the model's vocabulary");
        }

        for (int row = 0; row < prompts.Count; row++)
        {
            int length = prompts[row].Count;
            Require.That(length >= 1 && length < model.Config.ContextLength, $"the length of prompt {row}", length, $"1 to {model.Config.ContextLength - 1}: ContextLength is {model.Config.ContextLength}, and something is to follow");
            foreach (int token in prompts[row])
            {
                Require.That(token >= 0 && token < model.Config.VocabularySize, $"a token of prompt {row}", token, $"0 to {model.Config.VocabularySize - 1}: is this the model's tokenizer?");
            }
        }
    }

    private static long Record(Row[] rows, long[] tokens, float[] logProbs)
    {
        long recorded = 0;
        for (int i = 0; i < rows.Length; i++)
        {
            if (!rows[i].Ended)
            {
                if (!float.IsFinite(logProbs[i]))
                {
                    throw new InvalidOperationException($"A row's log-probability is {logProbs[i]}: the model's weights or its logits are not finite. Load another checkpoint.");
                }

                rows[i].Add((int)tokens[i], logProbs[i]);
                recorded++;
            }
        }

        return recorded;
    }

    // Padding is token 0; no mask lets it be seen.
    private static long[] Padded(IReadOnlyList<IReadOnlyList<int>> prompts, int longest) =>
        [.. prompts.SelectMany(prompt => Enumerable.Repeat(0L, longest - prompt.Count).Concat(prompt.Select(token => (long)token)))];

    // Row r's numbers come from a generator of its own, seeded by the options' seed and r, or by the row's own seed.
    private static Tensor Uniform(int rows, int steps, SamplingOptions options)
    {
        if (options.Temperature == 0)
        {
            return zeros(steps, rows);
        }

        float[] numbers = new float[steps * rows];
        for (int row = 0; row < rows; row++)
        {
            ulong seed = options.RowSeeds.Count > 0 ? options.RowSeeds[row] : options.Seed + ((ulong)row * 0x9E3779B97F4A7C15);
            var generator = new SplitMix64(new SplitMix64(seed).NextBits());
            for (int step = 0; step < steps; step++)
            {
                numbers[(step * rows) + row] = (float)(generator.NextBits() >> 40) / (1 << 24); // 24 bits: below 1 in fp32 too
            }
        }

        return tensor(numbers, [steps, rows]);
    }

    /// <summary>One row as it grows.</summary>
    private sealed class Row(int room, SamplingOptions options)
    {
        private readonly List<int> _tokens = [];
        private readonly List<float> _logProbs = [];

        public FinishReason? Finish { get; private set; }

        public bool Ended => Finish is not null;

        public Continuation Result => new(_tokens, _logProbs, Finish!.Value);

        public void Add(int token, float logProb)
        {
            _tokens.Add(token);
            _logProbs.Add(logProb);
            Finish = options.StopTokens.Contains(token) ? FinishReason.Stop
                : _tokens.Count == options.MaxNewTokens ? FinishReason.Length
                : _tokens.Count == room ? FinishReason.Context
                : null;
        }
    }
}
