// The policy objectives against plain PyTorch, from a model's weights to the gradient of each: ragged prompts and answers, one that stops
// at once, truncated ones, a group of equal rewards, a temperature, and an old and a reference policy.

using PaperLab.Models;
using PaperLab.Reinforcement;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace PaperLab.Tests.Parity;

public sealed class PolicyParityTests : TorchTest
{
    private const double Limit = 1e-5;

    public static TheoryData<string> Cases => [.. Fixture.Names("policies")];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Loss_and_every_gradient_are_the_references(string name)
    {
        using Fixture fixture = Fixture.Open("policies", name);
        PolicyCase config = fixture.Config<PolicyCase>();
        using Transformer model = fixture.Model(config.Model);
        long[] promptLengths = fixture["input.prompt_lengths"].data<long>().ToArray();
        int[][] prompts = [.. Rows(fixture["input.prompts"]).Zip(promptLengths, (row, length) => row[..(int)length])];
        int[][] answers = [.. Rows(fixture["input.answers"]).Select(row => row.Contains(config.Stop) ? row[..(Array.IndexOf(row, config.Stop) + 1)] : row)];
        double[] rewards = fixture["input.rewards"].to(ScalarType.Float64).data<double>().ToArray();
        double[] advantages = config.Objective.Advantages(rewards, config.GroupSize);
        int[] rows = config.Objective.Kept(rewards, config.GroupSize);

        var batch = new AnswerBatch([.. rows.Select(row => prompts[row])], [.. rows.Select(row => answers[row])], CPU);
        Tensor OfAnswers(string input) => cat([.. rows.Select(row => fixture[input][row].narrow(0, 0, answers[row].Length))]);
        PolicyLoss loss = PolicyLoss.Of(
            batch.Score(model, config.Temperature).LogProbs_N,
            OfAnswers("input.old"),
            OfAnswers("input.reference"),
            batch.PerToken([.. rows.Select(row => advantages[row])]),
            batch.PerToken(config.Objective.Weights(batch.Lengths)),
            config.Objective);
        loss.Loss.backward();

        fixture.Compare("output.loss", loss.Loss);
        foreach ((string parameter, Parameter value) in model.named_parameters())
        {
            fixture.Compare("grad." + parameter, value.grad);
        }

        fixture.RequireErrorsBelow(Limit);
    }

    private static int[][] Rows(Tensor values_BT) => [.. values_BT.data<long>().ToArray().Select(value => (int)value).Chunk((int)values_BT.shape[1])];

    private sealed record PolicyCase(TransformerConfig Model, PolicyObjective Objective, int Stop, int GroupSize, double Temperature);
}
