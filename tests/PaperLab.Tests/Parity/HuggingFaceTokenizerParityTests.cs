// Tokenizers in Hugging Face's format against a plain Python implementation.

using System.Text.Json;
using System.Text.Json.Serialization;
using PaperLab.Checkpoints;

namespace PaperLab.Tests.Parity;

public sealed class HuggingFaceTokenizerParityTests
{
    public static TheoryData<string> Families => [.. Fixture.Folders("hf")];

    [Theory]
    [MemberData(nameof(Families))]
    public void Texts_have_the_references_ids_and_the_ids_its_texts(string family)
    {
        string folder = Path.Combine(Fixture.Folder, "hf", family);
        HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.Read(Path.Combine(folder, "tokenizer.json"));
        Expectation[] expectations = JsonSerializer.Deserialize<Expectation[]>(File.ReadAllText(Path.Combine(folder, "expected-tokens.json")))!;

        Assert.NotEmpty(expectations);
        Assert.All(expectations, expected =>
        {
            Assert.Equal(expected.Ids, tokenizer.Encode(expected.Text, addSpecialTokens: false));
            Assert.Equal(expected.WithSpecialTokens, tokenizer.Encode(expected.Text));
            Assert.Equal(expected.Decoded, tokenizer.Decode(expected.Ids));
        });
    }

    private sealed record Expectation(
        [property: JsonPropertyName("text")] string Text,
        [property: JsonPropertyName("ids")] int[] Ids,
        [property: JsonPropertyName("with_special_tokens")] int[] WithSpecialTokens,
        [property: JsonPropertyName("decoded")] string Decoded);
}
