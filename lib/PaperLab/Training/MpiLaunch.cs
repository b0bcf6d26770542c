// Several processes from a program that is one itself, a notebook for example: mpirun starts the paperlab tool, which trains the run.

using System.Diagnostics;
using System.Text.Json;

namespace PaperLab.Training;

/// <summary>Trains a run in processes of its own, on this machine.</summary>
public static class MpiLaunch
{
    private static readonly string? s_mpirun = Environment.GetEnvironmentVariable("PATH")?.Split(Path.PathSeparator)
        .Select(folder => Path.Combine(folder, "mpirun")).FirstOrDefault(File.Exists);

    private static readonly string s_tool = Path.Combine(Checkout.Root ?? "", "lib", "out", "paperlab");

    /// <summary>Null where processes can be started; else why not, and what to do.</summary>
    public static string? WhyAbsent =>
        MpiProcessGroup.WhyAbsent
        ?? (s_mpirun is null ? "mpirun is in no folder of PATH. Install it (Debian, Ubuntu: apt-get install openmpi-bin; a cluster: module load openmpi)." : null)
        ?? (File.Exists(s_tool) ? null : "the paperlab tool is not built. Build it: dotnet build lib/PaperLab.Cli.");

    /// <summary>Trains a run from its first step to its last, each process with one thread, and returns its record.</summary>
    /// <param name="config">The run.</param>
    /// <param name="processes">How many, a divisor of the batch.</param>
    /// <param name="runtime">Its device is the processes'.</param>
    /// <exception cref="InvalidOperationException">There is no MPI here, or the training failed; with its last words.</exception>
    public static RunRecord Train(RunConfig config, int processes, TorchRuntime runtime)
    {
        if (WhyAbsent is { } why)
        {
            throw new InvalidOperationException(why);
        }

        DirectoryInfo folder = Directory.CreateTempSubdirectory("paperlab-mpi-");
        try
        {
            string run = Path.Combine(folder.FullName, "run.json");
            File.WriteAllText(run, JsonSerializer.Serialize(config, RunRecord.Json));
            var start = new ProcessStartInfo(
                s_mpirun!,
                ["-n", $"{processes}", "--oversubscribe", "--bind-to", "none", s_tool, "train", run, "--store", folder.FullName, "--device", runtime.IsCuda ? "cuda" : "cpu"])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            start.Environment["OMP_NUM_THREADS"] = "1";
            start.Environment["OMPI_ALLOW_RUN_AS_ROOT"] = start.Environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"; // as in a container
            using Process process = Process.Start(start)!;
            process.StandardInput.Close();
            Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
            process.WaitForExit();
            return new RunStore(folder.FullName).FindAll(config) is [{ } record, ..]
                ? record
                : throw new InvalidOperationException($"mpirun ended with exit code {process.ExitCode} and without a record: {output.Result}{errors.Result}");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
