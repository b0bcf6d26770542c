// tokenizer.json of the two kinds that the Llama, Mistral and Qwen families use, with the merging done by Microsoft.ML.Tokenizers:
//   byte-level     every byte is a character of ByteAlphabet (Llama 3, Qwen)
//   SentencePiece  spaces are ▁, and a character that the vocabulary lacks falls back to the tokens <0x00> … <0xFF> (Llama 2, Mistral)
//
// text → added tokens cut out → normalizer → pre_tokenizer → merges → ids.  Its class for byte-pair encoding knows words of
// characters only; the rest of the file's pipeline is in TokenizerPipeline.

using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.Tokenizers;
using PaperLab.Text;
using CharacterBpe = Microsoft.ML.Tokenizers.BpeTokenizer;

namespace PaperLab.Checkpoints;

/// <summary>Text to token ids and back, as the checkpoint's own tokenizer does it. Safe for use from several threads.</summary>
public sealed class HuggingFaceTokenizer : ITokenizer
{
    /// <summary>The file's name in a checkpoint's folder.</summary>
    public const string FileName = "tokenizer.json";

    private const char SpaceMark = '▁';
    private const string Remedy = "Use a tokenizer of the Llama, Mistral or Qwen families, or convert this one.";

    private readonly TokenizerPipeline _pipeline;
    private readonly CharacterBpe _bpe;
    private readonly Dictionary<string, int> _vocabulary;
    private readonly Dictionary<int, byte[]> _bytes;
    private readonly HashSet<int> _specialIds = [];
    private readonly Dictionary<string, int> _added = [];
    private readonly AddedTokens _beforeNormalizing, _afterNormalizing;
    private readonly bool _wholeWordsFirst;
    private readonly bool _cutsBeforeMarks;
    private readonly char _firstByteCharacter; // stands for <0x00>; the other bytes follow

    private HuggingFaceTokenizer(string path, ConfigFields fields)
    {
        Path = path;
        _pipeline = new TokenizerPipeline(fields);
        ConfigFields model = fields.Object("model") ?? throw fields.Wrong("model", "an object", Remedy);
        CheckModel(model);
        _vocabulary = ReadVocabulary(model);
        _wholeWordsFirst = model.Flag("ignore_merges", false);
        string[] merges = ReadMerges(model);

        Dictionary<string, int> characters = _vocabulary;
        if (_pipeline.IsByteLevel)
        {
            Require(model, ByteAlphabet.Characters.Select(character => character.ToString()), "all 256 byte characters");
        }
        else
        {
            Require(model, Enumerable.Range(0, 256).Select(ByteToken), "all 256 byte tokens <0x00> to <0xFF>");
            _firstByteCharacter = FreeCharacters(model);
            characters = _vocabulary.ToDictionary(token => token.Key, token => token.Value);
            for (int b = 0; b < 256; b++)
            {
                characters.Remove(ByteToken(b), out int id);
                characters.Add(((char)(_firstByteCharacter + b)).ToString(), id);
            }

            // No token goes on past the end of a word, so a text can be merged word by word: the library's merging takes the square of the length.
            _cutsBeforeMarks = !_vocabulary.Keys.Any(token => token.AsSpan().TrimStart(SpaceMark).Contains(SpaceMark));
        }

        try
        {
            _bpe = CharacterBpe.Create(new BpeOptions(characters) { Merges = merges });
        }
        catch (Exception error) when (error is InvalidOperationException or ArgumentException)
        {
            throw new CheckpointException(path, $"its vocabulary and merges do not fit together ({error.Message}).", "Copy or download it again.", error);
        }

        _bytes = _vocabulary.GroupBy(token => token.Value, token => BytesOf(token.Key)).ToDictionary(group => group.Key, group => group.First());
        (_beforeNormalizing, _afterNormalizing) = ReadAddedTokens(fields);
        VocabularySize = _bytes.Keys.Max() + 1;
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The largest id and one: a model needs at least as many rows in its embedding.</summary>
    public int VocabularySize { get; }

    /// <summary>Tokens that stand beside the merges, such as those of a chat format, and their ids.</summary>
    public IReadOnlyDictionary<string, int> AddedTokens => _added;

    /// <summary>Reads a tokenizer.json.</summary>
    /// <exception cref="CheckpointException">It is missing, damaged, or has a component that is not supported; the message names it.</exception>
    public static HuggingFaceTokenizer Read(string path)
    {
        try
        {
            return new HuggingFaceTokenizer(path, new ConfigFields(path, ConfigFields.ReadObject(path)));
        }
        catch (InvalidOperationException error)
        {
            // Half a surrogate pair, written as an escape: found where the string is first read.
            throw new CheckpointException(path, $"it holds text that is not Unicode ({error.Message}).", "Copy or download it again.", error);
        }
    }

    /// <summary>The id of a token by its text in the file; null where there is none.</summary>
    public int? TokenId(string token) => _added.TryGetValue(token, out int added) ? added : _vocabulary.TryGetValue(token, out int id) ? id : null;

    /// <summary>Whether an id is a token's.</summary>
    internal bool Has(int id) => _bytes.ContainsKey(id);

    /// <summary>Token ids of a text as Hugging Face's tokenizers give them by default: with what the file adds around it, and added tokens parsed.</summary>
    public int[] Encode(string text) => Encode(text, addSpecialTokens: true);

    /// <summary>Token ids of a text.</summary>
    /// <param name="text">Any text; a lone surrogate, which UTF-8 cannot hold, counts as U+FFFD.</param>
    /// <param name="addSpecialTokens">Whether to add what the file puts around a text, such as Llama's token for its beginning. A chat template brings its own.</param>
    /// <param name="parseAddedTokens">Whether text that spells an added token becomes that token. Not for text from strangers.</param>
    public int[] Encode(string text, bool addSpecialTokens, bool parseAddedTokens = true)
    {
        ArgumentNullException.ThrowIfNull(text);
        int[] ids = EncodeParts(_beforeNormalizing.Split(CleanText.ReplaceLoneSurrogates(text), parseAddedTokens), parseAddedTokens);
        return addSpecialTokens ? [.. _pipeline.Before, .. ids, .. _pipeline.After] : ids;
    }

    /// <summary>Token ids of a text of which some parts are trusted and may spell added tokens, and the others are just text.</summary>
    internal int[] Encode(IEnumerable<(string Text, bool MaySpellTokens)> parts)
    {
        var runs = new List<(string Part, int? Id)>();
        foreach ((string text, bool trusted) in parts)
        {
            foreach ((string part, int? id) in _beforeNormalizing.Split(CleanText.ReplaceLoneSurrogates(text), trusted))
            {
                // What no token parts is one text: its words may reach from one part into the next.
                if (id is null && runs.Count > 0 && runs[^1].Id is null)
                {
                    runs[^1] = (runs[^1].Part + part, null);
                }
                else
                {
                    runs.Add((part, id));
                }
            }
        }

        return EncodeParts(runs, parseAddedTokens: false);
    }

    /// <inheritdoc/>
    public string Decode(IReadOnlyList<int> ids) => Decode(ids, skipSpecialTokens: false);

    /// <summary>The text of token ids; bytes that are no valid UTF-8 become U+FFFD.</summary>
    /// <param name="ids">Token ids.</param>
    /// <param name="skipSpecialTokens">Whether to leave out the tokens that the file calls special.</param>
    /// <exception cref="ArgumentException">An id is no token's.</exception>
    public string Decode(IReadOnlyList<int> ids, bool skipSpecialTokens)
    {
        using var bytes = new MemoryStream();
        for (int i = 0; i < ids.Count; i++)
        {
            if (!_bytes.TryGetValue(ids[i], out byte[]? token))
            {
                throw new ArgumentException($"Token {i} is {ids[i]}, which {Path} does not have; its ids go up to {VocabularySize - 1}.", nameof(ids));
            }

            if (!skipSpecialTokens || !_specialIds.Contains(ids[i]))
            {
                bytes.Write(token);
            }
        }

        string text = Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
        return _pipeline.DropsFirstSpace && text.StartsWith(' ') ? text[1..] : text;
    }

    private int[] EncodeParts(IEnumerable<(string Part, int? Id)> parts, bool parseAddedTokens)
    {
        List<int> ids = [];
        bool first = true;
        foreach ((string part, int? added) in parts)
        {
            foreach ((string piece, int? alsoAdded) in added is null ? _afterNormalizing.Split(_pipeline.Normalize(part), parseAddedTokens) : [(part, added)])
            {
                if (alsoAdded is { } id)
                {
                    ids.Add(id);
                }
                else
                {
                    foreach (string word in _pipeline.Split(piece, first))
                    {
                        Merge(word, ids);
                    }
                }

                first = false;
            }
        }

        return [.. ids];
    }

    private void Merge(string word, List<int> ids)
    {
        if (word.Length == 0)
        {
            return;
        }

        string characters = _pipeline.IsByteLevel ? ByteAlphabet.Write(Encoding.UTF8.GetBytes(word)) : WithByteFallback(word);
        if (_wholeWordsFirst && _vocabulary.TryGetValue(characters, out int whole))
        {
            ids.Add(whole);
            return;
        }

        for (int start = 0; start < characters.Length;)
        {
            int end = _cutsBeforeMarks ? WordEnd(characters, start) : characters.Length;
            ids.AddRange(_bpe.EncodeToIds(characters.AsSpan(start, end - start), considerPreTokenization: false, considerNormalization: false));
            start = end;
        }
    }

    // Where the next run of marks begins after the word that starts here with its own marks.
    private static int WordEnd(string characters, int start)
    {
        int letters = start;
        while (letters < characters.Length && characters[letters] == SpaceMark)
        {
            letters++;
        }

        int mark = characters.IndexOf(SpaceMark, letters);
        return mark < 0 ? characters.Length : mark;
    }

    private string WithByteFallback(string word)
    {
        var known = new StringBuilder(word.Length);
        Span<byte> utf8 = stackalloc byte[4];
        foreach (Rune rune in word.EnumerateRunes())
        {
            string character = rune.ToString();
            if (_vocabulary.ContainsKey(character))
            {
                known.Append(character);
                continue;
            }

            foreach (byte b in utf8[..rune.EncodeToUtf8(utf8)])
            {
                known.Append((char)(_firstByteCharacter + b));
            }
        }

        return known.ToString();
    }

    private static string ByteToken(int value) => $"<0x{value:X2}>";

    private byte[] BytesOf(string token)
    {
        if (_pipeline.IsByteLevel)
        {
            return ByteAlphabet.Read(token) ?? Encoding.UTF8.GetBytes(token);
        }

        return token.Length == 6 && token.StartsWith("<0x", StringComparison.Ordinal) && token[5] == '>' && byte.TryParse(token.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, null, out byte value)
            ? [value]
            : Encoding.UTF8.GetBytes(token.Replace(SpaceMark, ' '));
    }

    private void CheckModel(ConfigFields model)
    {
        if ((model.Text("type") ?? "BPE") != "BPE")
        {
            throw model.Wrong("type", "\"BPE\"", Remedy);
        }

        foreach (string field in new[] { "dropout", "continuing_subword_prefix", "end_of_word_suffix" })
        {
            if (model.Node(field) is { } value && !JsonNode.DeepEquals(value, ""))
            {
                throw model.Wrong(field, "null", Remedy);
            }
        }

        if (!_pipeline.IsByteLevel && !model.Flag("byte_fallback", false))
        {
            throw model.Wrong("byte_fallback", "true, unless pre_tokenizer is ByteLevel", Remedy);
        }
    }

    private static Dictionary<string, int> ReadVocabulary(ConfigFields model)
    {
        JsonObject vocabulary = model.Node("vocab") as JsonObject ?? throw model.Wrong("vocab", "an object of tokens and their ids", Remedy);
        var ids = new Dictionary<string, int>(vocabulary.Count);
        foreach ((string token, JsonNode? id) in vocabulary)
        {
            ids.Add(token, id is JsonValue value && value.TryGetValue(out int number) && number is >= 0 and < int.MaxValue ? number : throw model.Wrong("vocab", $"an object of whole numbers from 0 ('{token}' has {id?.ToJsonString() ?? "null"})", Remedy));
        }

        return ids;
    }

    // "a b", or ["a", "b"] in newer files.
    private static string[] ReadMerges(ConfigFields model)
    {
        JsonArray merges = model.Node("merges") as JsonArray ?? throw model.Wrong("merges", "an array of pairs", Remedy);
        return [.. merges.Select(merge => merge switch
        {
            JsonValue text when text.GetValueKind() == JsonValueKind.String => text.GetValue<string>(),
            JsonArray { Count: 2 } pair when pair.All(part => part?.GetValueKind() == JsonValueKind.String && !part.GetValue<string>().Contains(' ')) => $"{pair[0]} {pair[1]}",
            _ => throw model.Wrong("merges", $"pairs of tokens without spaces, not {merge?.ToJsonString() ?? "null"}", Remedy),
        })];
    }

    private void Require(ConfigFields model, IEnumerable<string> tokens, string what)
    {
        if (tokens.FirstOrDefault(token => !_vocabulary.ContainsKey(token)) is { } missing)
        {
            throw model.Wrong("vocab", $"a vocabulary with {what} ('{missing}' is missing)", Remedy);
        }
    }

    // 256 characters for private use that no token contains.
    private char FreeCharacters(ConfigFields model)
    {
        for (int first = 0xE000; first <= 0xF800; first += 256)
        {
            if (!_vocabulary.Keys.Any(token => token.AsSpan().ContainsAnyInRange((char)first, (char)(first + 255))))
            {
                return (char)first;
            }
        }

        throw model.Wrong("vocab", "a vocabulary that leaves a quarter page of the private-use characters unused", Remedy);
    }

    private (AddedTokens Before, AddedTokens After) ReadAddedTokens(ConfigFields fields)
    {
        List<AddedToken> before = [], after = [];
        foreach (ConfigFields token in fields.Objects("added_tokens"))
        {
            string content = token.Text("content") is { Length: > 0 } text ? text : throw token.Wrong("content", "a string", Remedy);
            int id = token.TokenId("id") ?? throw token.Wrong("id", "a whole number from 0", Remedy);
            token.MustBe("single_word", false);
            bool special = token.Flag("special", false), normalized = token.Flag("normalized", !special);
            (normalized ? after : before).Add(new AddedToken(normalized ? _pipeline.Normalize(content) : content, id, token.Flag("lstrip", false), token.Flag("rstrip", false)));
            _added[content] = id;
            _bytes[id] = Encoding.UTF8.GetBytes(content);
            if (special)
            {
                _specialIds.Add(id);
            }
        }

        return (new AddedTokens(before), new AddedTokens(after));
    }
}
