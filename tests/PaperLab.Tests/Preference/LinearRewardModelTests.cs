using PaperLab.Preference;

namespace PaperLab.Tests.Preference;

public sealed class LinearRewardModelTests
{
    private static readonly double[] s_weights = [1.2, -0.6, 0, 0.3, 0];

    private static readonly Query s_query = new("?");

    [Theory]
    [InlineData(0.0001)]
    [InlineData(0.5)]
    [InlineData(4)]
    public void Three_wins_and_a_loss_give_the_weight_that_the_equation_gives(double l2)
    {
        // One feature, differences +1, +1, −1, +1: 3 σ(−θ) − σ(θ) = λ θ where the penalised likelihood is highest.
        LinearRewardModel model = LinearRewardModel.Fit(Comparisons.ThreeToOne(), candidate => [candidate.Text == "a" ? 1 : 0], new LinearRewardOptions { L2 = l2 });

        double theta = Assert.Single(model.Weights);
        Assert.Equal(l2 * theta, (3 * Sigmoid(-theta)) - Sigmoid(theta), 4);
        Assert.Equal(0.75, model.TrainingAgreement);
        IReadOnlyList<double> scores = model.Score([new Candidate(s_query, "a"), new Candidate(s_query, "b")]);
        Assert.Equal(theta, scores[0] - scores[1], 6);
    }

    [Fact]
    public void The_weights_that_drew_the_labels_are_found_again()
    {
        PreferencePair[] pairs = Comparisons.Draw(3000, seed: 1, Reward, noisy: true);
        LinearRewardModel model = LinearRewardModel.Fit(pairs, Comparisons.Counts);

        // Every text has as many letters, so the counts of one letter follow from the others: only differences between weights matter.
        double mean = model.Weights.Average(), expected = s_weights.Average();
        for (int i = 0; i < s_weights.Length; i++)
        {
            Assert.Equal(s_weights[i] - expected, model.Weights[i] - mean, 0.12);
        }

        Assert.Equal(0, model.Intercept, 5);
        Assert.InRange(model.TrainingAgreement, 0.75, 0.95); // some labels are wrong
        Assert.Equal(model.TrainingAgreement, model.Agreement(pairs));
        Assert.True(model.Agreement(Comparisons.Draw(500, seed: 2, Reward)) > 0.95);
    }

    [Fact]
    public void The_same_pairs_give_the_same_weights_to_the_last_bit()
    {
        PreferencePair[] pairs = Comparisons.Draw(500, seed: 3, Reward, noisy: true);

        Assert.Equal(LinearRewardModel.Fit(pairs, Comparisons.Counts).Weights, LinearRewardModel.Fit(pairs, Comparisons.Counts).Weights);
        Assert.NotEqual(LinearRewardModel.Fit(pairs, Comparisons.Counts).Weights, LinearRewardModel.Fit(pairs[1..], Comparisons.Counts).Weights);
    }

    [Fact]
    public void A_tie_counts_half_and_a_turned_pair_not_at_all()
    {
        LinearRewardModel model = LinearRewardModel.Fit(Comparisons.ThreeToOne(), candidate => [candidate.Text.Count(c => c == 'a')]);

        Assert.Equal(0.5, model.Agreement([new(s_query, "a", "b"), new(s_query, "bc", "cb"), new(s_query, "b", "aa"), new(s_query, "ca", "a")]));
    }

    [Fact]
    public async Task An_answer_that_has_no_finite_features_is_not_judged()
    {
        PreferencePair[] pairs = Comparisons.ThreeToOne();
        LinearRewardModel model = LinearRewardModel.Fit(pairs, candidate => [candidate.Text switch { "a" => 1, "b" => 0, _ => float.NaN }]);

        IReadOnlyList<double> scores = await model.ScoreAsync([new Candidate(s_query, "c"), new Candidate(s_query, "b")], TestContext.Current.CancellationToken);

        Assert.Equal([double.NaN, 0], scores);
    }

    [Theory]
    [InlineData(float.NaN, "feature 1 of the rejected answer of pair 0 is NaN")]
    [InlineData(float.PositiveInfinity, "feature 1 of the rejected answer of pair 0")]
    [InlineData(1e20f, "feature 1 of the rejected answer of pair 0 is 1E+20")]
    public void A_feature_that_cannot_be_fitted_is_refused_by_name(float feature, string message)
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => LinearRewardModel.Fit(Comparisons.ThreeToOne(), candidate => [0, candidate.Text == "a" ? 1 : feature]));

        Assert.Contains(message, error.Message);
    }

    [Fact]
    public void A_fit_that_ended_before_the_best_weights_is_refused()
    {
        PreferencePair[] pairs = Comparisons.Draw(500, seed: 3, Reward, noisy: true);
        float[] Unlike(float size, Candidate candidate) => [.. Comparisons.Counts(candidate).Select((count, i) => i == 0 ? count * size : count)];

        LinearRewardModel even = LinearRewardModel.Fit(pairs, Comparisons.Counts), uneven = LinearRewardModel.Fit(pairs, candidate => Unlike(10, candidate));
        ArgumentException error = Assert.Throws<ArgumentException>(() => LinearRewardModel.Fit(pairs, candidate => Unlike(1e5f, candidate)));

        Assert.Equal(even.Weights[0] - even.Weights[1], (uneven.Weights[0] * 10) - uneven.Weights[1], 0.05);
        Assert.Contains("the gradient that the fit left at feature 1 is", error.Message);
    }

    [Fact]
    public void What_does_not_fit_is_refused_by_name()
    {
        PreferencePair[] pairs = Comparisons.ThreeToOne();
        LinearRewardModel model = LinearRewardModel.Fit(pairs, candidate => new float[candidate.Text.Length]);

        Assert.Contains("number of pairs is 0", Assert.Throws<ArgumentException>(() => LinearRewardModel.Fit([], Comparisons.Counts)).Message);
        Assert.Contains("number of pairs is 0", Assert.Throws<ArgumentException>(() => model.Agreement([])).Message);
        Assert.Contains("number of features is 0", Assert.Throws<ArgumentException>(() => LinearRewardModel.Fit(pairs, _ => [])).Message);
        Assert.Contains("rejected answer of pair 0", Assert.Throws<ArgumentException>(() => LinearRewardModel.Fit(pairs, candidate => new float[candidate.Text[0]])).Message);
        Assert.Contains("features of 'ab' is 2", Assert.Throws<ArgumentException>(() => model.Score([new Candidate(s_query, "ab")])).Message);
        Assert.Contains("L2 is 0", Assert.Throws<ArgumentException>(() => LinearRewardModel.Fit(pairs, Comparisons.Counts, new LinearRewardOptions { L2 = 0 })).Message);
    }

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    private static double Reward(string text) => text.Sum(letter => s_weights[Comparisons.Letters.IndexOf(letter)]);
}
