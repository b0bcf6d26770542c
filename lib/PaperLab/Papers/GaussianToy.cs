// A toy in which self-selection can be watched: two experts, three Gaussian classes (after the appendix of arXiv 2501.13074).
//
// One expert has to serve two of the classes, so the layer must decide who takes what. Because there are only two experts, the
// better one is known for every point: run both and compare their losses. "An expert is aware of its own capacity", the paper's
// premise, then says: the expert with the larger activation is the one with the smaller loss, more often than a router's choice is.
//
// The paper does not give its dimensions; ours are below. Top-1 needs weights from the softmax over both experts: with a softmax
// over the single chosen expert the weight would be the constant 1 and a router could not learn.

using PaperLab.Evaluation;
using PaperLab.Models;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace PaperLab.Papers;

/// <summary>Trains a routed layer on three Gaussian classes and looks at who takes what.</summary>
public static class GaussianToy
{
    public const int Classes = 3;
    private const int Width = 8, Experts = 2, Hidden = 16, GateRank = 4, TrainingSteps = 300, BatchSize = 128, TestPoints = 300;
    private const double ClassRadius = 2, ClassStd = 0.8, LearningRate = 1e-2;

    /// <summary>The two layers with equal parameters in their experts.</summary>
    public static RoutedConfig MixtureOfExperts { get; } = new MixtureOfExpertsConfig { NumExperts = Experts, TopK = 1, Hidden = Hidden, NormalizeWeights = false, BalanceLossWeight = 0.01 };

    /// <summary>As <see cref="MixtureOfExperts"/>, without a router.</summary>
    public static RoutedConfig AutonomyOfExperts { get; } = new AutonomyOfExpertsConfig
    {
        NumExperts = Experts,
        TopK = 1,
        Hidden = AutonomyOfExpertsConfig.HiddenForEqualParameters(Width, Hidden, GateRank),
        GateRank = GateRank,
        NormalizeWeights = false,
        BalanceLossWeight = 0.01,
    };

    /// <summary>Both layers over several seeds, paired.</summary>
    public static GaussianToyComparison Compare(int firstSeed, int seeds)
    {
        int threads = get_num_threads();
        set_num_threads(1); // products this small only lose by being shared
        try
        {
            int[] all = [.. Enumerable.Range(firstSeed, seeds)];
            return new GaussianToyComparison([.. all.Select(seed => Run(MixtureOfExperts, seed))], [.. all.Select(seed => Run(AutonomyOfExperts, seed))]);
        }
        finally
        {
            set_num_threads(threads);
        }
    }

    /// <summary>Trains one layer; the same seed gives every layer the same points in the same order.</summary>
    public static GaussianToyResult Run(RoutedConfig config, int seed)
    {
        using var scope = NewDisposeScope();
        manual_seed(seed);
        var layer = FeedForward.Create(config, Width);
        layer.Initialize(std: 1 / Math.Sqrt(Width), residualStd: 1 / Math.Sqrt(Hidden));
        Linear head = nn.Linear(Width, Classes);
        var optimizer = optim.AdamW([.. layer.parameters(), .. head.parameters()], lr: LearningRate, weight_decay: 0);
        using Generator data = new((ulong)seed);
        for (int step = 0; step < TrainingSteps; step++)
        {
            using var stepScope = NewDisposeScope();
            (Tensor x_NC, Tensor class_N) = Sample(BatchSize, data);
            FeedForwardOutput output = layer.forward(x_NC);
            Tensor loss = nn.functional.cross_entropy(head.forward(output.Output_NC), class_N) + (config.BalanceLossWeight * output.Routing!.BalanceLoss());
            optimizer.zero_grad();
            loss.backward();
            optimizer.step();
        }

        using var noGrad = no_grad();
        return Look(layer, head, data);
    }

    private static GaussianToyResult Look(FeedForward layer, Linear head, Generator data)
    {
        (Tensor x_NC, Tensor class_N) = Sample(TestPoints, data);
        FeedForwardOutput output = layer.forward(x_NC);
        Routing routing = output.Routing!;
        Tensor chosen_N = routing.Experts_NK.squeeze(-1);
        Tensor correct_N = head.forward(output.Output_NC).argmax(-1).eq(class_N);
        Tensor lossOfExpert_NE = stack(Enumerable.Range(0, Experts).Select(e => LossUnder(e)).ToArray(), dim: 1);
        Tensor better_N = lossOfExpert_NE.argmin(-1);
        return new GaussianToyResult(
            Accuracy: Mean(correct_N),
            Agreement: Mean(chosen_N.eq(better_N)),
            Points: Rows(x_NC.to(ScalarType.Float64)),
            Class: Ints(class_N),
            Expert: Ints(chosen_N),
            Scores: Rows(routing.Scores_NE.to(ScalarType.Float64)));

        // The loss of every point if this expert had computed it, with the weight that the choice had.
        Tensor LossUnder(int expert)
        {
            Routing forced = Routing.Fixed(full_like(routing.Experts_NK, expert), routing.Weights_NK, routing.Scores_NE);
            forced.Counts_E[expert] = TestPoints;
            return nn.functional.cross_entropy(head.forward(layer.ForwardAlong(x_NC, forced)), class_N, reduction: nn.Reduction.None);
        }
    }

    private static (Tensor X_NC, Tensor Class_N) Sample(int count, Generator data)
    {
        Tensor class_N = randint(0, Classes, [count], dtype: ScalarType.Int64, generator: data);
        Tensor centre_NC = eye(Classes, Width).index_select(0, class_N) * ClassRadius;
        return (centre_NC + (randn(count, Width, generator: data) * ClassStd), class_N);
    }

    private static double Mean(Tensor condition_N) => condition_N.to(ScalarType.Float64).mean().item<double>();

    private static int[] Ints(Tensor values_N) => values_N.data<long>().Select(value => (int)value).ToArray();

    private static double[][] Rows(Tensor values_NM) => values_NM.data<double>().ToArray().Chunk((int)values_NM.shape[1]).ToArray();
}

/// <summary>What a trained toy layer does with test points.</summary>
/// <param name="Accuracy">Share of points whose class is right.</param>
/// <param name="Agreement">Share of points whose chosen expert is the one with the smaller loss.</param>
/// <param name="Points">Coordinates, one pair for each point.</param>
/// <param name="Class">Class of each point.</param>
/// <param name="Expert">Expert that computed each point.</param>
/// <param name="Scores">Both experts' scores of each point: router logits or activation norms.</param>
public sealed record GaussianToyResult(double Accuracy, double Agreement, double[][] Points, int[] Class, int[] Expert, double[][] Scores);

/// <summary>Both toy layers, run by run.</summary>
public sealed record GaussianToyComparison(IReadOnlyList<GaussianToyResult> MoeRuns, IReadOnlyList<GaussianToyResult> AoeRuns)
{
    /// <summary>Share of points whose chosen expert is the better one, behind a router.</summary>
    public Interval Moe => Interval.OfMean([.. MoeRuns.Select(run => run.Agreement)]);

    /// <summary>The same where the experts choose themselves.</summary>
    public Interval Aoe => Interval.OfMean([.. AoeRuns.Select(run => run.Agreement)]);

    /// <summary>AoE − MoE, paired by seed.</summary>
    public Interval Difference => Interval.OfPairedDifference([.. AoeRuns.Select(run => run.Agreement)], [.. MoeRuns.Select(run => run.Agreement)]);
}
