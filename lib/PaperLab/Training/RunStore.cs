// Finished runs on disk, one JSON file each, named by the hash of the config. New runs go to artifacts/runs; the runs that ship
// with the repository lie in data/results and are only read.

using System.Text.Json;

namespace PaperLab.Training;

/// <summary>Looks finished runs up and keeps new ones.</summary>
public sealed class RunStore
{
    private readonly string _written;
    private readonly string? _shipped;

    /// <param name="written">Folder that new runs go to.</param>
    /// <param name="shipped">Folder of runs that are only read; null for none.</param>
    public RunStore(string written, string? shipped = null)
    {
        _written = written;
        _shipped = shipped;
    }

    /// <summary>The store of a checkout: artifacts/runs and data/results under the folder that holds PaperLab.sln, or ./artifacts/runs outside one.</summary>
    public static RunStore Default { get; } = Checkout.Root is { } root
        ? new RunStore(Path.Combine(root, "artifacts", "runs"), Path.Combine(root, "data", "results"))
        : new RunStore(Path.Combine("artifacts", "runs"));

    /// <summary>The finished run with this config, or null. A file that cannot be read is reported to <paramref name="warn"/>, kept, and counts as absent.</summary>
    public RunRecord? Find(RunConfig config, Action<string>? warn = null)
    {
        foreach (string folder in new[] { _written, _shipped }.OfType<string>())
        {
            string path = FileOf(folder, config);
            if (File.Exists(path) && Read(path, config, warn) is { } record)
            {
                return record;
            }
        }

        return null;
    }

    /// <summary>Keeps a finished run and returns its file.</summary>
    public string Save(RunRecord record)
    {
        string path = FileOf(_written, record.Config);
        AtomicFile.WriteAllText(path, JsonSerializer.Serialize(record, RunRecord.Json) + "\n");
        return path;
    }

    private static string FileOf(string folder, RunConfig config) => Path.Combine(folder, config.Paper, $"{config.Key}.json");

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
