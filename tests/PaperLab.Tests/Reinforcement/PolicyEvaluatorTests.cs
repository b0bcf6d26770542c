using PaperLab.Models;
using PaperLab.Reinforcement;
using PaperLab.Text;
using static TorchSharp.torch;

namespace PaperLab.Tests.Reinforcement;

public sealed class PolicyEvaluatorTests : TorchTest
{
    private static readonly SymbolTokenizer s_tokenizer = new([.. ResponseFormat.Tags, "1", "2", "="]);

    [Theory]
    [InlineData("12", 0, 1)]
    [InlineData("<think>1</think><answer>12</answer>", 1, 1)]
    [InlineData("<think>12</think><answer>21</answer>", 0, 0)]
    public void A_right_answer_without_its_form_counts_leniently_only(string completion, double strict, double lenient)
    {
        var task = new OneQuestion(completion);
        using Transformer policy = Memorised(task);
        var evaluator = new PolicyEvaluator(new PolicyEvaluationOptions { Problems = 1, MaxNewTokens = 12 }, task, s_tokenizer, SymbolTokenizer.End);

        PolicyScore score = Assert.Single(evaluator.Evaluate(policy));

        Assert.Equal((strict, lenient, 0), (score.Greedy, score.GreedyLenient, score.Truncated));
        Assert.Equal(lenient / 2, PolicyScore.Mean([score, score with { GreedyLenient = 0 }]).GreedyLenient);
    }

    [Fact]
    public void Mixing_of_languages_shows_in_samples_and_not_in_greedy_answers()
    {
        var task = new ParityTask(new ParityOptions { Lengths = [8], ChainShare = 1, LanguageMix = 0.3 });
        manual_seed(2);
        using var policy = new Transformer(new TransformerConfig { VocabularySize = task.Tokenizer.VocabularySize, Width = 32, Layers = 1, Heads = 2, ContextLength = 40, FeedForward = new DenseConfig(64) });
        var config = new ImitationConfig { Seed = 1, Steps = 150, BatchSize = 32, LearningRate = 5e-3, Demonstrations = 500 };
        using var trainer = new ImitationTrainer(config, policy, ImitationTrainer.LessonsOf(task, task.Tokenizer, SymbolTokenizer.End, config));
        for (int step = 1; step <= config.Steps; step++)
        {
            trainer.Take(step, TestContext.Current.CancellationToken);
        }

        double Language(int samples) => Assert.Single(new PolicyEvaluator(new PolicyEvaluationOptions { Problems = 20, Samples = samples, MaxNewTokens = 16 }, task, task.Tokenizer, SymbolTokenizer.End).Evaluate(policy)).Language!.Value;

        Assert.InRange(Language(samples: 8), 0.55, 0.85);
        Assert.True(Language(samples: 0) > 0.95);
    }

    private static Transformer Memorised(OneQuestion task)
    {
        manual_seed(2);
        var policy = new Transformer(new TransformerConfig { VocabularySize = s_tokenizer.VocabularySize, Width = 32, Layers = 1, Heads = 2, ContextLength = 24, FeedForward = new DenseConfig(64) });
        var config = new ImitationConfig { Seed = 1, Steps = 80, BatchSize = 2, LearningRate = 5e-3, Demonstrations = 1 };
        using var trainer = new ImitationTrainer(config, policy, ImitationTrainer.LessonsOf(task, s_tokenizer, SymbolTokenizer.End, config));
        for (int step = 1; step <= config.Steps; step++)
        {
            trainer.Take(step, TestContext.Current.CancellationToken);
        }

        return policy;
    }

    private sealed class OneQuestion(string completion) : ITask
    {
        private static readonly NumberProblem s_problem = new("1=", 12);

        public string Name => "one question";

        public IReadOnlyList<int> Difficulties { get; } = [1];

        public Problem Draw(Split split, int difficulty, ulong seed) => s_problem;

        public Demonstration Demonstrate(int difficulty, ulong seed) => new(s_problem, completion);
    }
}
