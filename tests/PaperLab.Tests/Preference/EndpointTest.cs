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

/// <summary>A clock whose waits are over at once and written down; the limit on a call's time alone is real.</summary>
internal sealed class ImpatientClock(TimeSpan timeout) : TimeProvider
{
    public TimeSpan Timeout { get; } = timeout;

    public ConcurrentQueue<TimeSpan> Waits { get; } = [];

    public override DateTimeOffset GetUtcNow() => new(2025, 1, 24, 0, 0, 0, TimeSpan.Zero);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime == Timeout || dueTime == global::System.Threading.Timeout.InfiniteTimeSpan)
        {
            return base.CreateTimer(callback, state, dueTime, period);
        }

        Waits.Enqueue(dueTime);
        return base.CreateTimer(callback, state, TimeSpan.Zero, period);
    }
}
