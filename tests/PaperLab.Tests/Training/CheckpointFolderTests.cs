using PaperLab.Training;

namespace PaperLab.Tests.Training;

public sealed class CheckpointFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _notes = [];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_second_trainer_of_a_run_says_who_is_at_it_and_waits()
    {
        string path = _folder.File("run");
        var told = new TaskCompletionSource<string>();
        CheckpointFolder first = CheckpointFolder.Open(path);
        Task<CheckpointFolder> second = Task.Run(() => CheckpointFolder.Open(path, note: told.SetResult));

        Assert.Equal($"{path} is in use by process {Environment.ProcessId} on {Environment.MachineName}; waiting until it is done with this run.", await told.Task);
        Assert.False(second.IsCompleted);
        first.Dispose();
        (await second).Dispose();
    }

    [Fact]
    public void Waiting_ends_when_it_is_cancelled()
    {
        string path = _folder.File("run");
        using CheckpointFolder first = CheckpointFolder.Open(path);
        using var source = new CancellationTokenSource();

        Assert.Throws<OperationCanceledException>(() => CheckpointFolder.Open(path, note: _ => source.Cancel(), cancellation: source.Token));
    }

    [Fact]
    public void What_a_killed_writer_left_is_cleared_away_and_what_is_not_its_own_stays()
    {
        string path = _folder.File("run");
        Directory.CreateDirectory(Path.Combine(path, ".step-00000003.tmp"));
        File.WriteAllText(Path.Combine(path, ".step-00000003.tmp", "weights.safetensors"), "half");
        File.WriteAllText(Path.Combine(path, "notes.txt"), "mine");

        CheckpointFolder.Open(path).Dispose();

        Assert.Equal(["notes.txt"], Directory.GetFileSystemEntries(path).Select(Path.GetFileName));
    }

    [Fact]
    public void A_folder_that_holds_nothing_goes()
    {
        string path = _folder.File("run");
        CheckpointFolder.Open(path).Dispose();

        Assert.False(Directory.Exists(path));
    }

    [Theory]
    [InlineData(0, 2, "EverySteps is 0; allowed: 1 or more")]
    [InlineData(5, 0, "Keep is 0; allowed: 1 or more")]
    public void Options_out_of_range_are_refused(int everySteps, int keep, string message)
    {
        Assert.Contains(message, Assert.Throws<ArgumentException>(() => CheckpointFolder.Open(_folder.File("run"), new CheckpointOptions { EverySteps = everySteps, Keep = keep })).Message);
    }

    [Fact]
    public void A_place_that_is_a_file_is_an_error_and_no_reason_to_wait()
    {
        File.WriteAllText(_folder.File("run"), "not a folder");

        Assert.ThrowsAny<IOException>(() => CheckpointFolder.Open(_folder.File("run"), note: _notes.Add));
        Assert.Empty(_notes);
    }
}
