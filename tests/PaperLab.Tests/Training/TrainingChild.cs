using System.Diagnostics;
using PaperLab.Models;
using PaperLab.Papers;
using PaperLab.Training;

namespace PaperLab.Tests.Training;

/// <summary>A short training in a process of its own, to be killed: everything that a checkpoint must hold is in use.</summary>
internal static class TrainingChild
{
    public const string Command = "train-to-be-killed";

    public static Comparison Comparison(int steps) => TrainingFixtures.Comparison with
    {
        Arms = [new Arm("MoE", new MixtureOfExpertsConfig { NumExperts = 4, Hidden = 16, BiasUpdateRate = 0.01 })],
        Seeds = [1],
        Training = new TrainingConfig { Steps = steps, BatchSize = 8, MicroBatchSize = 4, LearningRate = 5e-3, EvaluationInterval = 25 },
    };

    /// <summary>In the child: trains in the folder, says every step, and ends.</summary>
    public static int Run(string folder, int steps)
    {
        TorchRuntime runtime = TorchRuntime.Initialize("cpu", threads: 1, fastMath: false);
        Comparison(steps).Run(
            runtime,
            Store(folder),
            progress: new Lines(),
            note: Console.Error.WriteLine,
            text: TrainingFixtures.Text(folder),
            checkpoints: new CheckpointOptions { EverySteps = 3 },
            keepModels: true);
        return 0;
    }

    public static RunStore Store(string folder) => new(Path.Combine(folder, "runs"), work: folder);

    /// <summary>In the test: starts the child.</summary>
    public static Process Start(string folder, int steps)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "PaperLab.Tests" + (OperatingSystem.IsWindows() ? ".exe" : ""));
        return Process.Start(new ProcessStartInfo(program, [Command, folder, $"{steps}"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
    }

    private sealed class Lines : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => Console.WriteLine(value.Step);
    }
}
