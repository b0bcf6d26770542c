// A thin binding to an Open MPI that the system has (Debian: libopenmpi3; clusters: a module). Nothing of it is shipped: it is looked for
// when it is asked for. Open MPI's handles are the addresses of exported symbols; MPICH and its relatives have other ones and another
// library name, and do not pass for it.

using System.Runtime.InteropServices;

namespace PaperLab.Native;

/// <summary>The few calls of MPI that a data-parallel training makes, all on MPI_COMM_WORLD.</summary>
internal sealed unsafe class Mpi
{
    /// <summary>Open MPI 4 and 5.</summary>
    public const string Library = "libmpi.so.40";

    private const int Serialized = 2; // MPI_THREAD_SERIALIZED: calls come from any thread, one at a time
    private const int LargestCount = 1 << 28;
    private static readonly void* s_inPlace = (void*)1;

    private readonly delegate* unmanaged[Cdecl]<int*, byte***, int, int*, int> _initThread;
    private readonly delegate* unmanaged[Cdecl]<int*, int> _initialized;
    private readonly delegate* unmanaged[Cdecl]<int> _finalize;
    private readonly delegate* unmanaged[Cdecl]<void*, int, int> _abort;
    private readonly delegate* unmanaged[Cdecl]<void*, int*, int> _rank;
    private readonly delegate* unmanaged[Cdecl]<void*, int*, int> _size;
    private readonly delegate* unmanaged[Cdecl]<void*, void*, int, void*, void*, void*, int> _allReduce;
    private readonly void* _world;
    private readonly void* _sum;
    private readonly void* _float;
    private readonly void* _double;
    private readonly void* _int64;

    private Mpi(IntPtr library)
    {
        void* Export(string name) => (void*)NativeLibrary.GetExport(library, name);
        _initThread = (delegate* unmanaged[Cdecl]<int*, byte***, int, int*, int>)Export("MPI_Init_thread");
        _initialized = (delegate* unmanaged[Cdecl]<int*, int>)Export("MPI_Initialized");
        _finalize = (delegate* unmanaged[Cdecl]<int>)Export("MPI_Finalize");
        _abort = (delegate* unmanaged[Cdecl]<void*, int, int>)Export("MPI_Abort");
        _rank = (delegate* unmanaged[Cdecl]<void*, int*, int>)Export("MPI_Comm_rank");
        _size = (delegate* unmanaged[Cdecl]<void*, int*, int>)Export("MPI_Comm_size");
        _allReduce = (delegate* unmanaged[Cdecl]<void*, void*, int, void*, void*, void*, int>)Export("MPI_Allreduce");
        _world = Export("ompi_mpi_comm_world");
        _sum = Export("ompi_mpi_op_sum");
        _float = Export("ompi_mpi_float");
        _double = Export("ompi_mpi_double");
        _int64 = Export("ompi_mpi_int64_t");
    }

    /// <summary>The binding; null, with the reason and what to do, where there is no Open MPI.</summary>
    public static Mpi? Find(out string whyNot, string library = Library)
    {
        whyNot = "";
        if (!NativeLibrary.TryLoad(library, out IntPtr handle))
        {
            whyNot = $"{library} (Open MPI) does not load. Install it (Debian, Ubuntu: apt-get install openmpi-bin; a cluster: module load openmpi), and put its folder into LD_LIBRARY_PATH where the system does not look there.";
            return null;
        }

        try
        {
            return new Mpi(handle);
        }
        catch (EntryPointNotFoundException error)
        {
            whyNot = $"{library} loads, but it is not the Open MPI that this program knows: {error.Message}";
            return null;
        }
    }

    /// <summary>Joins the other processes of the launch; a process without a launcher is alone.</summary>
    /// <exception cref="InvalidOperationException">MPI reports an error.</exception>
    public void Initialize()
    {
        int already = 0;
        Check(_initialized(&already), "MPI_Initialized");
        if (already == 0)
        {
            int provided = 0;
            Check(_initThread(null, null, Serialized, &provided), "MPI_Init_thread");
        }
    }

    /// <summary>This process's number, from 0.</summary>
    public int Rank
    {
        get
        {
            int rank = 0;
            Check(_rank(_world, &rank), "MPI_Comm_rank");
            return rank;
        }
    }

    /// <summary>How many processes there are.</summary>
    public int Size
    {
        get
        {
            int size = 0;
            Check(_size(_world, &size), "MPI_Comm_size");
            return size;
        }
    }

    /// <summary>Adds numbers up over all processes, in place. Waits for all of them.</summary>
    public void Sum(Span<float> values) => Sum(values, _float);

    /// <summary>As <see cref="Sum(Span{float})"/>.</summary>
    public void Sum(Span<double> values) => Sum(values, _double);

    /// <summary>As <see cref="Sum(Span{float})"/>.</summary>
    public void Sum(Span<long> values) => Sum(values, _int64);

    /// <summary>Leaves; waits for all of them.</summary>
    public void Leave() => Check(_finalize(), "MPI_Finalize");

    /// <summary>Ends every process of the launch.</summary>
    public void Abort(int exitCode) => _ = _abort(_world, exitCode);

    private void Sum<T>(Span<T> values, void* type)
        where T : unmanaged
    {
        for (int done = 0; done < values.Length; done += LargestCount)
        {
            Span<T> part = values.Slice(done, Math.Min(LargestCount, values.Length - done));
            fixed (T* first = part)
            {
                Check(_allReduce(s_inPlace, first, part.Length, type, _sum, _world), "MPI_Allreduce");
            }
        }
    }

    private static void Check(int error, string call)
    {
        if (error != 0)
        {
            throw new InvalidOperationException($"{call} failed with MPI error {error}.");
        }
    }
}
