using System.Diagnostics;
using System.Text.Json;
using PaperLab.Native;
using PaperLab.Training;

namespace PaperLab.Tests.Training;

/// <summary>The same as <see cref="DataParallelTests"/>, over a real MPI where the machine has one; else how a process does without.</summary>
public sealed class MpiTests : TrainingTest
{
    private static readonly string? s_mpirun = Environment.GetEnvironmentVariable("PATH")?.Split(Path.PathSeparator)
        .Select(folder => Path.Combine(folder, "mpirun")).FirstOrDefault(File.Exists);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void The_loss_and_the_gradients_of_real_processes_are_those_of_one(int processes)
    {
        Dictionary<string, StepOverMpi> alone = MpiChild.Steps(Folder.Path, ProcessGroup.Alone);

        string notes = Launch(processes);

        Dictionary<string, StepOverMpi> together = JsonSerializer.Deserialize<Dictionary<string, StepOverMpi>>(File.ReadAllText(Folder.File(MpiChild.File)))!;
        Assert.Equal(DataParallelTests.Scopes.Count, together.Count);
        double furthest = 0;
        foreach ((string scope, StepOverMpi step) in together)
        {
            Assert.Equal(s_mpirun is null ? 1 : processes, step.Processes);
            Assert.Equal(alone[scope].Loss, step.Loss, 6);
            double difference = alone[scope].Gradients.Zip(step.Gradients, (one, many) => Math.Abs(one - many)).Max();
            Assert.True(difference < 1e-6, $"{scope}: {difference}");
            furthest = Math.Max(furthest, difference);
        }

        TestContext.Current.TestOutputHelper!.WriteLine($"{processes} processes; largest difference of a gradient: {furthest:0.0e+0}. {notes}");
        Assert.Equal(MpiProcessGroup.WhyAbsent is not null, notes.Contains("One process goes on alone."));
    }

    [Theory]
    [InlineData("libthere-is-no-such.so.1", "does not load. Install it (Debian, Ubuntu: apt-get install openmpi-bin; a cluster: module load openmpi)")]
    [InlineData("libc.so.6", "Open MPI")]
    public void A_library_that_is_not_Open_MPI_is_no_MPI(string library, string message)
    {
        Assert.Null(Mpi.Find(out string whyNot, library));
        Assert.StartsWith(library, whyNot);
        Assert.Contains(message, whyNot);
    }

    // Returns what the processes wrote to stderr.
    private string Launch(int processes)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "PaperLab.Tests" + (OperatingSystem.IsWindows() ? ".exe" : ""));
        string[] child = [program, MpiChild.Command, Folder.Path];
        string[] command = s_mpirun is null ? child : [s_mpirun, "-n", $"{processes}", "--oversubscribe", "--bind-to", "none", .. child];
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["OMPI_ALLOW_RUN_AS_ROOT"] = start.Environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1";
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, output.Result + errors.Result);
        return errors.Result;
    }
}
