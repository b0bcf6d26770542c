using PaperLab.Models;
using PaperLab.Reinforcement;
using static TorchSharp.torch;

namespace PaperLab.Tests.Reinforcement;

public sealed class PolicyTrainerTests : TorchTest
{
    private static readonly ParityTask s_task = new(new ParityOptions { Lengths = [8], ChainShare = 0.5 });

    private static readonly PolicyConfig s_config = new() { Seed = 1, Steps = 3, Questions = 4, Answers = 4, MaxNewTokens = 20, LearningRate = 1e-3, Objective = PolicyObjective.Grpo };

    [Fact]
    public void A_policy_that_has_seen_chains_and_guesses_learns_to_be_right()
    {
        using Transformer policy = Policy();
        Prime(policy, steps: 120);
        PolicyEvaluator evaluator = new(new PolicyEvaluationOptions { Problems = 6, MaxNewTokens = 20 }, s_task, s_task.Tokenizer, SymbolTokenizer.End);
        PolicyScore before = Assert.Single(evaluator.Evaluate(policy));

        using PolicyTrainer trainer = Trainer(policy, s_config with { Steps = 25, Questions = 16, Answers = 8, LearningRate = 2e-3, Objective = PolicyObjective.Dapo }, CombinedReward.R1Zero());
        PolicyStep[] steps = [.. trainer.Train()];

        PolicyScore after = Assert.Single(evaluator.Evaluate(policy));
        Assert.True(steps[^5..].Average(step => step.Reward) > steps[..5].Average(step => step.Reward) + 0.1, $"reward {string.Join(' ', steps.Select(step => step.Reward.ToString("0.00")))}");
        Assert.True(after.Format >= before.Format);
        Assert.All(steps, step => Assert.InRange(step.Truncated + step.DeadGroups + step.ClipShare, 0, 3));
        Assert.All(steps, step => Assert.Equal(["accuracy", "format"], step.Verifiers.Keys));
    }

    [Fact]
    public void The_same_seed_gives_the_same_training_however_many_answers_a_forward_pass_has()
    {
        PolicyStep[] Steps(PolicyConfig config)
        {
            using Transformer policy = Policy();
            using PolicyTrainer trainer = Trainer(policy, config);
            return [.. trainer.Train()];
        }

        PolicyStep[] once = Steps(s_config), again = Steps(s_config), inParts = Steps(s_config with { MicroBatchSize = 3 }), another = Steps(s_config with { Seed = 2 });

        Assert.Equal(once.Select(step => (step.Loss, step.GradientNorm, step.Reward)), again.Select(step => (step.Loss, step.GradientNorm, step.Reward)));
        Assert.Equal(once.Select(step => step.GradientNorm), inParts.Select(step => step.GradientNorm), (a, b) => Math.Abs(a - b) < 1e-4);
        Assert.Equal(once.Select(step => step.Entropy), inParts.Select(step => step.Entropy), (a, b) => Math.Abs(a - b) < 1e-4);
        Assert.NotEqual(once.Select(step => step.GradientNorm), another.Select(step => step.GradientNorm));
    }

    [Fact]
    public void With_one_minibatch_the_ratio_is_one_and_with_several_the_policy_moves_away_from_it()
    {
        using Transformer one = Policy(), several = Policy();

        using PolicyTrainer once = Trainer(one, s_config with { Objective = PolicyObjective.Grpo with { KlWeight = 0.1 } });
        using PolicyTrainer often = Trainer(several, s_config with { Steps = 4, Minibatches = 4, LearningRate = 0.02, Objective = PolicyObjective.Grpo with { KlWeight = 0.1 } });
        PolicyStep first = once.Take(1);
        PolicyStep[] moved = [.. often.Train()];

        Assert.Equal(0, first.ClipShare);
        Assert.Equal(0, first.Kl, 6); // the reference is the policy
        Assert.True(moved.Sum(step => step.ClipShare) > 0);
        Assert.True(moved[^1].Kl > 1e-4, $"{moved[^1].Kl}");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_step_whose_groups_are_all_dead_and_dropped_leaves_the_policy_as_it_is(int minibatches)
    {
        using Transformer policy = Policy();
        using Tensor before = policy.state_dict().First().Value.clone();

        using PolicyTrainer trainer = Trainer(policy, s_config with { Objective = PolicyObjective.Dapo, Minibatches = minibatches }, new CombinedReward([new WeightedVerifier(new Constant())]));
        PolicyStep step = trainer.Take(1);

        Assert.Equal(1, step.DeadGroups);
        Assert.Equal(0, step.GradientNorm);
        Assert.True(policy.state_dict().First().Value.eq(before).all().item<bool>());
    }

    [Fact]
    public void A_verifier_that_fails_ends_the_training_with_the_sample_named()
    {
        using Transformer policy = Policy();

        using PolicyTrainer trainer = Trainer(policy, s_config, new CombinedReward([new WeightedVerifier(new Constant(double.NaN))]));
        VerifierException error = Assert.Throws<VerifierException>(() => trainer.Take(1));

        Assert.Contains("sample 0", error.Message);
    }

    [Fact]
    public void Steps_leave_no_tensors_behind()
    {
        using Transformer policy = Policy();
        using PolicyTrainer trainer = Trainer(policy, s_config with { Steps = 4, Minibatches = 2, MicroBatchSize = 3 });
        long[] live = [.. trainer.Train().Select(_ => LiveTensors())];

        Assert.Single(live.Skip(1).Distinct()); // the first makes the optimizer's moments
    }

    [Fact]
    public void What_does_not_fit_is_refused_by_name()
    {
        Assert.Contains("Minibatches", Assert.Throws<ArgumentException>(() => (s_config with { Minibatches = 3 }).Validate()).Message);
        Assert.Contains("Answers", Assert.Throws<ArgumentException>(() => (s_config with { Answers = 1 }).Validate()).Message);
        Assert.Contains("Temperature", Assert.Throws<ArgumentException>(() => (s_config with { Temperature = 0 }).Validate()).Message);
        Assert.Contains("ClipLow", Assert.Throws<ArgumentException>(() => (s_config with { Objective = PolicyObjective.Grpo with { ClipLow = 2 } }).Validate()).Message);
    }

    private static PolicyTrainer Trainer(Transformer policy, PolicyConfig config, CombinedReward? reward = null) =>
        new(config, policy, s_task.Tokenizer, SymbolTokenizer.End, s_task, reward ?? new CombinedReward([new WeightedVerifier(new Ones())]));

    private static Transformer Policy()
    {
        manual_seed(5);
        return new Transformer(new TransformerConfig
        {
            VocabularySize = s_task.Tokenizer.VocabularySize,
            Width = 32,
            Layers = 2,
            Heads = 2,
            ContextLength = 40,
            FeedForward = new DenseConfig(64),
        });
    }

    private static void Prime(Transformer policy, int steps)
    {
        var config = new ImitationConfig { Seed = 1, Steps = steps, BatchSize = 32, LearningRate = 5e-3, Demonstrations = 1000 };
        using var trainer = new ImitationTrainer(config, policy, ImitationTrainer.LessonsOf(s_task, s_task.Tokenizer, SymbolTokenizer.End, config));
        for (int step = 1; step <= steps; step++)
        {
            trainer.Take(step, TestContext.Current.CancellationToken);
        }
    }

    // What an untrained policy does more or less of too.
    private sealed class Ones : IVerifier
    {
        public string Name => "ones";

        public Score Judge(Sample sample) => new(sample.Completion.Text.Count(c => c == '1') / 20.0, "counted");
    }

    private sealed class Constant(double value = 1) : IVerifier
    {
        public string Name => "constant";

        public Score Judge(Sample sample) => new(value, "always");
    }
}
