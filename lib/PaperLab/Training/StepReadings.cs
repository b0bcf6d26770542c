// Losses and gradient norms on their way from the device. Reading a number waits until the device has computed it, so on a GPU, which
// runs ahead of the program, several steps are read at once. A step whose loss or gradient is not finite must still change nothing: the
// device itself keeps a flag, raised by such a step for good, and the optimizer leaves the weights alone while it is up. Whenever the
// trouble is read, the weights are those that it came from.

using PaperLab.Text;
using static TorchSharp.torch;

namespace PaperLab.Training;

/// <summary>What was read of one step.</summary>
internal readonly record struct StepReading(int Step, double LearningRate, Batch Batch, float Loss, float GradientNorm)
{
    public bool IsFinite => float.IsFinite(Loss) && float.IsFinite(GradientNorm);
}

/// <summary>Steps that were computed and not read yet.</summary>
internal sealed class StepReadings(Device device) : IDisposable
{
    private readonly List<(StepReading Known, Tensor Numbers_2)> _pending = [];
    private readonly Tensor _broken = zeros([], ScalarType.Float32, device).DetachFromDisposeScope();

    public int Count => _pending.Count;

    /// <summary>Notes a step. Returns the flag, which belongs to the readings: fp32, 1 when this step or an earlier one is not finite.</summary>
    public Tensor Add(int step, double learningRate, Batch batch, Tensor loss, Tensor gradientNorm)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Tensor numbers_2 = stack([loss.to(ScalarType.Float32), gradientNorm]);
        _broken.copy_(maximum(_broken, numbers_2.isfinite().all().logical_not().to(ScalarType.Float32)));
        _pending.Add((new StepReading(step, learningRate, batch, 0, 0), numbers_2.DetachFromDisposeScope()));
        return _broken;
    }

    /// <summary>Reads all that is pending, in order.</summary>
    public IReadOnlyList<StepReading> Take()
    {
        if (_pending.Count == 0)
        {
            return [];
        }

        using var scope = NewDisposeScope();
        float[] numbers = stack(_pending.Select(pending => pending.Numbers_2)).cpu().data<float>().ToArray();
        StepReading[] read = [.. _pending.Select((pending, i) => pending.Known with { Loss = numbers[2 * i], GradientNorm = numbers[(2 * i) + 1] })];
        Forget();
        return read;
    }

    public void Dispose()
    {
        Forget();
        _broken.Dispose();
    }

    private void Forget()
    {
        _pending.ForEach(pending => pending.Numbers_2.Dispose());
        _pending.Clear();
    }
}
