using PaperLab.Evaluation;

namespace PaperLab.Tests.Evaluation;

public sealed class CalibrationTests
{
    [Fact]
    public void The_expected_error_matches_a_hand_worked_example()
    {
        // Bins of width ½: {0.2 wrong, 0.4 right} has confidence 0.3 and accuracy 0.5, {0.6 right, 0.8 wrong, 1 right} 0.8 and 2/3.
        IReadOnlyList<ReliabilityBin> curve = Calibration.ReliabilityCurve([0.6, 0.2, 1, 0.8, 0.4], [true, false, true, false, true], bins: 2);

        Assert.Equal([2, 3], curve.Select(bin => bin.Count));
        Assert.Equal([0.3, 0.8], curve.Select(bin => Math.Round(bin.MeanConfidence, 12)));
        Assert.Equal([0.5, 2.0 / 3], curve.Select(bin => bin.Accuracy));
        Assert.Equal(((2 * 0.2) + (3 * (0.8 - (2.0 / 3)))) / 5, Calibration.ExpectedError(curve), 12);
    }

    [Fact]
    public void A_bin_of_equal_width_holds_its_upper_edge_and_the_first_holds_zero_too()
    {
        // 0.07·100 is 7.000000000000001 in floating point: an edge must still fall below itself.
        double[] edges = [0, .. Enumerable.Range(1, 100).Select(edge => edge / 100.0)];

        IReadOnlyList<ReliabilityBin> curve = Calibration.ReliabilityCurve(edges, new bool[101], bins: 100);

        Assert.Equal([2, .. Enumerable.Repeat(1, 99)], curve.Select(bin => bin.Count));
        Assert.Equal(edges[2..], curve.Skip(1).Select(bin => bin.MeanConfidence));
    }

    [Fact]
    public void Bins_of_equal_mass_hold_as_many_predictions_each()
    {
        double[] confidences = [0.95, 0.91, 0.92, 0.96, 0.93, 0.94];

        IReadOnlyList<ReliabilityBin> curve = Calibration.ReliabilityCurve(confidences, [true, false, true, true, false, true], bins: 3, ConfidenceBinning.EqualMass);

        Assert.Equal([2, 2, 2], curve.Select(bin => bin.Count));
        Assert.Equal([0.915, 0.935, 0.955], curve.Select(bin => Math.Round(bin.MeanConfidence, 12)));
        Assert.Equal([0.5, 0.5, 1.0], curve.Select(bin => bin.Accuracy));
        Assert.Single(Calibration.ReliabilityCurve(confidences, new bool[6], bins: 5)); // of equal width: all above 0.8
    }

    [Fact]
    public void Equal_confidences_share_a_bin_of_equal_mass_whatever_their_order()
    {
        double[] confidences = [0.5, 0.5, 0.5, 0.5, 0.9, 0.9];
        bool[] correct = [true, false, false, false, true, true];
        ReliabilityBin[] expected = [new(0.5, 0.25, 4), new(0.9, 1, 2)];

        Assert.Equal(expected, Calibration.ReliabilityCurve(confidences, correct, bins: 3, ConfidenceBinning.EqualMass));
        Assert.Equal(expected, Calibration.ReliabilityCurve([.. confidences.Reverse()], [.. correct.Reverse()], bins: 3, ConfidenceBinning.EqualMass));
    }

    [Fact]
    public void A_model_that_is_right_as_often_as_it_says_has_no_error_and_one_that_is_sure_and_wrong_the_largest()
    {
        Assert.Equal(0, Calibration.ExpectedError(Calibration.ReliabilityCurve([0.75, 0.75, 0.75, 0.75], [true, true, false, true])));
        Assert.Equal(1, Calibration.ExpectedError(Calibration.ReliabilityCurve([1, 1], [false, false])));
    }

    [Fact]
    public void The_Brier_score_matches_hand_worked_examples()
    {
        // Binary: (0.3² + 0.4²)/2. Three classes: 0.3² + 0.2² + 0.1² = 0.14, and 2 for the sure and wrong.
        Assert.Equal(0.125, Calibration.BrierScore([0.7, 0.4], [true, false]), 12);
        Assert.Equal((0.14 + 2) / 2, Calibration.BrierScore([[0.7, 0.2, 0.1], [0, 1, 0]], [0, 2]), 12);
        Assert.Equal(2 * 0.125, Calibration.BrierScore([[0.3, 0.7], [0.6, 0.4]], [1, 0]), 12);
    }

    [Fact]
    public void Bad_input_is_named()
    {
        static string Refused(Action call) => Assert.Throws<ArgumentException>(call).Message;

        Assert.Contains("the probability of prediction 1 is 1.5; allowed: 0 to 1", Refused(() => Calibration.ReliabilityCurve([0.5, 1.5], [true, true])));
        Assert.Contains("the probability of prediction 0 is NaN", Refused(() => Calibration.BrierScore([double.NaN], [true])));
        Assert.Contains("the number of correct is 1; allowed: 2", Refused(() => Calibration.ReliabilityCurve([0.5, 0.5], [true])));
        Assert.Contains("the number of predictions is 0", Refused(() => Calibration.BrierScore([], Array.Empty<bool>())));
        Assert.Contains("bins is 0", Refused(() => Calibration.ReliabilityCurve([0.5], [true], bins: 0)));
        Assert.Contains("the sum of the probabilities of prediction 0 is 0.9", Refused(() => Calibration.BrierScore([[0.5, 0.4]], [0])));
        Assert.Contains("the answer of prediction 0 is 2; allowed: 0 to 1", Refused(() => Calibration.BrierScore([[0.5, 0.5]], [2])));
        Assert.Contains("the number of bins is 0", Refused(() => Calibration.ExpectedError([])));
    }
}
