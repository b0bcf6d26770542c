using System.Buffers.Binary;
using System.Diagnostics;
using System.Text.Json;
using PaperLab.Reinforcement;
using PaperLab.Training;

namespace PaperLab.Tests.Training;

public sealed class KilledTrainingTests : IDisposable
{
    /// <summary>Environment variable: how often the training is killed.</summary>
    private const string KillsVariable = "PAPERLAB_TEST_KILLS";

    private const int StepsPerKill = 40;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_training_that_is_killed_again_and_again_ends_as_if_nothing_had_happened()
    {
        int steps = Kills * StepsPerKill;
        string killed = _folder.File("killed"), whole = _folder.File("whole");
        KillAgainAndAgain(TrainingChild.OnText, killed, steps, checkpoint => TrainingCheckpoint.Read(checkpoint));

        string notes = Finish(TrainingChild.OnText, killed, steps);
        Finish(TrainingChild.OnText, whole, steps);

        RunRecord resumed = Record(killed, steps), straight = Record(whole, steps);
        Assert.NotEmpty(resumed.Resumed);
        Assert.Empty(straight.Resumed);
        Assert.Contains("goes on after step", notes);
        Assert.DoesNotContain("damaged", notes);
        Assert.Equal(straight.TrainingLoss, resumed.TrainingLoss);
        Assert.Equal(Json(straight.Evaluations), Json(resumed.Evaluations));
        Assert.Equal(Json(straight.Initial), Json(resumed.Initial));
        Assert.Equal(Json(straight.Final), Json(resumed.Final));
        Assert.Equal(File.ReadAllBytes(Weights(whole, steps)), File.ReadAllBytes(Weights(killed, steps)));
        Assert.Equal(Losses(whole), Losses(killed));
        Assert.Equal(Enumerable.Range(1, steps), Losses(killed).Select(line => line.Step));
        Assert.All(Directory.GetFiles(killed, "events.*", SearchOption.AllDirectories), AssertWholeButForTheEnd);

        // Beside the text's cache: the record, the model, the metrics, and the empty lock.
        AssertTidy(killed);
    }

    [Fact]
    public void A_policy_that_is_killed_again_and_again_ends_as_if_nothing_had_happened()
    {
        int steps = Kills * StepsPerKill;
        string killed = _folder.File("killed"), whole = _folder.File("whole");
        PolicyRunConfig config = TrainingChild.Policy(steps);
        foreach (string folder in new[] { killed, whole }) // the base that it goes on from
        {
            PolicyRun.Of(config.From!, "test", TorchRuntime.Initialize("cpu", threads: 1, fastMath: false), TrainingChild.Store(folder));
        }

        KillAgainAndAgain(TrainingChild.OnTask, killed, steps, checkpoint => Assert.True(File.Exists(Path.Combine(checkpoint, Checkpoint.StateFile))));
        string notes = Finish(TrainingChild.OnTask, killed, steps);
        Finish(TrainingChild.OnTask, whole, steps);

        PolicyRecord Read(string folder) => JsonSerializer.Deserialize<PolicyRecord>(File.ReadAllText(Path.Combine(folder, "runs", config.Paper, config.Key + ".json")), RunRecord.Json)!;
        (PolicyRecord resumed, PolicyRecord straight) = (Read(killed), Read(whole));
        Assert.NotEmpty(resumed.Resumed);
        Assert.Empty(straight.Resumed);
        Assert.Contains("goes on after step", notes);
        Assert.DoesNotContain("damaged", notes);
        Assert.Equal(Json(straight.Steps.Select(WithoutTimes)), Json(resumed.Steps.Select(WithoutTimes)));
        Assert.Equal(Json(straight.Evaluations), Json(resumed.Evaluations));
        Assert.Equal(Json(straight.Final), Json(resumed.Final));
        Assert.Contains(straight.Steps, step => step.Kl > 0 && step.GradientNorm > 0);
        Assert.Equal(File.ReadAllBytes(TrainingChild.Store(whole).WeightsOf(config.Paper, config)), File.ReadAllBytes(TrainingChild.Store(killed).WeightsOf(config.Paper, config)));
        AssertTidy(killed);
    }

    private static int Kills => int.TryParse(Environment.GetEnvironmentVariable(KillsVariable), out int wanted) ? wanted : 4;

    private static PolicyStep WithoutTimes(PolicyStep step) => step with { RolloutSeconds = 0, RewardSeconds = 0, TrainingSeconds = 0 };

    private static void AssertTidy(string folder)
    {
        string[] left = [.. Directory.GetFileSystemEntries(folder, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(folder, path))];
        Assert.DoesNotContain(left, path => path.EndsWith(".tmp") || path.Contains("step-") || path.Contains("damaged") || path.EndsWith("owner.txt"));
    }

    private static void KillAgainAndAgain(string kind, string folder, int steps, Action<string> readCheckpoint)
    {
        var moments = new SplitMix64(17);
        for (int kill = 1; kill <= Kills; kill++)
        {
            int reached = KillAfter(kind, folder, steps, 1 + moments.Next(10), TimeSpan.FromMilliseconds(moments.Next(40)));
            string[] checkpoints = Directory.GetDirectories(folder, "step-*", SearchOption.AllDirectories);
            TestContext.Current.TestOutputHelper!.WriteLine($"kill {kill} after step {reached}; left {string.Join(", ", checkpoints.Select(Path.GetFileName))}");
            Assert.All(checkpoints, readCheckpoint);
        }
    }

    [Fact]
    public async Task Two_processes_that_want_the_same_run_train_it_once()
    {
        string folder = _folder.File("shared"), waiting = $"is in use by process {Environment.ProcessId} on {Environment.MachineName}; waiting";
        RunConfig config = TrainingChild.Comparison(30).ConfigOf(TrainingChild.Comparison(30).Arms[0], 1);
        CheckpointFolder held = CheckpointFolder.Open(TrainingChild.Store(folder).CheckpointsOf(config, TrainingFixtures.Text(folder).Corpus.Hash));
        using Process first = TrainingChild.Start(TrainingChild.OnText, folder, 30), second = TrainingChild.Start(TrainingChild.OnText, folder, 30);
        Assert.Contains(waiting, await first.StandardError.ReadLineAsync());
        Assert.Contains(waiting, await second.StandardError.ReadLineAsync());

        held.Dispose();
        string[] notes = await Task.WhenAll(first.StandardError.ReadToEndAsync(), second.StandardError.ReadToEndAsync());
        string[] steps = [await first.StandardOutput.ReadToEndAsync(), await second.StandardOutput.ReadToEndAsync()];
        await first.WaitForExitAsync();
        await second.WaitForExitAsync();

        Assert.True(first.ExitCode == 0 && second.ExitCode == 0, string.Concat(notes));
        Assert.Equal([0, 30], steps.Select(lines => lines.Count(c => c == '\n')).Order());
        Assert.Equal(30, Record(folder, 30).TrainingLoss.Count);
    }

    // Lets the training make some steps, and a part of one or of a checkpoint, and kills it (SIGKILL). Returns the last step heard of.
    private static int KillAfter(string kind, string folder, int steps, int reports, TimeSpan wait)
    {
        using Process child = TrainingChild.Start(kind, folder, steps);
        Task<string> errors = child.StandardError.ReadToEndAsync();
        string? line = null;
        for (int i = 0; i < reports; i++)
        {
            line = child.StandardOutput.ReadLine();
            Assert.True(line is not null, $"The training ended by itself: {(line is null ? errors.Result : "")}");
        }

        Task<string> rest = child.StandardOutput.ReadToEndAsync();
        Thread.Sleep(wait);
        child.Kill();
        child.WaitForExit();
        Assert.True(child.ExitCode != 0, "The training was done before it was killed.");
        return int.Parse((line + "\n" + rest.Result).Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1]);
    }

    private static string Finish(string kind, string folder, int steps)
    {
        using Process child = TrainingChild.Start(kind, folder, steps);
        Task<string> errors = child.StandardError.ReadToEndAsync();
        child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        Assert.True(child.ExitCode == 0, errors.Result);
        return errors.Result;
    }

    private static RunRecord Record(string folder, int steps) =>
        Assert.Single(TrainingChild.Store(folder).FindAll(TrainingChild.Comparison(steps).ConfigOf(TrainingChild.Comparison(steps).Arms[0], 1), Assert.Fail));

    private static string Weights(string folder, int steps)
    {
        RunRecord record = Record(folder, steps);
        return Path.Combine(TrainingChild.Store(folder).ModelOf(record.Config, record.CorpusHash), "model.safetensors");
    }

    private static List<(int Step, double Loss)> Losses(string folder)
    {
        var losses = new List<(int, double)>();
        foreach (string line in File.ReadLines(Assert.Single(Directory.GetFiles(folder, "metrics.jsonl", SearchOption.AllDirectories))))
        {
            using JsonDocument json = JsonDocument.Parse(line);
            if (json.RootElement.TryGetProperty("train/loss", out JsonElement loss))
            {
                losses.Add((json.RootElement.GetProperty("step").GetInt32(), loss.GetDouble()));
            }
        }

        return losses;
    }

    // Every record's checksums hold; the kill may have cut the last one short.
    private static void AssertWholeButForTheEnd(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        int at = 0;
        while (at + 12 <= file.Length)
        {
            int length = (int)BinaryPrimitives.ReadInt64LittleEndian(file.AsSpan(at));
            Assert.Equal(TensorBoardWriter.MaskedCrc(file.AsSpan(at, 8)), BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(at + 8)));
            if (at + 12 + length + 4 > file.Length)
            {
                break;
            }

            Assert.Equal(TensorBoardWriter.MaskedCrc(file.AsSpan(at + 12, length)), BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(at + 12 + length)));
            at += 12 + length + 4;
        }

        Assert.True(at > 0, path);
    }

    private static string Json<T>(T value) => JsonSerializer.Serialize(value, RunRecord.Json);
}
