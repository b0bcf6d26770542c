// The tokenizer: byte-level BPE that we train (BpeTrainer), keep in the usual two files, and run through Microsoft.ML.Tokenizers.
// Every text round-trips, because the 256 bytes are all in the vocabulary.
//
//   ids: 0 … 255 bytes, then the merges in the order they were learned, then the special tokens

using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.ML.Tokenizers;
using ByteLevelBpe = Microsoft.ML.Tokenizers.BpeTokenizer;

namespace PaperLab.Text;

/// <summary>Text to token ids and back. Safe for use from several threads.</summary>
public sealed class BpeTokenizer : ITokenizer
{
    /// <summary>The token that ends a document.</summary>
    public const string EndOfTextToken = "<|endoftext|>";

    /// <summary>Token streams are stored in 16 bits, so a vocabulary has at most this many tokens.</summary>
    public const int MaxVocabularySize = 65_536;

    private const string Format = "bpe 1";
    private const string VocabularyFile = "vocab.json";
    private const string MergesFile = "merges.txt";
    private const string SealFile = "seal.json";
    private const string MergesHeader = "#version: 0.2";
    private static readonly JsonSerializerOptions s_json = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
    };


    private readonly ByteLevelBpe _bpe;
    private readonly string[] _tokens;
    private readonly byte[] _vocabularyJson;
    private readonly byte[] _mergesText;

    private BpeTokenizer(string[] tokens, IReadOnlyList<string> merges, IReadOnlyList<string> specialTokens)
    {
        _tokens = tokens;
        var vocabulary = tokens.Select((token, id) => KeyValuePair.Create(token, id)).ToDictionary();
        _bpe = ByteLevelBpe.Create(new BpeOptions(vocabulary)
        {
            Merges = merges,
            ByteLevel = true,
            PreTokenizer = new RegexPreTokenizer(PreTokenizer.Words(), null),
        });
        SpecialTokens = specialTokens.ToDictionary(token => token, token => vocabulary[token]);
        EndOfText = SpecialTokens[EndOfTextToken];
        _vocabularyJson = JsonSerializer.SerializeToUtf8Bytes(vocabulary, s_json);
        _mergesText = Encoding.UTF8.GetBytes(string.Join('\n', merges.Prepend(MergesHeader)) + "\n");
        Hash = Convert.ToHexStringLower(SHA256.HashData([.. _vocabularyJson, .. _mergesText]));
    }

    /// <summary>Number of tokens, special ones included: ids are 0 to this minus one.</summary>
    public int VocabularySize => _tokens.Length;

    /// <summary>Id of <c>&lt;|endoftext|&gt;</c>.</summary>
    public int EndOfText { get; }

    /// <summary>The special tokens and their ids; text never encodes to one of them, whatever it says.</summary>
    public IReadOnlyDictionary<string, int> SpecialTokens { get; }

    /// <summary>SHA-256 of vocabulary and merges, in lower-case hex.</summary>
    public string Hash { get; }

    /// <summary>The tokenizer of a corpus: trained on its train side once, then read from the cache.</summary>
    /// <param name="corpus">What to train on.</param>
    /// <param name="vocabularySize">Tokens wanted, from 256 bytes and the special tokens up to 65,536; a small corpus may yield fewer.</param>
    /// <param name="cache">The user's cache by default.</param>
    /// <param name="specialTokens">Special tokens besides <c>&lt;|endoftext|&gt;</c>, for example of a chat format.</param>
    public static BpeTokenizer Load(Corpus corpus, int vocabularySize, TextCache? cache = null, IReadOnlyList<string>? specialTokens = null)
    {
        cache ??= TextCache.Default;
        string recipe = string.Join('\n', [Format, PreTokenizer.Words().ToString(), corpus.Hash, vocabularySize.ToString(), .. specialTokens ?? []]);
        string folder = Path.Combine(cache.Folder, "tokenizer", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(recipe)))[..32]);
        if (File.Exists(Path.Combine(folder, SealFile)))
        {
            try
            {
                return Open(folder);
            }
            catch (InvalidDataException damage)
            {
                cache.Notice($"The cached tokenizer is damaged: {damage.Message} Training it again.");
            }
        }

        BpeTokenizer tokenizer = Train(corpus.Select(Split.Train).Select(document => document.Text), vocabularySize, specialTokens);
        try
        {
            tokenizer.Save(folder);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            cache.Notice($"{folder} cannot be written ({error.Message}); going on without the cache. Set {UserCache.Variable} to a folder that can be written.");
        }

        return tokenizer;
    }

    /// <summary>Trains on the given texts.</summary>
    /// <exception cref="ArgumentException">The vocabulary size or a special token is not allowed.</exception>
    public static BpeTokenizer Train(IEnumerable<string> texts, int vocabularySize, IReadOnlyList<string>? specialTokens = null)
    {
        string[] special = [EndOfTextToken, .. specialTokens ?? []];
        CheckSpecialTokens(special);
        int smallest = 256 + special.Length;
        if (vocabularySize < smallest || vocabularySize > MaxVocabularySize)
        {
            throw new ArgumentException(
                $"vocabularySize is {vocabularySize}; it must be from {smallest} (256 bytes and {special.Length} special token(s)) to {MaxVocabularySize}.", nameof(vocabularySize));
        }

        IReadOnlyList<(int Left, int Right)> learned = BpeTrainer.Learn(BpeTrainer.CountWords(texts), vocabularySize - smallest);
        List<string> tokens = [.. ByteAlphabet.Characters.Select(character => character.ToString())];
        var merges = new List<string>(learned.Count);
        foreach ((int left, int right) in learned)
        {
            merges.Add($"{tokens[left]} {tokens[right]}");
            tokens.Add(tokens[left] + tokens[right]);
        }

        return new BpeTokenizer([.. tokens, .. special], merges, special);
    }

    /// <summary>Whether <see cref="Save"/> wrote into the folder.</summary>
    public static bool IsSavedIn(string folder) => File.Exists(Path.Combine(folder, SealFile));

    /// <summary>Reads a tokenizer that <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">A file is missing, or is not as it was written; the message names it.</exception>
    public static BpeTokenizer Open(string folder)
    {
        string sealPath = Path.Combine(folder, SealFile);
        string vocabularyPath = Path.Combine(folder, VocabularyFile);
        Seal seal = Parse<Seal>(sealPath, ReadFile(sealPath));
        Dictionary<string, int> vocabulary = Parse<Dictionary<string, int>>(vocabularyPath, ReadSealed(vocabularyPath, seal.Vocabulary));
        byte[] mergesText = ReadSealed(Path.Combine(folder, MergesFile), seal.Merges);
        string[] merges = Encoding.UTF8.GetString(mergesText).Split('\n', StringSplitOptions.RemoveEmptyEntries)[1..];
        return new BpeTokenizer([.. vocabulary.OrderBy(entry => entry.Value).Select(entry => entry.Key)], merges, seal.SpecialTokens);
    }

    /// <summary>Writes vocab.json and merges.txt, the form that other tokenizer libraries read, and a seal with their hashes.</summary>
    public void Save(string folder)
    {
        // The seal goes last: without it the folder does not count. Two writers write the same bytes.
        AtomicFile.WriteAllBytes(Path.Combine(folder, VocabularyFile), _vocabularyJson);
        AtomicFile.WriteAllBytes(Path.Combine(folder, MergesFile), _mergesText);
        var seal = new Seal(Sha256(_vocabularyJson), Sha256(_mergesText), [.. SpecialTokens.OrderBy(token => token.Value).Select(token => token.Key)]);
        AtomicFile.WriteAllBytes(Path.Combine(folder, SealFile), JsonSerializer.SerializeToUtf8Bytes(seal, s_json));
    }

    /// <summary>Token ids of a text. A lone surrogate, which UTF-8 cannot hold, encodes as U+FFFD; everything else comes back as it was.</summary>
    public int[] Encode(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return [.. _bpe.EncodeToIds(CleanText.ReplaceLoneSurrogates(text))];
    }

    /// <summary>The text of token ids; bytes that are no valid UTF-8 (a model can produce them) become U+FFFD.</summary>
    /// <exception cref="ArgumentException">An id is outside the vocabulary.</exception>
    public string Decode(IReadOnlyList<int> ids)
    {
        for (int i = 0; i < ids.Count; i++)
        {
            if ((uint)ids[i] >= (uint)VocabularySize)
            {
                throw new ArgumentException($"Token {i} is {ids[i]}; the vocabulary's ids are 0 to {VocabularySize - 1}.", nameof(ids));
            }
        }

        return _bpe.Decode(ids) ?? "";
    }

    /// <summary>UTF-8 bytes that a token stands for; 0 for a special token.</summary>
    public int ByteLength(int id) => SpecialTokens.ContainsKey(_tokens[id]) ? 0 : _tokens[id].Length;

    /// <summary>Mean UTF-8 bytes per token over the texts: higher means that the vocabulary suits them better.</summary>
    public double BytesPerToken(IEnumerable<string> texts)
    {
        long bytes = 0;
        long tokens = 0;
        foreach (string text in texts)
        {
            bytes += Encoding.UTF8.GetByteCount(text);
            tokens += Encode(text).Length;
        }

        return tokens == 0 ? 0 : (double)bytes / tokens;
    }

    private static void CheckSpecialTokens(string[] specialTokens)
    {
        foreach (string token in specialTokens)
        {
            if (token.Any(character => character is < '!' or > '~') || PreTokenizer.Words().Count(token) < 2 || specialTokens.Count(other => other == token) > 1)
            {
                throw new ArgumentException(
                    $"'{token}' cannot be a special token: it must be printable ASCII without spaces, given once, of both letters and signs, for example <|user|>.", nameof(specialTokens));
            }
        }
    }

    private static byte[] ReadFile(string path) => File.Exists(path) ? File.ReadAllBytes(path) : throw new InvalidDataException($"{path} is missing.");

    private static byte[] ReadSealed(string path, string sha256)
    {
        byte[] content = ReadFile(path);
        return Sha256(content) == sha256 ? content : throw new InvalidDataException($"{path} does not match its SHA-256.");
    }

    private static T Parse<T>(string path, byte[] json)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(json, s_json) ?? throw new InvalidDataException($"{path} is empty.");
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"{path} is not what it should be: {error.Message}", error);
        }
    }

    private static string Sha256(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));

    private sealed record Seal(string Vocabulary, string Merges, IReadOnlyList<string> SpecialTokens);
}
