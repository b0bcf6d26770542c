// Files that the generator beside this wrote: a case's config, inputs and parameters, and what the reference made of them.

using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using PaperLab.Checkpoints;
using PaperLab.Models;
using PaperLab.Training;
using static TorchSharp.torch;

namespace PaperLab.Tests.Parity;

/// <summary>One case.</summary>
internal sealed class Fixture : IDisposable
{
    // A field of the config that the library does not have would silently test something else.
    private static readonly JsonSerializerOptions Strict = new(RunRecord.Json) { UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow };

    private readonly SafetensorsFile _file;
    private readonly List<(string Name, double Error)> _errors = [];

    private Fixture(SafetensorsFile file) => _file = file;

    /// <summary>Where the fixtures lie beside the tests.</summary>
    public static string Folder { get; } = Path.Combine(AppContext.BaseDirectory, "Parity", "Fixtures");

    /// <summary>The cases in a folder.</summary>
    public static IEnumerable<string> Names(string folder) =>
        Directory.EnumerateFiles(Path.Combine(Folder, folder), "*.safetensors").Select(path => Path.GetFileNameWithoutExtension(path)).Order(StringComparer.Ordinal);

    /// <summary>The folders in a folder: one for each Hugging Face family.</summary>
    public static IEnumerable<string> Folders(string folder) =>
        Directory.EnumerateDirectories(Path.Combine(Folder, folder)).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal);

    public static Fixture Open(string folder, string name) => new(SafetensorsFile.Open(Path.Combine(Folder, folder, name + ".safetensors")));

    public bool Has(string name) => _file.Names.Contains(name);

    /// <summary>The case's config as one of the library's records.</summary>
    public T Config<T>() => JsonSerializer.Deserialize<T>(_file.Metadata["config"], Strict)!;

    /// <summary>A tensor of the case, in memory of its own.</summary>
    public Tensor this[string name] => _file.Tensor(name).clone();

    /// <summary>The names behind a prefix: "param." gives the parameters.</summary>
    public IEnumerable<string> NamesOf(string prefix) =>
        _file.Names.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).Select(name => name[prefix.Length..]);

    /// <summary>A model with the case's parameters and buffers, which must be the model's own, name by name and shape by shape.</summary>
    public Transformer Model(TransformerConfig config)
    {
        var model = new Transformer(config, initialize: false);
        using var noGrad = no_grad();
        Fill(model.named_parameters().ToDictionary(named => named.name, named => (Tensor)named.parameter), "param.");
        Fill(model.named_buffers().ToDictionary(named => named.name, named => named.buffer), "buffer.");
        return model;

        void Fill(Dictionary<string, Tensor> own, string prefix)
        {
            Assert.Equal(NamesOf(prefix).Order(StringComparer.Ordinal), own.Keys.Order(StringComparer.Ordinal));
            foreach ((string name, Tensor value) in own)
            {
                Tensor stored = this[prefix + name];
                Assert.True(stored.shape.SequenceEqual(value.shape), $"{name} has shape [{string.Join(", ", value.shape)}], the reference's [{string.Join(", ", stored.shape)}].");
                value.copy_(stored);
            }
        }
    }

    /// <summary>Notes how far <paramref name="actual"/> is from the tensor of this name: the largest difference over the largest value.</summary>
    public void Compare(string name, Tensor? actual)
    {
        Assert.True(actual is not null, $"{name}: the library gives none.");
        Tensor expected = _file.Tensor(name);
        Assert.True(expected.shape.SequenceEqual(actual.shape), $"{name} has shape [{string.Join(", ", actual.shape)}], the reference's [{string.Join(", ", expected.shape)}].");
        double difference = (actual.to(ScalarType.Float64) - expected.to(ScalarType.Float64)).abs().max().item<double>();
        double largest = expected.abs().max().to(ScalarType.Float64).item<double>();
        _errors.Add((name, difference == 0 ? 0 : difference / largest));
    }

    /// <summary>Fails when any comparison was further off than <paramref name="limit"/>, and lists the worst.</summary>
    public void RequireErrorsBelow(double limit)
    {
        Assert.NotEmpty(_errors);
        var message = new StringBuilder();
        foreach ((string name, double error) in _errors.Where(entry => !(entry.Error <= limit)).OrderByDescending(entry => entry.Error).Take(8))
        {
            message.AppendLine($"{name}: relative error {error:E2}");
        }

        Assert.True(message.Length == 0, $"Above {limit:E0}:{Environment.NewLine}{message}");
    }

    public void Dispose() => _file.Dispose();
}
