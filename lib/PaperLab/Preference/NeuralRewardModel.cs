// A reward learned from comparisons with nothing told of what matters: the policy's tokens are counted, and a network with one hidden layer
// makes a number of the counts. On few pairs with wrong labels among them it is a noisy judge, and what a search gains by its score need
// not be a gain.
// Shapes: P pairs, R answers, V vocabulary, I = 2V inputs (counts of the query's tokens, then of the answer's), F hidden width.

using PaperLab.Text;
using PaperLab.Training;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace PaperLab.Preference;

/// <summary>What the network is, and how it is trained.</summary>
public sealed record NeuralRewardOptions
{
    /// <summary>Seed of the first weights and of the order of the pairs.</summary>
    public required int Seed { get; init; }

    /// <summary>F.</summary>
    public int Width { get; init; } = 32;

    /// <summary>Times that every pair is seen.</summary>
    public int Epochs { get; init; } = 20;

    /// <summary>Pairs of a step.</summary>
    public int BatchSize { get; init; } = 32;

    /// <summary>AdamW's η.</summary>
    public double LearningRate { get; init; } = 1e-2;

    /// <summary>AdamW's λ.</summary>
    public double WeightDecay { get; init; } = 0.1;

    /// <summary>Throws with the field, its value and the allowed range.</summary>
    /// <exception cref="ArgumentException">A field is out of range.</exception>
    public void Validate()
    {
        Require.AtLeast(Width, 1, nameof(Width));
        Require.AtLeast(Epochs, 1, nameof(Epochs));
        Require.AtLeast(BatchSize, 1, nameof(BatchSize));
        Require.That(LearningRate > 0 && double.IsFinite(LearningRate), nameof(LearningRate), LearningRate, "a finite number above 0");
        Require.That(WeightDecay >= 0 && double.IsFinite(WeightDecay), nameof(WeightDecay), WeightDecay, "a finite number, 0 or more");
    }
}

/// <summary>r = w·GELU(W x + b), x the counts of tokens.</summary>
public sealed class NeuralRewardModel : IRewardModel, IDisposable
{
    private const int ScoredTogether = 1024; // answers of a forward pass

    private readonly ITokenizer _tokenizer;
    private readonly Parameter _hidden_FI, _bias_F, _output_1F; // no bias of the output: it would be in both rewards of a comparison

    private NeuralRewardModel(ITokenizer tokenizer, int width, ulong seed, Device device)
    {
        var random = new SplitMix64(seed);
        int inputs = 2 * tokenizer.VocabularySize;
        _tokenizer = tokenizer;
        _hidden_FI = Drawn(ref random, [width, inputs], inputs, device);
        _bias_F = Drawn(ref random, [width], inputs, device);
        _output_1F = Drawn(ref random, [1, width], width, device);
    }

    /// <inheritdoc/>
    public string Name => "neural reward model";

    /// <summary><see cref="Agreement"/> on the pairs of the training.</summary>
    public double TrainingAgreement { get; private set; }

    /// <summary>Trains a network on −log P(chosen ≻ rejected). The same pairs and options give the same numbers, and torch's generators are left alone.</summary>
    /// <param name="pairs">One or more.</param>
    /// <param name="tokenizer">The policy's, for the queries and the answers.</param>
    /// <param name="options">How.</param>
    /// <param name="device">Where; null for the processor.</param>
    /// <param name="cancellation">Ends it between two epochs.</param>
    /// <exception cref="ArgumentException">There are no pairs, an option is out of range, or the tokenizer refuses a text.</exception>
    /// <exception cref="TrainingDivergedException">The loss or a weight is no longer a number.</exception>
    public static NeuralRewardModel Fit(
        IReadOnlyList<PreferencePair> pairs, ITokenizer tokenizer, NeuralRewardOptions options, Device? device = null, CancellationToken cancellation = default)
    {
        options.Validate();
        BradleyTerry.RequireSome(pairs);
        var random = new SplitMix64((ulong)options.Seed);
        var model = new NeuralRewardModel(tokenizer, options.Width, random.NextBits(), device ?? CPU);
        try
        {
            model.Train(pairs, options, random.NextBits(), cancellation);
            model.TrainingAgreement = model.Agreement(pairs);
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>One score for every answer, in their order.</summary>
    /// <exception cref="ArgumentException">The tokenizer refuses a text.</exception>
    public IReadOnlyList<double> Score(IReadOnlyList<Candidate> candidates)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        return [.. candidates.Chunk(ScoredTogether).SelectMany(some => Rewards([.. some.Select(Inputs)]).cpu().data<float>().ToArray()).Select(reward => (double)reward)];
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<double>> ScoreAsync(IReadOnlyList<Candidate> candidates, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        return Task.FromResult(Score(candidates));
    }

    /// <summary>Share of the pairs that it ranks as they are labelled; a tie counts half.</summary>
    /// <exception cref="ArgumentException">There are no pairs.</exception>
    public double Agreement(IReadOnlyList<PreferencePair> pairs)
    {
        BradleyTerry.RequireSome(pairs);
        return BradleyTerry.Agreement(Score([.. pairs.Select(pair => pair.Better)]), Score([.. pairs.Select(pair => pair.Worse)]));
    }

    /// <summary>Frees the weights.</summary>
    public void Dispose()
    {
        _hidden_FI.Dispose();
        _bias_F.Dispose();
        _output_1F.Dispose();
    }

    private void Train(IReadOnlyList<PreferencePair> pairs, NeuralRewardOptions options, ulong seed, CancellationToken cancellation)
    {
        var random = new SplitMix64(seed);
        int[][] better = [.. pairs.Select(pair => Inputs(pair.Better))], worse = [.. pairs.Select(pair => Inputs(pair.Worse))];
        int[] order = [.. Enumerable.Range(0, pairs.Count)];
        using var optimizer = new AdamW([("hidden", _hidden_FI), ("bias", _bias_F), ("output", _output_1F)], options.LearningRate, options.WeightDecay);
        for (int epoch = 1; epoch <= options.Epochs; epoch++)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            random.Shuffle(order.AsSpan());
            Tensor seen = zeros([], device: _bias_F.device);
            foreach (int[] batch in order.Chunk(options.BatchSize))
            {
                using var stepScope = NewDisposeScope();
                optimizer.ZeroGradients();
                Tensor[] rewards_P = Rewards([.. batch.Select(i => better[i]), .. batch.Select(i => worse[i])]).chunk(2);
                Tensor loss = BradleyTerry.Loss(rewards_P[0], rewards_P[1]).mean();
                loss.backward();
                optimizer.Step();
                seen.add_(loss.detach());
            }

            // What is no number spreads: a sum shows it, and is read once an epoch.
            using var noGrad = no_grad();
            if (!float.IsFinite((seen + _hidden_FI.sum() + _bias_F.sum() + _output_1F.sum()).item<float>()))
            {
                throw new TrainingDivergedException($"The neural reward model, seed {options.Seed}, has a loss or weights that are no numbers after epoch {epoch}. Try a smaller LearningRate (it is {options.LearningRate}).");
            }
        }

        optimizer.ZeroGradients();
    }

    // Of every token its place among the inputs.
    private int[] Inputs(Candidate candidate) =>
        [.. _tokenizer.Encode(candidate.Query.Text), .. _tokenizer.Encode(candidate.Text).Select(token => _tokenizer.VocabularySize + token)];

    // [R]
    private Tensor Rewards(int[][] inputs)
    {
        using var scope = NewDisposeScope();
        int width = 2 * _tokenizer.VocabularySize;
        float[] counts = new float[inputs.Length * width];
        for (int row = 0; row < inputs.Length; row++)
        {
            foreach (int input in inputs[row])
            {
                counts[(row * width) + input]++;
            }
        }

        Tensor counts_RI = tensor(counts, [inputs.Length, width], device: _bias_F.device);
        Tensor hidden_RF = nn.functional.gelu(nn.functional.linear(counts_RI, _hidden_FI, _bias_F));
        return nn.functional.linear(hidden_RF, _output_1F).squeeze(-1).MoveToOuterDisposeScope();
    }

    // Uniform between ±1/√inputs, as torch's own linear layers begin.
    private static Parameter Drawn(ref SplitMix64 random, long[] shape, int inputs, Device device)
    {
        float[] values = new float[shape.Aggregate((a, b) => a * b)];
        double bound = 1 / Math.Sqrt(inputs);
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (float)(((2 * random.NextDouble()) - 1) * bound);
        }

        using var scope = NewDisposeScope();
        return (Parameter)new Parameter(tensor(values, shape, device: device)).DetachFromDisposeScope();
    }
}
