// Something measured query by query in several seeds, and how far it can be trusted.

namespace PaperLab.Evaluation;

/// <summary>
/// A number of every query in every seed; NaN for one that has none, which is left out. Intervals are bootstraps over seeds and, in each,
/// over groups of queries: what the queries of a group share makes them alike, so their mean is one observation.
/// </summary>
public sealed class QueryValues
{
    private const int Seed = 1;

    private readonly IReadOnlyList<IReadOnlyList<double>> _values;
    private readonly IReadOnlyList<IReadOnlyList<int>> _groups;

    /// <summary>Numbers with their groups.</summary>
    /// <param name="values">By seed, then by query.</param>
    /// <param name="groups">The group of each query, such as the taste that asks it or the disease that it is about.</param>
    public QueryValues(IReadOnlyList<IReadOnlyList<double>> values, IReadOnlyList<IReadOnlyList<int>> groups) => (_values, _groups) = (values, groups);

    /// <summary>The mean of each seed.</summary>
    public IReadOnlyList<double> BySeed => [.. ByGroup.Select(groups => groups.Average())];

    /// <summary>The mean.</summary>
    public Interval Mean => Interval.OfNestedBootstrap(ByGroup, Seed);

    /// <summary>Mean difference from another's, query by query.</summary>
    public Interval Minus(QueryValues other) => Interval.OfNestedBootstrap([.. ByGroup.Zip(other.ByGroup, (mine, theirs) => mine.Zip(theirs, (a, b) => a - b).ToArray())], Seed);

    /// <summary>Share of the queries on which it is better than another; a tie counts half.</summary>
    public Interval WinsOver(QueryValues other) => new QueryValues(
        [.. _values.Zip(other._values, (mine, theirs) => mine.Zip(theirs, (a, b) => a > b ? 1 : a == b ? 0.5 : 0).ToArray())], _groups).Mean;

    private IReadOnlyList<IReadOnlyList<double>> ByGroup =>
    [
        .. _values.Zip(_groups, (queries, groups) => queries.Zip(groups)
            .GroupBy(query => query.Second)
            .OrderBy(group => group.Key)
            .Select(group => group.Select(query => query.First).Where(value => !double.IsNaN(value)).DefaultIfEmpty(double.NaN).Average())
            .ToArray()),
    ];
}
