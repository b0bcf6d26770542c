using System.Text.Json;
using PaperLab.Text;
using PaperLab.Training;

namespace PaperLab.Tests.Training;

/// <summary>A process that computes steps together with those that MPI started beside it; by itself where there is no MPI.</summary>
internal static class MpiChild
{
    public const string Command = "steps-over-mpi";

    /// <summary>What it leaves in its folder.</summary>
    public const string File = "steps.json";

    /// <summary>In the child: one step in every scope; the first process writes them down.</summary>
    public static int Run(string folder)
    {
        using MpiProcessGroup? mpi = MpiProcessGroup.WhyAbsent is { } why ? Absent(why) : MpiProcessGroup.Join();
        ProcessGroup group = mpi ?? ProcessGroup.Alone;
        Dictionary<string, StepOverMpi> steps = Steps(folder, group);
        if (group.IsFirst)
        {
            System.IO.File.WriteAllText(Path.Combine(folder, File), JsonSerializer.Serialize(steps));
        }

        return 0;
    }

    /// <summary>One step in every scope.</summary>
    public static Dictionary<string, StepOverMpi> Steps(string folder, ProcessGroup group)
    {
        TorchRuntime runtime = TorchRuntime.Initialize("cpu", threads: 1, fastMath: false);
        TokenizedCorpus text = TrainingFixtures.Text(folder);
        return DataParallelTests.Scopes.Select(row => row.Data).ToDictionary(scope => scope, scope =>
        {
            (double loss, double[] gradients) = DataParallelTests.Step(DataParallelTests.Config(scope), text, runtime, group);
            return new StepOverMpi(group.Size, loss, gradients);
        });
    }

    private static MpiProcessGroup? Absent(string why)
    {
        Console.Error.WriteLine($"{why} One process goes on alone.");
        return null;
    }
}

/// <summary>One step's loss and gradients, and how many processes computed it.</summary>
internal sealed record StepOverMpi(int Processes, double Loss, double[] Gradients);
