// paperlab train: one run by its config; under mpirun, where the machine has it, in several processes of which one is killed.

using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using PaperLab.Notebooks.Tests.Batch;

namespace PaperLab.Notebooks.Tests.Cli;

public sealed class TrainCommandTests : IDisposable
{
    private const string Config = """
        {
          "Paper": "test-train", "Arm": "MoE", "Seed": 1,
          "Model": { "VocabularySize": 300, "Width": 16, "Layers": 2, "Heads": 2, "ContextLength": 16,
            "FeedForward": { "$type": "moe", "NumExperts": 4, "TopK": 2, "Hidden": 16, "BalanceLossWeight": 0.1, "Balance": {} } },
          "Training": { "Steps": 50, "BatchSize": 8, "LearningRate": 0.002 },
          "Text": { "Corpus": { "Domains": ["messages-de", "messages-ru"], "MaxBytesPerDomain": 60000 }, "VocabularySize": 300, "EvaluationWindows": 4 }
        }
        """;

    private static readonly string? s_mpirun = Environment.GetEnvironmentVariable("PATH")?.Split(Path.PathSeparator)
        .Select(folder => Path.Combine(folder, "mpirun")).FirstOrDefault(File.Exists);

    private readonly Tool _tool = new();

    public void Dispose() => _tool.Dispose();

    [Fact]
    public async Task A_run_is_recorded_found_again_and_compared_with_the_record_it_came_from()
    {
        string config = Write(Config);

        ToolResult trained = await TrainAsync("one", config);
        ToolResult found = await TrainAsync("one", config);
        ToolResult again = await TrainAsync("two", RecordOf("one"), "--fresh");

        Assert.True(trained.ExitCode == 0, trained.All);
        Assert.Contains("step 50/50", trained.Stdout);
        Assert.Contains("This run was recorded before", found.Stdout);
        Assert.Contains("relative difference 0.0e+0", again.Stdout);
    }

    [Theory]
    [InlineData(null, 2, "nothing.json cannot be read")]
    [InlineData("{ \"Paper\": ", 2, "is neither a run's record nor its config")]
    [InlineData("{ \"Paper\": \"x\" }", 2, "'Arm'")]
    [InlineData("\"Steps\": 0", 1, "Steps is 0; allowed: 1 or more")]
    public async Task A_run_that_cannot_be_is_refused_with_what_is_wrong(string? change, int exitCode, string message)
    {
        string config = change is null ? Path.Combine(_tool.Scratch, "nothing.json")
            : Write(change.StartsWith('{') ? change : Config.Replace("\"Steps\": 50", change, StringComparison.Ordinal));

        ToolResult result = await TrainAsync("one", config);

        Assert.Equal(exitCode, result.ExitCode);
        Assert.Contains(message, result.Stderr);
    }

    [Fact]
    public async Task Several_processes_train_the_run_of_one_and_without_MPI_say_what_is_missing()
    {
        string config = Write(Config);
        ToolResult alone = await TrainAsync("alone", config);
        Assert.True(alone.ExitCode == 0, alone.All);
        if (s_mpirun is null)
        {
            _tool.Start(Tool.Program, ["train", config, "--store", Store("together")], ("OMPI_COMM_WORLD_SIZE", "2"));
            ToolResult absent = await _tool.EndAsync();
            Assert.Equal(3, absent.ExitCode);
            Assert.Contains("(Open MPI) does not load. Install it", absent.Stderr);
            return;
        }

        foreach (int processes in new[] { 1, 2, 4 })
        {
            Launch(processes, $"together-{processes}", config);
            ToolResult together = await _tool.EndAsync();

            Assert.True(together.ExitCode == 0, together.All);
            double[] one = Losses("alone"), many = Losses($"together-{processes}");
            Assert.Equal(50, many.Length);
            Assert.All(one.Zip(many), pair => Assert.Equal(0, (pair.Second / pair.First) - 1, 5));
            Assert.Equal(processes > 1, together.Stdout.Contains($"{processes} processes; "));
        }
    }

    [Fact]
    public async Task A_process_that_is_killed_ends_the_run_which_goes_on_from_its_checkpoint_with_another_number_of_processes()
    {
        string config = Write(Config.Replace("\"Steps\": 50", "\"Steps\": 600", StringComparison.Ordinal));
        Launch(2, "killed", config, "--checkpoint-steps", "5");
        await Tool.UntilAsync(() => Directory.Exists(Store("killed")) && Directory.GetDirectories(Store("killed"), "step-*", SearchOption.AllDirectories).Length > 0);
        int victim = int.Parse(File.ReadAllText(ProcessIdOf(s_mpirun is null ? 0 : 1)), CultureInfo.InvariantCulture);

        using (var process = Process.GetProcessById(victim))
        {
            process.Kill();
        }

        ToolResult killed = await _tool.EndAsync();
        ToolResult resumed = await TrainAsync("killed", config);

        Assert.NotEqual(0, killed.ExitCode);
        Assert.DoesNotContain("Held-out loss", killed.Stdout);
        Assert.Equal(s_mpirun is not null, killed.Stderr.Contains("perhaps because another of its 2 processes died"));
        Assert.Equal(s_mpirun is not null, killed.Stderr.Contains("the same command goes on from the newest"));
        Assert.True(resumed.ExitCode == 0, resumed.All);
        Assert.Contains("goes on after step", resumed.Stdout);
        Assert.Contains("Held-out loss", resumed.Stdout);
        Assert.Equal(600, Losses("killed").Length);
    }

    private string Write(string config)
    {
        string path = Path.Combine(_tool.Scratch, "run.json");
        File.WriteAllText(path, config);
        return path;
    }

    private string Store(string name) => Path.Combine(_tool.Scratch, name);

    private string RecordOf(string store) => Assert.Single(Directory.GetFiles(Path.Combine(Store(store), "test-train"), "*.json"));

    private double[] Losses(string store) => [.. JsonNode.Parse(File.ReadAllText(RecordOf(store)))!["TrainingLoss"]!.AsArray().Select(loss => loss!.GetValue<double>())];

    private string ProcessIdOf(int rank) => Path.Combine(_tool.Scratch, $"process.{rank}");

    private Task<ToolResult> TrainAsync(string store, string config, params string[] options) =>
        _tool.RunAsync(["train", config, "--device", "cpu", "--store", Store(store), .. options]);

    // Through a shell that leaves the process's id; by itself where there is no mpirun.
    private void Launch(int processes, string store, string config, params string[] options)
    {
        string[] launcher = s_mpirun is null ? [] : [s_mpirun, "-n", $"{processes}", "--oversubscribe", "--bind-to", "none"];
        string[] command =
        [
            .. launcher, "bash", "-c", "echo $$ > \"$0.${OMPI_COMM_WORLD_RANK:-0}\"; exec \"$@\"", Path.Combine(_tool.Scratch, "process"),
            Tool.Program, "train", config, "--device", "cpu", "--store", Store(store), .. options,
        ];
        _tool.Start(command[0], command[1..], ("OMPI_ALLOW_RUN_AS_ROOT", "1"), ("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"));
    }
}
