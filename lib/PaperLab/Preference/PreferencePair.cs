// What a preference is learned from, by reward models and by DPO alike: comparisons. Bradley and Terry's model (1952) of them is that
//
//   P(a ≻ b) = σ(r(a) − r(b))

using static TorchSharp.torch;

namespace PaperLab.Preference;

/// <summary>Two answers to one query, compared.</summary>
/// <param name="Query">What was asked.</param>
/// <param name="Chosen">The answer that was preferred.</param>
/// <param name="Rejected">The other one.</param>
public sealed record PreferencePair(Query Query, string Chosen, string Rejected)
{
    /// <summary><see cref="Chosen"/>, to be judged.</summary>
    public Candidate Better => new(Query, Chosen);

    /// <summary><see cref="Rejected"/>, to be judged.</summary>
    public Candidate Worse => new(Query, Rejected);
}

internal static class BradleyTerry
{
    /// <summary>−log P(chosen ≻ rejected) of every pair, [P], from the rewards, [P] each.</summary>
    public static Tensor Loss(Tensor chosen_P, Tensor rejected_P) => -nn.functional.logsigmoid(chosen_P - rejected_P);

    /// <summary>Share of the pairs whose preferred answer has the higher score; a tie counts half, so that a model which knows nothing has 0.5.</summary>
    public static double Agreement(IReadOnlyList<double> chosen, IReadOnlyList<double> rejected) =>
        chosen.Zip(rejected, (better, worse) => better > worse ? 1 : better == worse ? 0.5 : 0).Average();

    /// <summary>Pairs enough to learn from, or to be measured on.</summary>
    public static void RequireSome(IReadOnlyList<PreferencePair> pairs) => Require.AtLeast(pairs.Count, 1, "the number of pairs");
}
