// The reward: a weighted sum of verifiers.
//
//   R(o) = Σ w_v · v(o)          DeepSeek-R1-Zero: accuracy + format, both with weight 1 (arXiv 2501.12948, section 2.2)
//
// Two rules hold for every combination. A completion that was cut off earns no accuracy reward, though its text may hold the right
// answer: it did not end, so nobody would have been given it. And form is never worth more than being right, or the model learns
// to be wrong in good form.

namespace PaperLab.Reinforcement;

/// <summary>A verifier with its weight, 0 or more; at 0 it is reported and not rewarded.</summary>
public sealed record WeightedVerifier(IVerifier Verifier, double Weight = 1);

/// <summary>What one verifier contributed.</summary>
/// <param name="Verifier">Its name.</param>
/// <param name="Weight">Its weight.</param>
/// <param name="Score">What it said.</param>
public sealed record Judgement(string Verifier, double Weight, Score Score);

/// <summary>A sample with its reward.</summary>
/// <param name="Sample">The sample.</param>
/// <param name="Reward">R: the weighted sum.</param>
/// <param name="Judgements">The parts, in the order of the combination.</param>
public sealed record JudgedSample(Sample Sample, double Reward, IReadOnlyList<Judgement> Judgements);

/// <summary>A batch with its rewards.</summary>
public sealed record JudgedBatch(IReadOnlyList<JudgedSample> Samples)
{
    /// <summary>Completions that were cut off.</summary>
    public int Truncated => Samples.Count(judged => judged.Sample.Completion.Truncated);

    /// <summary>Mean reward.</summary>
    public double MeanReward => Samples.Average(judged => judged.Reward);

    /// <summary>Mean value of one verifier, without its weight.</summary>
    /// <exception cref="ArgumentException">It is none of the combination; the message lists those.</exception>
    public double Mean(string verifier)
    {
        string[] names = [.. Samples[0].Judgements.Select(judgement => judgement.Verifier)];
        int index = Array.IndexOf(names, verifier);
        Require.That(index >= 0, nameof(verifier), verifier, string.Join(", ", names));
        return Samples.Average(judged => judged.Judgements[index].Score.Value);
    }
}

/// <summary>Judges batches by a weighted sum of verifiers.</summary>
public sealed class CombinedReward
{
    private static readonly TimeSpan s_defaultLimit = TimeSpan.FromSeconds(10);

    private readonly IReadOnlyList<WeightedVerifier> _parts;
    private readonly TimeSpan _limit;

    /// <summary>A combination.</summary>
    /// <param name="parts">Verifiers with different names.</param>
    /// <param name="limit">Time that one verifier may take for one sample; 10 s by default.</param>
    /// <exception cref="ArgumentException">There is none, two have one name, a weight is negative or not finite, a range is none, or format is worth more than accuracy.</exception>
    public CombinedReward(IReadOnlyList<WeightedVerifier> parts, TimeSpan? limit = null)
    {
        (_parts, _limit) = ([.. parts], limit ?? s_defaultLimit);
        Require.AtLeast(parts.Count, 1, "the number of verifiers");
        Require.That(_limit > TimeSpan.Zero, nameof(limit), _limit, "more than 0 s");
        foreach (WeightedVerifier part in parts)
        {
            IVerifier verifier = part.Verifier;
            Require.That(double.IsFinite(part.Weight) && part.Weight >= 0, $"the weight of '{verifier.Name}'", part.Weight, "0 or more; a penalty has values below 0, not a weight");
            Require.That(double.IsFinite(verifier.Lowest) && double.IsFinite(verifier.Highest) && verifier.Lowest < verifier.Highest, $"the range of '{verifier.Name}'", $"{verifier.Lowest} to {verifier.Highest}", "finite, the lowest below the highest");
            Require.That(parts.Count(other => other.Verifier.Name == verifier.Name) == 1, "the name of a verifier", $"'{verifier.Name}' twice", "another name for each");
        }

        double accuracy = Worth(VerifierRole.Accuracy);
        double format = Worth(VerifierRole.Format);
        Require.That(format <= accuracy, "format's part of the reward (weight times range)", format, $"up to {accuracy}, accuracy's part: or the model learns to be wrong in good form");
    }

    /// <summary>The verifiers with their weights.</summary>
    public IReadOnlyList<WeightedVerifier> Parts => _parts;

    /// <summary>The paper's reward: strict accuracy and format, both with weight 1.</summary>
    public static CombinedReward R1Zero() => new([new WeightedVerifier(new AccuracyVerifier()), new WeightedVerifier(new FormatVerifier())]);

    /// <summary>Judges a batch.</summary>
    /// <param name="samples">The samples, at least one.</param>
    /// <param name="cancellation">Ends the judging between two samples.</param>
    /// <exception cref="VerifierException">A verifier threw, did not return in time, or gave no value of its range; the message names the sample.</exception>
    public JudgedBatch Judge(IReadOnlyList<Sample> samples, CancellationToken cancellation = default)
    {
        Require.AtLeast(samples.Count, 1, "the number of samples");
        Score[][] scores = VerifierGuard.Judge(samples, [.. _parts.Select(part => part.Verifier)], CutOff, _limit, cancellation);
        return new JudgedBatch([.. samples.Zip(scores, (sample, ofSample) => new JudgedSample(
            sample,
            _parts.Zip(ofSample, (part, score) => part.Weight * score.Value).Sum(),
            [.. _parts.Zip(ofSample, (part, score) => new Judgement(part.Verifier.Name, part.Weight, score))]))]);
    }

    private static Score? CutOff(IVerifier verifier, Sample sample) =>
        verifier.Role == VerifierRole.Accuracy && sample.Completion.Truncated ? new Score(verifier.Lowest, "truncated: no accuracy reward") : null;

    private double Worth(VerifierRole role) => _parts.Where(part => part.Verifier.Role == role).Sum(part => part.Weight * (part.Verifier.Highest - part.Verifier.Lowest));
}
