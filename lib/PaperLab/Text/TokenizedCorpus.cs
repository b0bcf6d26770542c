// A corpus as token ids: one stream per split and domain, every document followed by the end-of-text token. Where every document has
// the same length (a synthetic task), the streams have a layout: where each begins, and which of its tokens count.

using System.Text;

namespace PaperLab.Text;

/// <summary>How the streams of a synthetic task are laid out.</summary>
/// <param name="Scored">For each position of a sequence, whether predicting the token after it counts, [T].</param>
public sealed record SequenceLayout(IReadOnlyList<bool> Scored)
{
    /// <summary>Tokens from the beginning of one sequence to that of the next: T inputs and the last target.</summary>
    public int Stride => Scored.Count + 1;

    internal void RequireContext(int context) => Require.That(context == Scored.Count, "the context length", context, $"{Scored.Count}, the length of every sequence of this text");
}

/// <summary>Token streams of a corpus.</summary>
public sealed class TokenizedCorpus
{
    private const string Format = "tokens 1";

    private readonly ushort[][] _train;
    private readonly ushort[][] _heldOut;

    private TokenizedCorpus(Corpus corpus, BpeTokenizer tokenizer, ushort[][] train, ushort[][] heldOut, SequenceLayout? layout = null)
    {
        Layout = layout;
        Corpus = corpus;
        Tokenizer = tokenizer;
        _train = train;
        _heldOut = heldOut;
    }

    /// <summary>The text behind the tokens.</summary>
    public Corpus Corpus { get; }

    /// <summary>The tokenizer that made them.</summary>
    public BpeTokenizer Tokenizer { get; }

    /// <summary>Where sequences begin and what of them counts; null for running text, of which any window will do and every token counts.</summary>
    public SequenceLayout? Layout { get; }

    /// <summary>The domains; an index into this list is a sequence's domain label.</summary>
    public IReadOnlyList<string> Domains => Corpus.Domains;

    /// <summary>The corpus's tokens: from the cache where they are there and sound, else encoded and kept.</summary>
    public static TokenizedCorpus Load(Corpus corpus, BpeTokenizer tokenizer, TextCache? cache = null) =>
        (cache ?? TextCache.Default).GetOrBuild(
            $"tokens/{corpus.Hash[..24]}-{tokenizer.Hash[..24]}.bin",
            () => new TokenizedCorpus(corpus, tokenizer, Encode(corpus, tokenizer, Split.Train), Encode(corpus, tokenizer, Split.HeldOut)),
            (tokens, stream) => tokens.Write(stream),
            stream => Read(stream, corpus, tokenizer));

    /// <summary>A corpus whose every document is a sequence of the same length.</summary>
    /// <exception cref="ArgumentException">A document has another number of tokens than the layout.</exception>
    internal static TokenizedCorpus OfSequences(Corpus corpus, BpeTokenizer tokenizer, SequenceLayout layout)
    {
        foreach (Document document in corpus.Documents)
        {
            int tokens = tokenizer.Encode(document.Text).Length;
            Require.That(tokens == layout.Scored.Count, $"the number of tokens of {document.Name}", tokens, $"{layout.Scored.Count}, as in every sequence");
        }

        return new TokenizedCorpus(corpus, tokenizer, Encode(corpus, tokenizer, Split.Train), Encode(corpus, tokenizer, Split.HeldOut), layout);
    }

    /// <summary>The token stream of one side of one domain.</summary>
    public ReadOnlyMemory<ushort> Stream(Split split, int domain) => (split == Split.Train ? _train : _heldOut)[domain];

    /// <summary>Tokens on one side, of all domains.</summary>
    public long Count(Split split) => (split == Split.Train ? _train : _heldOut).Sum(stream => (long)stream.Length);

    /// <summary>Mean UTF-8 bytes per token of a domain's held-out text, end-of-text tokens left out.</summary>
    public double BytesPerToken(int domain)
    {
        long bytes = 0;
        long tokens = 0;
        foreach (ushort id in _heldOut[domain])
        {
            bytes += Tokenizer.ByteLength(id);
            tokens += id == Tokenizer.EndOfText ? 0 : 1;
        }

        return (double)bytes / tokens;
    }

    private static ushort[][] Encode(Corpus corpus, BpeTokenizer tokenizer, Split split) =>
        [.. corpus.Domains.Select(domain => Encode(corpus.Select(split, domain), tokenizer))];

    private static ushort[] Encode(IEnumerable<Document> documents, BpeTokenizer tokenizer)
    {
        int[][] encoded = [.. documents.AsParallel().AsOrdered().Select(document => tokenizer.Encode(document.Text))];
        var stream = new ushort[encoded.Sum(ids => ids.Length + 1)];
        int at = 0;
        foreach (int[] ids in encoded)
        {
            foreach (int id in ids)
            {
                stream[at++] = (ushort)id;
            }

            stream[at++] = (ushort)tokenizer.EndOfText;
        }

        return stream;
    }

    private void Write(Stream stream)
    {
        using var writer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true);
        writer.Write(Format);
        foreach (ushort[] tokens in (IEnumerable<ushort[]>)[.. _train, .. _heldOut])
        {
            writer.Write(tokens.Length);
            foreach (ushort id in tokens)
            {
                writer.Write(id);
            }
        }
    }

    private static TokenizedCorpus Read(Stream stream, Corpus corpus, BpeTokenizer tokenizer)
    {
        using var reader = new BinaryReader(stream);
        if (reader.ReadString() != Format)
        {
            throw new InvalidDataException("it is of another format");
        }

        var streams = new ushort[2 * corpus.Domains.Count][];
        for (int i = 0; i < streams.Length; i++)
        {
            streams[i] = new ushort[reader.ReadInt32()];
            for (int j = 0; j < streams[i].Length; j++)
            {
                streams[i][j] = reader.ReadUInt16();
            }
        }

        return new TokenizedCorpus(corpus, tokenizer, streams[..corpus.Domains.Count], streams[corpus.Domains.Count..]);
    }
}
