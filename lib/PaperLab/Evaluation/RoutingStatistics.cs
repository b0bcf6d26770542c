// What the loads of experts say: are they even, and do experts belong to kinds of text? Pure functions of shares.

namespace PaperLab.Evaluation;

/// <summary>Statistics of one layer's routing. Loads are shares of assignments by expert, which sum to 1, unless said otherwise.</summary>
public static class RoutingStatistics
{
    /// <summary>Entropy of a distribution, nats; ln E for an even one.</summary>
    public static double Entropy(IReadOnlyList<double> shares) => -shares.Where(share => share > 0).Sum(share => share * Math.Log(share));

    /// <summary>MaxVio (arXiv 2408.15664): (largest load − mean load) / mean load; 0 is perfect balance.</summary>
    public static double MaxViolation(IReadOnlyList<double> load) => (load.Max() / load.Average()) - 1;

    /// <summary>The balance loss E·Σ fᵢPᵢ (arXiv 2501.11873, equation 1).</summary>
    /// <param name="tokenShares">f: share of the tokens whose experts include each one; sums to K.</param>
    /// <param name="scores">P: mean softmax score of each expert; sums to 1.</param>
    public static double BalanceLoss(IReadOnlyList<double> tokenShares, IReadOnlyList<double> scores) => tokenShares.Zip(scores, (f, p) => f * p).Sum() * scores.Count;

    /// <summary>
    /// Mutual information I(domain; expert) of one assignment, nats, all domains equally likely: how much an expert tells about the
    /// domain. 0 where experts treat all domains alike; at most ln of the number of domains.
    /// </summary>
    /// <param name="loadByDomain">Each domain's load.</param>
    public static double MutualInformation(IEnumerable<IReadOnlyList<double>> loadByDomain)
    {
        IReadOnlyList<double>[] domains = [.. loadByDomain];
        double[] load = Mean(domains);
        return domains.Average(domain => domain.Zip(load, (share, mean) => share > 0 ? share * Math.Log(share / mean) : 0).Sum());
    }

    /// <summary>The largest load that an expert has in a domain, averaged over domains: high where a domain has experts of its own.</summary>
    public static double MaxFrequency(IEnumerable<IReadOnlyList<double>> loadByDomain) => loadByDomain.Average(domain => domain.Max());

    private static double[] Mean(IReadOnlyList<double>[] rows) => [.. rows[0].Select((_, expert) => rows.Average(row => row[expert]))];
}
