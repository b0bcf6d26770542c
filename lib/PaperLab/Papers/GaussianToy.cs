// A toy in which self-selection can be watched: two experts, three Gaussian classes (after the appendix of arXiv 2501.13074).
//
// One expert has to serve two of the classes, so the layer must decide who takes what. Because there are only two experts, the
// better one is known for every point: run both and compare their losses. "An expert is aware of its own capacity", the paper's
// premise, then says: the expert with the larger activation is the one with the smaller loss, more often than chance and more often
// than a router's choice is.
//
// The paper does not give its dimensions; ours are below. Top-1 needs weights from the softmax over both experts: with a softmax
// over the single chosen expert the weight would be the constant 1 and a router could not learn.

using System.Text.Json.Serialization;
using PaperLab.Evaluation;
using PaperLab.Models;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace PaperLab.Papers;

/// <summary>The toy's points, layers and training.</summary>
public sealed record GaussianToyConfig
{
    /// <summary>Classes of points.</summary>
    public const int Classes = 3;

    private const int Experts = 2;

    /// <summary>Seeds of weights and points count up from it.</summary>
    public required int FirstSeed { get; init; }

    /// <summary>How many.</summary>
    public required int Seeds { get; init; }

    /// <summary>C: a point's coordinates; class i has its centre on axis i.</summary>
    public int Width { get; init; } = 8;

    /// <summary>Distance of the centres from the origin.</summary>
    public double ClassRadius { get; init; } = 2;

    /// <summary>Standard deviation of a class along every axis.</summary>
    public double ClassStd { get; init; } = 0.8;

    /// <summary>F: inner width of an expert behind a router.</summary>
    public int Hidden { get; init; } = 16;

    /// <summary>d_low of an autonomous expert.</summary>
    public int GateRank { get; init; } = 4;

    /// <summary>α of the balance loss.</summary>
    public double BalanceLossWeight { get; init; } = 0.01;

    /// <summary>Training steps.</summary>
    public int Steps { get; init; } = 300;

    /// <summary>Points of a step.</summary>
    public int BatchSize { get; init; } = 128;

    /// <summary>AdamW's η.</summary>
    public double LearningRate { get; init; } = 1e-2;

    /// <summary>Points that the trained layers are looked at with.</summary>
    public int TestPoints { get; init; } = 300;

    /// <summary>The layer with a router.</summary>
    [JsonIgnore]
    public RoutedConfig MixtureOfExperts => new MixtureOfExpertsConfig { NumExperts = Experts, TopK = 1, Hidden = Hidden, NormalizeWeights = false, BalanceLossWeight = BalanceLossWeight };

    /// <summary>The layer without, its experts of the same size.</summary>
    [JsonIgnore]
    public RoutedConfig AutonomyOfExperts => new AutonomyOfExpertsConfig
    {
        NumExperts = Experts,
        TopK = 1,
        Hidden = AutonomyOfExpertsConfig.HiddenForEqualParameters(Width, Hidden, GateRank),
        GateRank = GateRank,
        NormalizeWeights = false,
        BalanceLossWeight = BalanceLossWeight,
    };
}

/// <summary>Trains a routed layer on three Gaussian classes and looks at who takes what.</summary>
public static class GaussianToy
{
    /// <summary>Steps that one value of <see cref="GaussianToyResult.TrainingLoss"/> stands for.</summary>
    public const int StepsPerLoss = 10;

    /// <summary>Both layers over the seeds, paired. The points are kept of the first seed.</summary>
    public static GaussianToyComparison Compare(GaussianToyConfig config)
    {
        int threads = get_num_threads();
        set_num_threads(1); // products this small only lose by being shared
        try
        {
            IReadOnlyList<GaussianToyResult> Runs(RoutedConfig layer) =>
                [.. Enumerable.Range(0, config.Seeds).Select(i => Run(config, layer, config.FirstSeed + i)).Select((run, i) => i == 0 ? run : run with { Points = [] })];
            return new GaussianToyComparison(config, Runs(config.MixtureOfExperts), Runs(config.AutonomyOfExperts));
        }
        finally
        {
            set_num_threads(threads);
        }
    }

    /// <summary>Trains one layer; the same seed gives every layer the same points in the same order.</summary>
    public static GaussianToyResult Run(GaussianToyConfig config, RoutedConfig experts, int seed)
    {
        using var scope = NewDisposeScope();
        manual_seed(seed);
        var layer = FeedForward.Create(experts, config.Width);
        layer.Initialize(std: 1 / Math.Sqrt(config.Width), residualStd: 1 / Math.Sqrt(config.Hidden));
        Linear head = nn.Linear(config.Width, GaussianToyConfig.Classes);
        var optimizer = optim.AdamW([.. layer.parameters(), .. head.parameters()], lr: config.LearningRate, weight_decay: 0);
        using Generator data = new((ulong)seed);
        var losses = new List<double>();
        for (int step = 0; step < config.Steps; step++)
        {
            using var stepScope = NewDisposeScope();
            (Tensor x_NC, Tensor class_N) = Sample(config, config.BatchSize, data);
            FeedForwardOutput output = layer.forward(x_NC);
            Tensor loss = nn.functional.cross_entropy(head.forward(output.Output_NC), class_N);
            optimizer.zero_grad();
            (loss + (experts.BalanceLossWeight * output.Routing!.BalanceLoss())).backward();
            optimizer.step();
            losses.Add(loss.item<float>());
        }

        using var noGrad = no_grad();
        return Look(config, layer, head, data) with { TrainingLoss = [.. losses.Chunk(StepsPerLoss).Select(chunk => Math.Round(chunk.Average(), 6))] };
    }

    private static GaussianToyResult Look(GaussianToyConfig config, FeedForward layer, Linear head, Generator data)
    {
        (Tensor x_NC, Tensor class_N) = Sample(config, config.TestPoints, data);
        FeedForwardOutput output = layer.forward(x_NC);
        Routing routing = output.Routing!;
        Tensor chosen_N = routing.Experts_NK.squeeze(-1);
        Tensor correct_N = head.forward(output.Output_NC).argmax(-1).eq(class_N);
        Tensor lossOfExpert_NE = stack([.. Enumerable.Range(0, (int)routing.Scores_NE.shape[1]).Select(LossUnder)], dim: 1);
        Tensor better_N = lossOfExpert_NE.argmin(-1);
        long[] label = class_N.data<long>().ToArray(), expert = chosen_N.data<long>().ToArray();
        double[][] scores = [.. routing.Scores_NE.to(ScalarType.Float64).data<double>().ToArray().Chunk((int)routing.Scores_NE.shape[1])];
        return new GaussianToyResult(
            Accuracy: Mean(correct_N),
            Agreement: Mean(chosen_N.eq(better_N)),
            TrainingLoss: [],
            Points: [.. label.Select((c, i) => new GaussianToyPoint((int)c, (int)expert[i], Math.Round(scores[i][0], 4), Math.Round(scores[i][1], 4)))]);

        // The loss of every point if this expert had computed it, with the weight that the choice had.
        Tensor LossUnder(int e)
        {
            Routing forced = Routing.Fixed(full_like(routing.Experts_NK, e), routing.Weights_NK, routing.Scores_NE);
            return nn.functional.cross_entropy(head.forward(layer.ForwardAlong(x_NC, forced)), class_N, reduction: nn.Reduction.None);
        }
    }

    private static (Tensor X_NC, Tensor Class_N) Sample(GaussianToyConfig config, int count, Generator data)
    {
        Tensor class_N = randint(0, GaussianToyConfig.Classes, [count], dtype: ScalarType.Int64, generator: data);
        Tensor centre_NC = eye(GaussianToyConfig.Classes, config.Width).index_select(0, class_N) * config.ClassRadius;
        return (centre_NC + (randn(count, config.Width, generator: data) * config.ClassStd), class_N);
    }

    private static double Mean(Tensor condition_N) => condition_N.to(ScalarType.Float64).mean().item<double>();
}

/// <summary>One layer, trained.</summary>
/// <param name="Accuracy">Share of test points whose class is right.</param>
/// <param name="Agreement">Share of test points whose chosen expert is the one with the smaller loss.</param>
/// <param name="TrainingLoss">Cross-entropy, means over every ten steps.</param>
/// <param name="Points">The test points; empty where they were not kept.</param>
public sealed record GaussianToyResult(double Accuracy, double Agreement, IReadOnlyList<double> TrainingLoss, IReadOnlyList<GaussianToyPoint> Points);

/// <summary>A test point.</summary>
/// <param name="Class">What it is.</param>
/// <param name="Expert">Who computed it.</param>
/// <param name="Score1">The first expert's score: router logit or activation norm.</param>
/// <param name="Score2">The second's.</param>
public readonly record struct GaussianToyPoint(int Class, int Expert, double Score1, double Score2);

/// <summary>Both layers, run by run.</summary>
/// <param name="Config">The toy.</param>
/// <param name="MoeRuns">Behind a router.</param>
/// <param name="AoeRuns">Where the experts choose themselves.</param>
public sealed record GaussianToyComparison(GaussianToyConfig Config, IReadOnlyList<GaussianToyResult> MoeRuns, IReadOnlyList<GaussianToyResult> AoeRuns)
{
    /// <summary>A number of the runs behind a router, with its t interval.</summary>
    public Interval Moe(Func<GaussianToyResult, double> metric) => Interval.OfMean([.. MoeRuns.Select(metric)]);

    /// <summary>The same where the experts choose themselves.</summary>
    public Interval Aoe(Func<GaussianToyResult, double> metric) => Interval.OfMean([.. AoeRuns.Select(metric)]);

    /// <summary>AoE − MoE, paired by seed.</summary>
    public Interval Difference(Func<GaussianToyResult, double> metric) => Interval.OfPairedDifference([.. AoeRuns.Select(metric)], [.. MoeRuns.Select(metric)]);
}
