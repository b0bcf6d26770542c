// The figures of test-time search: what it finds by samples, tokens and FLOPs, how its answers change, and when its judge leads it astray.

using PaperLab.Evaluation;
using PaperLab.Papers;
using PaperLab.Preference;

namespace PaperLab.Display;

/// <summary>Draws <see cref="PreferenceResults"/>.</summary>
public static class SearchCharts
{
    // Where a curve over samples is read.
    private static readonly int[] s_samples = [1, 2, 3, 5, 8, 10, 15, 20, 30, 45, 60];

    // Seeds differ in their tastes, so a band around a mean would show tastes, and hide that differences are paired.
    private static string MeanCaption(PreferenceResults results) => $"Mean of {results.Comparison.Seeds.Count} seeds. Differences, paired by query, have their intervals in the tables.";

    /// <summary>What the answer is worth, by answers drawn and by tokens written, critiques and instructions included.</summary>
    public static Figure ByCost(PreferenceResults results, string title, params string[] searches) => Chart.Grid(
        title, 2,
        [
            Chart.Lines("By answers", searches.Select(search => ByAnswers(results, search))).XAxis("Answers drawn for a query").YAxis("Gold"),
            Chart.Lines("By tokens", searches.Select(search => ByTokens(results, search))).XAxis("Tokens written for a query").YAxis("Gold"),
        ],
        shareAxes: false).WithCaption(MeanCaption(results));

    /// <summary>What the answer is worth by answers drawn, in several worlds side by side.</summary>
    public static Figure Worlds(PreferenceResults results, string title, params (string World, string[] Searches, string[] Names)[] worlds) => Chart.Grid(
        title, worlds.Length,
        worlds.Select(world => Chart.Lines(world.World, world.Searches.Zip(world.Names, (search, name) => ByAnswers(results, search) with { Name = name })).XAxis("Answers drawn for a query").YAxis("Gold")),
        shareAxes: false).WithCaption(MeanCaption(results));

    /// <summary>What answers of each iteration are worth: the median, and how far they lie apart; not only the best ones.</summary>
    public static Figure Distributions(PreferenceResults results, string title, params string[] searches) => Chart.Grid(
        title, searches.Length,
        searches.Select(search =>
        {
            IReadOnlyList<SearchRecord> runs = results.Of(search);
            double[] x = [.. runs[0].Iterations.Select(answers => (double)answers.Iteration)];
            double[] Of(int quantile) => [.. x.Select((_, i) => runs.Average(run => run.Iterations[i].Gold[quantile]))];
            return Chart.Lines(search,
                    Series.Of("5 to 95 %", x, Of(2)).WithBand(Of(0), Of(4)),
                    Series.Of("25 to 75 %", x, Of(2)).WithBand(Of(1), Of(3)),
                    Series.Of("median", x, Of(2)).AsLineWithPoints())
                .XAxis("Iteration", whole: true).YAxis("Gold of all its answers");
        })).WithCaption($"Quantiles over all answers of an iteration, mean of {results.Comparison.Seeds.Count} seeds.");

    /// <summary>What the answer is worth after every iteration, a line for each width.</summary>
    public static Figure WidthAndDepth(PreferenceResults results) =>
        Chart.Lines("Wider, deeper", TpoPaper.Widths(results.Comparison.Preset).Select(width =>
            {
                string search = TpoPaper.Wide(width);
                return OverIterations(results, search, $"N = {width}", iteration => results.After(search, iteration));
            }))
            .XAxis("Iterations", whole: true).YAxis("Gold")
            .WithCaption(MeanCaption(results));

    /// <summary>How the score and the worth of the answer go on, each in standard deviations of a query's answers at the start.</summary>
    public static Figure Overoptimisation(PreferenceResults results, string title, params (string Panel, string Search)[] panels) => Chart.Grid(
        title, panels.Length,
        panels.Select(panel =>
        {
            double[] iterations = Iterations(results, panel.Search);
            (IReadOnlyList<double> Score, IReadOnlyList<double> Gold)[] gains = [.. iterations.Select(iteration => TpoPaper.Gains(results, panel.Search, (int)iteration))];
            return Chart.Lines(panel.Panel,
                    Series.Of("the reward model's score", iterations, gains.Select(gain => SeedSpread.Of(gain.Score))).AsLineWithPoints(),
                    Series.Of("gold", iterations, gains.Select(gain => SeedSpread.Of(gain.Gold))).AsLineWithPoints())
                .XAxis("Iterations", whole: true).YAxis("Gain, standard deviations");
        })).WithCaption(SeedSpread.Caption(results.Comparison.Seeds.Count));

    /// <summary>What feedback is worth by how good the critic is: TPO against best-of-N and against changes at random, for policies trained for longer and longer.</summary>
    public static Figure BySkill(PreferenceResults results)
    {
        string Search(string search, int? steps) => steps is { } of ? TpoPaper.Under(search, of) : search;
        int?[] policies = [.. TpoPaper.WeakSteps(results.Comparison.Preset).Select(steps => (int?)steps), null];
        double[] skills = [.. policies.Select(steps => results.PoliciesOf(Search(TpoPaper.Tpo, steps)).Average(policy => policy.Skills.Critique))];
        Series Against(string name, string rival) => Series.Of(name, skills, policies.Select(steps => results.After(Search(TpoPaper.Tpo, steps), TpoPaper.PaperDepth).Minus(
            rival == TpoPaper.BestOf ? results.AtSamples(Search(rival, steps), int.MaxValue) : results.After(Search(rival, steps), TpoPaper.PaperDepth)))).AsLineWithPoints();
        return Chart.Lines("How good must the critic be?",
                Against($"TPO − best of {results.Of(TpoPaper.BestOf)[0].Config.Search.Width}", TpoPaper.BestOf),
                Against("TPO − no critique", TpoPaper.NoCritique))
            .XAxis("Attributes of which the critique is right", percent: true).YAxis("Gold, difference")
            .ReferenceY(0, "alike").ReferenceX(1.0 / 3, "guessing")
            .WithCaption("Paired by query; 95 % bootstrap intervals over seeds and tastes. One point for each length of training.");
    }

    /// <summary>What an answer is worth by the FLOPs that one query costs, and by those that a training costs once for its taste.</summary>
    public static Figure Compute(PreferenceResults results)
    {
        IReadOnlyList<DpoRecord> trained = results.Trained;
        double[] training = [.. trained[0].Points.Select((_, point) => trained.Average(run => run.Points[point].Flops + run.FlopsPerAnswer))];
        return Chart.Lines("Search or train?",
                ByFlops(results, TpoPaper.BestOf) with { Name = "best of N, for one query" },
                ByFlops(results, TpoPaper.Tpo) with { Name = "TPO, for one query" },
                Series.Of("DPO, once for a taste", training, training.Select((_, point) => trained.Average(run => run.Points[point].Golds.Average()))).AsLineWithPoints())
            .XAxis("FLOPs", log: true).YAxis("Gold")
            .WithSubtitle("A search pays for every query, a training once; its line is one answer after so much of it.")
            .WithCaption(MeanCaption(results));
    }

    private static double[] Iterations(PreferenceResults results, string search) => [.. Enumerable.Range(0, results.Of(search)[0].Config.Search.Depth + 1).Select(iteration => (double)iteration)];

    private static Series ByAnswers(PreferenceResults results, string search)
    {
        SearchOptions options = results.Of(search)[0].Config.Search;
        int[] samples = options.Depth == 0
            ? [.. s_samples.Where(n => n <= options.Width)]
            : [.. Iterations(results, search).Select(iteration => options.Width * ((int)iteration + 1))];
        return Series.Of(search, samples.Select(n => (double)n), samples.Select((n, i) => (options.Depth == 0 ? results.AtSamples(search, n) : results.After(search, i)).BySeed.Average())).AsLineWithPoints();
    }

    private static Series ByTokens(PreferenceResults results, string search) => ByCost(results, search, iteration => results.TokensAfter(search, iteration));

    private static Series ByFlops(PreferenceResults results, string search) => ByCost(results, search, iteration => results.FlopsAfter(search, iteration));

    // Of best-of-N, the cost of all its answers is shared among them.
    private static Series ByCost(PreferenceResults results, string search, Func<int, double> cost)
    {
        SearchOptions options = results.Of(search)[0].Config.Search;
        Series byAnswers = ByAnswers(results, search);
        return byAnswers with { X = [.. byAnswers.X.Select((answers, i) => options.Depth == 0 ? cost(0) * answers / options.Width : cost(i))] };
    }

    private static Series OverIterations(PreferenceResults results, string search, string name, Func<int, QueryValues> values)
    {
        double[] iterations = Iterations(results, search);
        return Series.Of(name, iterations, iterations.Select(iteration => values((int)iteration).BySeed.Average())).AsLineWithPoints();
    }
}
