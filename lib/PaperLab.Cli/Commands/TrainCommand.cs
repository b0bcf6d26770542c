// paperlab train RUN.json: one training run by its config, by itself or in the processes that mpirun or srun started.
//
// When a process of several dies, the launcher ends the others: that is their last word, so it is said when the launcher's SIGTERM comes.

using System.CommandLine;
using System.Runtime.InteropServices;
using System.Text.Json;
using PaperLab.Checkpoints;
using PaperLab.Display;
using PaperLab.Text;
using PaperLab.Text.Data;
using PaperLab.Training;
using TorchSharp;

namespace PaperLab.Cli.Commands;

/// <summary>The <c>train</c> command.</summary>
public static class TrainCommand
{
    /// <summary>The command's name.</summary>
    public const string Name = "train";

    private const string Help = """
        Examples:
          paperlab train data/results/PAPER/RUN.json --fresh       trains a recorded run again and compares
          mpirun -n 4 paperlab train run.json                      the same run, each process a quarter of every batch
          srun --mpi=pmix paperlab train run.json                  likewise under Slurm (environment/cluster has both scripts)

        RUN.json is a record, whose config is taken, or the config alone. Checkpoints are written on the way: the same command goes on
        from the newest one, with any number of processes. Several processes need an Open MPI on the machine.

        """;

    /// <summary>The command with its options.</summary>
    public static Command Create()
    {
        var run = new Argument<string>("run") { Description = "A run's record or config.", HelpName = "RUN.json" };
        var device = new Option<string?>("--device") { Description = "Where tensors live: auto, cpu, cuda or cuda:N.", HelpName = "auto|cpu|cuda|cuda:N" };
        var fresh = new Option<bool>("--fresh") { Description = "Train from the start, whatever is recorded or saved." };
        var store = new Option<string?>("--store") { Description = "Folder for the record, checkpoints and metrics (default: artifacts of the checkout).", HelpName = "DIR" };
        var every = new Option<int?>("--checkpoint-steps") { Description = "Steps between two checkpoints, beside one every minute.", HelpName = "N" };
        var command = new Command(Name, "Trains one run by its config; under mpirun or srun, in several processes.") { run, device, fresh, store, every };
        CommandLine.AddHelp(command, $"{Help}\n{ExitCode.Help}");
        command.SetAction(parsed => Run(new Request(
            parsed.GetRequiredValue(run), parsed.GetValue(device), parsed.GetValue(fresh), parsed.GetValue(store), parsed.GetValue(every))));
        return command;
    }

    private static int Run(Request request)
    {
        (RunConfig config, string preset, RunRecord? recorded) = Read(request.Run);
        MpiProcessGroup? group = null;
        try
        {
            group = MpiProcessGroup.WasLaunched ? MpiProcessGroup.Join() : null;
            int exitCode = Train(request, config, preset, recorded, group);
            group?.Dispose();
            return exitCode;
        }
        catch (Exception error) when (group is { Size: > 1 } || IsExplained(error))
        {
            string who = group is { Size: > 1 } ? $"paperlab train, process {group.Rank + 1} of {group.Size}" : "paperlab train";
            Console.Error.WriteLine($"{who}: {(IsExplained(error) ? error.Message : error)}");
            int exitCode = error is TorchRuntimeException || group is null && MpiProcessGroup.WasLaunched ? ExitCode.Environment : ExitCode.Failed;
            group?.Abort(exitCode); // the others would wait for this process for ever
            return exitCode;
        }
    }

    private static int Train(Request request, RunConfig config, string preset, RunRecord? recorded, MpiProcessGroup? group)
    {
        bool speaks = group is null or { IsFirst: true };
        TorchRuntime runtime = RuntimeOf(request.Device, group);
        TokenizedCorpus text = config.Text.Load();
        RunStore store = request.Store is { } folder ? new RunStore(folder) : RunStore.Default;
        string name = $"{config.Arm}, seed {config.Seed}";
        using var stop = new CancellationTokenSource();
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        if (speaks)
        {
            Console.WriteLine($"{name}: {config.Training.Steps} steps; {runtime}{(group is { Size: > 1 } ? $", in each of {group.Size} processes" : "")}");
        }

        DateTimeOffset start = TimeProvider.System.GetUtcNow();
        try
        {
            RunRecord record = RecordedTraining.Run(
                new LanguageModelTrainer(config, text, runtime, group),
                preset,
                store,
                speaks ? new RunOptions { Progress = LiveTraining.Start(name), Note = Console.WriteLine } : null,
                new CheckpointOptions { EverySteps = request.CheckpointSteps },
                request.Fresh,
                cancellation: stop.Token);
            if (speaks)
            {
                Report(record, recorded, record.Finished < start, store.RecordOf(config, text.Corpus.Hash));
            }

            return ExitCode.Passed;
        }
        catch (OperationCanceledException)
        {
            if (speaks)
            {
                Console.Error.WriteLine($"{name}: stopped after a checkpoint; the same command goes on from there.");
            }

            return ExitCode.Stopped;
        }

        void OnSignal(PosixSignalContext signal)
        {
            signal.Cancel = true;
            if (group is { Size: > 1, Rank: < 2 }) // two, since one may be the dead one
            {
                Console.Error.WriteLine(
                    $"paperlab train: {name} is being ended from outside, perhaps because another of its {group.Size} processes died (the launcher says which). "
                    + $"Its checkpoints are whole, in {store.CheckpointsOf(config, text.Corpus.Hash)}; the same command goes on from the newest.");
            }

            stop.Cancel();
        }
    }

    private static TorchRuntime RuntimeOf(string? device, MpiProcessGroup? group)
    {
        int? threads = group is not null && Environment.GetEnvironmentVariable("OMP_NUM_THREADS") is null or "" ? Math.Max(1, Environment.ProcessorCount / MpiProcessGroup.LocalSize) : null;
        TorchRuntime runtime = TorchRuntime.Initialize(device, threads);
        bool choose = device is null or "auto" or "cuda" && runtime.IsCuda && MpiProcessGroup.LocalSize > 1 && torch.cuda.device_count() > 1;
        return choose ? TorchRuntime.Initialize($"cuda:{MpiProcessGroup.LocalRank % torch.cuda.device_count()}", threads) : runtime;
    }

    private static void Report(RunRecord record, RunRecord? given, bool wasThere, string path)
    {
        Console.WriteLine(wasThere
            ? $"This run was recorded before: held-out loss {record.Final.Loss:0.000000}, in {path}. --fresh trains it again."
            : $"Held-out loss {record.Final.Loss:0.000000} nats/token after {record.TrainingSeconds:0.0} s of training; recorded in {path}");
        if (record.Parallel is { } parallel)
        {
            Console.WriteLine($"{parallel.Processes} processes; {parallel.ExchangeSeconds / record.TrainingSeconds * 100:0.0} % of the time of the steps was exchange, waiting for each other included.");
        }

        if (given is not null)
        {
            string corpus = given.CorpusHash == record.CorpusHash ? "" : $" (on another corpus, {given.CorpusHash[..8]}: the texts of the SDK and of this repository change)";
            Console.WriteLine($"The given record has {given.Final.Loss:0.000000}{corpus}: relative difference {Math.Abs((record.Final.Loss / given.Final.Loss) - 1):0.0e+0}.");
        }
    }

    private static (RunConfig Config, string Preset, RunRecord? Recorded) Read(string path)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(path));
            bool isRecord = json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty(nameof(RunRecord.Config), out _);
            RunRecord? record = isRecord ? json.Deserialize<RunRecord>(RunRecord.Json) : null;
            RunConfig config = record?.Config ?? json.Deserialize<RunConfig>(RunRecord.Json) ?? throw new JsonException("it holds null");
            return (config, record?.Preset ?? "train", record);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{path} cannot be read: {error.Message}");
        }
        catch (Exception error) when (error is JsonException or NotSupportedException)
        {
            throw new UsageException($"{path} is neither a run's record nor its config: {error.Message}");
        }
    }

    private static bool IsExplained(Exception error) =>
        error is ArgumentException or CheckpointException or TrainingDivergedException or DataSetException or TorchRuntimeException or DirectoryNotFoundException
        || error is InvalidOperationException && MpiProcessGroup.WasLaunched;

    private sealed record Request(string Run, string? Device, bool Fresh, string? Store, int? CheckpointSteps);
}
