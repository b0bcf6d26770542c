// A paper's claim, what we measured, and the verdict that the interval decides. There is no other way to obtain a verdict.

namespace PaperLab.Evaluation;

/// <summary>What the measurement says about a claim.</summary>
public enum Verdict
{
    /// <summary>The interval excludes zero on the paper's side.</summary>
    Supported,

    /// <summary>The interval excludes zero on the other side.</summary>
    Contradicted,

    /// <summary>The interval holds zero, or too few observations stand behind it: the data decide nothing.</summary>
    Inconclusive,

    /// <summary>The scale, the data or the pretrained weights that the claim is about do not exist here.</summary>
    NotTestable,
}

/// <summary>On which side of zero the paper's claim puts the measured difference.</summary>
public enum ClaimedSign
{
    Positive,
    Negative,
}

/// <summary>One row of a claims table.</summary>
public sealed record Claim
{
    private Claim(string statement, string paper, string setting, Interval? measured, string unit, Verdict verdict, string? reason)
    {
        (Statement, Paper, Setting, Measured, Unit, Verdict, Reason) = (statement, paper, setting, measured, unit, verdict, reason);
    }

    /// <summary>The claim in our words.</summary>
    public string Statement { get; }

    /// <summary>The paper's own figure with its setting, as the paper states it.</summary>
    public string Paper { get; }

    /// <summary>Our setting: model size, tokens, seeds.</summary>
    public string Setting { get; }

    /// <summary>The measured difference with its interval; null when the claim cannot be tested here.</summary>
    public Interval? Measured { get; }

    /// <summary>What the measured number counts, for example "nats, AoE − MoE".</summary>
    public string Unit { get; }

    /// <summary>What the interval decided.</summary>
    public Verdict Verdict { get; }

    /// <summary>Why the claim cannot be tested here; null otherwise.</summary>
    public string? Reason { get; }

    /// <summary>Fewer observations than this decide nothing, however narrow their interval: a t interval of two seeds rests on one degree of freedom.</summary>
    public const int MinimumObservations = 5;

    /// <summary>Decides a claim from the interval of the measured difference: the project's one verdict rule.</summary>
    public static Claim Test(string statement, string paper, string setting, Interval difference, ClaimedSign claimed, string unit)
    {
        bool decides = difference.ExcludesZero && difference.Observations >= MinimumObservations;
        Verdict verdict = (decides, difference.Low > 0, claimed) switch
        {
            (false, _, _) => Verdict.Inconclusive,
            (true, true, ClaimedSign.Positive) or (true, false, ClaimedSign.Negative) => Verdict.Supported,
            _ => Verdict.Contradicted,
        };
        return new Claim(statement, paper, setting, difference, unit, verdict, null);
    }

    /// <summary>A claim that cannot be tested here, with the reason that the page prints.</summary>
    public static Claim NotTestable(string statement, string paper, string reason) =>
        new(statement, paper, "—", null, "", Verdict.NotTestable, reason);
}
