// Real text with domain labels: cleaned, deduplicated, split by document into train and held-out, hashed, cached.
//
//   sources → sample to the budget, dropping repeated lines → drop near-duplicate documents → tie relatives together → split
//
// No leakage: a line of prose or of messages occurs once in its domain; a document that is nearly another one is dropped;
// documents that share much, overloads of a type, and translations of the same messages land on the same side.

using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace PaperLab.Text;

/// <summary>Size of one domain.</summary>
/// <param name="Domain">Its name.</param>
/// <param name="TrainDocuments">Documents to train on.</param>
/// <param name="TrainBytes">Their size in UTF-8 bytes.</param>
/// <param name="HeldOutDocuments">Documents held out.</param>
/// <param name="HeldOutBytes">Their size in UTF-8 bytes.</param>
public sealed record DomainSize(string Domain, int TrainDocuments, long TrainBytes, int HeldOutDocuments, long HeldOutBytes);

/// <summary>An immutable collection of documents.</summary>
public sealed class Corpus
{
    private const string Format = "corpus 2";
    private static readonly JsonSerializerOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    // At 0.8 two documents are the same text with small changes; from 0.3 on they share whole passages.
    private const double DuplicateSimilarity = 0.8;
    private const double RelatedSimilarity = 0.3;

    private Corpus(IReadOnlyList<Document> documents)
    {
        Documents = documents;
        Domains = [.. documents.Select(document => document.Domain).Distinct()];
        Hash = HashOf(documents);
    }

    /// <summary>A corpus of these documents as they are: nothing is cleaned, dropped or split.</summary>
    internal static Corpus Of(IReadOnlyList<Document> documents) => new(documents);

    /// <summary>All documents, domain by domain, each domain in a shuffled but fixed order.</summary>
    public IReadOnlyList<Document> Documents { get; }

    /// <summary>The domains, in the order of the options; an index into this list is a sequence's domain label.</summary>
    public IReadOnlyList<string> Domains { get; }

    /// <summary>SHA-256 over every document's domain, name, split and text, in lower-case hex. Differs between SDK versions: record it.</summary>
    public string Hash { get; }

    /// <summary>The documents of one side and, where given, one domain.</summary>
    public IEnumerable<Document> Select(Split split, string? domain = null) =>
        Documents.Where(document => document.Split == split && (domain is null || document.Domain == domain));

    /// <summary>Documents and bytes per domain and side.</summary>
    public IReadOnlyList<DomainSize> Sizes() => [.. Domains.Select(domain => new DomainSize(
        domain,
        Select(Split.Train, domain).Count(),
        Select(Split.Train, domain).Sum(document => (long)Encoding.UTF8.GetByteCount(document.Text)),
        Select(Split.HeldOut, domain).Count(),
        Select(Split.HeldOut, domain).Sum(document => (long)Encoding.UTF8.GetByteCount(document.Text))))];

    /// <summary>The corpus of this machine's sources: from the cache where it is there and sound, else built and kept.</summary>
    /// <param name="options">The recipe; <see cref="CorpusOptions.Smoke"/> by default.</param>
    /// <param name="cache">The user's cache by default.</param>
    /// <exception cref="ArgumentException">An option is out of range or names no domain.</exception>
    /// <exception cref="DirectoryNotFoundException">A source is not on this machine.</exception>
    public static Corpus Load(CorpusOptions? options = null, TextCache? cache = null)
    {
        options ??= CorpusOptions.Smoke;
        options.Validate();
        return Load([.. options.Domains.Select(TextSources.Open)], options, cache ?? TextCache.Default);
    }

    /// <summary>As <see cref="Load(CorpusOptions?, TextCache?)"/>, from sources of the caller's own.</summary>
    public static Corpus Load(IReadOnlyList<ITextSource> sources, CorpusOptions options, TextCache cache)
    {
        string key = Sha256(
        [
            Format, options.MaxBytesPerDomain.ToString(), options.HeldOutShare.ToString("R"),
            .. sources.SelectMany(source => new[] { source.Domain, source.Fingerprint() }),
        ]);
        return cache.GetOrBuild($"corpus/{key[..32]}.jsonl", () => Build(sources, options), Write, Read);
    }

    /// <summary>Builds the corpus, whatever the cache holds.</summary>
    /// <exception cref="InvalidDataException">A domain is too small to be split.</exception>
    public static Corpus Build(IReadOnlyList<ITextSource> sources, CorpusOptions options)
    {
        options.Validate();
        List<Candidate>[] domains = [.. sources.AsParallel().AsOrdered().Select(source => Sample(source, options.MaxBytesPerDomain))];
        var families = new Families();
        foreach (List<Candidate> domain in domains)
        {
            DropDuplicates(domain, families);
        }

        HashSet<string> heldOut = ChooseHeldOut(sources, domains, families, options.HeldOutShare);
        return new Corpus([.. domains.SelectMany((domain, index) => domain.Select(candidate => new Document(
            candidate.Name,
            sources[index].Domain,
            heldOut.Contains(families.Of(candidate.Group)) ? Split.HeldOut : Split.Train,
            candidate.Text)))]);
    }

    // Documents in the order of their names' hashes (a fixed shuffle) until the budget is full; a repeated line is not taken again.
    private static List<Candidate> Sample(ITextSource source, long maxBytes)
    {
        var sample = new List<Candidate>();
        var seenLines = new HashSet<ulong>();
        long bytes = 0;
        foreach (SourceDocument document in source.Read().OrderBy(d => StableHash.Of("order " + d.Group)).ThenBy(d => d.Name, StringComparer.Ordinal))
        {
            string text = Render(document, source.DropRepeatedLines ? seenLines : null);
            if (text.Length == 0)
            {
                continue;
            }

            bytes += Encoding.UTF8.GetByteCount(text);
            if (bytes > maxBytes && sample.Count > 1)
            {
                break;
            }

            sample.Add(new Candidate(document.Name, document.Group, text));
        }

        return sample;
    }

    private static string Render(SourceDocument document, HashSet<ulong>? seenLines)
    {
        var text = new StringBuilder();
        foreach (Section section in document.Sections)
        {
            string[] lines = [.. section.Lines.Where(line => seenLines is null || IsNew(line, seenLines))];
            if (lines.Length == 0)
            {
                continue;
            }

            if (section.Heading.Length > 0)
            {
                text.Append(text.Length > 0 ? "\n" : "").Append(section.Heading).Append('\n');
            }

            text.AppendJoin('\n', lines).Append('\n');
        }

        return text.ToString().Trim('\n');
    }

    private static bool IsNew(string line, HashSet<ulong> seenLines)
    {
        string normal = CleanText.Normalise(line);
        return normal.Length > 0 && seenLines.Add(StableHash.Of(normal));
    }

    private static void DropDuplicates(List<Candidate> domain, Families families)
    {
        ulong[][] sketches = [.. domain.AsParallel().AsOrdered().Select(candidate => NearDuplicates.Sketch(candidate.Text))];
        var dropped = new HashSet<int>();
        foreach ((int earlier, int later, double similarity) in NearDuplicates.Pairs(sketches, RelatedSimilarity))
        {
            families.Join(domain[earlier].Group, domain[later].Group);
            if (similarity >= DuplicateSimilarity && !dropped.Contains(earlier))
            {
                dropped.Add(later);
            }
        }

        Candidate[] kept = [.. domain.Where((_, index) => !dropped.Contains(index))];
        domain.Clear();
        domain.AddRange(kept);
    }

    // A family is held out when the hash of its name says so; a domain left with an empty side moves the family that is nearest to it.
    private static HashSet<string> ChooseHeldOut(IReadOnlyList<ITextSource> sources, List<Candidate>[] domains, Families families, double share)
    {
        var heldOut = new HashSet<string>(domains.SelectMany(domain => domain).Select(candidate => families.Of(candidate.Group))
            .Where(family => SplitFraction(family) < share));
        for (int i = 0; i < domains.Length; i++)
        {
            string[] ordered = [.. domains[i].Select(candidate => families.Of(candidate.Group)).Distinct().OrderBy(SplitFraction)];
            if (ordered.Length < 2)
            {
                throw new InvalidDataException(
                    $"The domain '{sources[i].Domain}' has {domains[i].Count} document(s) of {ordered.Length} kind(s), too few to hold any out. " +
                    "Raise CorpusOptions.MaxBytesPerDomain or leave the domain out of CorpusOptions.Domains.");
            }

            if (!ordered.Any(heldOut.Contains))
            {
                heldOut.Add(ordered[0]);
            }
            else if (ordered.All(heldOut.Contains))
            {
                heldOut.Remove(ordered[^1]);
            }
        }

        return heldOut;
    }

    // Another hash than the one that orders the sample: the documents that a small budget takes are no special ones.
    private static double SplitFraction(string family) => StableHash.Fraction("split " + family);

    private static string HashOf(IReadOnlyList<Document> documents) =>
        Sha256(documents.SelectMany(document => new[] { document.Domain, document.Name, document.Split.ToString(), document.Text }));

    // Each part with its length before it, so that no two lists of parts hash alike.
    private static string Sha256(IEnumerable<string> parts)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string part in parts)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(part);
            hash.AppendData(BitConverter.GetBytes((long)bytes.Length));
            hash.AppendData(bytes);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    // The cached form: the hash on the first line, then one JSON document a line.
    private static void Write(Corpus corpus, Stream stream)
    {
        using var writer = new StreamWriter(stream, leaveOpen: true);
        writer.Write(corpus.Hash + "\n");
        foreach (Document document in corpus.Documents)
        {
            writer.Write(JsonSerializer.Serialize(document, s_json) + "\n");
        }
    }

    private static Corpus Read(Stream stream)
    {
        using var reader = new StreamReader(stream);
        string? hash = reader.ReadLine();
        var documents = new List<Document>();
        while (reader.ReadLine() is { } line)
        {
            documents.Add(JsonSerializer.Deserialize<Document>(line)!);
        }

        var corpus = new Corpus(documents);
        return corpus.Hash == hash ? corpus : throw new InvalidDataException("its documents do not match the corpus hash");
    }

    private sealed record Candidate(string Name, string Group, string Text);

    // Groups that belong together (union by name: the family is called by the first of its names).
    private sealed class Families
    {
        private readonly Dictionary<string, string> _parent = [];

        public string Of(string group)
        {
            while (_parent.TryGetValue(group, out string? parent))
            {
                group = parent;
            }

            return group;
        }

        public void Join(string a, string b)
        {
            string first = Of(a);
            string second = Of(b);
            if (first != second)
            {
                bool inOrder = string.CompareOrdinal(first, second) < 0;
                _parent[inOrder ? second : first] = inOrder ? first : second;
            }
        }
    }
}
