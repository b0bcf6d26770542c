// Multiple choice against plain Python, from the question's text to the choice: joining, tokens, log-likelihoods, normalisation.

using System.Text.Json;
using System.Text.Json.Serialization;
using PaperLab.Checkpoints;
using PaperLab.Evaluation;
using static TorchSharp.torch;

namespace PaperLab.Tests.Parity;

public sealed class ChoiceParityTests : TorchTest
{
    private const double Limit = 1e-5;

    private static readonly JsonSerializerOptions s_strict = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectRequiredConstructorParameters = true,
    };

    public static TheoryData<string> Cases => [.. Fixture.Folders("choices")];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Every_score_and_every_choice_is_the_references(string name)
    {
        string folder = Path.Combine(Fixture.Folder, "choices", name);
        Expected expected = JsonSerializer.Deserialize<Expected>(File.ReadAllText(Path.Combine(folder, "expected.json")), s_strict)!;
        using HuggingFaceModel checkpoint = HuggingFaceModel.Load(folder, dtype: ScalarType.Float32);
        HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.Read(Path.Combine(folder, "tokenizer.json"));
        var choice = new MultipleChoice(
            checkpoint.Model,
            text => tokenizer.Encode(text, addSpecialTokens: false),
            new MultipleChoiceOptions { BeginToken = expected.Begin, NeutralContext = expected.Neutral });

        MultipleChoiceLikelihoods likelihoods = choice.Score([.. expected.Items.Select(item => Put(expected.Questions.Single(question => question.Id == item.Question), item.Asked))]);

        Assert.Equal(["AsStatement", "ByLetter", "InFull"], expected.Items.Select(item => item.Asked).Distinct().Order(StringComparer.Ordinal));
        Assert.All(expected.Items.Zip(likelihoods.Items), pair => Assert.Equal(pair.First.Tokens, pair.Second.Options.Select(option => option.Tokens)));
        foreach (AnswerNormalization normalization in Enum.GetValues<AnswerNormalization>())
        {
            foreach ((ExpectedItem item, ItemChoice actual) in expected.Items.Zip(likelihoods.Choose(normalization).Items))
            {
                string where = $"{item.Question}, {item.Asked}, {normalization}";
                IReadOnlyList<double> scores = item.Scores[normalization];

                // A difference of two log-likelihoods is as exact as they are, however small it is.
                double size = (normalization == AnswerNormalization.Unconditional ? item.Scores[AnswerNormalization.None] : scores).Max(Math.Abs);
                Assert.All(scores.Zip(actual.Scores), pair => Assert.True(Math.Abs(pair.First - pair.Second) <= Limit * size, $"{where}: {pair.Second}, the reference's is {pair.First}"));
                Assert.True(item.Chosen[normalization] == actual.Chosen, $"{where}: option {actual.Chosen} is chosen, by the reference {item.Chosen[normalization]}");
            }
        }
    }

    private static MultipleChoiceItem Put(Question question, string asked) => asked switch
    {
        "InFull" => MultipleChoiceItem.InFull(question.Id, question.Text, question.Cue, question.Options, question.Answer),
        "ByLetter" => MultipleChoiceItem.ByLetter(question.Id, question.Text, question.Cue, question.Options, question.Answer),
        "AsStatement" => new MultipleChoiceItem(question.Id, question.Passage, question.Statements, question.Answer),
        _ => throw new InvalidOperationException($"No way of asking is known by the name '{asked}'."),
    };

    private sealed record Expected(int? Begin, string Neutral, IReadOnlyList<Question> Questions, IReadOnlyList<ExpectedItem> Items);

    private sealed record Question(
        string Id, [property: JsonPropertyName("question")] string Text, string Cue, IReadOnlyList<string> Options, int Answer, string Passage, IReadOnlyList<string> Statements);

    private sealed record ExpectedItem(
        string Question, string Asked, IReadOnlyList<int> Tokens,
        IReadOnlyDictionary<AnswerNormalization, IReadOnlyList<double>> Scores, IReadOnlyDictionary<AnswerNormalization, int> Chosen);
}
