// Where a training step stopped being a number.

using PaperLab.Models;
using static TorchSharp.torch;

namespace PaperLab.Training;

/// <summary>A training run whose loss or gradient is no longer a number. The message names the run, the step, the layer, the last good checkpoint and what to try.</summary>
public sealed class TrainingDivergedException : Exception
{
    public TrainingDivergedException()
    {
    }

    public TrainingDivergedException(string message)
        : base(message)
    {
    }

    public TrainingDivergedException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}

internal static class Divergence
{
    /// <summary>
    /// Computes a forward and a backward pass again and names the part of the model, as the state dict does, where they stop being
    /// finite; null when they are finite. The gradients are lost.
    /// </summary>
    /// <param name="model">With the weights that the step began from.</param>
    /// <param name="lossOf">The step's loss; shows each part's output on the way.</param>
    public static string? Locate(Transformer model, Func<Action<string, Tensor>, Tensor> lossOf)
    {
        using var scope = NewDisposeScope();
        if (model.state_dict().FirstOrDefault(named => !AllFinite(named.Value)).Key is { } weight)
        {
            return $"the weights {weight} are not finite";
        }

        string? first = null;
        Tensor loss = lossOf((part, output) => first ??= AllFinite(output) ? null : part);
        if (first is not null || !AllFinite(loss))
        {
            return $"the first output that is not finite is that of {first ?? "the loss itself"}";
        }

        model.zero_grad();
        loss.backward();

        // Backward goes from the loss down, so the last part in the model's order is the first that it reached.
        string? gradient = model.named_parameters().LastOrDefault(named => named.parameter.grad is { } grad && !AllFinite(grad)).name;
        return gradient is null ? null : $"the first gradient that is not finite is that of {gradient}";
    }

    private static bool AllFinite(Tensor values)
    {
        using var scope = NewDisposeScope();
        return values.isfinite().all().item<bool>();
    }
}
