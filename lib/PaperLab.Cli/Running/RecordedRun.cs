// A recorded run that a page read, on its way from artifacts/runs to data/results.

using System.Text.Json;
using PaperLab.Cli.Checking;

namespace PaperLab.Cli.Running;

/// <summary>A file that a page's numbers come from.</summary>
/// <param name="Name">Its path in the folder of results.</param>
/// <param name="Path">Where the page found it.</param>
/// <param name="Shipped">Where it lies, or will lie, in data/results.</param>
internal sealed record RecordedRun(string Name, string Path, string Shipped)
{
    private const int MostBytes = 100_000;

    /// <summary>Finds the files as RunStore does: those of this checkout's artifacts/runs before those that ship.</summary>
    public static IReadOnlyList<RecordedRun> Locate(IEnumerable<string> names, string page)
    {
        string results = ReadingRules.ResultsOf(page);
        string written = System.IO.Path.GetFullPath(System.IO.Path.Combine(results, "..", "..", "..", "artifacts", "runs", System.IO.Path.GetFileName(results)));
        return [.. names.Select(name =>
        {
            string here = System.IO.Path.Combine(written, name), shipped = System.IO.Path.Combine(results, name);
            return new RecordedRun(name, File.Exists(here) ? here : shipped, shipped);
        })];
    }

    /// <summary>Why the file cannot ship; null when it can.</summary>
    public string? Fault()
    {
        if (!File.Exists(Path))
        {
            return $"the page read {Name}, which is neither in artifacts/runs nor in data/results";
        }

        byte[] bytes = File.ReadAllBytes(Path);
        using JsonDocument record = JsonDocument.Parse(bytes);
        string? preset = record.RootElement.ValueKind == JsonValueKind.Object && record.RootElement.TryGetProperty("Preset", out JsonElement value) ? value.GetString() : null; // a measurement has none, and may be a list
        return bytes.Length > MostBytes ? $"{Path} has {bytes.Length:N0} bytes; a recorded run has at most {MostBytes:N0}"
            : preset is not null and not ReadingRules.CommittedPreset ? $"{Path} is a run of the preset \"{preset}\"; a committed page shows \"{ReadingRules.CommittedPreset}\""
            : null;
    }

    /// <summary>Copies the file to where it ships; true when that changed anything.</summary>
    public bool Ship()
    {
        byte[] bytes = File.ReadAllBytes(Path);
        if (File.Exists(Shipped) && File.ReadAllBytes(Shipped).AsSpan().SequenceEqual(bytes))
        {
            return false;
        }

        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Shipped)!);
        AtomicFile.WriteAllBytes(Shipped, bytes);
        return true;
    }
}
