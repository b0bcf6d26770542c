using System.Collections.Concurrent;
using PaperLab.Preference;

namespace PaperLab.Tests.Preference;

/// <summary>What tests of endpoints share: a folder, a clock whose waits take no time, and requests.</summary>
public abstract class EndpointTest : IDisposable
{
    /// <summary>Environment variable that the tests put a key in.</summary>
    protected const string KeyVariable = "PAPERLAB_TEST_KEY";

    private protected TemporaryFolder Folder { get; } = new();

    private protected ImpatientClock Clock { get; } = new(TimeSpan.FromSeconds(30));

    protected ConcurrentQueue<string> Notes { get; } = [];

    private protected EndpointOptions Options => new() { KeyVariable = KeyVariable, Retries = 4, Timeout = Clock.Timeout, Time = Clock, Note = Notes.Enqueue };

    protected string RepliesFile => Folder.File("preference/replies.jsonl");

    public virtual void Dispose()
    {
        Environment.SetEnvironmentVariable(KeyVariable, null);
        Folder.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected SavedReplies OpenReplies() => SavedReplies.Open(RepliesFile, Notes.Enqueue);

    private protected static GenerateRequest Generate(int draw) => new(new Query("What makes a good answer?")) { Draw = (ulong)draw };

    private protected static GenerateRequest[] Generates(int count) => [.. Enumerable.Range(0, count).Select(Generate)];
}

/// <summary>A clock whose waits are over at once and written down. The limit on a call's time is real, and over when the test says so.</summary>
internal sealed class ImpatientClock(TimeSpan timeout) : TimeProvider
{
    private readonly ConcurrentBag<ITimer> _limits = [];

    public TimeSpan Timeout { get; } = timeout;

    public ConcurrentQueue<TimeSpan> Waits { get; } = [];

    /// <summary>The calls under way have taken too long.</summary>
    public void Expire()
    {
        foreach (ITimer limit in _limits)
        {
            limit.Change(TimeSpan.Zero, global::System.Threading.Timeout.InfiniteTimeSpan);
        }
    }

    public override DateTimeOffset GetUtcNow() => new(2025, 1, 24, 0, 0, 0, TimeSpan.Zero);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        // A limit may be set when its timer is made, or after.
        if (dueTime == Timeout || dueTime == global::System.Threading.Timeout.InfiniteTimeSpan)
        {
            ITimer limit = base.CreateTimer(callback, state, dueTime, period);
            _limits.Add(limit);
            return limit;
        }

        Waits.Enqueue(dueTime);
        return base.CreateTimer(callback, state, TimeSpan.Zero, period);
    }
}
