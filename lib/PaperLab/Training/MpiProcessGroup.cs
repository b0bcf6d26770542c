// Data-parallel training over MPI: mpirun or Slurm starts the processes, and the numbers travel by MPI's all-reduce.

using System.Runtime.InteropServices;
using PaperLab.Native;
using static TorchSharp.torch;

namespace PaperLab.Training;

/// <summary>The processes that an MPI launcher started.</summary>
public sealed class MpiProcessGroup : ProcessGroup, IDisposable
{
    // What the launchers set: Open MPI's mpirun; srun --mpi=pmix.
    private static readonly string[] s_launchers = ["OMPI_COMM_WORLD_SIZE", "PMIX_RANK"];
    private static readonly string[] s_localRanks = ["OMPI_COMM_WORLD_LOCAL_RANK", "SLURM_LOCALID"];
    private static readonly string[] s_localSizes = ["OMPI_COMM_WORLD_LOCAL_SIZE", "SLURM_NTASKS_PER_NODE"];

    private readonly Mpi _mpi;

    private MpiProcessGroup(Mpi mpi)
    {
        mpi.Initialize();
        (_mpi, Rank, Size) = (mpi, mpi.Rank, mpi.Size);
    }

    public override int Rank { get; }

    public override int Size { get; }

    /// <summary>Number of this process among those on its machine, from 0: which GPU is its own.</summary>
    public static int LocalRank => Variable(s_localRanks) ?? 0;

    /// <summary>Number of processes on its machine.</summary>
    public static int LocalSize => Variable(s_localSizes) ?? 1;

    /// <summary>True when an MPI launcher started this process.</summary>
    public static bool WasLaunched => s_launchers.Any(name => Environment.GetEnvironmentVariable(name) is { Length: > 0 });

    /// <summary>Null where an Open MPI is on this machine; else why not, and what to do.</summary>
    public static string? WhyAbsent => Mpi.Find(out string whyNot) is null ? whyNot : null;

    /// <summary>Joins the processes of the launch. Once in a process.</summary>
    /// <exception cref="InvalidOperationException">There is no Open MPI on this machine, or it reports an error.</exception>
    public static MpiProcessGroup Join() => new(Mpi.Find(out string whyNot) ?? throw new InvalidOperationException(whyNot));

    /// <summary>Ends every process of the launch, at once.</summary>
    public void Abort(int exitCode) => _mpi.Abort(exitCode);

    /// <summary>Leaves, when all processes do.</summary>
    public void Dispose() => _mpi.Leave();

    protected override void SumOnHost(Tensor values)
    {
        switch (values.dtype)
        {
            case ScalarType.Float32:
                _mpi.Sum(MemoryMarshal.Cast<byte, float>(values.bytes));
                break;
            case ScalarType.Float64:
                _mpi.Sum(MemoryMarshal.Cast<byte, double>(values.bytes));
                break;
            default:
                _mpi.Sum(MemoryMarshal.Cast<byte, long>(values.bytes));
                break;
        }
    }

    private static int? Variable(string[] names) =>
        names.Select(Environment.GetEnvironmentVariable).Select(text => int.TryParse(text, out int number) ? number : (int?)null).FirstOrDefault(number => number is not null);
}
