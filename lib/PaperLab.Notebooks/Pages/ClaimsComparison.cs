// Whether a run finds what was recorded: claim by claim, the verdict and the numbers behind it.
//
// Numbers may differ by a share of half the interval's width: so much the data leave open anyway, whatever the unit. At the default of a
// hundredth the last digit that a page prints changes by one at most. Where the interval is narrower than a hundredth of the value, or there
// is none, that hundredth takes the place of its half width.

namespace PaperLab.Notebooks.Pages;

/// <summary>A notebook's claims beside the recorded ones.</summary>
/// <param name="Against">Where the recorded ones stand.</param>
/// <param name="Tolerance">By how much numbers may differ, as a share of half the interval's width.</param>
/// <param name="Claims">Every claim that one or the other has.</param>
public sealed record ClaimsComparison(string Against, double Tolerance, IReadOnlyList<ComparedClaim> Claims)
{
    /// <summary>The tolerance where none is asked for.</summary>
    public const double DefaultTolerance = 0.01;

    private const double NarrowestShare = 0.01;

    /// <summary>Compares the claims of a run with recorded ones.</summary>
    /// <param name="recorded">The recorded claims.</param>
    /// <param name="here">Those of the run.</param>
    /// <param name="against">Where the recorded ones stand, for the reader.</param>
    /// <param name="tolerance">By how much numbers may differ.</param>
    public static ClaimsComparison Of(IReadOnlyList<PageClaim> recorded, IReadOnlyList<PageClaim> here, string against, double tolerance = DefaultTolerance) =>
        new(against, tolerance, [.. Pairs(recorded, here).Select(pair => Compare(pair.Recorded, pair.Here, tolerance))]);

    // Some statements occur twice on a page ("The same without …"): the first belongs to the first.
    private static IEnumerable<(PageClaim? Recorded, PageClaim? Here)> Pairs(IReadOnlyList<PageClaim> recorded, IReadOnlyList<PageClaim> here)
    {
        ILookup<string, PageClaim> byStatement = here.ToLookup(claim => claim.Statement);
        var seen = new Dictionary<string, int>();
        foreach (PageClaim claim in recorded)
        {
            int occurrence = seen.GetValueOrDefault(claim.Statement);
            seen[claim.Statement] = occurrence + 1;
            yield return (claim, byStatement[claim.Statement].ElementAtOrDefault(occurrence));
        }

        foreach (PageClaim claim in byStatement.SelectMany(group => group.Skip(seen.GetValueOrDefault(group.Key))))
        {
            yield return (null, claim);
        }
    }

    private static ComparedClaim Compare(PageClaim? recorded, PageClaim? here, double tolerance)
    {
        string? problem = (recorded, here) switch
        {
            (_, null) => "is not claimed here",
            (null, _) => "is not recorded",
            _ when recorded.Verdict != here.Verdict => $"the verdict was {recorded.Verdict}",
            _ when recorded.Observations != here.Observations => $"{here.Observations} observations instead of {recorded.Observations}",
            _ => Deviation("the estimate", recorded.Estimate, here.Estimate) ?? Deviation("the lower bound", recorded.Low, here.Low) ?? Deviation("the upper bound", recorded.High, here.High),
        };
        return new ComparedClaim((recorded ?? here)!.Statement, Text(recorded), Text(here), problem);

        string? Deviation(string what, double? was, double? isNow)
        {
            if (was is null || isNow is null)
            {
                return was is null == isNow is null ? null : $"{what} was {Number(was)} and is {Number(isNow)}";
            }

            double half = (recorded.High - recorded.Low) / 2 ?? 0;
            double allowed = tolerance * Math.Max(half, NarrowestShare * Math.Abs(recorded.Estimate ?? 0));
            double difference = Math.Abs(isNow.Value - was.Value);
            return difference <= allowed ? null : $"{what} is off by {Number(difference)}; allowed {Number(allowed)}";
        }
    }

    private static string? Text(PageClaim? claim) =>
        claim is null ? null
        : claim.Estimate is null ? claim.Verdict
        : $"{Number(claim.Estimate)}{(claim.Low is null && claim.High is null ? "" : $" [{Number(claim.Low)}, {Number(claim.High)}]")} {claim.Verdict}";

    private static string Number(double? value) => value?.ToString("G5") ?? "nothing";
}

/// <summary>One claim beside the recorded one.</summary>
/// <param name="Claim">Its statement.</param>
/// <param name="Recorded">Value, interval and verdict as recorded; null where it is not.</param>
/// <param name="Here">Value, interval and verdict of this run; null where it has no such claim.</param>
/// <param name="Problem">What differs; null when nothing does.</param>
public sealed record ComparedClaim(string Claim, string? Recorded, string? Here, string? Problem);
