// The checkpoints of one run, and the right to train it.
//
// A checkpoint appears by one rename of a folder whose files are on the disk, and goes by one rename too, so a process that is killed at
// any moment leaves whole checkpoints and perhaps a hidden folder that the next one clears away. A damaged checkpoint (a disk's doing)
// is renamed, never deleted. .NET cannot flush a folder itself: after a power failure the newest rename may be missing, and the
// checkpoint before it serves.
//
// The right to train is a lock on a file beside the folder, which the system takes back when the process ends, however it ends. The file
// stays when the run is done: deleting it could let two processes hold two files of the same name.

using System.Diagnostics;
using PaperLab.Checkpoints;

namespace PaperLab.Training;

/// <summary>Reads, writes and clears away a run's checkpoints. Open in one process at a time.</summary>
public sealed class CheckpointFolder : IDisposable
{
    private const string StepPrefix = "step-";
    private const string OwnerFile = "owner.txt";
    private static readonly TimeSpan s_betweenAttempts = TimeSpan.FromSeconds(0.5);

    private readonly CheckpointOptions _options;
    private readonly Action<string> _note;
    private readonly FileStream _lock;
    private long _lastWritten = Stopwatch.GetTimestamp();

    private CheckpointFolder(string path, CheckpointOptions options, Action<string> note, FileStream held)
    {
        (Path, _options, _note, _lock) = (path, options, note, held);
        AtomicFile.WriteAllText(In(OwnerFile), $"process {Environment.ProcessId} on {Environment.MachineName}\n");
        foreach (string leftover in Directory.GetDirectories(path, ".*.tmp"))
        {
            Directory.Delete(leftover, recursive: true);
        }
    }

    /// <summary>Where the checkpoints lie.</summary>
    public string Path { get; }

    /// <summary>Opens the folder, creating it; where another process trains the run, says which and waits until it is done.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="options">When to write and how many to keep.</param>
    /// <param name="note">Told of waiting and of damaged checkpoints.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public static CheckpointFolder Open(string path, CheckpointOptions? options = null, Action<string>? note = null, CancellationToken cancellation = default)
    {
        options ??= new CheckpointOptions();
        options.Validate();
        path = System.IO.Path.GetFullPath(path);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        bool told = false;
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            if (TryLock(path + ".lock") is { } held)
            {
                Directory.CreateDirectory(path);
                return new CheckpointFolder(path, options, note ?? (_ => { }), held);
            }

            if (!told)
            {
                note?.Invoke($"{path} is in use by {OwnerOf(path)}; waiting until it is done with this run.");
                told = true;
            }

            cancellation.WaitHandle.WaitOne(s_betweenAttempts);
        }
    }

    /// <summary>Whether another process, or this one, trains the run at the moment.</summary>
    public static bool IsInUse(string path)
    {
        if (!File.Exists(path + ".lock"))
        {
            return false;
        }

        using FileStream? free = TryLock(path + ".lock");
        return free is null;
    }

    /// <summary>The newest sound checkpoint and its folder; null when there is none. Damaged ones are set aside and told of.</summary>
    /// <param name="read">Reads one, and throws <see cref="InvalidDataException"/> where it is damaged.</param>
    /// <exception cref="CheckpointException">It belongs to another run, or another version wrote it.</exception>
    internal (T Checkpoint, string Folder)? Latest<T>(Func<string, T> read)
        where T : Checkpoint
    {
        foreach (string folder in Newest())
        {
            try
            {
                return (read(folder), folder);
            }
            catch (InvalidDataException damage)
            {
                string aside = SetAside(folder);
                string instead = Newest().FirstOrDefault() is { } older ? $"the one before it, {System.IO.Path.GetFileName(older)}, is taken" : "there is no older one, so the run starts again";
                _note($"The checkpoint {folder} is damaged: {damage.Message}. It was kept as {System.IO.Path.GetFileName(aside)}; {instead}.");
            }
        }

        return null;
    }

    /// <summary>Whether it is time for a checkpoint after this step.</summary>
    internal bool IsDue(int step) => step % _options.EverySteps == 0 || Stopwatch.GetElapsedTime(_lastWritten) >= _options.Interval;

    /// <summary>Writes a checkpoint and clears away those that need not stay. Returns its folder.</summary>
    /// <param name="step">Steps done.</param>
    /// <param name="best">The step whose checkpoint stays whatever comes after it; null for none.</param>
    /// <param name="write">Writes it into a folder.</param>
    internal string Save(int step, int? best, Action<string> write)
    {
        string folder = FolderOf(step);
        if (!Directory.Exists(folder)) // else the run was interrupted again before its next step
        {
            string temporary = In($".{System.IO.Path.GetFileName(folder)}.tmp");
            write(temporary);
            Directory.Move(temporary, folder);
        }

        string? stays = best is { } of ? FolderOf(of) : null;
        foreach (string old in Newest().Skip(_options.Keep).Where(old => old != stays))
        {
            Remove(old);
        }

        _lastWritten = Stopwatch.GetTimestamp();
        return folder;
    }

    /// <summary>The folder of the newest checkpoint; null when there is none.</summary>
    internal string? NewestFolder => Newest().FirstOrDefault();

    /// <summary>Takes the checkpoints away: the run is done and recorded, or shall begin anew.</summary>
    public void Clear()
    {
        foreach (string folder in Newest())
        {
            Remove(folder);
        }
    }

    /// <summary>Lets the next process have the run. Without checkpoints the folder goes.</summary>
    public void Dispose()
    {
        File.Delete(In(OwnerFile));
        if (!Directory.EnumerateFileSystemEntries(Path).Any())
        {
            Directory.Delete(Path);
        }

        _lock.Dispose();
    }

    private string In(string name) => System.IO.Path.Combine(Path, name);

    private string FolderOf(int step) => In($"{StepPrefix}{step:D8}");

    private string[] Newest() => [.. Directory.GetDirectories(Path, StepPrefix + "*").OrderDescending(StringComparer.Ordinal)];

    private void Remove(string folder)
    {
        string hidden = In($".{System.IO.Path.GetFileName(folder)}.old.tmp");
        Directory.Move(folder, hidden);
        Directory.Delete(hidden, recursive: true);
    }

    private string SetAside(string folder)
    {
        string name = "damaged-" + System.IO.Path.GetFileName(folder);
        string aside = Enumerable.Range(1, int.MaxValue).Select(i => In(i == 1 ? name : $"{name}-{i}")).First(path => !Directory.Exists(path));
        Directory.Move(folder, aside);
        return aside;
    }

    /// <summary>The right to what this file stands for, until it is disposed or the process ends; null where another has it.</summary>
    internal static FileStream? TryLock(string path)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException error) when (error.GetType() == typeof(IOException) && File.Exists(path))
        {
            return null; // shared with another process
        }
    }

    private static string OwnerOf(string path)
    {
        try
        {
            return File.ReadAllText(System.IO.Path.Combine(path, OwnerFile)).Trim();
        }
        catch (IOException)
        {
            return "another process"; // which has not said yet, or no more, who it is
        }
    }
}
