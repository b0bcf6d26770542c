// The figures of reinforcement: how policies learn, what they reach, and everything that a reader looks at when the reward does not rise.

using PaperLab.Papers;
using PaperLab.Reinforcement;

namespace PaperLab.Display;

/// <summary>Draws <see cref="PolicyResults"/>.</summary>
public static class PolicyCharts
{
    /// <summary>Greedy accuracy and the length of greedy answers on held-out problems, by step: the mean over seeds with its band.</summary>
    public static Figure Learning(PolicyResults results, string title, params string[] arms)
    {
        Figure Panel(string name, string y, string unit, bool percent, Func<PolicyScore, double> metric) =>
            Chart.Lines(name, arms.Select(arm => Evaluated(results, arm, metric))).XAxis("Step", whole: true).YAxis(y, unit, percent: percent, min: 0);
        return Chart.Grid(
            title, 2,
            [Panel("Held-out accuracy", "Greedy answers that are right", "", true, score => score.Greedy), Panel("Length", "Tokens of a greedy answer", "", false, score => score.Length)],
            shareAxes: false).WithCaption(SeedSpread.Caption(results.Comparison.Seeds.Count));
    }

    /// <summary>What each arm reaches, beside what it began from.</summary>
    public static Figure BeforeAndAfter(PolicyResults results, string title, string y, Func<PolicyRecord, double> metric, params string[] arms) =>
        Chart.Bars(title, arms,
                Series.Of("before", arms.Select(arm => SeedSpread.Of(results.Of(arm).Select(run => metric(results.Before(run)))))),
                Series.Of("after", arms.Select(arm => SeedSpread.Of(results.Of(arm).Select(metric)))))
            .YAxis(y, percent: true)
            .WithCaption(SeedSpread.Caption(results.Comparison.Seeds.Count));

    /// <summary>pass@1 by difficulty, before and after, one panel for each arm.</summary>
    public static Figure ByDifficulty(PolicyResults results, string title, Func<int, string> difficulty, params string[] arms) =>
        Chart.Grid(title, arms.Length, arms.Select(arm =>
        {
            int[] levels = [.. results.Of(arm)[0].Final.Scores.Select(score => score.Difficulty)];
            Series Of(string name, Func<PolicyRecord, PolicyRecord> when) =>
                Series.Of(name, levels.Select((_, level) => SeedSpread.Of(results.Of(arm).Select(run => when(run).Final.Scores[level].PassAt1!.Value))));
            return Chart.Bars(arm, levels.Select(difficulty), Of("before", results.Before), Of("after", run => run)).YAxis("pass@1", percent: true);
        })).WithCaption(SeedSpread.Caption(results.Comparison.Seeds.Count));

    /// <summary>Gain in greedy accuracy by the share of chains in the base.</summary>
    public static Figure ByShare(PolicyResults parity)
    {
        IReadOnlyList<(string Arm, double Share)> arms = R1ZeroPaper.ByShare(parity.Comparison);
        Series Line(string name, Func<PolicyRecord, double> metric) =>
            Series.Of(name, arms.Select(arm => arm.Share), arms.Select(arm => SeedSpread.Of(parity.Of(arm.Arm).Select(metric)))).AsLineWithPoints();
        return Chart.Lines("What the base brings decides", Line("base", run => R1ZeroPaper.Greedy(parity.Before(run))), Line("after GRPO", R1ZeroPaper.Greedy))
            .XAxis("p, share of chains that the base has seen").YAxis("Greedy accuracy", percent: true, min: 0, max: 1.05)
            .ReferenceY(0.5, "chance")
            .WithCaption(SeedSpread.Caption(parity.Comparison.Seeds.Count));
    }

    /// <summary>Reward, loss, gradient and dead groups, step by step: why a loss near zero says nothing.</summary>
    public static Figure RewardAndLoss(PolicyResults results, string title, params string[] arms) =>
        StepGrid(results, title, columns: 2, arms, s_reward, s_loss, s_gradient, s_dead);

    /// <summary>Everything that a step tells, for some arms: reward, loss, gradient, dead groups, entropy, divergence, length, truncation, clipping.</summary>
    public static Figure Steps(PolicyResults results, string title, params string[] arms) => StepGrid(
        results, title, columns: 3, arms,
        s_reward,
        s_loss,
        s_gradient,
        s_dead,
        ("Entropy", "Nats a token", false, step => step.Entropy),
        ("Divergence", "Nats a token", false, step => step.Kl),
        ("Length", "Tokens", false, step => step.Length),
        ("Truncated", "Answers cut off", true, step => step.Truncated),
        ("Clipped", "Tokens clipped", true, step => step.ClipShare));

    private static readonly (string Name, string Y, bool Percent, Func<PolicyStep, double> Metric)
        s_reward = ("Reward", "Mean reward", false, step => step.Reward),
        s_loss = ("Loss", "Loss", false, step => step.Loss),
        s_gradient = ("Gradient", "Norm before clipping", false, step => step.GradientNorm),
        s_dead = ("Dead groups", "Of equal rewards", true, step => step.DeadGroups);

    private static Figure StepGrid(PolicyResults results, string title, int columns, string[] arms, params IEnumerable<(string Name, string Y, bool Percent, Func<PolicyStep, double> Metric)> panels) =>
        Chart.Grid(
            title,
            columns,
            panels.Select(panel => Chart.Lines(panel.Name, arms.Select(arm => Stepped(results, arm, panel.Metric))).XAxis("Step", whole: true).YAxis(panel.Y, percent: panel.Percent)),
            shareAxes: false).WithCaption(SeedSpread.Caption(results.Comparison.Seeds.Count));

    private static Series Evaluated(PolicyResults results, string arm, Func<PolicyScore, double> metric)
    {
        IReadOnlyList<PolicyRecord> runs = results.Of(arm);
        return Band(arm, [.. runs[0].Evaluations.Select(point => (double)point.Step)], runs.Select(run => run.Evaluations.Select(point => metric(point.Mean)).ToArray())).AsLineWithPoints();
    }

    private static Series Stepped(PolicyResults results, string arm, Func<PolicyStep, double> metric)
    {
        IReadOnlyList<PolicyRecord> runs = results.Of(arm);
        return Band(arm, [.. runs[0].Steps.Select(step => (double)step.Step)], runs.Select(run => run.Steps.Select(metric).ToArray()));
    }

    private static Series Band(string name, double[] x, IEnumerable<double[]> runs)
    {
        double[][] values = [.. runs];
        return Series.Of(name, x, x.Select((_, i) => SeedSpread.Of(values.Select(run => run[i]))));
    }
}
