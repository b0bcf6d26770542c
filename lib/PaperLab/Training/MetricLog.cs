// Numbers of a running training, step by step, for other programs to read: a line of JSON each, or TensorBoard's event files.
//
//   train/loss                   cross-entropy of the step's batch, nats per token, without auxiliary losses
//   train/learning_rate          of the step
//   train/gradient_norm          2-norm of all gradients together, before clipping
//   train/tokens_per_second      since the process began or resumed the run, evaluations and checkpoints excluded
//   eval/loss                    cross-entropy on the held-out windows, nats per token; every domain has the same weight
//   eval/loss/DOMAIN             of one domain
//   routing/load_entropy/L       of layer L's held-out load, nats; ln E is perfect balance (models with experts only; 0 is the first layer)
//   routing/max_load/L           largest share of one expert times the number of experts; 1 is perfect balance
//   routing/confidence_entropy/L mean entropy of the softmax over all of a token's scores, nats
//
// train/* come with every step; eval/* and routing/* before the first step (as step 0), at every TrainingConfig.EvaluationInterval, and
// after the last.

namespace PaperLab.Training;

/// <summary>One number under its name.</summary>
public readonly record struct Metric(string Name, double Value);

/// <summary>Takes the numbers of one run, from one thread. What was written survives the end of the process.</summary>
public interface IMetricWriter : IDisposable
{
    /// <summary>Called once, first: the run goes on after this step (0: it begins), and what was written of later steps is void.</summary>
    void Begin(int lastStep);

    /// <summary>Takes the numbers of a step.</summary>
    void Write(int ofStep, IReadOnlyList<Metric> metrics);
}

/// <summary>The metrics of an evaluation.</summary>
internal static class EvaluationMetrics
{
    public static IReadOnlyList<Metric> Of(HeldOutEvaluation evaluation) =>
    [
        new("eval/loss", evaluation.Loss),
        .. evaluation.LossByDomain.Select(domain => new Metric($"eval/loss/{domain.Key}", domain.Value)),
        .. evaluation.Routing.SelectMany((layer, index) => new Metric[]
        {
            new($"routing/load_entropy/{index}", layer.LoadEntropy),
            new($"routing/max_load/{index}", layer.Load.Max() * layer.Load.Count),
            new($"routing/confidence_entropy/{index}", layer.ConfidenceEntropy),
        }),
    ];
}
