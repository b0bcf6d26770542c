// Finished runs on disk, one JSON file each, named by the hash of the config and the beginning of the corpus's. New runs go to
// artifacts/runs; the runs that ship with the repository lie in data/results and are only read.
//
// The same config on another corpus is another run, and the corpus moves: it is made of the SDK's texts and of this repository's code.
// So a store can hold several records for one config, and who asks says which corpus it must be, or takes all and compares.

using System.Security.Cryptography;
using System.Text.Json;

namespace PaperLab.Training;

/// <summary>Looks finished runs up, keeps new ones, and knows where the files of unfinished ones lie. Safe for several processes at once.</summary>
public sealed class RunStore
{
    private readonly string _written;
    private readonly string? _shipped;
    private readonly string _work;
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, RunSource> _sources = new(StringComparer.Ordinal);

    /// <param name="written">Folder that new runs go to.</param>
    /// <param name="shipped">Folder of runs that are only read; null for none.</param>
    /// <param name="work">Folder of checkpoints, metrics and models, each in a folder of its own; <paramref name="written"/> by default.</param>
    public RunStore(string written, string? shipped = null, string? work = null)
    {
        _written = written;
        _shipped = shipped;
        _work = work ?? written;
    }

    /// <summary>
    /// The store of a checkout: artifacts/runs and data/results under the folder that holds PaperLab.sln, or ./artifacts/runs outside
    /// one; checkpoints, metrics and models under artifacts.
    /// </summary>
    public static RunStore Default { get; } = Checkout.Root is { } root
        ? new RunStore(Path.Combine(root, "artifacts", "runs"), Path.Combine(root, "data", "results"), Path.Combine(root, "artifacts"))
        : new RunStore(Path.Combine("artifacts", "runs"), work: "artifacts");

    /// <summary>The files that were read or written through this store so far, by name: what the numbers of a page come from.</summary>
    public IReadOnlyList<RunSource> Sources
    {
        get
        {
            lock (_gate)
            {
                return [.. _sources.Values];
            }
        }
    }

    /// <summary>
    /// The recorded runs of a paper at a preset, or at any: those that ship, else those made here. Files that cannot be read are left out;
    /// the search for a single run names them.
    /// </summary>
    public IReadOnlyList<IRecordedRun> RecordsOf(string paper, string? preset = null) =>
        new[] { _shipped, _written }.OfType<string>().Select(folder => Path.Combine(folder, paper)).Where(Directory.Exists)
            .Select(folder => Directory.GetFiles(folder, "*.json").Order(StringComparer.Ordinal).Select(TryRead).OfType<IRecordedRun>().Where(record => preset is null || record.Preset == preset).ToArray())
            .FirstOrDefault(records => records.Length > 0) ?? [];

    /// <summary>The finished run with this config on this corpus, or null.</summary>
    /// <param name="config">The config.</param>
    /// <param name="corpusHash">The corpus's hash.</param>
    /// <param name="warn">Told of files that cannot be read; they are kept, and count as absent.</param>
    public RunRecord? Find(RunConfig config, string corpusHash, Action<string>? warn = null) =>
        FindAll(config, warn).FirstOrDefault(record => record.CorpusHash == corpusHash);

    /// <summary>The finished runs with this config, on whatever corpus, those made here before those that ship, newest first.</summary>
    /// <param name="config">The config.</param>
    /// <param name="warn">Told of files that cannot be read; they are kept, and count as absent.</param>
    public IReadOnlyList<RunRecord> FindAll(RunConfig config, Action<string>? warn = null) =>
    [
        .. new[] { _written, _shipped }.OfType<string>().Select(folder => Path.Combine(folder, config.Paper)).Where(Directory.Exists)
            .SelectMany(folder => Directory.GetFiles(folder, config.Key + "*.json").Order(StringComparer.Ordinal).Select(path => ReadNoted(path, config, warn)).OfType<RunRecord>()
                .OrderByDescending(record => record.Finished)),
    ];

    private RunRecord? ReadNoted(string path, RunConfig config, Action<string>? warn)
    {
        RunRecord? record = Read(path, config, warn);
        if (record is not null)
        {
            Note(RunSource.Of(path, record, made: false));
        }

        return record;
    }

    private void Note(RunSource source)
    {
        lock (_gate)
        {
            // Made here and read again is still made here.
            _sources[source.File] = source with { Made = source.Made || _sources.GetValueOrDefault(source.File)?.Made == true };
        }
    }

    /// <summary>Keeps a finished run and returns its file. A file of that name that cannot be read is renamed, not replaced.</summary>
    public string Save(RunRecord record)
    {
        string path = RecordOf(record.Config, record.CorpusHash);
        if (File.Exists(path) && Read(path, record.Config, warn: null) is null)
        {
            File.Move(path, path + ".unreadable", overwrite: true);
        }

        AtomicFile.WriteAllText(path, JsonSerializer.Serialize(record, RunRecord.Json) + "\n");
        Note(RunSource.Of(path, record, made: true));
        return path;
    }

    /// <summary>A measurement that is no training: the one kept under these settings, made here before those that ship, else a new one, which is kept.</summary>
    /// <param name="paper">The notebook it belongs to.</param>
    /// <param name="settings">Everything that was asked for; its JSON names the file, in the paper's folder of measurements.</param>
    /// <param name="measure">Makes it.</param>
    /// <param name="fresh">Measure anew, whatever is kept.</param>
    /// <param name="warn">Told of a file that cannot be read, whose measurement is made again, and of waiting for another process that makes this one.</param>
    public T Measured<T>(string paper, object settings, Func<T> measure, bool fresh = false, Action<string>? warn = null)
        where T : class =>
        Kept(Path.Combine(paper, "measurements"), settings, _ => measure(), _ => true, fresh, checkpoints: null, warn, CancellationToken.None);

    /// <summary>A training whose record is not a <see cref="RunRecord"/>: the one kept under this config, made here before those that ship, else a new one, which is kept.</summary>
    /// <param name="paper">The notebook it belongs to.</param>
    /// <param name="config">Everything that decides its numbers; its JSON names the file, in the paper's folder.</param>
    /// <param name="train">Trains it; gets the folder of its checkpoints, which is cleared when the record is safe.</param>
    /// <param name="usable">Whether a kept record will do.</param>
    /// <param name="fresh">Train from the start, whatever is kept.</param>
    /// <param name="checkpoints">When to write checkpoints.</param>
    /// <param name="note">Told of files that cannot be read, of waiting and of damaged checkpoints.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    internal T Recorded<T>(string paper, object config, Func<CheckpointFolder, T> train, Predicate<T> usable, bool fresh, CheckpointOptions? checkpoints, Action<string>? note, CancellationToken cancellation)
        where T : class, IRecordedRun =>
        Kept(paper, config, train, usable, fresh, checkpoints, note, cancellation);

    /// <summary>Whether a record is kept under this config that can be read.</summary>
    internal bool Holds(string paper, object config) =>
        new[] { _written, _shipped }.OfType<string>().Any(root => TryRead(Path.Combine(root, paper, KeyOf(config) + ".json")) is not null);

    /// <summary>Whether another process, or this one, makes what is kept under this config at the moment.</summary>
    internal bool IsInUse(string paper, object config) => CheckpointFolder.IsInUse(CheckpointsOf(paper, KeyOf(config)));

    /// <summary>The name that a config has in the store.</summary>
    internal static string KeyOf(object config) => Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(config, RunRecord.Json)))[..16];

    /// <summary>The file of weights that a training leaves for those that go on from it.</summary>
    internal string WeightsOf(string paper, object config) => Path.Combine(_work, "models", paper, KeyOf(config) + ".safetensors");

    private string CheckpointsOf(string folder, string key) => Path.Combine(_work, "checkpoints", folder, key);

    private T Kept<T>(string folder, object settings, Func<CheckpointFolder, T> make, Predicate<T> usable, bool fresh, CheckpointOptions? checkpoints, Action<string>? warn, CancellationToken cancellation)
        where T : class
    {
        string key = KeyOf(settings);
        string PathIn(string root) => Path.Combine(root, folder, key + ".json");
        if (!fresh && Find(warn) is { } found)
        {
            return found;
        }

        // One process at a time: two that make the same would slow each other, and the second has nothing left to do.
        using CheckpointFolder turn = CheckpointFolder.Open(CheckpointsOf(folder, key), checkpoints, warn, cancellation);
        if (fresh)
        {
            turn.Clear();
        }
        else if (Find(warn: null) is { } meanwhile)
        {
            return meanwhile;
        }

        T made = make(turn);
        if (File.Exists(PathIn(_written)) && Read(PathIn(_written), warn: null) is null)
        {
            File.Move(PathIn(_written), PathIn(_written) + ".unreadable", overwrite: true);
        }

        AtomicFile.WriteAllText(PathIn(_written), JsonSerializer.Serialize(made, RunRecord.Json) + "\n");
        turn.Clear();
        Note(SourceOf(made, isMade: true));
        return made;

        T? Find(Action<string>? warn)
        {
            T? kept = new[] { _written, _shipped }.OfType<string>().Select(PathIn).Where(File.Exists).Select(path => Read(path, warn)).OfType<T>().FirstOrDefault(found => usable(found));
            if (kept is not null)
            {
                Note(SourceOf(kept, isMade: false));
            }

            return kept;
        }

        RunSource SourceOf(T kept, bool isMade) => new(kept is IRecordedRun ? key + ".json" : $"measurements/{key}.json", kept as IRecordedRun, isMade);

        T? Read(string path, Action<string>? warn)
        {
            try
            {
                return JsonSerializer.Deserialize<T>(File.ReadAllText(path), RunRecord.Json) ?? throw new JsonException("the file holds null");
            }
            catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException)
            {
                warn?.Invoke($"{path} cannot be read ({error.Message}); {(typeof(T).IsAssignableTo(typeof(IRecordedRun)) ? "the run" : "the measurement")} is made again.");
                return null;
            }
        }
    }

    /// <summary>The file that a new record of a run goes to.</summary>
    public string RecordOf(RunConfig config, string corpusHash) => Path.Combine(_written, config.Paper, NameOf(config, corpusHash) + ".json");

    /// <summary>The folder of a run's checkpoints.</summary>
    public string CheckpointsOf(RunConfig config, string corpusHash) => Path.Combine(_work, "checkpoints", config.Paper, NameOf(config, corpusHash));

    /// <summary>The folder of a run's metrics.</summary>
    public string MetricsOf(RunConfig config, string corpusHash) => Path.Combine(_work, "metrics", config.Paper, NameOf(config, corpusHash));

    /// <summary>The folder of a run's trained model, for <see cref="Checkpoints.HuggingFaceModel.Load"/>. It is there when the run was asked to keep it.</summary>
    public string ModelOf(RunConfig config, string corpusHash) => Path.Combine(_work, "models", config.Paper, NameOf(config, corpusHash));

    private static string NameOf(RunConfig config, string corpusHash) => $"{config.Key}-{corpusHash[..8]}";

    private static RecordedRun? TryRead(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<RecordedRun>(File.ReadAllText(path), RunRecord.Json) is { Format: RunRecord.CurrentFormat } record ? record : null;
        }
        catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // What records of every kind have; a measurement does not.
    private sealed record RecordedRun(int Format, string Preset, RunEnvironment Environment, DateTimeOffset Finished, double TrainingSeconds) : IRecordedRun;

    private static RunRecord? Read(string path, RunConfig config, Action<string>? warn)
    {
        try
        {
            RunRecord record = JsonSerializer.Deserialize<RunRecord>(File.ReadAllText(path), RunRecord.Json) ?? throw new JsonException("the file holds null");
            if (record.Format != RunRecord.CurrentFormat)
            {
                warn?.Invoke($"{path} has run-record format {record.Format}, this version reads {RunRecord.CurrentFormat}; the run is made again.");
                return null;
            }

            if (record.Config.Key != config.Key)
            {
                warn?.Invoke($"{path} holds another run ({record.Config.Arm}, seed {record.Config.Seed}); the run is made again.");
                return null;
            }

            return record;
        }
        catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException)
        {
            warn?.Invoke($"{path} cannot be read ({error.Message}); the run is made again.");
            return null;
        }
    }
}

/// <summary>A file that numbers came from.</summary>
/// <param name="File">Its path in the folder of its paper.</param>
/// <param name="Record">The run; null for a measurement.</param>
/// <param name="Made">Made by this process, not found.</param>
public sealed record RunSource(string File, IRecordedRun? Record, bool Made)
{
    internal static RunSource Of(string path, RunRecord? record, bool made) => new(Path.GetFileName(path), record, made);
}
