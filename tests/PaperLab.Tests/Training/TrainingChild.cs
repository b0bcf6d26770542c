using System.Diagnostics;
using PaperLab.Models;
using PaperLab.Papers;
using PaperLab.Reinforcement;
using PaperLab.Training;

namespace PaperLab.Tests.Training;

/// <summary>A short training in a process of its own, to be killed: everything that a checkpoint must hold is in use.</summary>
internal static class TrainingChild
{
    public const string OnText = "train-to-be-killed", OnTask = "reinforce-to-be-killed";

    public static Comparison Comparison(int steps) => TrainingFixtures.Comparison with
    {
        Arms = [new Arm("MoE", new MixtureOfExpertsConfig { NumExperts = 4, Hidden = 16, BiasUpdateRate = 0.01 })],
        Seeds = [1],
        Training = new TrainingConfig { Steps = steps, BatchSize = 8, MicroBatchSize = 4, LearningRate = 5e-3, EvaluationInterval = 25 },
    };

    /// <summary>GRPO with a reference that is replaced on the way, on from a model that is trained first.</summary>
    public static PolicyRunConfig Policy(int steps)
    {
        var task = new ParityOptions { Lengths = [8], ChainShare = 0.5 };
        var basis = new PolicyRunConfig
        {
            Paper = "policy",
            Arm = "base",
            Task = task,
            Model = new TransformerConfig { VocabularySize = task.Create().Tokenizer.VocabularySize, Width = 16, Layers = 1, Heads = 2, ContextLength = 40, FeedForward = new DenseConfig(32) },
            Stage = new ImitationConfig { Seed = 1, Steps = 60, BatchSize = 16, LearningRate = 1e-2, Demonstrations = 100 },
            Evaluation = new PolicyEvaluationOptions { Problems = 4, Samples = 2, MaxNewTokens = 16 },
        };
        return basis with
        {
            Arm = "GRPO",
            From = basis,
            EvaluationInterval = 20,
            Stage = new PolicyConfig { Seed = 1, Steps = steps, Questions = 3, Answers = 4, MaxNewTokens = 16, Minibatches = 2, ReferenceInterval = 25, LearningRate = 3e-3, Objective = PolicyObjective.Grpo with { KlWeight = 0.05 } },
        };
    }

    /// <summary>In the child: trains in the folder, says every step, and ends.</summary>
    public static int RunPolicy(string folder, int steps)
    {
        TorchRuntime runtime = TorchRuntime.Initialize("cpu", threads: 1, fastMath: false);
        PolicyRun.Of(Policy(steps), "test", runtime, Store(folder), new PolicyRunOptions { Progress = new Lines(), Note = Console.Error.WriteLine, Checkpoints = new CheckpointOptions { EverySteps = 3 } });
        return 0;
    }

    /// <summary>The same on text.</summary>
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
    public static Process Start(string kind, string folder, int steps)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "PaperLab.Tests" + (OperatingSystem.IsWindows() ? ".exe" : ""));
        return Process.Start(new ProcessStartInfo(program, [kind, folder, $"{steps}"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
    }

    private sealed class Lines : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => Console.WriteLine(value.Step);
    }
}
