using PaperLab.Preference;
using PaperLab.Training;

namespace PaperLab.Tests.Preference;

public sealed class NeuralRewardModelTests : TorchTest
{
    // The three weights: TorchSharp counts a Parameter twice, and takes one off when it is freed.
    private const long CountedForGood = 3;

    private static readonly NeuralRewardOptions s_options = new() { Seed = 1 };

    [Fact]
    public void A_best_count_is_learned_which_no_weights_of_counts_can_say_and_shuffled_labels_are_not()
    {
        // Two a, no more and no fewer.
        static double Reward(string text) => -Math.Abs(text.Count(c => c == 'a') - 2);
        PreferencePair[] pairs = Comparisons.Draw(400, seed: 1, Reward), others = Comparisons.Draw(400, seed: 2, Reward);

        using NeuralRewardModel model = NeuralRewardModel.Fit(pairs, Comparisons.Tokenizer, s_options);
        using NeuralRewardModel shuffled = NeuralRewardModel.Fit(Comparisons.WithoutMeaning(pairs, seed: 3), Comparisons.Tokenizer, s_options);
        LinearRewardModel linear = LinearRewardModel.Fit(pairs, Comparisons.Counts);

        Assert.True(model.Agreement(others) > 0.95, $"{model.Agreement(others)}");
        Assert.InRange(shuffled.Agreement(others), 0.3, 0.7);
        Assert.True(linear.Agreement(others) < 0.8, $"{linear.Agreement(others)}");
        Assert.Equal(model.Agreement(pairs), model.TrainingAgreement);
    }

    [Fact]
    public void Three_wins_and_a_loss_are_worth_the_logarithm_of_three()
    {
        using NeuralRewardModel model = NeuralRewardModel.Fit(Comparisons.ThreeToOne(), Comparisons.Tokenizer, s_options with { Epochs = 150, BatchSize = 4, WeightDecay = 0 });

        IReadOnlyList<double> scores = model.Score([new Candidate(new Query("?"), "a"), new Candidate(new Query("?"), "b")]);

        Assert.Equal(Math.Log(3), scores[0] - scores[1], 0.01);
        Assert.Equal(0.75, model.TrainingAgreement);
    }

    [Fact]
    public async Task The_same_seed_gives_the_same_scores_whatever_torch_drew_before_and_another_seed_others()
    {
        PreferencePair[] pairs = Comparisons.Draw(60, seed: 4, text => text.Count(c => c == 'b'));
        Candidate[] candidates = [.. pairs.Select(pair => pair.Better)];
        async Task<IReadOnlyList<double>> Scores(int seed)
        {
            using NeuralRewardModel model = NeuralRewardModel.Fit(pairs, Comparisons.Tokenizer, s_options with { Seed = seed, Epochs = 3 });
            return await model.ScoreAsync(candidates, TestContext.Current.CancellationToken);
        }

        IReadOnlyList<double> once = await Scores(1);
        TorchSharp.torch.rand(3).Dispose();

        Assert.Equal(once, await Scores(1));
        Assert.NotEqual(once, await Scores(2));
    }

    [Fact]
    public void The_query_and_the_answer_are_told_apart_and_a_score_does_not_depend_on_the_others()
    {
        PreferencePair[] pairs = Comparisons.Draw(60, seed: 5, text => text.Count(c => c == 'c'));
        using NeuralRewardModel model = NeuralRewardModel.Fit(pairs, Comparisons.Tokenizer, s_options with { Epochs = 3 });
        Candidate[] candidates = [new(new Query("a"), "b"), new(new Query("b"), "a"), .. pairs.Select(pair => pair.Better)];

        IReadOnlyList<double> together = model.Score(candidates);

        Assert.NotEqual(together[0], together[1]);
        Assert.Equal(together, candidates.Select(candidate => model.Score([candidate])[0]), (a, b) => Math.Abs(a - b) < 1e-5);
    }

    [Fact]
    public void A_long_fit_leaves_no_more_tensors_behind_than_its_weights()
    {
        long Growth(int epochs)
        {
            long before = LiveTensors();
            NeuralRewardModel.Fit(Comparisons.ThreeToOne(), Comparisons.Tokenizer, s_options with { Epochs = epochs }).Dispose();
            return LiveTensors() - before;
        }

        Growth(1);

        Assert.Equal([CountedForGood, CountedForGood], [Growth(1), Growth(20)]);
    }

    [Fact]
    public void A_training_that_diverges_says_so_and_leaves_no_more_behind()
    {
        long before = LiveTensors();

        TrainingDivergedException error = Assert.Throws<TrainingDivergedException>(
            () => NeuralRewardModel.Fit(Comparisons.ThreeToOne(), Comparisons.Tokenizer, s_options with { BatchSize = 1, LearningRate = 1e30 }));

        Assert.Contains("LearningRate (it is 1E+30)", error.Message);
        Assert.Equal(before + CountedForGood, LiveTensors());
    }

    [Fact]
    public void What_does_not_fit_is_refused_by_name()
    {
        NeuralRewardModel Fit(PreferencePair[] pairs, NeuralRewardOptions options) => NeuralRewardModel.Fit(pairs, Comparisons.Tokenizer, options);

        Assert.Contains("number of pairs is 0", Assert.Throws<ArgumentException>(() => Fit([], s_options)).Message);
        Assert.Contains("'z'", Assert.Throws<ArgumentException>(() => Fit([new(new Query("?"), "a", "z")], s_options)).Message);
        Assert.Contains("Width is 0", Assert.Throws<ArgumentException>(() => Fit(Comparisons.ThreeToOne(), s_options with { Width = 0 })).Message);
        Assert.Contains("Epochs is 0", Assert.Throws<ArgumentException>(() => Fit(Comparisons.ThreeToOne(), s_options with { Epochs = 0 })).Message);
        Assert.Contains("BatchSize is 0", Assert.Throws<ArgumentException>(() => Fit(Comparisons.ThreeToOne(), s_options with { BatchSize = 0 })).Message);
        Assert.Contains("LearningRate is NaN", Assert.Throws<ArgumentException>(() => Fit(Comparisons.ThreeToOne(), s_options with { LearningRate = double.NaN })).Message);
        Assert.Contains("WeightDecay is -1", Assert.Throws<ArgumentException>(() => Fit(Comparisons.ThreeToOne(), s_options with { WeightDecay = -1 })).Message);
    }
}
