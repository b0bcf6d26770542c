using PaperLab.Models;
using PaperLab.Preference;
using PaperLab.Training;
using static TorchSharp.torch;

namespace PaperLab.Tests.Preference;

public sealed class DpoTrainerTests : TorchTest
{
    private static readonly DpoConfig s_config = new() { Seed = 1, Steps = 4, BatchSize = 8, LearningRate = 1e-3 };

    [Fact]
    public void Loss_rewards_and_gradient_of_two_pairs_are_those_worked_by_hand()
    {
        using Tensor logProbs_2P = tensor([-1f, -4, -2, -3], requires_grad: true), reference_2P = tensor([-1.5f, -4, -1, -3]);

        // β = ½: margins ½ ((−1 + 1.5) − (−2 + 1)) = 0.75 and 0.
        DpoLoss loss = DpoLoss.Of(logProbs_2P, reference_2P, beta: 0.5);
        loss.Loss_P.sum().backward();

        Assert.Equal([Math.Log(1 + Math.Exp(-0.75)), Math.Log(2)], Values(loss.Loss_P), Near);
        Assert.Equal([0.25, 0], Values(loss.Chosen_P), Near);
        Assert.Equal([-0.5, 0], Values(loss.Rejected_P), Near);
        double pull = 0.5 / (1 + Math.Exp(0.75)); // β σ(−margin)
        Assert.Equal([-pull, -0.25, pull, 0.25], Values(logProbs_2P.grad!), Near);
    }

    [Fact]
    public void The_first_step_has_loss_log_2_no_margin_and_the_gradient_of_the_difference_of_log_probabilities()
    {
        using Transformer policy = Policy();
        TokenPair[] pairs = Pairs(8);

        // At the start every margin is 0, so the loss's gradient is −β/2 times that of the mean difference; answer by answer, nothing padded.
        (pairs.Select(pair => LogProb(policy, pair.Prompt, pair.Chosen) - LogProb(policy, pair.Prompt, pair.Rejected)).Aggregate((a, b) => a + b) * (-0.05 / 8)).backward();
        double expected = Math.Sqrt(policy.parameters().Sum(parameter => parameter.grad!.square().sum().item<float>()));

        using var trainer = new DpoTrainer(s_config, policy, pairs);
        DpoStep step = trainer.Take(1);

        Assert.Equal(Math.Log(2), step.Loss, 1e-5);
        Assert.Equal(0, step.Margin, 1e-5);
        Assert.Equal(expected, step.GradientNorm, expected * 1e-4);
    }

    [Fact]
    public void Rewards_are_measured_from_the_policy_of_the_start()
    {
        using Transformer policy = Policy(), start = Policy();
        TokenPair[] pairs = Pairs(8);
        using var trainer = new DpoTrainer(s_config with { BatchSize = 8, Beta = 0.3 }, policy, pairs);
        for (int step = 1; step <= 3; step++)
        {
            trainer.Take(step);
        }

        using var noGrad = no_grad();
        double Reward(TokenPair pair, IReadOnlyList<int> answer) => 0.3 * (LogProb(policy, pair.Prompt, answer) - LogProb(start, pair.Prompt, answer)).item<float>();
        double[] chosen = [.. pairs.Select(pair => Reward(pair, pair.Chosen))], rejected = [.. pairs.Select(pair => Reward(pair, pair.Rejected))];
        using var withGrad = enable_grad();
        DpoStep fourth = trainer.Take(4);

        Assert.Equal(chosen.Average(), fourth.ChosenReward, 1e-4);
        Assert.Equal(rejected.Average(), fourth.RejectedReward, 1e-4);
        Assert.Equal(chosen.Zip(rejected, (c, r) => Math.Log(1 + Math.Exp(r - c))).Average(), fourth.Loss, 1e-4);
        Assert.Equal(chosen.Zip(rejected, (c, r) => c > r ? 1.0 : 0).Average(), fourth.Accuracy, 1e-6);
    }

    [Fact]
    public void What_was_chosen_becomes_likelier_beside_what_was_rejected_in_pairs_that_were_not_shown()
    {
        using Transformer policy = Policy();
        TokenPair[] pairs = Pairs(64), others = [.. Pairs(80)[64..]];
        double Difference()
        {
            using var noGrad = no_grad();
            return others.Average(pair => (LogProb(policy, pair.Prompt, pair.Chosen) - LogProb(policy, pair.Prompt, pair.Rejected)).item<float>());
        }

        double before = Difference();
        using var trainer = new DpoTrainer(s_config with { Steps = 25, BatchSize = 16, LearningRate = 3e-3 }, policy, pairs);
        DpoStep[] steps = [.. trainer.Train()];

        Assert.True(Difference() > before + 5, $"{before} became {Difference()}");
        Assert.True(steps[^1].Loss < 0.5 && steps[^1].Accuracy > 0.9 && steps[^1].Margin > 0.5, $"{steps[^1]}");
    }

    [Fact]
    public void The_same_seed_gives_the_same_training_however_many_pairs_a_forward_pass_has()
    {
        DpoStep[] Steps(DpoConfig config)
        {
            using Transformer policy = Policy();
            using var trainer = new DpoTrainer(config, policy, Pairs(20));
            return [.. trainer.Train()];
        }

        DpoStep[] once = Steps(s_config), inParts = Steps(s_config with { MicroBatchSize = 3 });

        Assert.Equal(once, Steps(s_config));
        Assert.Equal(once.Select(step => step.Loss), inParts.Select(step => step.Loss), Near);
        Assert.Equal(once.Select(step => step.Margin), inParts.Select(step => step.Margin), Near);
        Assert.Equal(once.Select(step => step.GradientNorm), inParts.Select(step => step.GradientNorm), Near);
        Assert.NotEqual(once.Select(step => step.Loss), Steps(s_config with { Seed = 2 }).Select(step => step.Loss));
    }

    [Fact]
    public void Every_pair_comes_once_before_any_comes_again_and_every_token_is_told()
    {
        using Transformer policy = Policy();
        TokenPair[] pairs = [new([1, 2], [3], [4, 5]), new([1], [2, 3, 4], [5, 0]), new([4], [3, 0], [3, 1]), new([4, 4, 4], [1, 0], [2])];
        using var trainer = new DpoTrainer(s_config with { Steps = 8, BatchSize = 1 }, policy, pairs);

        int[] read = [.. trainer.Train().Select(step => step.TokensRead)];

        // Both answers after their prompts, each without its last token: 2 + 3, 3 + 2, 2 + 2, 4 + 3.
        Assert.Equal([4, 5, 5, 7], read[..4].Order());
        Assert.Equal([4, 5, 5, 7], read[4..].Order());
        Assert.Equal(21, trainer.ReferenceTokens);
    }

    [Fact]
    public void Twenty_steps_leave_no_tensors_behind()
    {
        using Transformer policy = Policy();
        DpoConfig config = s_config with { Steps = 20, BatchSize = 4, MicroBatchSize = 3 };
        new DpoTrainer(config, policy, Pairs(6)).Dispose(); // the policy's table of rotations
        long before = LiveTensors();
        using (var trainer = new DpoTrainer(config, policy, Pairs(6)))
        {
            trainer.Take(1); // makes the gradients
            long first = LiveTensors();
            for (int step = 2; step <= 20; step++)
            {
                trainer.Take(step);
            }

            Assert.Equal(first, LiveTensors());
        }

        Assert.Equal(before, LiveTensors());
    }

    [Fact]
    public void A_step_that_is_no_number_is_told_and_not_taken()
    {
        using Transformer policy = Policy();
        using var trainer = new DpoTrainer(s_config, policy, Pairs(8));
        Tensor[] weights = [.. policy.parameters()];
        using (no_grad())
        {
            weights[^1].fill_(float.NaN);
        }

        using Tensor before = weights[0].clone();
        TrainingDivergedException error = Assert.Throws<TrainingDivergedException>(() => trainer.Take(1));

        Assert.Contains("Step 1 of DPO, seed 1, has loss NaN", error.Message);
        Assert.True(weights[0].eq(before).all().item<bool>());
        Assert.Contains("pair 0's answers", Assert.Throws<ArgumentException>(() => new DpoTrainer(s_config, policy, Pairs(2))).Message);
    }

    [Fact]
    public void A_pair_of_texts_becomes_tokens_with_the_end_of_each_answer()
    {
        var tokens = TokenPair.Of(new PreferencePair(new Query("?"), "ab", "c"), "?a", Comparisons.Tokenizer, end: 0);

        Assert.Equal([1, 2], tokens.Prompt);
        Assert.Equal([2, 3, 0], tokens.Chosen);
        Assert.Equal([4, 0], tokens.Rejected);
    }

    [Fact]
    public void What_does_not_fit_is_refused_by_name()
    {
        using Transformer policy = Policy();
        void Refused(string message, DpoConfig config, params TokenPair[] pairs) =>
            Assert.Contains(message, Assert.Throws<ArgumentException>(() => new DpoTrainer(config, policy, pairs)).Message);
        TokenPair fine = new([1], [2], [3]);

        Refused("number of pairs is 0", s_config);
        Refused("pair 1's prompt", s_config, fine, fine with { Prompt = [] });
        Refused("pair 0's chosen answer", s_config, fine with { Chosen = [] });
        Refused("pair 0's rejected answer", s_config, fine with { Rejected = [] });
        Refused("length of pair 0, in tokens is 33", s_config, fine with { Rejected = new int[33] });
        Refused("a token of pair 0 is 12", s_config, fine with { Chosen = [12] });
        Refused("Steps is 0", s_config with { Steps = 0 }, fine);
        Refused("BatchSize is 0", s_config with { BatchSize = 0 }, fine);
        Refused("MicroBatchSize is -1", s_config with { MicroBatchSize = -1 }, fine);
        Refused("Beta is 0", s_config with { Beta = 0 }, fine);
        Refused("LearningRate is 0", s_config with { LearningRate = 0 }, fine);
        Refused("WeightDecay is -1", s_config with { WeightDecay = -1 }, fine);
        Refused("GradientClip is 0", s_config with { GradientClip = 0 }, fine);
    }

    private static Transformer Policy()
    {
        manual_seed(5);
        return new Transformer(new TransformerConfig { VocabularySize = 12, Width = 32, Layers = 2, Heads = 2, ContextLength = 32, FeedForward = new DenseConfig(48) });
    }

    // Of like letters, but the chosen have more of 1 to 5 and the rejected more of 6 to 10; 0 ends an answer.
    private static TokenPair[] Pairs(int count)
    {
        var random = new SplitMix64(9);
        var pairs = new TokenPair[count];
        for (int i = 0; i < count; i++)
        {
            int[] Text(int least, int longest, int first, ref SplitMix64 random)
            {
                int[] text = new int[least + random.Next(longest - least + 1)];
                for (int t = 0; t < text.Length; t++)
                {
                    text[t] = 1 + ((first + random.Next(7)) % 10);
                }

                return text;
            }

            pairs[i] = new TokenPair(Text(1, 4, 0, ref random), [.. Text(2, 9, 0, ref random), 0], [.. Text(2, 9, 5, ref random), 0]);
        }

        return pairs;
    }

    private static Tensor LogProb(Transformer policy, IReadOnlyList<int> prompt, IReadOnlyList<int> answer)
    {
        long[] tokens = [.. prompt.Concat(answer).Select(token => (long)token)];
        Tensor logProbs_TV = policy.forward(tensor(tokens).unsqueeze(0)).Logits_BTV[0].log_softmax(-1);
        return Enumerable.Range(prompt.Count, answer.Count).Select(t => logProbs_TV[t - 1, tokens[t]]).Aggregate((a, b) => a + b);
    }

    private static double[] Values(Tensor values) => [.. values.data<float>().ToArray().Select(value => (double)value)];

    private static bool Near(double a, double b) => Math.Abs(a - b) < 1e-5;
}
