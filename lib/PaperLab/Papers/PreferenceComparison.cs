// Ways to please a taste, side by side: searches with policies that stay as they are, and a training. All see the same queries of the same
// tastes, with the policies of the same seeds.

using PaperLab.Evaluation;
using PaperLab.Preference;
using PaperLab.Reinforcement;
using PaperLab.Training;

namespace PaperLab.Papers;

/// <summary>One way to search.</summary>
/// <param name="Name">As plots and tables show it.</param>
/// <param name="Config">Its run with the policy of a seed.</param>
public sealed record SearchArm(string Name, Func<int, SearchRunConfig> Config);

/// <summary>What is compared, how often.</summary>
/// <param name="Preset">smoke, standard or full.</param>
/// <param name="Searches">The searches.</param>
/// <param name="Trained">The training.</param>
/// <param name="Seeds">Each has policies and tastes of its own.</param>
public sealed record PreferenceComparison(string Preset, IReadOnlyList<SearchArm> Searches, Func<int, DpoRunConfig> Trained, IReadOnlyList<int> Seeds)
{
    /// <summary>
    /// Loads the runs from the store and makes those that are missing, seed by seed. It goes on where it stopped, in the middle of a
    /// policy's training too, and several processes that run the same comparison share it.
    /// </summary>
    /// <param name="runtime">Where to compute; always with one thread, for products of small models only lose by being shared.</param>
    /// <param name="store">Where records are looked up and kept, and checkpoints and weights go.</param>
    /// <param name="fresh">Make everything from the start, whatever the store holds.</param>
    /// <param name="progress">Told after every training step and every iteration of a search.</param>
    /// <param name="note">Told in words what was loaded or resumed, and of files that could not be read.</param>
    /// <param name="cancellation">Ends the comparison; finished runs and a training's checkpoint stay in the store.</param>
    public PreferenceResults Run(TorchRuntime runtime, RunStore store, bool fresh = false, IProgress<TrainingProgress>? progress = null, Action<string>? note = null, CancellationToken cancellation = default)
    {
        runtime = runtime.WithThreads(1);
        var options = new PolicyRunOptions { Progress = progress, Note = note, Fresh = fresh };
        var policies = new Dictionary<FourRoleConfig, FourRoleRecord>();
        var searches = new Dictionary<SearchRunConfig, SearchRecord>();
        var trained = new Dictionary<DpoRunConfig, DpoRecord>();
        var runs = new List<Made>();
        foreach (int seed in Seeds)
        {
            SearchRunConfig[] configs = [.. Searches.Select(arm => arm.Config(seed))];
            runs.AddRange(configs.Select(config => config.Policy).Distinct().Select(config => new Made(
                config.Paper, config, null, () => policies[config] = FourRoleRun.Of(config, Preset, runtime, store, options, cancellation))));
            runs.AddRange(configs.Select(config => new Made(
                config.Paper, config, config.Policy, () => searches[config] = SearchRun.Of(config, Preset, runtime, store, options, cancellation))));
            DpoRunConfig dpo = Trained(seed);
            runs.Add(new Made(dpo.Paper, dpo, dpo.Policy, () => trained[dpo] = DpoRun.Of(dpo, Preset, runtime, store, options, cancellation)));
        }

        int found = fresh ? 0 : runs.Count(run => store.Holds(run.Paper, run.Config));
        Turns.Take(runs, run => store.IsInUse(run.Paper, run.Config) || (run.From is { } from && store.IsInUse(run.Paper, from)), run => run.Make());
        Turns.Tell(note, found, runs.Count, "makes");
        return new PreferenceResults(this, policies, searches, trained);
    }

    /// <summary>What is compared, in one line.</summary>
    public override string ToString() => $"{Preset}: {Searches.Count} searches and a training × {Seeds.Count} seeds";

    // A run, what decides it, the policy that it needs, and how it is made.
    private sealed record Made(string Paper, object Config, object? From, Action Make);
}

/// <summary>The finished runs of a comparison.</summary>
public sealed class PreferenceResults
{
    private readonly IReadOnlyDictionary<FourRoleConfig, FourRoleRecord> _policies;
    private readonly IReadOnlyDictionary<SearchRunConfig, SearchRecord> _searches;
    private readonly IReadOnlyDictionary<DpoRunConfig, DpoRecord> _trained;

    internal PreferenceResults(
        PreferenceComparison comparison,
        IReadOnlyDictionary<FourRoleConfig, FourRoleRecord> policies,
        IReadOnlyDictionary<SearchRunConfig, SearchRecord> searches,
        IReadOnlyDictionary<DpoRunConfig, DpoRecord> trained) =>
        (Comparison, _policies, _searches, _trained) = (comparison, policies, searches, trained);

    public PreferenceComparison Comparison { get; }

    /// <summary>The training's runs in the order of the seeds.</summary>
    public IReadOnlyList<DpoRecord> Trained => [.. Comparison.Seeds.Select(seed => _trained[Comparison.Trained(seed)])];

    /// <summary>A search's runs in the order of the seeds.</summary>
    /// <exception cref="ArgumentException">The comparison has no such search.</exception>
    public IReadOnlyList<SearchRecord> Of(string search)
    {
        SearchArm arm = Comparison.Searches.FirstOrDefault(arm => arm.Name == search)
            ?? throw new ArgumentException($"There is no search '{search}'; there are {string.Join(", ", Comparison.Searches.Select(a => a.Name))}.", nameof(search));
        return [.. Comparison.Seeds.Select(seed => _searches[arm.Config(seed)])];
    }

    /// <summary>The policies that a search asked, in the order of the seeds.</summary>
    public IReadOnlyList<FourRoleRecord> PoliciesOf(string search) => [.. Of(search).Select(run => _policies[run.Config.Policy])];

    /// <summary>What a search's answers are worth after so many iterations; by default after the last.</summary>
    public QueryValues After(string search, int? iteration = null) => Values(search, (_, query) => Gold(query, i => query.Iterations[i] <= (iteration ?? int.MaxValue)));

    /// <summary>What the reward model says of them.</summary>
    public QueryValues ScoreAfter(string search, int? iteration = null) => Values(search, (_, query) =>
        query.Scores.Where((_, i) => query.Iterations[i] <= (iteration ?? int.MaxValue)).LastOrDefault(double.NaN));

    /// <summary>What they are worth after so many samples.</summary>
    public QueryValues AtSamples(string search, int samples) => Values(search, (_, query) => Gold(query, i => query.Samples[i] <= samples));

    /// <summary>What they are worth when the search has written, for each query, as many tokens as another did by the end of an iteration.</summary>
    public QueryValues AtTokensOf(string search, string other, int iteration) => AtCostOf(search, other, iteration, (query, i) => query.Written[i], (query, d) => query.WrittenAfter[d]);

    /// <summary>The same with the tokens that were read, so with equal FLOPs.</summary>
    public QueryValues AtFlopsOf(string search, string other, int iteration) =>
        AtCostOf(search, other, iteration, (query, i) => query.Written[i] + query.Read[i], (query, d) => query.WrittenAfter[d] + query.ReadAfter[d]);

    /// <summary>FLOPs of a query up to the end of an iteration, mean.</summary>
    public double FlopsAfter(string search, int iteration) => Of(search).Average(run => run.FlopsPerToken * run.Queries.Average(query => query.WrittenAfter[iteration] + query.ReadAfter[iteration]));

    /// <summary>Tokens written for a query up to the end of an iteration, mean.</summary>
    public double TokensAfter(string search, int iteration) => Of(search).Average(run => run.Queries.Average(query => query.WrittenAfter[iteration]));

    /// <summary>Of the trained policies after their last step, what a sampled answer is worth: of every taste one value, in place of its queries'.</summary>
    /// <param name="best">The best of several answers instead.</param>
    public QueryValues OfTrained(bool best = false) => new(
        [.. Trained.Select(run => best ? run.Points[^1].BestGolds : run.Points[^1].Golds)],
        [.. Trained.Select(run => Enumerable.Range(0, run.Points[^1].Golds.Count).ToArray())]);

    private QueryValues AtCostOf(string search, string other, int iteration, Func<QueryOutcome, int, long> spent, Func<QueryOutcome, int, long> budget)
    {
        IReadOnlyList<SearchRecord> others = Of(other);
        return Values(search, (place, query) =>
        {
            QueryOutcome rival = others[place.Seed].Queries[place.Query];
            return Gold(query, i => spent(query, i) <= budget(rival, iteration));
        });
    }

    private QueryValues Values(string search, Func<(int Seed, int Query), QueryOutcome, double> value)
    {
        IReadOnlyList<SearchRecord> runs = Of(search);
        return new QueryValues(
            [.. runs.Select((run, seed) => run.Queries.Select((query, place) => value((seed, place), query)).ToArray())],
            [.. runs.Select(run => run.Queries.Select(query => query.Taste).ToArray())]);
    }

    // Of the last best answer for which it holds; best answers only become more.
    private static double Gold(QueryOutcome query, Func<int, bool> holds) => query.Golds.Where((_, i) => holds(i)).LastOrDefault(query.Unanswered);
}
