// The learning rate over a run: a linear warm-up, then one of three courses.
//   Cosine    from the highest rate to a tenth of it (Loshchilov and Hutter, arXiv 1608.03983, one cycle)
//   Wsd       warm-up, stable, decay (arXiv 2404.06395): the highest rate, and a fall over the last part of the steps. The fall is
//             linear and towards zero, as in arXiv 2405.18392.
//   Constant  the highest rate to the end
// None depends on anything but the step, so a resumed run goes on where it was.

namespace PaperLab.Training;

/// <summary>The course of the learning rate after the warm-up.</summary>
public enum LearningRateSchedule
{
    /// <summary>A half cosine from the highest rate to a tenth of it.</summary>
    Cosine,

    /// <summary>The highest rate, then a linear fall over <see cref="TrainingConfig.DecayShare"/> of the steps; zero would be the step after the last.</summary>
    Wsd,

    /// <summary>The highest rate.</summary>
    Constant,
}

internal static class LearningRateCourse
{
    /// <summary>The rate of a step, 1-based.</summary>
    public static double At(int step, TrainingConfig training)
    {
        double warmup = Math.Round(training.WarmupShare * training.Steps);
        if (step <= warmup)
        {
            return training.LearningRate * step / warmup;
        }

        return training.LearningRate * training.Schedule switch
        {
            LearningRateSchedule.Wsd => Fall(step, training.Steps, Math.Round(training.DecayShareOrDefault * training.Steps)),
            LearningRateSchedule.Constant => 1,
            _ => 0.1 + (0.9 * 0.5 * (1 + Math.Cos(Math.PI * (step - warmup) / Math.Max(1, training.Steps - warmup)))),
        };
    }

    private static double Fall(int step, int steps, double length) => Math.Min(1, (steps + 1 - step) / (length + 1));
}
