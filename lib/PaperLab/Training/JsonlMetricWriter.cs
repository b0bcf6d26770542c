// Metrics as lines of JSON: {"step":3,"train/loss":5.25,"train/learning_rate":0.002}. Numbers that JSON has no word for are the
// strings "NaN", "Infinity" and "-Infinity".

using System.Text.Encodings.Web;
using System.Text.Json;

namespace PaperLab.Training;

/// <summary>A file with one line for each step that has metrics; a resumed run goes on in the same file.</summary>
/// <param name="path">The file; its folder is created.</param>
public sealed class JsonlMetricWriter(string path) : IMetricWriter
{
    private static readonly JsonWriterOptions s_plainNames = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private FileStream? _file;

    /// <inheritdoc/>
    public void Begin(int lastStep)
    {
        // A killed run leaves lines after its last checkpoint, and perhaps half a line; the same steps come again.
        string[] kept = lastStep > 0 && File.Exists(path) ? [.. File.ReadLines(path).TakeWhile(line => StepOf(line) <= lastStep)] : [];
        AtomicFile.WriteAllText(path, string.Concat(kept.Select(line => line + "\n")));
        _file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read | FileShare.Delete, bufferSize: 0);
    }

    /// <inheritdoc/>
    public void Write(int ofStep, IReadOnlyList<Metric> metrics)
    {
        using var line = new MemoryStream();
        using (var json = new Utf8JsonWriter(line, s_plainNames))
        {
            json.WriteStartObject();
            json.WriteNumber("step", ofStep);
            foreach (Metric metric in metrics)
            {
                json.WritePropertyName(metric.Name);
                JsonSerializer.Serialize(json, metric.Value, RunRecord.Json);
            }

            json.WriteEndObject();
        }

        line.WriteByte((byte)'\n');
        (_file ?? throw new InvalidOperationException("Begin comes first.")).Write(line.GetBuffer(), 0, (int)line.Length);
    }

    /// <inheritdoc/>
    public void Dispose() => _file?.Dispose();

    // A line that is not whole counts as later than any step.
    private static int StepOf(string line)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(line);
            return json.RootElement.GetProperty("step").GetInt32();
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return int.MaxValue;
        }
    }
}
