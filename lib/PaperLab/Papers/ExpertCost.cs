// What a training step of a model with experts costs: tokens per second and memory. Arms that differ in how tokens find experts, and in how
// many experts there are, take turns: every round builds each arm anew, trains it for a few steps on random tokens, and lets it go, so
// that a machine whose speed drifts slows all of them, and each one's memory begins at nothing.

using System.Diagnostics;
using MathNet.Numerics.Statistics;
using PaperLab.Models;
using PaperLab.Native;
using PaperLab.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace PaperLab.Papers;

/// <summary>What is measured.</summary>
public sealed record ExpertCostGrid
{
    internal const int StepsBefore = 2;

    /// <summary>Sizes of every model but its feed-forward layers.</summary>
    public required TransformerConfig Model { get; init; }

    /// <summary>The models.</summary>
    public required IReadOnlyList<ExpertCostArm> Arms { get; init; }

    /// <summary>B: sequences of a step, each as long as the context.</summary>
    public required int Sequences { get; init; }

    /// <summary>Steps that one timing covers, after those that are not counted: they compile products for the shapes that experts get.</summary>
    public int Steps { get; init; } = 4;

    /// <summary>How often everything is measured, after one round that is not counted.</summary>
    public int Rounds { get; init; } = 7;

    /// <summary>Threads of one operation.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>Throws with the field, its value and the allowed range.</summary>
    /// <exception cref="ArgumentException">A field is out of range.</exception>
    public void Validate()
    {
        Require.AtLeast(Sequences, 1, nameof(Sequences));
        Require.AtLeast(Steps, 1, nameof(Steps));
        Require.AtLeast(Rounds, 1, nameof(Rounds));
        Require.AtLeast(Threads, 1, nameof(Threads));
        Require.That(Arms.Count > 0 && Arms.Select(arm => arm.Name).Distinct().Count() == Arms.Count, nameof(Arms), $"[{string.Join(", ", Arms.Select(arm => arm.Name))}]", "one or more, each with a name of its own");
    }
}

/// <summary>One model.</summary>
/// <param name="Name">As plots and tables show it.</param>
/// <param name="FeedForward">Its feed-forward layers.</param>
public sealed record ExpertCostArm(string Name, FeedForwardConfig FeedForward);

/// <summary>One measurement of one model.</summary>
/// <param name="TokensPerSecond">Trained tokens.</param>
/// <param name="PeakBytes">Largest resident memory of building and training it, above the process without it; null where the system does not tell, and on a GPU.</param>
public readonly record struct StepCost(double TokensPerSecond, long? PeakBytes);

/// <summary>One model, round by round.</summary>
/// <param name="Arm">Its name.</param>
/// <param name="Parameters">In all.</param>
/// <param name="FlopsPerToken">Of one token's forward pass.</param>
/// <param name="Rounds">One measurement for each round.</param>
public sealed record ExpertCostCell(string Arm, long Parameters, double FlopsPerToken, IReadOnlyList<StepCost> Rounds);

/// <summary>The measurement.</summary>
/// <param name="Grid">What was measured.</param>
/// <param name="Environment">Where.</param>
/// <param name="Cells">Every model.</param>
public sealed record ExpertCost(ExpertCostGrid Grid, RunEnvironment Environment, IReadOnlyList<ExpertCostCell> Cells)
{
    /// <summary>Measures everything.</summary>
    /// <exception cref="ArgumentException">A field of the grid is out of range.</exception>
    public static ExpertCost Measure(ExpertCostGrid grid, TorchRuntime runtime)
    {
        grid.Validate();
        runtime = runtime.WithThreads(grid.Threads);
        StepCost[][] rounds = [.. Enumerable.Range(0, grid.Rounds + 1).Select(_ => grid.Arms.Select(arm => Train(grid, arm, runtime)).ToArray()).Skip(1)]; // the first pays for code being compiled
        return new ExpertCost(grid, RunEnvironment.Of(runtime), [.. grid.Arms.Select((arm, i) =>
        {
            using var model = new Transformer(grid.Model with { FeedForward = arm.FeedForward }, initialize: false);
            return new ExpertCostCell(arm.Name, model.TotalParameters, model.FlopsPerToken, [.. rounds.Select(round => round[i])]);
        })]);
    }

    /// <summary>A model's measurements.</summary>
    /// <exception cref="ArgumentException">There is no such model.</exception>
    public ExpertCostCell Of(string arm) => Cells.FirstOrDefault(cell => cell.Arm == arm)
        ?? throw new ArgumentException($"There is no arm '{arm}'; there are {string.Join(", ", Cells.Select(cell => cell.Arm))}.", nameof(arm));

    /// <summary>Whether memory was measured.</summary>
    public bool KnowsMemory => Cells.All(cell => cell.Rounds.All(round => round.PeakBytes is not null));

    /// <summary>(tokens per second of <paramref name="arm"/>) / (those of <paramref name="baseline"/>) − 1, round by round.</summary>
    public IReadOnlyList<double> Throughput(string arm, string baseline) => Relative(arm, baseline, round => round.TokensPerSecond);

    /// <summary>(peak memory of <paramref name="arm"/>) / (that of <paramref name="baseline"/>) − 1, round by round.</summary>
    /// <exception cref="InvalidOperationException">It was not measured.</exception>
    public IReadOnlyList<double> Memory(string arm, string baseline) =>
        Relative(arm, baseline, round => round.PeakBytes ?? throw new InvalidOperationException($"Memory was not measured on {Environment.Device}, {Environment.System}: look at {nameof(KnowsMemory)} first."));

    /// <summary>The table: medians over the rounds, and the width of their middle half.</summary>
    public IReadOnlyList<ExpertCostRow> Table() => [.. Cells.Select(cell =>
    {
        double[] speed = [.. cell.Rounds.Select(round => round.TokensPerSecond)];
        return new ExpertCostRow(
            cell.Arm,
            cell.Parameters,
            cell.FlopsPerToken,
            speed.Median(),
            speed.QuantileCustom(0.75, QuantileDefinition.R7) - speed.QuantileCustom(0.25, QuantileDefinition.R7),
            KnowsMemory ? cell.Rounds.Select(round => round.PeakBytes!.Value / 1e6).Median() : null);
    })];

    private double[] Relative(string arm, string baseline, Func<StepCost, double> cost) =>
        [.. Of(arm).Rounds.Zip(Of(baseline).Rounds, (ours, theirs) => (cost(ours) / cost(theirs)) - 1)];

    private static StepCost Train(ExpertCostGrid grid, ExpertCostArm arm, TorchRuntime runtime)
    {
        double seconds = 0;
        long? peak = ResidentMemory.PeakOf(() => seconds = Seconds(grid, grid.Model with { FeedForward = arm.FeedForward }, runtime));
        return new StepCost(grid.Steps * (double)grid.Sequences * grid.Model.ContextLength / seconds, runtime.IsCuda || peak is not > 0 ? null : peak);
    }

    private static double Seconds(ExpertCostGrid grid, TransformerConfig config, TorchRuntime runtime)
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        using var model = new Transformer(config);
        model.to(runtime.Device);
        using var optimizer = new AdamW(model.named_parameters(), learningRate: 1e-3);
        Tensor tokens_BT = randint(0, config.VocabularySize, [grid.Sequences, config.ContextLength + 1], dtype: ScalarType.Int64, device: runtime.Device);
        var stopwatch = new Stopwatch();
        for (int step = 1 - ExpertCostGrid.StepsBefore; step <= grid.Steps; step++)
        {
            if (step == 1)
            {
                runtime.Synchronize();
                stopwatch.Start();
            }

            using var stepScope = NewDisposeScope();
            TransformerOutput output = model.forward(tokens_BT.narrow(1, 0, config.ContextLength));
            Tensor loss = nn.functional.cross_entropy(output.Logits_BTV.view(-1, config.VocabularySize), tokens_BT.narrow(1, 1, config.ContextLength).reshape(-1));
            (output.AuxiliaryLoss(config.FeedForward) is { } auxiliary ? loss + auxiliary : loss).backward();
            optimizer.Step();
            optimizer.ZeroGradients();
        }

        runtime.Synchronize();
        return stopwatch.Elapsed.TotalSeconds;
    }
}

/// <summary>One row of the table.</summary>
/// <param name="Arm">The model.</param>
/// <param name="Parameters">In all.</param>
/// <param name="FlopsPerToken">Of one token's forward pass.</param>
/// <param name="TokensPerSecond">Median over the rounds.</param>
/// <param name="Spread">Width of the middle half of the rounds.</param>
/// <param name="PeakMegabytes">Median over the rounds; null where it was not measured.</param>
public sealed record ExpertCostRow(string Arm, long Parameters, double FlopsPerToken, double TokensPerSecond, double Spread, double? PeakMegabytes);
