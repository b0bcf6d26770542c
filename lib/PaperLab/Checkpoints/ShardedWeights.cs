// The weights of a model in one safetensors file or many, the way Hugging Face lays them in a folder:
// model.safetensors, or model-00001-of-0000N.safetensors … with model.safetensors.index.json, which says what lies where.

using System.Text.Json;
using static TorchSharp.torch;

namespace PaperLab.Checkpoints;

/// <summary>Named tensors in a folder. Tensors taken from it live on after it is disposed of.</summary>
public sealed class ShardedWeights : IDisposable
{
    /// <summary>The file where one holds everything.</summary>
    public const string SingleFile = "model.safetensors";

    /// <summary>The file that lists the others where there are many.</summary>
    public const string IndexFile = "model.safetensors.index.json";

    /// <summary>Largest file that <see cref="Write"/> makes unless told otherwise: 5 GB.</summary>
    public const long DefaultShardBytes = 5_000_000_000;

    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true };

    private readonly SafetensorsFile[] _files;
    private readonly Dictionary<string, SafetensorsFile> _fileOf;

    private ShardedWeights(string folder, SafetensorsFile[] files)
    {
        Folder = folder;
        _files = files;
        _fileOf = files.SelectMany(file => file.Names, (file, name) => (file, name)).ToDictionary(pair => pair.name, pair => pair.file);
        Names = [.. _fileOf.Keys];
    }

    /// <summary>Where the files lie.</summary>
    public string Folder { get; }

    /// <summary>All tensors' names.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Opens the one file, or all that the index names.</summary>
    /// <exception cref="CheckpointException">Something is missing or damaged; the message names the file.</exception>
    public static ShardedWeights Open(string folder)
    {
        string single = Path.Combine(folder, SingleFile);
        if (File.Exists(single))
        {
            return new ShardedWeights(folder, [SafetensorsFile.Open(single)]);
        }

        string index = Path.Combine(folder, IndexFile);
        if (!File.Exists(index))
        {
            throw new CheckpointException(folder, $"it holds neither {SingleFile} nor {IndexFile}.",
                "Name the folder of a checkpoint; one in another format (pytorch_model.bin, .gguf) is first saved as safetensors.");
        }

        Dictionary<string, string> weightMap = ReadIndex(index);
        var files = new List<SafetensorsFile>();
        try
        {
            foreach (string file in weightMap.Values.Distinct().Order(StringComparer.Ordinal))
            {
                files.Add(SafetensorsFile.Open(Path.Combine(folder, file)));
            }

            CheckIndex(index, weightMap, files);
            return new ShardedWeights(folder, [.. files]);
        }
        catch
        {
            files.ForEach(file => file.Dispose());
            throw;
        }
    }

    /// <summary>Writes the tensors into <paramref name="folder"/>, in their order, as few files as <paramref name="maxShardBytes"/> allows; the index last.</summary>
    /// <param name="folder">Made where it is missing. It must not hold weights: two sets in one folder could be mixed up.</param>
    /// <param name="tensors">Names, each once, and tensors.</param>
    /// <param name="maxShardBytes">Most bytes of tensors in one file; a larger tensor gets a file of its own.</param>
    /// <param name="metadata">Free text pairs for each file.</param>
    /// <exception cref="CheckpointException">The folder holds weights.</exception>
    public static void Write(string folder, IEnumerable<(string Name, Tensor Tensor)> tensors, long maxShardBytes = DefaultShardBytes, IReadOnlyDictionary<string, string>? metadata = null)
    {
        Require.That(maxShardBytes > 0, nameof(maxShardBytes), maxShardBytes, "1 or more");
        if (Directory.Exists(folder) && Directory.EnumerateFiles(folder, "*.safetensors*").FirstOrDefault() is { } old)
        {
            throw new CheckpointException(old, "weights are in the folder already.", "Write to a new folder, or delete these.");
        }

        List<List<(string Name, Tensor Tensor)>> shards = Split(tensors, maxShardBytes);
        if (shards.Count == 1)
        {
            SafetensorsFile.Write(Path.Combine(folder, SingleFile), shards[0], metadata);
            return;
        }

        var weightMap = new SortedDictionary<string, string>(StringComparer.Ordinal);
        for (int i = 0; i < shards.Count; i++)
        {
            string file = $"model-{i + 1:D5}-of-{shards.Count:D5}.safetensors";
            SafetensorsFile.Write(Path.Combine(folder, file), shards[i], metadata);
            shards[i].ForEach(tensor => weightMap.Add(tensor.Name, file));
        }

        var index = new { metadata = new { total_size = shards.Sum(shard => shard.Sum(tensor => Bytes(tensor.Tensor))) }, weight_map = weightMap };
        AtomicFile.WriteAllText(Path.Combine(folder, IndexFile), JsonSerializer.Serialize(index, s_json) + "\n");
    }

    /// <summary>The file that holds a tensor.</summary>
    public string FileOf(string name) => Entry(name).Path;

    /// <summary>Sizes of a tensor.</summary>
    public long[] Shape(string name) => Entry(name).Shape(name);

    /// <summary>Element type of a tensor.</summary>
    public ScalarType Dtype(string name) => Entry(name).Dtype(name);

    /// <summary>The tensor, on its mapped file: <see cref="SafetensorsFile.Tensor"/>.</summary>
    public Tensor Tensor(string name) => Entry(name).Tensor(name);

    public void Dispose() => Array.ForEach(_files, file => file.Dispose());

    private SafetensorsFile Entry(string name) => _fileOf.TryGetValue(name, out SafetensorsFile? file) ? file : throw new CheckpointException(
        Folder, $"there is no tensor '{name}'.", $"The checkpoint holds {Names.Count}: {string.Join(", ", Names.Take(5))}{(Names.Count > 5 ? ", …" : ".")}");

    private static long Bytes(Tensor tensor) => tensor.numel() * tensor.ElementSize;

    private static List<List<(string Name, Tensor Tensor)>> Split(IEnumerable<(string Name, Tensor Tensor)> tensors, long maxShardBytes)
    {
        List<List<(string, Tensor)>> shards = [[]];
        long filled = 0;
        foreach ((string name, Tensor tensor) in tensors)
        {
            if (filled > 0 && filled + Bytes(tensor) > maxShardBytes)
            {
                shards.Add([]);
                filled = 0;
            }

            shards[^1].Add((name, tensor));
            filled += Bytes(tensor);
        }

        return shards;
    }

    private static Dictionary<string, string> ReadIndex(string path)
    {
        const string Remedy = "Copy or download it again.";
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("weight_map", out JsonElement map) || map.ValueKind != JsonValueKind.Object)
            {
                throw new CheckpointException(path, "it has no object weight_map.", Remedy);
            }

            var weightMap = new Dictionary<string, string>();
            foreach (JsonProperty entry in map.EnumerateObject())
            {
                string? file = entry.Value.ValueKind == JsonValueKind.String ? entry.Value.GetString() : null;
                if (file is null or "" or "." or ".." || Path.GetFileName(file) != file)
                {
                    throw new CheckpointException(path, $"weight_map gives '{entry.Name}' the file {entry.Value.GetRawText()}; it must be a name in the same folder.", Remedy);
                }

                if (!weightMap.TryAdd(entry.Name, file))
                {
                    throw new CheckpointException(path, $"weight_map names '{entry.Name}' twice.", Remedy);
                }
            }

            return weightMap;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new CheckpointException(path, $"it is not JSON ({error.Message}).", Remedy, error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(path, $"it cannot be read ({error.Message}).", "Check the permissions.", error);
        }
    }

    // The index and the files must agree, name by name: a shard of another version would otherwise go unnoticed.
    private static void CheckIndex(string path, Dictionary<string, string> weightMap, List<SafetensorsFile> files)
    {
        HashSet<(string File, string Name)> listed = [.. weightMap.Select(entry => (entry.Value, entry.Key))];
        HashSet<(string File, string Name)> found = [.. files.SelectMany(file => file.Names, (file, name) => (Path.GetFileName(file.Path), name))];
        string[] wrong =
        [
            .. listed.Except(found).Select(entry => $"{entry.File} lacks '{entry.Name}'"),
            .. found.Except(listed).Select(entry => $"{entry.File} holds '{entry.Name}', which the index does not list there"),
        ];
        if (wrong.Length > 0)
        {
            throw new CheckpointException(path, $"it does not fit the files: {string.Join("; ", wrong.Order(StringComparer.Ordinal).Take(20))}{(wrong.Length > 20 ? $"; and {wrong.Length - 20} more" : "")}.",
                "The files are of different versions, or the copy is incomplete: get them again.");
        }
    }
}
