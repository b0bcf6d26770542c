// Runs verifiers so that none can harm the training: the one place where their exceptions, their hanging and their nonsense are met.
//
// One background thread judges the whole batch, call after call, and says which call it is at; the caller watches. A call that hangs
// cannot be ended from outside, but the caller leaves with an error that names it, and a background thread does not keep a process alive.

using System.Diagnostics;

namespace PaperLab.Reinforcement;

internal sealed class VerifierGuard
{
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(20); // how often the caller looks at the clock

    private readonly IReadOnlyList<Sample> _samples;
    private readonly IReadOnlyList<IVerifier> _verifiers;
    private readonly Func<IVerifier, Sample, Score?> _known;
    private readonly TaskCompletionSource<Score[][]> _scores = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Call? _current;
    private volatile bool _abandoned;

    private VerifierGuard(IReadOnlyList<Sample> samples, IReadOnlyList<IVerifier> verifiers, Func<IVerifier, Sample, Score?> known) =>
        (_samples, _verifiers, _known) = (samples, verifiers, known);

    /// <summary>The scores of every sample, in the verifiers' order.</summary>
    /// <param name="known">A score that stands without asking the verifier; null to ask it.</param>
    /// <param name="limit">Time that one call may take.</param>
    /// <exception cref="VerifierException">A verifier failed.</exception>
    public static Score[][] Judge(
        IReadOnlyList<Sample> samples, IReadOnlyList<IVerifier> verifiers, Func<IVerifier, Sample, Score?> known, TimeSpan limit, CancellationToken cancellation)
    {
        var guard = new VerifierGuard(samples, verifiers, known);
        new Thread(guard.Work) { IsBackground = true, Name = "verifiers" }.Start();
        try
        {
            return guard.Watch(limit, cancellation);
        }
        finally
        {
            guard._abandoned = true;
        }
    }

    private Score[][] Watch(TimeSpan limit, CancellationToken cancellation)
    {
        Task<Score[][]> scores = _scores.Task;
        Task[] waited = [scores];
        while (Task.WaitAny(waited, (int)s_look.TotalMilliseconds, cancellation) < 0)
        {
            if (Volatile.Read(ref _current) is { } call && Stopwatch.GetElapsedTime(call.Began) > limit && !scores.IsCompleted)
            {
                throw new VerifierException(call.Verifier, call.Sample, $"did not return within {limit.TotalSeconds:0.###} s");
            }
        }

        return scores.GetAwaiter().GetResult();
    }

    private void Work()
    {
        try
        {
            var scores = new Score[_samples.Count][];
            for (int i = 0; i < scores.Length; i++)
            {
                scores[i] = [.. _verifiers.Select(verifier => _known(verifier, _samples[i]) ?? Ask(verifier, _samples[i]))];
            }

            _scores.SetResult(scores);
        }
        catch (Exception error)
        {
            _scores.SetException(error); // the caller's to see, or nobody's when it has left
        }
    }

    private Score Ask(IVerifier verifier, Sample sample)
    {
        if (_abandoned)
        {
            throw new OperationCanceledException();
        }

        Volatile.Write(ref _current, new Call(verifier, sample, Stopwatch.GetTimestamp()));
        Score? score;
        try
        {
            score = verifier.Judge(sample);
        }
        catch (Exception error)
        {
            throw new VerifierException(verifier, sample, $"threw {error.GetType().Name} ({error.Message})", error);
        }

        if (score is null)
        {
            throw new VerifierException(verifier, sample, "returned null");
        }

        return score.Value >= verifier.Lowest && score.Value <= verifier.Highest
            ? score
            : throw new VerifierException(verifier, sample, $"returned {score.Value}, outside its range of {verifier.Lowest} to {verifier.Highest},");
    }

    private sealed record Call(IVerifier Verifier, Sample Sample, long Began);
}
