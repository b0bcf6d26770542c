// Messages of the compilers and the build tools in one language: the satellite assemblies of the SDK,
// read as data (their code, if any, never runs).

using System.Collections;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Resources;

namespace PaperLab.Text.Sources;

/// <summary>A <c>messages-…</c> domain.</summary>
public sealed class ToolMessages : ITextSource
{
    // Consecutive keys of one resource file: a document of a few kilobytes about one tool's matters.
    private const int MessagesPerDocument = 20;

    private readonly SdkLocation _sdk;
    private readonly string _language;

    /// <summary>Messages of <paramref name="sdk"/> in <paramref name="language"/>.</summary>
    /// <exception cref="ArgumentException">There is no such language.</exception>
    /// <exception cref="DirectoryNotFoundException">This SDK's messages do not have it.</exception>
    public ToolMessages(SdkLocation sdk, string language)
    {
        if (!Languages.Contains(language))
        {
            throw new ArgumentException($"The SDK's messages have no language '{language}'; there are {string.Join(", ", Languages)}.", nameof(language));
        }

        if (!sdk.Messages(language).Any())
        {
            throw new DirectoryNotFoundException(
                $"{sdk.SdkFolder} has no messages in '{language}'. A portable bundle brings only the languages that presets of papers use; for the others set DOTNET_ROOT to the folder of a .NET SDK.");
        }

        _sdk = sdk;
        _language = language;
    }

    /// <summary>The languages that the SDK's tools are translated into.</summary>
    public static IReadOnlyList<string> Languages { get; } = ["cs", "de", "es", "fr", "it", "ja", "ko", "pl", "pt-BR", "ru", "tr", "zh-Hans", "zh-Hant"];

    /// <inheritdoc/>
    public string Domain => "messages-" + _language;

    /// <inheritdoc/>
    public bool DropRepeatedLines => true;

    /// <inheritdoc/>
    public string Fingerprint() =>
        string.Join('\n', _sdk.Messages(_language).Select(file => $"{file.Name} {file.Length}").Prepend(Path.GetFileName(_sdk.SdkFolder)));

    /// <inheritdoc/>
    public IEnumerable<SourceDocument> Read()
    {
        // A text that another language has word for word is not translated: it is English (or a name) and not this language.
        string other = _language == "de" ? "fr" : "de";
        Dictionary<string, FileInfo> otherFiles = _sdk.Messages(other).ToDictionary(file => file.Name);
        return _sdk.Messages(_language).AsParallel().AsOrdered().SelectMany(file =>
        {
            var untranslated = new HashSet<(string, string, string)>(otherFiles.TryGetValue(file.Name, out FileInfo? otherFile)
                ? ReadMessages(otherFile.FullName).Select(message => (message.File, message.Key, message.Text))
                : []);
            return Chunk(ReadMessages(file.FullName).Where(message => !untranslated.Contains((message.File, message.Key, message.Text))));
        });
    }

    // Cut by key and not by size: the chunks of all languages then hold the same keys, and one group name puts all on one side.
    private IEnumerable<SourceDocument> Chunk(IEnumerable<Message> messages) => messages
        .GroupBy(message => message.File)
        .SelectMany(file => file
            .GroupBy(message => message.Index / MessagesPerDocument)
            .Select(chunk => new SourceDocument(
                $"{file.Key}/{chunk.Key}.{_language}",
                $"{file.Key}/{chunk.Key}",
                chunk.Select(message => new Section("", CleanText.Clean(message.Text).Split('\n', StringSplitOptions.RemoveEmptyEntries))))));

    /// <summary>The messages of one satellite assembly in the order of their keys.</summary>
    internal static IEnumerable<Message> ReadMessages(string path)
    {
        using var stream = File.OpenRead(path);
        using var image = new PEReader(stream);
        MetadataReader metadata = image.GetMetadataReader();
        PEMemoryBlock resources = image.GetSectionData(image.PEHeaders.CorHeader!.ResourcesDirectory.RelativeVirtualAddress);
        foreach (ManifestResourceHandle handle in metadata.ManifestResources)
        {
            ManifestResource resource = metadata.GetManifestResource(handle);
            string name = metadata.GetString(resource.Name);
            if (!resource.Implementation.IsNil || !name.EndsWith(".resources", StringComparison.Ordinal))
            {
                continue;
            }

            BlobReader blob = resources.GetReader((int)resource.Offset, resources.Length - (int)resource.Offset);
            byte[] content = blob.ReadBytes(blob.ReadInt32());
            string file = TrimLanguage(name[..^".resources".Length]);
            int index = 0;
            foreach ((string key, string text) in ReadStrings(content).OrderBy(entry => entry.Key, StringComparer.Ordinal))
            {
                yield return new Message(file, key, index++, text);
            }
        }
    }

    private static string TrimLanguage(string name)
    {
        string? language = Languages.FirstOrDefault(language => name.EndsWith("." + language, StringComparison.OrdinalIgnoreCase));
        return language is null ? name : name[..^(language.Length + 1)];
    }

    // A reader opened on a stream refuses to deserialise objects (icons and the like), and those are not text anyway.
    private static IEnumerable<(string Key, string Text)> ReadStrings(byte[] content)
    {
        using var reader = new ResourceReader(new MemoryStream(content));
        IDictionaryEnumerator entries = reader.GetEnumerator();
        while (entries.MoveNext())
        {
            if (TryValue(entries) is string text)
            {
                yield return ((string)entries.Key, text);
            }
        }
    }

    private static object? TryValue(IDictionaryEnumerator entry)
    {
        try
        {
            return entry.Value;
        }
        catch (NotSupportedException)
        {
            return null;
        }
    }

    /// <summary>One message: its resource file (without language), key, place in key order, and text.</summary>
    internal readonly record struct Message(string File, string Key, int Index, string Text);
}
