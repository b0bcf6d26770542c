// What a policy is improved by: an advantage for each answer, and a clipped ratio of probabilities for each of its tokens.
//
//   GRPO      arXiv 2402.03300, section 4.1; used by DeepSeek-R1-Zero, arXiv 2501.12948, equations 1 to 3
//   Dr. GRPO  arXiv 2503.20783, section 3.2: no division by the standard deviation, none by the answer's own length
//   DAPO      arXiv 2503.14476, section 3: every token weighs the same, the upper clip is wider, groups without a difference are dropped
//   REINFORCE with the batch's mean reward as its baseline
//   Rejection sampling: the log-probability of accepted answers is raised, others are forgotten (RAFT, arXiv 2304.06767)
//
// G answers make a group: those to one question, one after another.

using System.Text.Json.Serialization;

namespace PaperLab.Reinforcement;

/// <summary>What a token weighs in the loss.</summary>
public enum TokenWeighting
{
    /// <summary>1/|o| of its answer, and every answer the same: GRPO. Long wrong answers are punished less for each token.</summary>
    ByAnswer,

    /// <summary>1/L with one constant L for all, and every answer the same: Dr. GRPO.</summary>
    ByConstant,

    /// <summary>Every token the same: DAPO.</summary>
    ByToken,
}

/// <summary>What an answer's reward is compared with.</summary>
public enum RewardBaseline
{
    /// <summary>The mean of its group.</summary>
    Group,

    /// <summary>The mean of the whole batch.</summary>
    Batch,

    /// <summary>Nothing: answers with at least <see cref="PolicyObjective.Accepted"/> are imitated, all with advantage 1, and the others left out.</summary>
    Acceptance,
}

/// <summary>What the difference from the baseline is divided by.</summary>
public enum AdvantageScale
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>The group's standard deviation, with G below the sum of squares.</summary>
    StandardDeviation,

    /// <summary>The group's standard deviation, with G − 1: what most implementations take.</summary>
    SampleStandardDeviation,
}

/// <summary>An objective; the papers' are <see cref="Grpo"/>, <see cref="DrGrpo"/>, <see cref="Dapo"/> and <see cref="Reinforce"/>.</summary>
public sealed record PolicyObjective
{
    // Rewards of a few decimals differ by more, sums of them in another order by less.
    private const double SameReward = 1e-9;

    /// <summary>What a token weighs.</summary>
    public TokenWeighting Weighting { get; init; }

    /// <summary>L of <see cref="TokenWeighting.ByConstant"/>: the longest that an answer can be.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int ConstantLength { get; init; }

    /// <summary>What an answer's reward is compared with.</summary>
    public RewardBaseline Baseline { get; init; }

    /// <summary>The lowest reward that is accepted, where <see cref="Baseline"/> is <see cref="RewardBaseline.Acceptance"/>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public double Accepted { get; init; }

    /// <summary>What the difference is divided by. The papers do not say which of the two standard deviations.</summary>
    public AdvantageScale Scale { get; init; } = AdvantageScale.SampleStandardDeviation;

    /// <summary>ε below: a ratio counts as at least 1 − ε where that is the worse.</summary>
    public double ClipLow { get; init; } = 0.2;

    /// <summary>ε above: a ratio counts as at most 1 + ε where that is the worse.</summary>
    public double ClipHigh { get; init; } = 0.2;

    /// <summary>β of the divergence from the reference policy; 0 for none, and no reference is computed.</summary>
    public double KlWeight { get; init; }

    /// <summary>Whether groups of equal rewards are left out. They have no advantage, but weigh in a mean over tokens.</summary>
    public bool DropDeadGroups { get; init; }

    /// <summary>GRPO with the β of DeepSeek-R1-Zero.</summary>
    public static PolicyObjective Grpo { get; } = new() { KlWeight = 0.001 };

    /// <summary>DAPO with the paper's clips.</summary>
    public static PolicyObjective Dapo { get; } = new() { Weighting = TokenWeighting.ByToken, ClipHigh = 0.28, DropDeadGroups = true };

    /// <summary>REINFORCE: on fresh answers the ratio is 1, and its gradient that of the log-probability.</summary>
    public static PolicyObjective Reinforce { get; } = new() { Weighting = TokenWeighting.ByToken, Baseline = RewardBaseline.Batch, Scale = AdvantageScale.None };

    /// <summary>Fine-tuning on the model's own accepted answers, drawn anew for every step.</summary>
    /// <param name="accepted">The lowest reward that is accepted.</param>
    public static PolicyObjective RejectionSampling(double accepted) =>
        new() { Weighting = TokenWeighting.ByToken, Baseline = RewardBaseline.Acceptance, Accepted = accepted, Scale = AdvantageScale.None };

    /// <summary>Dr. GRPO.</summary>
    /// <param name="longest">The longest that an answer can be.</param>
    public static PolicyObjective DrGrpo(int longest) => new() { Weighting = TokenWeighting.ByConstant, ConstantLength = longest, Scale = AdvantageScale.None };

    /// <summary>Throws with the field, its value and the allowed range.</summary>
    /// <exception cref="ArgumentException">A field is out of range.</exception>
    public void Validate()
    {
        Require.That(
            Weighting == TokenWeighting.ByConstant ? ConstantLength >= 1 : ConstantLength == 0,
            nameof(ConstantLength),
            ConstantLength,
            Weighting == TokenWeighting.ByConstant ? "1 or more: the longest that an answer can be" : $"0 where Weighting is {Weighting}");
        Require.That(Baseline == RewardBaseline.Group || Scale == AdvantageScale.None, nameof(Scale), Scale, $"{AdvantageScale.None} where Baseline is {Baseline}: a standard deviation is a group's");
        Require.That(Baseline == RewardBaseline.Acceptance || Accepted == 0, nameof(Accepted), Accepted, $"0 where Baseline is {Baseline}");
        Require.That(double.IsFinite(Accepted), nameof(Accepted), Accepted, "a finite number");
        Require.That(ClipLow is > 0 and < 1, nameof(ClipLow), ClipLow, "above 0, below 1");
        Require.That(ClipHigh > 0 && double.IsFinite(ClipHigh), nameof(ClipHigh), ClipHigh, "above 0");
        Require.That(KlWeight >= 0 && double.IsFinite(KlWeight), nameof(KlWeight), KlWeight, "0 or more");
    }

    /// <summary>The advantage of every answer, group by group: A = (r − mean) / std.</summary>
    /// <param name="rewards">Of every answer, groups one after another.</param>
    /// <param name="groupSize">G.</param>
    /// <exception cref="ArgumentException">The answers are not whole groups.</exception>
    public double[] Advantages(IReadOnlyList<double> rewards, int groupSize)
    {
        Require.That(groupSize >= 1 && rewards.Count % groupSize == 0, "the number of answers", rewards.Count, $"a multiple of the group size, {groupSize}");
        if (Baseline == RewardBaseline.Acceptance)
        {
            return [.. rewards.Select(reward => IsAccepted(reward) ? 1.0 : 0)];
        }

        double batchMean = rewards.Count == 0 ? 0 : rewards.Average();
        return
        [
            .. rewards.Chunk(groupSize).SelectMany(group =>
            {
                if (Baseline == RewardBaseline.Batch)
                {
                    return group.Select(reward => reward - batchMean);
                }

                double mean = group.Average(), squares = group.Sum(reward => (reward - mean) * (reward - mean));
                double scale = Scale switch
                {
                    AdvantageScale.StandardDeviation => Math.Sqrt(squares / groupSize),
                    AdvantageScale.SampleStandardDeviation => Math.Sqrt(squares / (groupSize - 1)),
                    _ => 1,
                };
                bool dead = IsDead(group);
                return group.Select(reward => dead ? 0 : (reward - mean) / scale);
            }),
        ];
    }

    /// <summary>Whether all rewards of a group are equal: nothing can be learned from comparing its answers.</summary>
    public static bool IsDead(IReadOnlyList<double> group) => group.Max() - group.Min() <= SameReward;

    /// <summary>The answers that are trained on: all, those of groups that are not dead, or those that are accepted.</summary>
    /// <param name="rewards">Of every answer, groups one after another.</param>
    /// <param name="groupSize">G.</param>
    public int[] Kept(IReadOnlyList<double> rewards, int groupSize) => Baseline == RewardBaseline.Acceptance
        ? [.. Enumerable.Range(0, rewards.Count).Where(answer => IsAccepted(rewards[answer]))]
        : [.. rewards.Chunk(groupSize).SelectMany((group, g) => DropDeadGroups && IsDead(group) ? [] : Enumerable.Range(g * groupSize, group.Length))];

    private bool IsAccepted(double reward) => reward >= Accepted - SameReward;

    /// <summary>What each token of an answer weighs in the loss, for every answer of a batch.</summary>
    /// <param name="lengths">|o|: tokens of every answer.</param>
    public double[] Weights(IReadOnlyList<int> lengths) => Weighting switch
    {
        TokenWeighting.ByAnswer => [.. lengths.Select(length => 1.0 / lengths.Count / length)],
        TokenWeighting.ByConstant => [.. lengths.Select(_ => 1.0 / lengths.Count / ConstantLength)],
        _ => [.. lengths.Select(_ => 1.0 / lengths.Sum())],
    };
}
