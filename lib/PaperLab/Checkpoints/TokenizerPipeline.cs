// What tokenizer.json does to a text before byte-pair merging, and how it gets the text back: normalizer, pre_tokenizer, decoder and
// post_processor, each a small tree of named components. Those that the Llama, Mistral and Qwen families use are here; any other is
// refused by its name and place.

using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using PaperLab.Text;

namespace PaperLab.Checkpoints;

/// <summary>The components of one tokenizer.</summary>
internal sealed class TokenizerPipeline
{
    private const char SpaceMark = '▁';
    private const string Remedy = "Use a tokenizer of the Llama, Mistral or Qwen families, or convert this one.";

    // The pattern that a ByteLevel pre-tokenizer applies by itself (GPT-2, Radford et al. 2019).
    private const string ByteLevelPattern = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    private readonly Func<string, string> _normalize;
    private readonly Func<string, bool, IEnumerable<string>> _split;

    /// <exception cref="CheckpointException">A component is not supported; the message names it.</exception>
    public TokenizerPipeline(ConfigFields tokenizer)
    {
        _normalize = tokenizer.Object("normalizer") is { } normalizer ? Normalizer(normalizer) : text => text;
        _split = tokenizer.Object("pre_tokenizer") is { } splitter ? PreTokenizer(splitter) : (text, _) => [text];
        if (tokenizer.Object("decoder") is { } decoder)
        {
            ReadDecoder(decoder);
        }

        (Before, After) = tokenizer.Object("post_processor") is { } template ? PostProcessor(template) : ([], []);
    }

    /// <summary>Whether pieces are written in the 256 characters of <see cref="ByteAlphabet"/>.</summary>
    public bool IsByteLevel { get; private set; }

    /// <summary>Whether decoding drops one space at the start: the mark that was put before the text.</summary>
    public bool DropsFirstSpace { get; private set; }

    /// <summary>Ids before and after every text that is encoded with them.</summary>
    public IReadOnlyList<int> Before { get; }

    /// <inheritdoc cref="Before"/>
    public IReadOnlyList<int> After { get; }

    /// <summary>The text in the form that is split and merged.</summary>
    public string Normalize(string text) => _normalize(text);

    /// <summary>Pieces that merges do not cross. <paramref name="first"/> says that the text begins here.</summary>
    public IEnumerable<string> Split(string text, bool first) => _split(text, first);

    private static Func<string, string> Normalizer(ConfigFields fields)
    {
        switch (fields.Text("type"))
        {
            case "Sequence":
                Func<string, string>[] parts = [.. fields.Objects("normalizers").Select(Normalizer)];
                return text => parts.Aggregate(text, (current, part) => part(current));
            case "NFC":
                return CanonicalForm.Compose;
            case "Prepend":
                string prefix = fields.Text("prepend") ?? throw fields.Wrong("prepend", "a string", Remedy);
                return text => text.Length == 0 ? text : prefix + text;
            case "Replace":
                Regex pattern = Pattern(fields);
                string content = fields.Text("content") ?? throw fields.Wrong("content", "a string", Remedy);
                return text => pattern.Replace(text, _ => content);
            default:
                throw fields.Wrong("type", "Sequence, NFC, Prepend, Replace", Remedy);
        }
    }

    private Func<string, bool, IEnumerable<string>> PreTokenizer(ConfigFields fields)
    {
        switch (fields.Text("type"))
        {
            case "Sequence":
                Func<string, bool, IEnumerable<string>>[] parts = [.. fields.Objects("pretokenizers").Select(PreTokenizer)];
                return (text, first) => parts.Aggregate(Enumerable.Repeat(text, 1), (pieces, part) => pieces.SelectMany((piece, i) => part(piece, first && i == 0)));
            case "ByteLevel":
                IsByteLevel = true;
                bool addSpace = fields.Flag("add_prefix_space", true);
                ScalarRegex? words = fields.Flag("use_regex", true) ? new ScalarRegex(ByteLevelPattern) : null;
                return (text, _) =>
                {
                    string spaced = addSpace && !text.StartsWith(' ') ? " " + text : text;
                    return words is null ? [spaced] : words.Split(spaced).Select(word => word.Piece);
                };
            case "Split":
                return Splitter(fields);
            case "Digits":
                var digits = new ScalarRegex(fields.Flag("individual_digits", false) ? @"\p{N}" : @"\p{N}+");
                return (text, _) => digits.Split(text).Select(piece => piece.Piece);
            case "Metaspace":
                return Metaspace(fields);
            default:
                throw fields.Wrong("type", "Sequence, ByteLevel, Split, Digits, Metaspace", Remedy);
        }
    }

    private static Func<string, bool, IEnumerable<string>> Splitter(ConfigFields fields)
    {
        var pattern = new ScalarRegex(Pattern(fields).ToString());
        return (fields.Text("behavior"), fields.Flag("invert", false)) switch
        {
            ("Isolated", _) => (text, _) => pattern.Split(text).Select(piece => piece.Piece),
            ("Removed", true) => (text, _) => pattern.Split(text).Where(piece => piece.IsMatch).Select(piece => piece.Piece),
            ("Removed", false) => (text, _) => pattern.Split(text).Where(piece => !piece.IsMatch).Select(piece => piece.Piece),
            _ => throw fields.Wrong("behavior", "Isolated, Removed", Remedy),
        };
    }

    // Spaces become marks, one goes before the text, and a piece begins at each mark.
    private static Func<string, bool, IEnumerable<string>> Metaspace(ConfigFields fields)
    {
        fields.MustBe("replacement", SpaceMark.ToString());
        string scheme = fields.Text("prepend_scheme") ?? (fields.Flag("add_prefix_space", true) ? "always" : "never");
        if (scheme is not ("always" or "first" or "never"))
        {
            throw fields.Wrong("prepend_scheme", "always, first, never", Remedy);
        }

        bool split = fields.Flag("split", true);
        var word = new ScalarRegex($"{SpaceMark}?[^{SpaceMark}]+|{SpaceMark}");
        return (text, first) =>
        {
            string marked = text.Replace(' ', SpaceMark);
            if (marked.Length > 0 && !marked.StartsWith(SpaceMark) && (scheme == "always" || (scheme == "first" && first)))
            {
                marked = SpaceMark + marked;
            }

            return split ? word.Split(marked).Select(piece => piece.Piece) : [marked];
        };
    }

    private void ReadDecoder(ConfigFields fields)
    {
        switch (fields.Text("type"))
        {
            case "Sequence":
                foreach (ConfigFields part in fields.Objects("decoders"))
                {
                    ReadDecoder(part);
                }

                break;
            case "Strip":
                fields.MustBe("content", " ");
                fields.MustBe("stop", 0);
                DropsFirstSpace = fields.Count("start", least: 0) switch
                {
                    0 => DropsFirstSpace,
                    1 => true,
                    _ => throw fields.Wrong("start", "0, 1", Remedy),
                };
                break;
            case "Metaspace":
                fields.MustBe("replacement", SpaceMark.ToString());
                DropsFirstSpace |= (fields.Text("prepend_scheme") ?? (fields.Flag("add_prefix_space", true) ? "always" : "never")) != "never";
                break;
            case "Replace":
                fields.MustBe("pattern", new JsonObject { ["String"] = SpaceMark.ToString() });
                fields.MustBe("content", " ");
                break;
            case "ByteLevel" or "ByteFallback" or "Fuse":
                break;
            default:
                throw fields.Wrong("type", "Sequence, ByteLevel, ByteFallback, Fuse, Replace, Strip, Metaspace", Remedy);
        }
    }

    private static (IReadOnlyList<int> Before, IReadOnlyList<int> After) PostProcessor(ConfigFields fields)
    {
        switch (fields.Text("type"))
        {
            case "ByteLevel":
                return ([], []);
            case "Sequence":
                (IReadOnlyList<int> Before, IReadOnlyList<int> After)[] parts = [.. fields.Objects("processors").Select(PostProcessor)];
                return ([.. parts.Reverse().SelectMany(part => part.Before)], [.. parts.SelectMany(part => part.After)]);
            case "TemplateProcessing":
                return Template(fields);
            default:
                throw fields.Wrong("type", "Sequence, ByteLevel, TemplateProcessing", Remedy);
        }
    }

    // "single": [{"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}}], "special_tokens": {"<s>": {"ids": [1]}}
    private static (IReadOnlyList<int> Before, IReadOnlyList<int> After) Template(ConfigFields fields)
    {
        List<int>[] sides = [[], []];
        int side = 0;
        foreach (ConfigFields part in fields.Objects("single"))
        {
            if (part.Object("SpecialToken")?.Text("id") is { } token)
            {
                sides[side].AddRange(fields.Object("special_tokens")?.Object(token)?.TokenIds("ids") ?? throw fields.Wrong("special_tokens", $"an object with the ids of '{token}'", Remedy));
            }
            else if (part.Has("Sequence") && side == 0)
            {
                side = 1;
            }
            else
            {
                throw fields.Wrong("single", "special tokens and one Sequence", Remedy);
            }
        }

        return (sides[0], sides[1]);
    }

    private static Regex Pattern(ConfigFields fields)
    {
        ConfigFields? pattern = fields.Object("pattern");
        string text = pattern?.Text("Regex") ?? (pattern?.Text("String") is { } literal ? Regex.Escape(literal) : throw fields.Wrong("pattern", "an object with Regex or String", Remedy));
        try
        {
            return new Regex(text, RegexOptions.CultureInvariant);
        }
        catch (ArgumentException error)
        {
            throw fields.Wrong("pattern", $"a regular expression that .NET reads ({error.Message})", Remedy);
        }
    }
}
