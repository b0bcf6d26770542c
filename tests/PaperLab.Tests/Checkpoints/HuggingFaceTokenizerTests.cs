using System.Text;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using PaperLab.Checkpoints;

namespace PaperLab.Tests.Checkpoints;

public sealed class HuggingFaceTokenizerTests
{
    private static readonly HuggingFaceTokenizer s_byteLevel = Read(TinyTokenizers.ByteLevel());
    private static readonly HuggingFaceTokenizer s_sentencePiece = Read(TinyTokenizers.SentencePiece());

    // Characters that patterns, marks and fallbacks treat apart, among any others.
    private static readonly Gen<string> s_text =
        Gen.OneOf(
            Gen.Elements("a", "b", "ab", " ab", "abc", " ", "  ", "\n", "\r\n", "1", "'s", "é", "مُ", "한", "漢", "😀", "😀ab", "𠀀", "𝒜", "\0", "\u0085", "<|", "|>"),
            Gen.Choose(0, 0x10FFFF).Select(scalar => scalar is >= 0xD800 and <= 0xDFFF ? "?" : char.ConvertFromUtf32(scalar)))
            .ListOf().Select(string.Concat);

    [Theory]
    [InlineData("", "")]
    [InlineData("abc", "258")]
    [InlineData(" ab ab", "257 257")]
    [InlineData("cab", "99 256")]
    [InlineData("é", "195 169")]
    [InlineData("e\u0301", "195 169")]                                  // NFC
    [InlineData("ab12", "256 49 50")]
    [InlineData("ab<|im_end|>ab", "256 261 256")]
    [InlineData("<think>\n", "262 10")]
    [InlineData("😀ab", "240 159 152 128 256")]
    public void Byte_level_ids_are_those_worked_out_by_hand(string text, string ids)
    {
        Assert.Equal(ids, string.Join(' ', s_byteLevel.Encode(text)));
    }

    [Theory]
    [InlineData("", "1")]
    [InlineData("ab", "1 263")]
    [InlineData("ab ab", "1 263 263")]
    [InlineData("abab", "1 263 262")]
    [InlineData(" ab", "1 259 263")]                                    // ▁▁ab: the pair "▁ ab" was learned before "▁ ▁"
    [InlineData("  b", "1 264 259 261")]
    [InlineData("é", "1 259 198 172")]                                  // no token: its bytes C3 A9 as <0xC3> <0xA9>
    [InlineData("😀a", "1 259 265 260")]
    [InlineData("\ue0c3", "1 259 241 134 134")]                         // EE 83 83: a private-use character is a character like any other
    [InlineData("<0x41>", "1 259 63 51 123 55 52 65")]                  // text is not a byte token
    [InlineData("ab</s>ab", "1 263 2 263")]
    public void SentencePiece_ids_are_those_worked_out_by_hand(string text, string ids)
    {
        Assert.Equal(ids, string.Join(' ', s_sentencePiece.Encode(text)));
    }

    [Fact]
    public void Special_tokens_are_added_and_parsed_only_when_asked_for()
    {
        Assert.Equal([263], s_sentencePiece.Encode("ab", addSpecialTokens: false));
        Assert.Equal([1, 2], s_sentencePiece.Encode("</s>"));
        Assert.DoesNotContain(2, s_sentencePiece.Encode("</s>", addSpecialTokens: true, parseAddedTokens: false));
        Assert.DoesNotContain(261, s_byteLevel.Encode("<|im_end|>", addSpecialTokens: true, parseAddedTokens: false));
    }

    [Fact]
    public void Special_tokens_are_left_out_of_the_text_when_asked_for()
    {
        Assert.Equal("<s> ab</s>", s_sentencePiece.Decode([1, 263, 2]));
        Assert.Equal("ab", s_sentencePiece.Decode([1, 263, 2], skipSpecialTokens: true));
        Assert.Equal("<think>ab", s_byteLevel.Decode([260, 262, 256, 259], skipSpecialTokens: true));
    }

    [Fact]
    public void Any_text_comes_back_through_byte_level_tokens()
    {
        Prop.ForAll(s_text.ToArbitrary(), text =>
                s_byteLevel.Decode(s_byteLevel.Encode(text)) == PaperLab.Text.CanonicalForm.Compose(text)
                && s_byteLevel.Decode(s_byteLevel.Encode(text, addSpecialTokens: true, parseAddedTokens: false)) == PaperLab.Text.CanonicalForm.Compose(text))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(1000).WithEndSize(100));
    }

    [Fact]
    public void Any_text_without_the_mark_itself_comes_back_through_SentencePiece_tokens()
    {
        Prop.ForAll(s_text.Select(text => text.Replace('▁', '_')).ToArbitrary(), text =>
                s_sentencePiece.Decode(s_sentencePiece.Encode(text), skipSpecialTokens: true) == text)
            .Check(Config.QuickThrowOnFailure.WithMaxTest(1000).WithEndSize(100));
    }

    [Fact]
    public void Cutting_a_text_into_words_changes_no_id()
    {
        // A token that goes on past a mark makes words inseparable; this one no merge makes, so the ids must be the same.
        JsonObject whole = TinyTokenizers.SentencePiece();
        whole["model"]!["vocab"]!["b▁a"] = 266;
        HuggingFaceTokenizer uncut = Read(whole);

        Prop.ForAll(Gen.Elements("a", "b", " ", "ab", "  ", "x").ListOf().Select(string.Concat).ToArbitrary(), text => s_sentencePiece.Encode(text).SequenceEqual(uncut.Encode(text)))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(500).WithEndSize(60));
    }

    [Fact]
    public void A_merge_across_words_is_made()
    {
        JsonObject json = TinyTokenizers.SentencePiece();
        json["model"]!["vocab"]!["b▁"] = 266;
        json["model"]!["vocab"]!["b▁a"] = 267;
        json["model"]!["merges"] = new JsonArray("b ▁", "b▁ a");

        Assert.Equal([1, 259, 260, 267], Read(json).Encode("ab a"));
    }

    [Fact]
    public void A_lone_surrogate_counts_as_the_replacement_character()
    {
        Assert.Equal("a\ufffd", s_byteLevel.Decode(s_byteLevel.Encode("a\ud800")));
    }

    [Fact]
    public void Merges_written_as_pairs_are_the_same_merges()
    {
        JsonObject json = TinyTokenizers.ByteLevel();
        json["model"]!["merges"] = new JsonArray(new JsonArray("a", "b"), new JsonArray("Ġ", "ab"), new JsonArray("ab", "c"));

        Assert.Equal([258, 257], Read(json).Encode("abc ab"));
    }

    [Fact]
    public void A_word_of_the_vocabulary_comes_before_its_merges_where_the_file_says_so()
    {
        JsonObject json = TinyTokenizers.ByteLevel();
        json["model"]!["vocab"]!["bab"] = 263;
        Assert.Equal([98, 256], Read(json).Encode("bab"));

        json["model"]!["ignore_merges"] = true;

        Assert.Equal([263], Read(json).Encode("bab"));
    }

    [Theory]
    [InlineData("always", true, "ab ab", "1 263 263")]
    [InlineData("always", true, " ab", "1 263")]
    [InlineData("first", false, "ab</s>ab", "1 263 2 262")]
    [InlineData("always", false, "ab</s>ab", "1 263 2 263")]
    [InlineData("never", false, "ab ab", "1 262 263")]
    public void A_metaspace_puts_its_mark_where_its_scheme_says(string scheme, bool split, string text, string ids)
    {
        JsonObject json = TinyTokenizers.SentencePiece();
        json["normalizer"] = null;
        json["pre_tokenizer"] = new JsonObject { ["type"] = "Metaspace", ["replacement"] = "▁", ["prepend_scheme"] = scheme, ["split"] = split };

        Assert.Equal(ids, string.Join(' ', Read(json).Encode(text)));
    }

    [Fact]
    public void An_added_token_takes_the_white_space_that_its_flags_name_and_the_longest_is_taken()
    {
        JsonObject json = TinyTokenizers.ByteLevel();
        JsonObject strips = TinyTokenizers.Added(263, "<|end|>x");
        (strips["lstrip"], strips["rstrip"]) = (true, true);
        json["added_tokens"]!.AsArray().Add((JsonNode)strips);

        Assert.Equal([256, 263, 256, 259, 257], Read(json).Encode("ab \n<|end|>x  ab<|end|> ab"));
    }

    [Fact]
    public void An_id_that_is_no_token_is_named()
    {
        Assert.Contains("Token 1 is 263", Assert.Throws<ArgumentException>(() => s_byteLevel.Decode([0, 263])).Message);
        Assert.Equal((263, 266), (s_byteLevel.VocabularySize, s_sentencePiece.VocabularySize));
    }

    [Theory]
    [InlineData("normalizer", """{"type": "Lowercase"}""", "field 'normalizer.type' is \"Lowercase\"; allowed: Sequence, NFC, Prepend, Replace")]
    [InlineData("pre_tokenizer", """{"type": "BertPreTokenizer"}""", "field 'pre_tokenizer.type' is \"BertPreTokenizer\"")]
    [InlineData("pre_tokenizer", """{"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex": "\\p{Han}++"}, "behavior": "Isolated"}]}""", "field 'pre_tokenizer.pretokenizers[0].pattern'")]
    [InlineData("pre_tokenizer", """{"type": "Split", "pattern": {"Regex": "a"}, "behavior": "MergedWithNext"}""", "field 'pre_tokenizer.behavior' is \"MergedWithNext\"; allowed: Isolated, Removed")]
    [InlineData("pre_tokenizer", """{"type": "Metaspace", "replacement": "_"}""", "field 'pre_tokenizer.replacement'")]
    [InlineData("pre_tokenizer", """null""", "field 'model.byte_fallback' is false; allowed: true, unless pre_tokenizer is ByteLevel")]
    [InlineData("decoder", """{"type": "WordPiece"}""", "field 'decoder.type' is \"WordPiece\"")]
    [InlineData("decoder", """{"type": "Strip", "content": " ", "start": 2, "stop": 0}""", "field 'decoder.start' is 2")]
    [InlineData("post_processor", """{"type": "BertProcessing"}""", "field 'post_processor.type' is \"BertProcessing\"")]
    [InlineData("post_processor", """{"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>"}}]}""", "field 'post_processor.special_tokens' is missing")]
    [InlineData("added_tokens", """[{"id": 3, "content": "x", "single_word": true}]""", "field 'added_tokens[0].single_word' is true")]
    [InlineData("added_tokens", """[{"id": -3, "content": "x"}]""", "field 'added_tokens[0].id' is -3")]
    [InlineData("model", """{"type": "Unigram"}""", "field 'model.type' is \"Unigram\"; allowed: \"BPE\"")]
    [InlineData("model", """{"type": "BPE", "vocab": {"a": 0}, "merges": []}""", "a vocabulary with all 256 byte characters")]
    [InlineData("model", """{"type": "BPE", "dropout": 0.1}""", "field 'model.dropout' is 0.1; allowed: null")]
    [InlineData("model", """{"type": "BPE", "vocab": {"a": "b"}}""", "'a' has \"b\"")]
    [InlineData("model", null, "field 'model' is missing")]
    public void A_component_that_is_not_supported_is_named(string component, string? value, string problem)
    {
        JsonObject json = TinyTokenizers.ByteLevel();
        json[component] = value is null ? null : JsonNode.Parse(value);

        CheckpointException error = Assert.Throws<CheckpointException>(() => Read(json));

        Assert.Contains("tokenizer.json: ", error.Message);
        Assert.Contains(problem, error.Message);
    }

    [Theory]
    [InlineData("""["a b c"]""", "its vocabulary and merges do not fit together")]
    [InlineData("""["a zz"]""", "its vocabulary and merges do not fit together")]
    [InlineData("""[["a", "b", "c"]]""", "field 'model.merges'")]
    [InlineData("""[["a ", "b"]]""", "field 'model.merges'")]
    [InlineData("""[7]""", "pairs of tokens without spaces, not 7")]
    public void Merges_that_do_not_fit_are_named(string merges, string problem)
    {
        JsonObject json = TinyTokenizers.ByteLevel();
        json["model"]!["merges"] = JsonNode.Parse(merges);

        Assert.Contains(problem, Assert.Throws<CheckpointException>(() => Read(json)).Message);
    }

    [Fact]
    public void A_damaged_file_opens_or_is_refused_with_its_name()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("tokenizer.json");
        byte[] signs = [.. "\"{}[],:0123456789-.\\u dnull"u8];
        byte[][] sound = [Encoding.UTF8.GetBytes(TinyTokenizers.ByteLevel().ToJsonString()), Encoding.UTF8.GetBytes(TinyTokenizers.SentencePiece().ToJsonString())];
        Gen<(int Which, int At, byte Value, bool Insert)> damage =
            from which in Gen.Choose(0, 1)
            from tail in Gen.Elements(true, false) // the vocabulary fills the middle; most of what matters stands around it
            from at in tail ? Gen.Choose(sound[which].Length - 200, sound[which].Length - 1) : Gen.Choose(0, 1500)
            from value in Gen.Elements(signs)
            from insert in Gen.Elements(true, false)
            select (which, at, value, insert);

        Prop.ForAll(damage.ToArbitrary(), change =>
            {
                byte[] bytes = sound[change.Which];
                File.WriteAllBytes(path, [.. bytes[..change.At], change.Value, .. bytes[(change.Insert ? change.At : change.At + 1)..]]);
                try
                {
                    _ = HuggingFaceTokenizer.Read(path).Encode("ab é<s> 😀");
                    return true;
                }
                catch (CheckpointException error)
                {
                    return error.Message.StartsWith(path, StringComparison.Ordinal);
                }
            })
            .Check(Config.QuickThrowOnFailure.WithMaxTest(1500));
    }

    [Fact]
    public void Ids_that_a_model_has_and_its_tokenizer_has_not_are_unreadable_text_where_that_is_asked_for()
    {
        JsonObject json = TinyTokenizers.ByteLevel();
        json["added_tokens"]!.AsArray().RemoveAt(1); // 260 is a gap
        HuggingFaceTokenizer tokenizer = Read(json);
        var padded = new PaddedTokenizer(tokenizer);

        Assert.Equal("ab\uFFFD\uFFFDc<|end|>\uFFFD", padded.Decode([256, 300, 260, tokenizer.TokenId("c")!.Value, 259, -1]));
        Assert.Equal("abc", padded.Decode(padded.Encode("abc")));
        Assert.Equal("", padded.Decode([]));
        Assert.Equal(tokenizer.VocabularySize, padded.VocabularySize);
        Assert.Throws<ArgumentException>(() => tokenizer.Decode([300]));
    }

    private static HuggingFaceTokenizer Read(JsonObject json)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("tokenizer.json"), json.ToJsonString());
        return HuggingFaceTokenizer.Read(folder.File("tokenizer.json"));
    }
}
