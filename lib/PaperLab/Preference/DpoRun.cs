// What training would have done with the same tastes: for each, the policy writes pairs of answers, the taste's reward model says which it
// prefers, and DPO trains a copy of the policy on them. A recorded run: one policy, all tastes, and what a taste got after how much work.

using System.Diagnostics;
using System.Text.Json.Serialization;
using PaperLab.Models;
using PaperLab.Reinforcement;
using PaperLab.Text;
using PaperLab.Training;
using static TorchSharp.torch;

namespace PaperLab.Preference;

/// <summary>Everything that decides a run's numbers.</summary>
public sealed record DpoRunConfig
{
    /// <summary>The notebook the run belongs to.</summary>
    public required string Paper { get; init; }

    /// <summary>The arm of the comparison.</summary>
    public required string Arm { get; init; }

    /// <summary>Who is trained.</summary>
    public required FourRoleConfig Policy { get; init; }

    /// <summary>Who is to be pleased; one training for each.</summary>
    public required TasteOptions Tastes { get; init; }

    /// <summary>By which scores the pairs are labelled.</summary>
    public required RewardOptions Reward { get; init; }

    /// <summary>How it is trained.</summary>
    public required DpoConfig Training { get; init; }

    /// <summary>Pairs of answers for each taste; those that score alike are left out.</summary>
    public int Pairs { get; init; } = 256;

    /// <summary>Answers to each query by which the trained policy is measured.</summary>
    public int Answers { get; init; } = 5;

    /// <summary>Steps between two measurements.</summary>
    public required int Interval { get; init; }

    /// <summary>Hash of the config: the run's name in a store.</summary>
    [JsonIgnore]
    public string Key => RunStore.KeyOf(this);

    /// <summary>"DPO, seed 3".</summary>
    [JsonIgnore]
    public string Name => $"{Arm}, seed {Policy.Stage.Seed}";

    /// <summary>Throws with the field, its value and the allowed range.</summary>
    /// <exception cref="ArgumentException">A field is out of range.</exception>
    public void Validate()
    {
        Policy.Validate();
        Tastes.Validate();
        Reward.Validate();
        Training.Validate();
        Require.AtLeast(Pairs, 1, nameof(Pairs));
        Require.AtLeast(Answers, 1, nameof(Answers));
        Require.AtLeast(Interval, 1, nameof(Interval));
    }
}

/// <summary>The trained policies after some steps.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Flops">What one taste's training had cost by then, pairs and reference included; mean over tastes.</param>
/// <param name="Score">Mean score of a sampled answer.</param>
/// <param name="Golds">Of every taste, what a sampled answer is worth in the mean.</param>
/// <param name="BestGolds">Of every taste, what the best of <see cref="DpoRunConfig.Answers"/> answers by the reward model is worth in the mean.</param>
public sealed record DpoPoint(int Step, double Flops, double Score, IReadOnlyList<double> Golds, IReadOnlyList<double> BestGolds);

/// <summary>A finished run. <see cref="RunRecordBase.TrainingSeconds"/>: wall time of all tastes' trainings, with the pairs and the measurements.</summary>
public sealed record DpoRecord : RunRecordBase
{
    public required DpoRunConfig Config { get; init; }

    /// <summary>FLOPs of an answer of the trained policy, as of any other; mean.</summary>
    public required double FlopsPerAnswer { get; init; }

    /// <summary>Pairs that were trained on, mean over tastes.</summary>
    public required double Pairs { get; init; }

    /// <summary>The way, from the policy as it was.</summary>
    public required IReadOnlyList<DpoPoint> Points { get; init; }
}

/// <summary>Trains policies by DPO, and finds those runs that were made.</summary>
public sealed class DpoRun
{
    private const int ForwardAndBackward = 3; // a backward pass costs two forward passes

    private readonly DpoRunConfig _config;
    private readonly PolicyRunOptions _options;
    private readonly IReadOnlyList<HiddenPreference> _tastes;
    private readonly IReadOnlyList<Query> _queries;

    private DpoRun(DpoRunConfig config, PolicyRunOptions options) =>
        (_config, _options, _tastes, _queries) = (config, options, config.Tastes.Draw(), config.Tastes.Queries());

    /// <summary>The run's record: the one that the store has, or one that is made now; its policy is trained first where it is not there.</summary>
    /// <param name="config">The run.</param>
    /// <param name="preset">The preset that asked for it, for the record.</param>
    /// <param name="runtime">Where it computes.</param>
    /// <param name="store">Where records and weights lie.</param>
    /// <param name="options">How it is watched.</param>
    /// <param name="cancellation">Ends it; a run that has begun is made again.</param>
    /// <exception cref="ArgumentException">The config does not fit together.</exception>
    /// <exception cref="TrainingDivergedException">A loss or gradient is no longer a number.</exception>
    public static DpoRecord Of(DpoRunConfig config, string preset, TorchRuntime runtime, RunStore store, PolicyRunOptions? options = null, CancellationToken cancellation = default)
    {
        config.Validate();
        options ??= new PolicyRunOptions();
        return store.Recorded<DpoRecord>(
            config.Paper,
            config,
            _ => new DpoRun(config, options).Make(preset, runtime, store, cancellation),
            _ => true,
            options.Fresh,
            options.Checkpoints,
            options.Note,
            cancellation);
    }

    private DpoRecord Make(string preset, TorchRuntime runtime, RunStore store, CancellationToken cancellation)
    {
        using Transformer model = FourRoleRun.Policy(_config.Policy, preset, runtime, store, _options, cancellation);
        var clock = Stopwatch.StartNew();
        using TasteRewards rewards = TasteRewards.Fit(_tastes, _config.Reward, runtime.Device, cancellation);
        Dictionary<string, Tensor> start = model.state_dict().ToDictionary(named => named.Key, named => named.Value.clone());
        int points = (_config.Training.Steps / _config.Interval) + 1;
        double[][] golds = Each(), bestGolds = Each();
        double[] flops = new double[points], scores = new double[points];
        double pairs = 0, answer = 0;
        for (int taste = 0; taste < _tastes.Count; taste++)
        {
            foreach ((string name, Tensor weights) in model.state_dict())
            {
                using (no_grad())
                {
                    weights.copy_(start[name]);
                }
            }

            (TokenPair[] compared, long spent) = Pairs(model, rewards, taste, cancellation);
            pairs += (double)compared.Length / _tastes.Count;
            using var trainer = new DpoTrainer(_config.Training with { Seed = _config.Training.Seed + taste }, model, compared);
            double cost = spent + trainer.ReferenceTokens;
            for (int step = 0; ; step++)
            {
                if (step % _config.Interval == 0)
                {
                    int point = step / _config.Interval;
                    (golds[point][taste], bestGolds[point][taste], double score, double tokens) = Measure(model, rewards, taste, cancellation);
                    scores[point] += score / _tastes.Count;
                    flops[point] += cost * model.FlopsPerToken / _tastes.Count;
                    answer += tokens * model.FlopsPerToken / _tastes.Count / points;
                }

                if (step == _config.Training.Steps)
                {
                    break;
                }

                cost += ForwardAndBackward * (double)trainer.Take(step + 1, cancellation).TokensRead;
            }

            Report(taste + 1, scores[^1] * _tastes.Count / (taste + 1), clock.Elapsed);
        }

        foreach (Tensor weights in start.Values)
        {
            weights.Dispose();
        }

        return new DpoRecord
        {
            Config = _config,
            Preset = preset,
            Environment = RunEnvironment.Of(runtime),
            Finished = DateTimeOffset.UtcNow,
            TrainingSeconds = clock.Elapsed.TotalSeconds,
            PeakMemory = Process.GetCurrentProcess().PeakWorkingSet64,
            FlopsPerAnswer = answer,
            Pairs = pairs,
            Points = [.. Enumerable.Range(0, points).Select(point => new DpoPoint(point * _config.Interval, flops[point], PolicyStep.Round(scores[point]), [.. golds[point].Select(PolicyStep.Round)], [.. bestGolds[point].Select(PolicyStep.Round)]))],
        };

        double[][] Each() => [.. Enumerable.Range(0, points).Select(_ => new double[_tastes.Count])];
    }

    // Two answers at a time to queries on all topics in turn, and the tokens that they cost.
    private (TokenPair[] Pairs, long Tokens) Pairs(Transformer model, TasteRewards rewards, int taste, CancellationToken cancellation)
    {
        ulong seed = StableHash.Mix(StableHash.Mix((ulong)_config.Training.Seed) + (ulong)taste);
        GenerateRequest[] requests = [.. Enumerable.Range(0, 2 * _config.Pairs).Select(i => new GenerateRequest(AttributeLanguage.QueryOf(i / 2 % AttributeLanguage.Topics, taste)) { Draw = StableHash.Mix(seed + (ulong)i) })];
        (IReadOnlyList<PolicyReply> replies, IReadOnlyList<double> scores, long tokens) = Ask(model, rewards, requests, cancellation);
        var pairs = new List<TokenPair>();
        for (int i = 0; i < requests.Length; i += 2)
        {
            if (replies[i].Text is { } a && replies[i + 1].Text is { } b && scores[i] != scores[i + 1])
            {
                PreferencePair pair = scores[i] > scores[i + 1] ? new(requests[i].Query, a, b) : new(requests[i].Query, b, a);
                pairs.Add(TokenPair.Of(pair, AttributeLanguage.PromptOf(requests[i]), AttributeLanguage.Tokenizer, SymbolTokenizer.End));
            }
        }

        return ([.. pairs], tokens);
    }

    // Of sampled answers to the taste's queries: what one and what the best by score is worth, its score, its tokens; means. One that is no
    // text is worth what gold gives for that.
    private (double Gold, double BestGold, double Score, double Tokens) Measure(Transformer model, TasteRewards rewards, int taste, CancellationToken cancellation)
    {
        GenerateRequest[] requests =
        [
            .. _queries.Where(query => query.Preference == taste).SelectMany((query, i) => Enumerable.Range(0, _config.Answers)
                .Select(n => new GenerateRequest(query) { Draw = StableHash.Mix(((ulong)taste << 32) + ((ulong)i << 16) + (ulong)n) })),
        ];
        (IReadOnlyList<PolicyReply> replies, IReadOnlyList<double> scores, long tokens) = Ask(model, rewards, requests, cancellation);
        double[] golds = [.. requests.Zip(replies, (request, reply) => _tastes[taste].Gold(request.Query, reply.Text))];
        return (
            golds.Average(),
            Enumerable.Range(0, golds.Length).Chunk(_config.Answers).Average(some => golds[some.MaxBy(i => double.IsNaN(scores[i]) ? double.NegativeInfinity : scores[i])]),
            scores.Where(double.IsFinite).DefaultIfEmpty(0).Average(),
            (double)tokens / requests.Length);
    }

    private static (IReadOnlyList<PolicyReply> Replies, IReadOnlyList<double> Scores, long Tokens) Ask(Transformer model, TasteRewards rewards, GenerateRequest[] requests, CancellationToken cancellation)
    {
        model.eval();
        IReadOnlyList<PolicyReply> replies = new FourRolePolicy(model).ReplyAsync(requests, cancellation).GetAwaiter().GetResult();
        int[] usable = [.. Enumerable.Range(0, replies.Count).Where(i => replies[i].Text is not null)];
        IReadOnlyList<double> some = rewards.ScoreAsync([.. usable.Select(i => new Candidate(requests[i].Query, replies[i].Text!))], cancellation).GetAwaiter().GetResult();
        double[] scores = new double[replies.Count];
        Array.Fill(scores, double.NaN);
        for (int i = 0; i < usable.Length; i++)
        {
            scores[usable[i]] = some[i];
        }

        return (replies, scores, replies.Sum(reply => (long)reply.PromptTokens + reply.GeneratedTokens));
    }

    // As whoever watches trainings sees it: a taste is a step.
    private void Report(int tastes, double score, TimeSpan elapsed) => _options.Progress?.Report(new TrainingProgress(
        _config.Name, tastes, _tastes.Count, score, TokensPerSecond: null, elapsed, elapsed * ((double)(_tastes.Count - tastes) / tastes))
    {
        Metric = "score",
    });
}
