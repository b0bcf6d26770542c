using System.Text.Json;
using PaperLab.Models;
using PaperLab.Text;
using PaperLab.Training;
using static TorchSharp.torch;

namespace PaperLab.Tests.Training;

public sealed class HeldOutEvaluationTests : TorchTest
{
    [Fact]
    public void How_many_experts_a_token_had_and_how_far_each_ones_scores_spread_is_kept()
    {
        using var folder = new TemporaryFolder();
        TokenizedCorpus text = TrainingFixtures.Text(folder);
        manual_seed(1);
        using var model = new Transformer(TrainingFixtures.Comparison.Model with
        {
            FeedForward = new AutonomyOfExpertsConfig { NumExperts = 4, Hidden = 16, GateRank = 4, Selection = ExpertSelection.TopP, TopP = 0.5 },
        });

        HeldOutEvaluation evaluation = new Evaluator(text, windowsPerDomain: 4, batchSize: 4, CPU).Evaluate(model);

        using var noGrad = no_grad();
        Routing[] routings = [.. EvaluationWindows.Cut(text, 4, model.Config.ContextLength, 4).Select(batch => model.forward(tensor(batch.Inputs, [batch.Sequences, batch.Context])).Routings[1])];
        Tensor scores_NE = cat([.. routings.Select(routing => routing.Scores_NE)], 0).to(ScalarType.Float64);
        double experts = (double)routings.Sum(routing => routing.Experts_A.shape[0]) / scores_NE.shape[0];
        Assert.InRange(experts, 1.5, 3.5); // not K
        Assert.Equal(experts, evaluation.Routing[1].ExpertsPerToken!.Value, 12);
        Assert.All(scores_NE.std(0, unbiased: false).data<double>().ToArray().Zip(evaluation.Routing[1].ScoreStd!), pair => Assert.Equal(pair.First, pair.Second, 1e-9));
        LayerRouting early = evaluation.Routing[1] with { ExpertsPerToken = null, ScoreStd = null };
        Assert.DoesNotContain("ScoreStd", JsonSerializer.Serialize(early, RunRecord.Json));
        Assert.Equal(early.Load, JsonSerializer.Deserialize<LayerRouting>(JsonSerializer.Serialize(early, RunRecord.Json), RunRecord.Json)!.Load);
    }

    [Fact]
    public void Perplexity_is_e_to_the_loss_and_no_part_of_the_record()
    {
        var evaluation = new HeldOutEvaluation(Math.Log(8), new Dictionary<string, double> { ["code"] = Math.Log(4), ["prose"] = Math.Log(16) }, []);

        Assert.Equal(8, evaluation.Perplexity, 12);
        Assert.Equal(["code", "prose"], evaluation.PerplexityByDomain.Keys);
        Assert.Equal(4, evaluation.PerplexityByDomain["code"], 12);
        Assert.Equal(16, evaluation.PerplexityByDomain["prose"], 12);
        Assert.DoesNotContain("Perplexity", JsonSerializer.Serialize(evaluation, RunRecord.Json));
    }

    [Fact]
    public void Of_a_task_only_the_answers_count_and_how_many_are_right_is_told()
    {
        TokenizedCorpus text = AssociativeRecall.Load(new RecallOptions { Pairs = 3, Queries = 2, Symbols = 8, TrainSequences = 100, HeldOutSequences = 10 });
        manual_seed(1);
        using var model = new Transformer(new TransformerConfig { VocabularySize = text.Tokenizer.VocabularySize, Width = 16, Layers = 1, Heads = 2, ContextLength = 10, FeedForward = new DenseConfig(16) });

        HeldOutEvaluation evaluation = new Evaluator(text, 1000, batchSize: 4, CPU).Evaluate(model);

        var answers = new List<(double Loss, bool Right)>();
        foreach (Batch batch in EvaluationWindows.Cut(text, 10, 10))
        {
            using var scope = NewDisposeScope();
            using var noGrad = no_grad();
            using var probability = model.forward(tensor(batch.Inputs, [10, 10])).Logits_BTV.softmax(-1).view(100, -1);
            answers.AddRange(Enumerable.Range(0, 100).Where(i => i % 10 is 6 or 8).Select(i =>
                (-Math.Log(probability[i][batch.Targets[i]].item<float>()), probability[i].argmax().item<long>() == batch.Targets[i])));
        }

        Assert.Equal(20, answers.Count);
        Assert.Equal(answers.Average(answer => answer.Loss), evaluation.Loss, 1e-4);
        Assert.Equal(answers.Average(answer => answer.Right ? 1.0 : 0), evaluation.Accuracy!.Value, 12);
        Assert.Contains("Accuracy", JsonSerializer.Serialize(evaluation, RunRecord.Json));
        Assert.DoesNotContain("Accuracy", JsonSerializer.Serialize(evaluation with { Accuracy = null }, RunRecord.Json));
    }
}
