using PaperLab.Training;
using static TorchSharp.torch;

namespace PaperLab.Tests.Training;

/// <summary>A process group whose processes are threads: what MPI does, without MPI.</summary>
internal sealed class ThreadGroup : ProcessGroup
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);
    private readonly Exchange _exchange;

    private ThreadGroup(Exchange exchange, int rank) => (_exchange, Rank) = (exchange, rank);

    public override int Rank { get; }

    public override int Size => _exchange.Given.Length;

    /// <summary>Does the same on every thread and returns what each returned, in the order of the ranks.</summary>
    public static T[] Run<T>(int size, Func<ThreadGroup, T> work)
    {
        var exchange = new Exchange(size);
        var results = new T[size];
        var errors = new List<Exception>();
        Thread[] threads =
        [
            .. Enumerable.Range(0, size).Select(rank => new Thread(() =>
            {
                try
                {
                    results[rank] = work(new ThreadGroup(exchange, rank));
                }
                catch (Exception error)
                {
                    lock (errors)
                    {
                        errors.Add(error);
                    }

                    exchange.Dispose(); // the others wait no longer
                }
            })),
        ];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        return errors.Count == 0 ? results : throw errors[0];
    }

    protected override void SumOnHost(Tensor values)
    {
        double[] Numbers(Tensor of) => of.to(ScalarType.Float64).data<double>().ToArray();

        using var scope = NewDisposeScope();
        _exchange.Given[Rank] = Numbers(values);
        _exchange.Meet(s_patience);
        double[] sum = [.. Enumerable.Range(0, (int)values.numel()).Select(i => _exchange.Given.Sum(given => given[i]))];
        _exchange.Meet(s_patience); // before anyone gives anew
        values.copy_(tensor(sum).view(values.shape));
    }

    private sealed class Exchange(int size) : IDisposable
    {
        private readonly Barrier _barrier = new(size);
        private volatile bool _over;

        public double[][] Given { get; } = new double[size][];

        public void Meet(TimeSpan patience)
        {
            if (_over || !_barrier.SignalAndWait(patience) || _over)
            {
                throw new TimeoutException("Another process of the group ended, or did not come to the exchange.");
            }
        }

        public void Dispose()
        {
            _over = true;
            _barrier.RemoveParticipant();
        }
    }
}
