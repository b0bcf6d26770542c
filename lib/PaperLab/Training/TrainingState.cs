// How far a run has come: what its curves hold so far, and what of its cost was paid in earlier processes.

namespace PaperLab.Training;

/// <summary>Everything of an unfinished run but the weights, the optimizer and the generators. A checkpoint holds it as JSON.</summary>
internal sealed class TrainingState
{
    /// <summary>Optimizer steps done.</summary>
    public int Step { get; set; }

    /// <summary>Training loss of each of them.</summary>
    public List<double> Losses { get; init; } = [];

    /// <summary>The held-out evaluation before the first step.</summary>
    public required HeldOutEvaluation Initial { get; init; }

    /// <summary>Those during training.</summary>
    public List<EvaluationPoint> Evaluations { get; init; } = [];

    /// <summary>Time of the steps, without evaluations and checkpoints.</summary>
    public double Seconds { get; set; }

    /// <summary>Largest resident memory of any process that trained the run, bytes.</summary>
    public long PeakMemory { get; set; }

    /// <summary>Where the run went on in a new process.</summary>
    public List<Resumption> Resumed { get; init; } = [];

    /// <summary>Libtorch, device, threads and arithmetic: equal modes give equal bits.</summary>
    public required string Mode { get; set; }

    /// <summary>The evaluation with the lowest loss; null before the first.</summary>
    public EvaluationPoint? Best() => Evaluations.MinBy(point => point.Loss);
}
